//! System management: providers, properties, users, roles, and what was done.

pub mod account;
pub mod audit;
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
    ]
    .into_iter()
    .flatten()
    .collect()
}
