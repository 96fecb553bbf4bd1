//! A new order: refused with a clear reason when it could not start, and priced by what is in force now, for good.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, charge_sessions};
use shared::fixed::Fen;
use shared::order::{OrderState, OrderStep, StartMethod, StepDetail};
use shared::text::t;
use uuid::Uuid;

use super::standing::Place;
use crate::app::new_id;
use crate::auth::scope::Owner;
use crate::charging::charge::Charge;
use crate::error::{Error, Result};
use crate::tariff::InForce;

/// With less than this left a charge is stopped, so that less than this is not worth starting with.
const LEAST: Fen = Fen(100);
/// The most that can be paid in advance.
const MOST: Fen = Fen(100_000);

/// Who wants to charge where, with how much.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The connector.
    pub connector_id: Uuid,
    /// The driver.
    pub driver_id: Uuid,
    /// Their telephone number.
    pub phone: String,
    /// What they will pay in advance.
    pub prepaid: Fen,
    /// How they start.
    pub start_method: StartMethod,
}

/// An order that waits to be paid.
#[derive(Clone, Debug)]
pub struct Created {
    /// Id.
    pub order_id: Uuid,
    /// Its number.
    pub order_no: String,
    /// Whose it is.
    pub owner: Owner,
}

#[derive(Insertable)]
#[diesel(table_name = car_orders, treat_none_as_default_value = false)]
struct OrderRow<'a> {
    id: Uuid,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    area_id: Uuid,
    charger_id: Uuid,
    connector_id: Uuid,
    driver_id: Uuid,
    phone: &'a str,
    start_method: StartMethod,
    state: OrderState,
    prepaid_fen: Fen,
    reservation_id: Option<Uuid>,
    created_at: DateTime<Utc>,
}

/// Makes an order that waits to be paid, in the caller's transaction.
///
/// # Errors
/// 404 when there is no such connector, 409 with the reason when one cannot start there, 422 for an amount that nobody can
/// pay in advance.
pub async fn create(conn: &mut AsyncPgConnection, new: NewOrder, now: DateTime<Utc>) -> Result<Created> {
    let NewOrder { connector_id, driver_id, phone, prepaid, start_method } = new;
    if !(LEAST..=MOST).contains(&prepaid) {
        return Err(Error::field("prepaid_fen", "range", t("应为 1 到 1000 元", "Between 1 and 1000 yuan")));
    }
    let place = Place::look(conn, connector_id, driver_id, now).await?;
    if let Some((code, text)) = place.standing.obstacle() {
        return Err(Error::Conflict(code, text));
    }
    let Some(InForce { version_id, tariff, hash, presets: _ }) = place.price else { return Err(Error::NotFound) };
    let Owner { provider_id, property_id, station_id } = place.owner;
    let order_id = new_id(now);
    let row = OrderRow {
        id: order_id,
        provider_id,
        property_id,
        station_id,
        area_id: place.area_id,
        charger_id: place.charger_id,
        connector_id,
        driver_id,
        phone: &phone,
        start_method,
        state: OrderState::Created,
        prepaid_fen: prepaid,
        reservation_id: place.reservation_id,
        created_at: now,
    };
    let order_no: String =
        diesel::insert_into(car_orders::table).values(row).returning(car_orders::order_no).get_result(conn).await?;
    diesel::insert_into(charge_sessions::table)
        .values((
            charge_sessions::order_id.eq(order_id),
            charge_sessions::tag.eq(&order_no),
            charge_sessions::tariff_version_id.eq(version_id),
            charge_sessions::tariff.eq(tariff),
            charge_sessions::tariff_hash.eq(hash),
            charge_sessions::rated_power_w.eq(place.rated_power_w),
        ))
        .execute(conn)
        .await?;
    let charge = Charge::lock(conn, order_id).await?;
    charge.note(conn, OrderStep::Created, None, &StepDetail::default(), "driver", now).await?;
    charge.tell(conn).await?;
    Ok(Created { order_id, order_no, owner: charge.owner() })
}
