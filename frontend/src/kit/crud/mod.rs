//! The page of a resource: a thin generic shell that erases its types at once, and one page compiled for all.

mod act;
mod detail;
mod edit;
mod import;
mod list;
mod source;

pub use list::crud;
pub use source::{Deed, Entry, Head, Source, browse, edit};
