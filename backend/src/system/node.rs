//! Where users and roles are added: at the caller's own node, or below it.

use diesel_async::AsyncPgConnection;
use shared::text::t;
use shared::user::UserKind;
use uuid::Uuid;

use crate::auth::caller::Caller;
use crate::auth::scope::Node;
use crate::error::{Error, Result};
use crate::tenant::{property_takes_new, provider_takes_new};

/// The node that a form names, if the caller may add something there.
///
/// # Errors
/// 422 on what names a node above or beside the caller's, 409 when the node is disabled.
pub async fn for_new(
    conn: &mut AsyncPgConnection,
    by: &Caller,
    kind: UserKind,
    provider: Option<Uuid>,
    property: Option<Uuid>,
) -> Result<Node> {
    let node = of(kind, provider, property)?;
    let above = || Error::field("kind", "choice", t("不能属于您的上级", "Must not be above your own node"));
    match (by.scope.node, node) {
        (Node::Platform, Node::Platform) => {}
        (Node::Provider(_) | Node::Property { .. }, Node::Platform) | (Node::Property { .. }, Node::Provider(_)) => {
            return Err(above());
        }
        (Node::Platform | Node::Provider(_), Node::Provider(provider)) => {
            provider_takes_new(conn, &by.scope, provider).await?;
        }
        (_, Node::Property { provider, property }) => property_takes_new(conn, &by.scope, provider, property).await?,
    }
    Ok(node)
}

/// The node that a row or a checked form names.
///
/// # Errors
/// Never for a row: the database checks the same.
pub fn of(kind: UserKind, provider: Option<Uuid>, property: Option<Uuid>) -> Result<Node> {
    match (kind, provider, property) {
        (UserKind::Platform, None, None) => Ok(Node::Platform),
        (UserKind::Provider, Some(provider), None) => Ok(Node::Provider(provider)),
        (UserKind::Property, Some(provider), Some(property)) => Ok(Node::Property { provider, property }),
        (UserKind::Platform | UserKind::Provider | UserKind::Property, _, _) => {
            Err(Error::internal("a node that does not fit its kind"))
        }
    }
}
