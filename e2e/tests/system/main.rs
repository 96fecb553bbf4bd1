//! System management (3.7 of the manual), page by page, by clicks and typing.

mod department;
mod own;
mod post;
mod property;
mod provider;
mod records;
mod rights;
mod role;
mod sheets;
mod user;
