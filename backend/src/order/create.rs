//! A new order: refused with a clear reason when it could not start, and priced by what is in force now, for good.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, charge_sessions, charger_states, chargers, connectors, stations};
use shared::device::ConnectorStatus;
use shared::fixed::Fen;
use shared::order::{OrderState, OrderStep, StartMethod, StepDetail};
use shared::text::{Text, t};
use uuid::Uuid;

use crate::app::new_id;
use crate::auth::scope::Owner;
use crate::charging::charge::Charge;
use crate::error::{Error, Result};
use crate::tariff::{InForce, in_force};

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

/// What decides whether one can start at a connector.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Connector, charger, area and station are in service.
    pub enabled: bool,
    /// A price is in force.
    pub priced: bool,
    /// The charger is online.
    pub online: bool,
    /// An order has the connector.
    pub busy: bool,
    /// What the connector last said.
    pub status: ConnectorStatus,
}

impl Standing {
    /// Why one cannot start here, with a code for programs.
    pub const fn obstacle(self) -> Option<(&'static str, Text)> {
        use ConnectorStatus as Is;
        let out_of_service = ("out_of_service", t("充电枪已停用", "The connector is out of service"));
        let busy = ("connector_busy", t("充电枪正在使用中", "The connector is in use"));
        if !self.enabled {
            return Some(out_of_service);
        }
        if !self.priced {
            return Some(("no_tariff", t("该区域暂无生效的计费规则", "No price is in force here")));
        }
        if !self.online {
            return Some(("charger_offline", t("设备离线，请换一个充电桩", "The charger is offline; try another one")));
        }
        if self.busy {
            return Some(busy);
        }
        match self.status {
            // A charger that does not tell is asked to try.
            Is::Preparing | Is::Finishing | Is::Unknown => None,
            Is::Available => Some(("connector_not_plugged", t("枪未连接，请先插枪", "Plug the connector in first"))),
            Is::Charging | Is::SuspendedEv | Is::SuspendedEvse => Some(busy),
            Is::Reserved => Some(("connector_reserved", t("充电枪已被预约", "The connector is reserved"))),
            Is::Unavailable => Some(out_of_service),
            Is::Faulted => {
                Some(("connector_faulted", t("设备故障，请换一把枪", "The connector is faulty; try another one")))
            }
        }
    }
}

struct Place {
    owner: Owner,
    area_id: Uuid,
    charger_id: Uuid,
    rated_power_w: i64,
    status: ConnectorStatus,
    enabled: bool,
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
    let place = place(conn, connector_id).await?;
    let price = in_force(conn, place.area_id, now).await?;
    let online = charger_states::table.find(place.charger_id).select(charger_states::online);
    let online: Option<bool> = online.first(conn).await.optional()?;
    let standing = Standing {
        enabled: place.enabled,
        priced: price.is_some(),
        online: online.unwrap_or_default(),
        busy: super::holder(conn, connector_id).await?.is_some(),
        status: place.status,
    };
    if let Some((code, text)) = standing.obstacle() {
        return Err(Error::Conflict(code, text));
    }
    let Some(InForce { version_id, tariff, hash, presets: _ }) = price else { return Err(Error::NotFound) };
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

async fn place(conn: &mut AsyncPgConnection, connector_id: Uuid) -> Result<Place> {
    type Row = (Uuid, Uuid, Uuid, Uuid, Uuid, i64, ConnectorStatus, (bool, bool, bool, bool));
    let row: Row = connectors::table
        .inner_join(chargers::table)
        .inner_join(areas::table)
        .inner_join(stations::table)
        .filter(connectors::id.eq(connector_id))
        .select((
            connectors::provider_id,
            connectors::property_id,
            connectors::station_id,
            connectors::area_id,
            connectors::charger_id,
            chargers::output_power_w,
            connectors::status,
            (connectors::enabled, chargers::enabled, areas::enabled, stations::enabled),
        ))
        .first(conn)
        .await?;
    let (provider_id, property_id, station_id, area_id, charger_id, rated_power_w, status, enabled) = row;
    Ok(Place {
        owner: Owner { provider_id, property_id, station_id },
        area_id,
        charger_id,
        rated_power_w,
        status,
        enabled: enabled == (true, true, true, true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_obstacle_has_its_own_reason() {
        let free =
            Standing { enabled: true, priced: true, online: true, busy: false, status: ConnectorStatus::Preparing };
        let code = |it: Standing| it.obstacle().map_or("", |it| it.0);
        assert_eq!(code(free), "");
        assert_eq!(code(Standing { enabled: false, ..free }), "out_of_service");
        assert_eq!(code(Standing { priced: false, ..free }), "no_tariff");
        assert_eq!(code(Standing { online: false, ..free }), "charger_offline");
        assert_eq!(code(Standing { busy: true, ..free }), "connector_busy");
        for (status, expected) in [
            (ConnectorStatus::Available, "connector_not_plugged"),
            (ConnectorStatus::Preparing, ""),
            (ConnectorStatus::Charging, "connector_busy"),
            (ConnectorStatus::SuspendedEv, "connector_busy"),
            (ConnectorStatus::SuspendedEvse, "connector_busy"),
            (ConnectorStatus::Finishing, ""),
            (ConnectorStatus::Reserved, "connector_reserved"),
            (ConnectorStatus::Unavailable, "out_of_service"),
            (ConnectorStatus::Faulted, "connector_faulted"),
            (ConnectorStatus::Unknown, ""),
        ] {
            assert_eq!(code(Standing { status, ..free }), expected, "{status}");
        }
    }
}
