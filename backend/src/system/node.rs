//! Nodes of the tree of tenants: what each has from its beginning, and where users and roles are added.

use chrono::Utc;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{departments, roles};
use shared::system::node::Seat;
use shared::text::t;
use uuid::Uuid;

use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::Node;
use crate::error::{Error, Result};
use crate::setup::ADMIN_ROLE;
use crate::tenant::{collective_takes_new, property_takes_new, provider_takes_new};

/// Gives a new node what every node has: a first department of its name, and the role that holds all that it may have.
/// Tells both.
///
/// # Errors
/// The database's.
pub async fn furnish(conn: &mut AsyncPgConnection, node: Node, name: &str) -> QueryResult<(Uuid, Uuid)> {
    let department = new_id(Utc::now());
    diesel::insert_into(departments::table)
        .values((
            departments::id.eq(department),
            departments::kind.eq(node.kind()),
            departments::provider_id.eq(node.provider()),
            departments::property_id.eq(node.property()),
            departments::collective_id.eq(node.collective()),
            departments::name.eq(name),
        ))
        .execute(conn)
        .await?;
    Ok((department, administrator(conn, node).await?))
}

/// Makes the role that holds all that a node may have.
///
/// # Errors
/// The database's.
pub async fn administrator(conn: &mut AsyncPgConnection, node: Node) -> QueryResult<Uuid> {
    let role = new_id(Utc::now());
    diesel::insert_into(roles::table)
        .values((
            roles::id.eq(role),
            roles::kind.eq(node.kind()),
            roles::provider_id.eq(node.provider()),
            roles::property_id.eq(node.property()),
            roles::collective_id.eq(node.collective()),
            roles::name.eq(ADMIN_ROLE),
            roles::builtin.eq(true),
            roles::permissions.eq(shared::permission::codes_for(node.kind())),
        ))
        .execute(conn)
        .await?;
    Ok(role)
}

/// The node that a form names, if the caller may add something there: their own, or one below it.
///
/// # Errors
/// 422 on what names a node above or beside the caller's, 409 when the node is disabled.
pub async fn for_new(conn: &mut AsyncPgConnection, by: &Caller, seat: Seat) -> Result<Node> {
    let (scope, node) = (&by.scope, of(seat)?);
    if scope.node.kind() > node.kind() {
        return Err(Error::field("kind", "choice", t("不能属于您的上级", "Must not be above your own node")));
    }
    match node {
        Node::Platform => {}
        Node::Provider(provider) => provider_takes_new(conn, scope, provider).await?,
        Node::Property { provider, property } => property_takes_new(conn, scope, provider, property).await?,
        Node::Collective { provider, property, collective } => {
            collective_takes_new(conn, scope, provider, property, collective).await?;
        }
    }
    Ok(node)
}

/// The node that a row or a checked form names.
///
/// # Errors
/// Never for a row: the database checks the same.
pub fn of(seat: Seat) -> Result<Node> {
    Node::of(seat).ok_or_else(|| Error::internal("a node that does not fit its kind"))
}
