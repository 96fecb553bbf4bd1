//! System management: who may log in, at which node and as what, and what they did.

pub mod audit;
pub mod login;
pub mod node;
pub mod property;
pub mod provider;
pub mod role;
pub mod user;
