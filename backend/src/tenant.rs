//! What a disabled tenant, station or area forbids: nothing new under it, while what is there goes on working.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, collectives, properties, providers, stations};
use shared::station::Review;
use shared::text::t;
use uuid::Uuid;

use crate::auth::scope::{Node, Owner, Scope};
use crate::error::{Error, Result};

/// Refuses something new under a provider that is not in scope, not approved or disabled, or belongs to one that is.
///
/// # Errors
/// 422 on `provider_id` when it is not the caller's, 409 when it takes nothing new.
pub async fn provider_takes_new(conn: &mut AsyncPgConnection, scope: &Scope, provider: Uuid) -> Result<()> {
    let unknown = || Error::field("provider_id", "choice", t("服务商不存在", "There is no such provider"));
    if scope.node.provider().is_some_and(|it| it != provider) {
        return Err(unknown());
    }
    let takes =
        |id: Uuid| providers::table.find(id).select((providers::parent_id, providers::enabled, providers::review));
    let row: Option<(Option<Uuid>, bool, Review)> = takes(provider).first(conn).await.optional()?;
    let parent = match row {
        Some((Some(parent), ..)) => takes(parent).first(conn).await.optional()?,
        Some((None, ..)) | None => row,
    };
    match (row, parent) {
        (Some((_, true, Review::Approved)), Some((_, true, Review::Approved))) => Ok(()),
        (None, _) => Err(unknown()),
        _ => Err(Error::Conflict(
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
        Node::Collective { .. } => false,
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

/// Refuses something new under a collective that is not in scope, not its property's or disabled.
///
/// # Errors
/// 422 on `collective_id` when it is not the caller's, 409 when it takes nothing new.
pub async fn collective_takes_new(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    provider: Uuid,
    property: Uuid,
    collective: Uuid,
) -> Result<()> {
    property_takes_new(conn, scope, provider, property).await?;
    let enabled: Option<bool> = collectives::table
        .find(collective)
        .filter(collectives::property_id.eq(property))
        .select(collectives::enabled)
        .first(conn)
        .await
        .optional()?;
    // Whoever is bound to stations sees no collective.
    match enabled.filter(|_| scope.stations.is_none()) {
        None => Err(Error::field("collective_id", "choice", t("集体户不存在", "There is no such collective"))),
        Some(true) => Ok(()),
        Some(false) => Err(Error::Conflict("collective_disabled", t("集体户已禁用", "The collective is disabled"))),
    }
}

/// Refuses something new under a station that is not in scope or disabled; gives whose it is.
///
/// # Errors
/// 422 on `station_id` when it is not the caller's, 409 when it takes nothing new.
pub async fn station_takes_new(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    line: &str,
    station: Uuid,
) -> Result<Owner> {
    let row: Option<(Uuid, Uuid, bool)> = stations::table
        .filter(stations::id.eq(station))
        .filter(stations::line.eq(line))
        .select((stations::provider_id, stations::property_id, stations::enabled))
        .first(conn)
        .await
        .optional()?;
    let owner =
        |(provider_id, property_id, enabled)| (Owner { provider_id, property_id, station_id: station }, enabled);
    match row.map(owner).filter(|(owner, _)| scope.sees(owner)) {
        None => Err(Error::field("station_id", "choice", t("电站不存在", "There is no such station"))),
        Some((owner, true)) => Ok(owner),
        Some((_, false)) => Err(Error::Conflict(
            "station_disabled",
            t("电站未启用，不能添加", "The station is disabled and takes nothing new"),
        )),
    }
}

/// Refuses something new under an area that is not its station's or disabled; gives whose it is.
///
/// # Errors
/// As [`station_takes_new`], and the same on `area_id`.
pub async fn area_takes_new(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    line: &str,
    station: Uuid,
    area: Uuid,
) -> Result<Owner> {
    let owner = station_takes_new(conn, scope, line, station).await?;
    let enabled: Option<bool> = areas::table
        .find(area)
        .filter(areas::station_id.eq(station))
        .select(areas::enabled)
        .first(conn)
        .await
        .optional()?;
    match enabled {
        None => Err(Error::field("area_id", "choice", t("该电站没有此区域", "The station has no such area"))),
        Some(true) => Ok(owner),
        Some(false) => Err(Error::Conflict(
            "area_disabled",
            t("区域已禁用，不能添加", "The area is disabled and takes nothing new"),
        )),
    }
}
