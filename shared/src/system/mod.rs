//! System management: who may log in, at which node and as what, what they did, and the work that is under way.

pub mod audit;
pub mod job;
pub mod login;
pub mod node;
pub mod property;
pub mod provider;
pub mod role;
pub mod user;
