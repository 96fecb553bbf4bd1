//! System management: providers, properties, users, roles, what was done, and the work that is under way.

pub mod account;
pub mod audit;
pub mod job;
pub mod login;
pub mod node;
pub mod property;
pub mod provider;
pub mod rights;
pub mod role;
pub mod user;

use crate::api::op::Op;

/// The operations of system management.
pub fn operations() -> Vec<Op> {
    [
        provider::operations(),
        property::operations(),
        user::operations(),
        role::operations(),
        audit::operations(),
        login::operations(),
        job::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
