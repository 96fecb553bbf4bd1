//! System management: who may log in, at which node and as what, what they did, and the work that is under way.

pub mod account;
pub mod audit;
pub mod department;
pub mod job;
pub mod login;
pub mod node;
pub mod post;
pub mod property;
pub mod provider;
pub mod role;
pub mod session;
pub mod settings;
pub mod user;
