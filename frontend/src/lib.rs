//! The operators' console.

pub mod answer;
pub mod api;
pub mod app;
pub mod brand;
pub mod clock;
pub mod events;
pub mod kit;
pub mod lang;
pub mod nav;
pub mod pages;
pub mod run;
pub mod session;
pub mod shell;
pub mod store;
