//! What a disabled tenant forbids: nothing new under it, while its own accounts go on working.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{properties, providers};
use shared::text::t;
use uuid::Uuid;

use crate::auth::scope::{Node, Scope};
use crate::error::{Error, Result};

/// Refuses something new under a provider that is not in scope, not approved or disabled.
///
/// # Errors
/// 422 on `provider_id` when it is not the caller's, 409 when it takes nothing new.
pub async fn provider_takes_new(conn: &mut AsyncPgConnection, scope: &Scope, provider: Uuid) -> Result<()> {
    let unknown = || Error::field("provider_id", "choice", t("服务商不存在", "There is no such provider"));
    if scope.node.provider().is_some_and(|it| it != provider) {
        return Err(unknown());
    }
    let row: Option<(bool, String)> =
        providers::table.find(provider).select((providers::enabled, providers::review)).first(conn).await.optional()?;
    match row {
        None => Err(unknown()),
        Some((true, review)) if review == "approved" => Ok(()),
        Some(_) => Err(Error::Conflict(
            "provider_disabled",
            t("服务商未通过审核或已禁用", "The provider is not approved, or disabled"),
        )),
    }
}

/// Refuses something new under a property that is not in scope, not its provider's or disabled.
///
/// # Errors
/// 422 on `property_id` when it is not the caller's, 409 when it takes nothing new.
pub async fn property_takes_new(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    provider: Uuid,
    property: Uuid,
) -> Result<()> {
    provider_takes_new(conn, scope, provider).await?;
    let unknown = || Error::field("property_id", "choice", t("物业不存在", "There is no such property"));
    let mine = match scope.node {
        Node::Platform | Node::Provider(_) => true,
        Node::Property { property: own, .. } => own == property,
    };
    let enabled: Option<bool> = properties::table
        .find(property)
        .filter(properties::provider_id.eq(provider))
        .select(properties::enabled)
        .first(conn)
        .await
        .optional()?;
    match enabled.filter(|_| mine) {
        None => Err(unknown()),
        Some(true) => Ok(()),
        Some(false) => Err(Error::Conflict("property_disabled", t("物业已禁用", "The property is disabled"))),
    }
}
