//! A new reservation: refused with a clear reason when one could not come to charge there.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{connectors, drivers, reservations};
use shared::pricing::{ReservationState, reservation_deadline};
use shared::text::t;
use uuid::Uuid;

use super::{Expire, PATIENCE, Reservation, release, send};
use crate::app::new_id;
use crate::auth::scope::Owner;
use crate::command::Command;
use crate::error::{Error, Result};
use crate::jobs;
use crate::order::standing::Place;

/// Has a connector kept for a driver, in the caller's transaction. When time is up a job ends it.
///
/// # Errors
/// 404 when there is no such connector, 409 with the reason when it or the driver cannot have it.
pub async fn create(
    conn: &mut AsyncPgConnection,
    connector_id: Uuid,
    driver_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    let (phone, plate) = who(conn, driver_id).await?;
    // Of two who want the same connector the second waits here, and finds it taken; so does whoever pays for an order there.
    let row = connectors::table.find(connector_id).select(connectors::number).for_no_key_update();
    let connector: i32 = row.first(conn).await?;
    let place = Place::look(conn, connector_id, driver_id, now).await?;
    if !place.reservable {
        let text = t("该电桩不支持预约充电", "This charger cannot be reserved");
        return Err(Error::Conflict("not_reservable", text));
    }
    if let Some((code, text)) = place.standing.unreservable() {
        return Err(Error::Conflict(code, text));
    }
    // The charger may still show one that is over.
    release(conn, connector_id, now).await?;
    let Owner { provider_id, property_id, station_id } = place.owner;
    let id = new_id(now);
    let new = (
        reservations::id.eq(id),
        reservations::provider_id.eq(provider_id),
        reservations::property_id.eq(property_id),
        reservations::station_id.eq(station_id),
        reservations::area_id.eq(place.area_id),
        reservations::charger_id.eq(place.charger_id),
        reservations::connector_id.eq(connector_id),
        reservations::driver_id.eq(driver_id),
        reservations::phone.eq(phone),
        reservations::plate.eq(plate),
        reservations::state.eq(ReservationState::Reserved),
        reservations::held_by_charger.eq(true),
        reservations::created_at.eq(now),
    );
    let insert = diesel::insert_into(reservations::table).values(new);
    let (number, tag): (i32, String) =
        insert.returning((reservations::number, reservations::reservation_no)).get_result(conn).await?;
    let command = Command::Reserve { connector, number, tag, until: reservation_deadline(now) };
    send(conn, place.charger_id, place.owner, command, now + PATIENCE, now).await?;
    jobs::enqueue(conn, &Expire { reservation_id: id }, Expire::due(now)).await?;
    Reservation::lock(conn, id).await?.tell(conn).await?;
    Ok(id)
}

/// The telephone and the plate of a driver who may reserve.
async fn who(conn: &mut AsyncPgConnection, driver_id: Uuid) -> Result<(String, String)> {
    let columns = (drivers::phone, drivers::plate, drivers::certified);
    let (phone, plate, certified): (String, Option<String>, bool) =
        drivers::table.find(driver_id).select(columns).first(conn).await?;
    if !certified {
        let text = t("车主认证通过后才能预约充电", "Only certified drivers can reserve");
        return Err(Error::Conflict("not_certified", text));
    }
    let no_plate = t("请先填写车牌号", "The plate of your car is not known yet");
    Ok((phone, plate.ok_or(Error::Conflict("no_plate", no_plate))?))
}
