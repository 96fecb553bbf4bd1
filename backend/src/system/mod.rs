//! System management: tenants, users, roles, departments, settings, what was done, and the work that is under way.

pub mod account;
pub mod audit;
pub mod department;
pub mod job;
pub mod login;
pub mod node;
pub mod own;
pub mod post;
pub mod property;
pub mod provider;
pub mod rights;
pub mod role;
pub mod session;
pub mod settings;
pub mod user;

use crate::api::op::Op;

/// The operations of system management.
pub fn operations() -> Vec<Op> {
    [
        provider::operations(),
        property::operations(),
        user::operations(),
        role::operations(),
        department::operations(),
        post::operations(),
        session::operations(),
        audit::operations(),
        login::operations(),
        job::operations(),
        settings::operations(),
        own::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
