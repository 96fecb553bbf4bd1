//! The audit trail: who did what to which row, with the row before and after.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::audits;
use serde_json::Value;
use shared::resource::Resource;
use uuid::Uuid;

use super::Ctx;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::error::Result;

/// Who acts, and in which request: what an audit row says besides the deed.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The user.
    pub caller: Caller,
    /// Their address.
    pub ip: String,
    /// The request.
    pub request_id: String,
    /// The idempotency key that it is made under.
    pub key_id: Option<Uuid>,
}

impl Ctx {
    /// The actor of this request, for the audit trail.
    pub fn actor(&self) -> Actor {
        Actor {
            caller: self.caller.clone(),
            ip: self.place.ip.clone(),
            request_id: self.request_id.clone(),
            key_id: self.conn.key_id(),
        }
    }
}

/// What was done to which row.
pub struct Deed<'a> {
    /// The resource's path.
    pub resource: &'a str,
    /// The verb.
    pub action: &'a str,
    /// The row.
    pub id: Uuid,
    /// What people call it.
    pub name: &'a str,
}

impl<'a> Deed<'a> {
    /// Something that was done to a row of a resource; the row's JSON says what people call it.
    pub fn of<R: Resource>(action: &'a str, id: Uuid, row: &'a Value) -> Self {
        Self { resource: R::PATH, action, id, name: R::name_of(row) }
    }
}

/// Writes an audit row; call it in the transaction of the deed.
///
/// # Errors
/// The database's.
pub async fn record(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    deed: Deed<'_>,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Result<()> {
    let Deed { resource, action, id, name } = deed;
    let node = actor.caller.scope.node;
    diesel::insert_into(audits::table)
        .values((
            audits::id.eq(new_id(chrono::Utc::now())),
            audits::user_id.eq(actor.caller.user_id),
            audits::user_name.eq(&actor.caller.name),
            audits::provider_id.eq(node.provider()),
            audits::property_id.eq(node.property()),
            audits::collective_id.eq(node.collective()),
            audits::ip.eq(&actor.ip),
            audits::request_id.eq(&actor.request_id),
            audits::resource.eq(resource),
            audits::object_id.eq(id),
            audits::object_name.eq(name),
            audits::action.eq(action),
            audits::before.eq(before),
            audits::after.eq(after),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
