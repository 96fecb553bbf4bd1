//! How a connector stands for a driver: what keeps them from starting there, or from reserving it, with a clear reason.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, charger_states, chargers, connectors, stations};
use shared::device::ConnectorStatus;
use shared::text::{Text, t};
use uuid::Uuid;

use crate::auth::scope::Owner;
use crate::error::Result;
use crate::reservation;
use crate::tariff::{InForce, in_force};

/// For whom a connector is kept, as a driver sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// For nobody.
    No,
    /// For the driver.
    Mine,
    /// For somebody else.
    Others,
}

impl Kept {
    /// For whom a connector is kept that this driver has reserved, seen by another one.
    pub fn by(holder: Option<Uuid>, driver_id: Uuid) -> Self {
        match holder {
            None => Self::No,
            Some(holder) if holder == driver_id => Self::Mine,
            Some(_) => Self::Others,
        }
    }
}

/// What decides whether one can start at a connector, or reserve it.
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
    /// A reservation keeps the connector.
    pub kept: Kept,
    /// What the connector last said.
    pub status: ConnectorStatus,
}

/// A reason, with a code for programs.
type Reason = (&'static str, Text);

const OUT_OF_SERVICE: Reason = ("out_of_service", t("充电枪已停用", "The connector is out of service"));
const NO_TARIFF: Reason = ("no_tariff", t("该区域暂无生效的计费规则", "No price is in force here"));
const OFFLINE: Reason = ("charger_offline", t("设备离线，请换一个充电桩", "The charger is offline; try another one"));
const BUSY: Reason = ("connector_busy", t("充电枪正在使用中", "The connector is in use"));
const RESERVED: Reason = ("connector_reserved", t("充电枪已被预约", "The connector is reserved"));
const NOT_PLUGGED: Reason = ("connector_not_plugged", t("枪未连接，请先插枪", "Plug the connector in first"));
const FAULTED: Reason = ("connector_faulted", t("设备故障，请换一把枪", "The connector is faulty; try another one"));
const UNKNOWN: Reason = ("connector_unknown", t("充电枪状态未知", "Nobody knows whether the connector is free"));

impl Standing {
    /// Why one cannot start here.
    pub const fn obstacle(self) -> Option<Reason> {
        use ConnectorStatus as Is;
        if let Some(reason) = self.closed() {
            return Some(reason);
        }
        match self.status {
            // A charger that does not tell is asked to try. One that shows a reservation shows the driver's own, or one that
            // is over, of which it is told before the charge begins.
            Is::Preparing | Is::Finishing | Is::Unknown | Is::Reserved => None,
            Is::Available => Some(NOT_PLUGGED),
            Is::Charging | Is::SuspendedEv | Is::SuspendedEvse => Some(BUSY),
            Is::Unavailable => Some(OUT_OF_SERVICE),
            Is::Faulted => Some(FAULTED),
        }
    }

    /// Why one cannot reserve here: it has to be free, and nothing plugged in.
    pub const fn unreservable(self) -> Option<Reason> {
        use ConnectorStatus as Is;
        if let Some(reason) = self.closed() {
            return Some(reason);
        }
        match (self.kept, self.status) {
            (Kept::Mine | Kept::Others, _) => Some(RESERVED),
            (Kept::No, Is::Available | Is::Reserved) => None,
            (Kept::No, Is::Preparing | Is::Finishing | Is::Charging | Is::SuspendedEv | Is::SuspendedEvse) => {
                Some(BUSY)
            }
            (Kept::No, Is::Unavailable) => Some(OUT_OF_SERVICE),
            (Kept::No, Is::Faulted) => Some(FAULTED),
            (Kept::No, Is::Unknown) => Some(UNKNOWN),
        }
    }

    /// What keeps one from it whatever the connector is doing.
    const fn closed(self) -> Option<Reason> {
        if !self.enabled {
            return Some(OUT_OF_SERVICE);
        }
        if !self.priced {
            return Some(NO_TARIFF);
        }
        if !self.online {
            return Some(OFFLINE);
        }
        if self.busy {
            return Some(BUSY);
        }
        match self.kept {
            Kept::No | Kept::Mine => None,
            Kept::Others => Some(RESERVED),
        }
    }
}

/// A connector, with all that an order or a reservation there takes over.
pub struct Place {
    /// Whose it is.
    pub owner: Owner,
    /// The area.
    pub area_id: Uuid,
    /// The charger.
    pub charger_id: Uuid,
    /// What the charger can deliver at most.
    pub rated_power_w: i64,
    /// Drivers may reserve it.
    pub reservable: bool,
    /// The price that is in force.
    pub price: Option<InForce>,
    /// The driver's own reservation that keeps it.
    pub reservation_id: Option<Uuid>,
    /// How it stands for the driver.
    pub standing: Standing,
}

impl Place {
    /// Looks at a connector for a driver.
    ///
    /// # Errors
    /// 404 when there is no such connector.
    pub async fn look(
        conn: &mut AsyncPgConnection,
        connector_id: Uuid,
        driver_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        type Row = (Uuid, Uuid, Uuid, Uuid, Uuid, i64, bool, ConnectorStatus, (bool, bool, bool, bool));
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
                chargers::reservable,
                connectors::status,
                (connectors::enabled, chargers::enabled, areas::enabled, stations::enabled),
            ))
            .first(conn)
            .await?;
        let (provider_id, property_id, station_id, area_id, charger_id, rated_power_w, reservable, status, enabled) =
            row;
        let price = in_force(conn, area_id, now).await?;
        let online = charger_states::table.find(charger_id).select(charger_states::online);
        let online: Option<bool> = online.first(conn).await.optional()?;
        let (reservation_id, holder) = reservation::holder(conn, connector_id).await?.unzip();
        let kept = Kept::by(holder, driver_id);
        let standing = Standing {
            enabled: enabled == (true, true, true, true),
            priced: price.is_some(),
            online: online.unwrap_or_default(),
            busy: super::holder(conn, connector_id).await?.is_some(),
            kept,
            status,
        };
        Ok(Self {
            owner: Owner { provider_id, property_id, station_id },
            area_id,
            charger_id,
            rated_power_w,
            reservable,
            price,
            reservation_id: reservation_id.filter(|_| kept == Kept::Mine),
            standing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FREE: Standing = Standing {
        enabled: true,
        priced: true,
        online: true,
        busy: false,
        kept: Kept::No,
        status: ConnectorStatus::Preparing,
    };

    #[test]
    fn every_obstacle_has_its_own_reason() {
        let codes = |it: Standing| [it.obstacle(), it.unreservable()].map(|it| it.map_or("", |it| it.0));
        for (standing, code) in [
            (Standing { enabled: false, ..FREE }, "out_of_service"),
            (Standing { priced: false, ..FREE }, "no_tariff"),
            (Standing { online: false, ..FREE }, "charger_offline"),
            (Standing { busy: true, ..FREE }, "connector_busy"),
            (Standing { kept: Kept::Others, ..FREE }, "connector_reserved"),
        ] {
            assert_eq!(codes(standing), [code, code]);
        }
        for (status, to_start, to_reserve) in [
            (ConnectorStatus::Available, "connector_not_plugged", ""),
            (ConnectorStatus::Preparing, "", "connector_busy"),
            (ConnectorStatus::Charging, "connector_busy", "connector_busy"),
            (ConnectorStatus::SuspendedEv, "connector_busy", "connector_busy"),
            (ConnectorStatus::SuspendedEvse, "connector_busy", "connector_busy"),
            (ConnectorStatus::Finishing, "", "connector_busy"),
            (ConnectorStatus::Reserved, "", ""),
            (ConnectorStatus::Unavailable, "out_of_service", "out_of_service"),
            (ConnectorStatus::Faulted, "connector_faulted", "connector_faulted"),
            (ConnectorStatus::Unknown, "", "connector_unknown"),
        ] {
            assert_eq!(codes(Standing { status, ..FREE }), [to_start, to_reserve], "{status}");
            // Whoever has it kept starts where others start.
            let kept = Standing { status, kept: Kept::Mine, ..FREE };
            assert_eq!(codes(kept), [to_start, "connector_reserved"], "{status}");
        }
    }
}
