//! What a resource looks like, as data: columns, form fields, search conditions, actions.
//!
//! The browser's table, the xlsx export, the form, the xlsx import, the checker and the OpenAPI
//! document are renderers of the same lists.

mod action;
mod cell;
mod column;
mod field;

pub use action::Action;
pub use cell::Cell;
pub use column::{As, Column, Fact, at};
pub use field::{Field, Input, Offer, Recent};
