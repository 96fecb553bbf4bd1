//! Chargers let go of connectors that they were told to keep.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{connectors, reservations};
use shared::device::ConnectorStatus;
use shared::pricing::reservation_deadline;
use uuid::Uuid;

use super::{holder, is_live};
use crate::auth::scope::Owner;
use crate::command::{self, Command};
use crate::error::Result;

/// A charger that is told to let go has at least this long.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);

type Kept = (i32, Uuid, DateTime<Utc>, (Uuid, Uuid, Uuid));

/// Has the charger let go of a connector that it was told to keep, or still shows as kept. An order there does this just
/// before it begins: it is known to the charger by a tag of its own, with which the charger would not let it have the
/// connector. So does a new reservation.
///
/// # Errors
/// The database's.
pub async fn release(conn: &mut AsyncPgConnection, connector_id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let kept = reservations::table.filter(reservations::connector_id.eq(connector_id)).filter(is_live());
    let released: Option<Kept> = diesel::update(kept.filter(reservations::held_by_charger))
        .set(reservations::held_by_charger.eq(false))
        .returning((
            reservations::number,
            reservations::charger_id,
            reservations::created_at,
            (reservations::provider_id, reservations::property_id, reservations::station_id),
        ))
        .get_result(conn)
        .await
        .optional()?;
    match released {
        Some(released) => cancel(conn, released, now).await,
        None => release_forgotten(conn, connector_id, now).await.map(drop),
    }
}

/// Has the charger let go of a connector that it shows as kept while nobody has it reserved: it was away when the
/// reservation ended. Gives whether it is told.
///
/// # Errors
/// The database's.
pub async fn release_forgotten(conn: &mut AsyncPgConnection, connector_id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let shown = connectors::table.find(connector_id).select((connectors::charger_id, connectors::status));
    let (charger_id, status): (Uuid, ConnectorStatus) = shown.first(conn).await?;
    if status != ConnectorStatus::Reserved || holder(conn, connector_id).await?.is_some() {
        return Ok(false);
    }
    let last: Option<Kept> = reservations::table
        .filter(reservations::charger_id.eq(charger_id))
        .filter(reservations::connector_id.eq(connector_id))
        .order(reservations::id.desc())
        .select((
            reservations::number,
            reservations::charger_id,
            reservations::created_at,
            (reservations::provider_id, reservations::property_id, reservations::station_id),
        ))
        .first(conn)
        .await
        .optional()?;
    let Some(last) = last else { return Ok(false) };
    if command::is_open(conn, charger_id, &[Command::CancelReservation { number: last.0 }]).await? {
        return Ok(false);
    }
    cancel(conn, last, now).await?;
    Ok(true)
}

/// One that is away is told when it is back, unless it will have forgotten by itself.
async fn cancel(conn: &mut AsyncPgConnection, kept: Kept, now: DateTime<Utc>) -> Result<()> {
    let (number, charger_id, created_at, (provider_id, property_id, station_id)) = kept;
    let owner = Owner { provider_id, property_id, station_id };
    let deadline = reservation_deadline(created_at).max(now + PATIENCE);
    super::send(conn, charger_id, owner, Command::CancelReservation { number }, deadline, now).await
}
