//! The page of a resource: a thin generic shell that erases its types at once, and one page compiled for all.

mod act;
mod desk;
mod detail;
mod edit;
mod history;
mod hold;
mod import;
mod levels;
mod list;
mod page;
mod records;
mod row;
mod source;
mod subject;

pub use history::{changes, history};
pub use list::crud;
pub use page::{card, head, one};
pub use records::{excerpt, records};
pub use source::{Begin, Entry, Source, browse, edit};
pub use subject::Subject;
