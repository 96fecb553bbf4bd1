//! Chargers as staff looks through them: the list, and all that is known of one.

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, sql};
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, charger_states, chargers, connectors, device_commands as commands, stations};
use shared::charger::{
    Access, CarChargerDetail, CarChargerFilter, CarChargerRow, CarChargers, ChargerCondition, Communication,
    ConnectorCounts, CurrentType, DeviceData, Interface, Mounting, Speed,
};
use shared::device::{CommandState, ConnectorStatus};
use shared::fault::FaultNote;
use shared::page::{Page, PageQuery};
use shared::station::Nature;
use uuid::Uuid;

use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::Browse;
use crate::crud::page::{self, containing};
use crate::error::Result;

#[derive(HasQuery)]
#[diesel(table_name = chargers, check_for_backend(Pg), base_query = joined())]
struct Charger {
    id: Uuid,
    code: String,
    serial_no: String,
    name: String,
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    area_id: Uuid,
    #[diesel(select_expression = areas::name)]
    area_name: String,
    model: Option<String>,
    device_version: Option<String>,
    sim: Option<String>,
    nature: Nature,
    occupancy_fee: bool,
    reservable: bool,
    output_current_a: Option<i32>,
    output_power_w: i64,
    output_voltage_v: Option<i32>,
    current_type: CurrentType,
    interface: Interface,
    speed: Speed,
    mounting: Option<Mounting>,
    protection: Option<String>,
    communication: Option<Communication>,
    enabled: bool,
    #[diesel(select_expression = (charger_states::online.nullable(), charger_states::status.nullable(), charger_states::last_seen_at.nullable()))]
    state: (Option<bool>, Option<ConnectorStatus>, Option<DateTime<Utc>>),
    #[diesel(select_expression = statuses(), select_expression_type = SqlLiteral<Array<Text>>)]
    statuses: Vec<ConnectorStatus>,
    #[diesel(select_expression = has_password(), select_expression_type = SqlLiteral<Bool>)]
    has_password: bool,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What the connectors of the charger that a query is about are doing.
fn statuses() -> SqlLiteral<Array<Text>> {
    sql("array(select it.status from connectors it where it.charger_id = chargers.id)")
}

/// Whether the charger that a query is about must log in with a password.
fn has_password() -> SqlLiteral<Bool> {
    sql("coalesce(cardinality(charger_states.password_hashes) > 0, false)")
}

impl From<Charger> for CarChargerRow {
    fn from(it: Charger) -> Self {
        let (online, status, last_seen_at) = it.state;
        let online = online.unwrap_or(false);
        let connectors = ConnectorCounts::of(&it.statuses);
        let faulted = connectors.faulted > 0 || status == Some(ConnectorStatus::Faulted);
        Self {
            id: it.id,
            code: it.code,
            serial_no: it.serial_no,
            name: it.name,
            station_id: it.station_id,
            station_name: it.station_name,
            area_id: it.area_id,
            area_name: it.area_name,
            model: it.model,
            device_version: it.device_version,
            sim: it.sim,
            nature: it.nature,
            occupancy_fee: it.occupancy_fee,
            reservable: it.reservable,
            output_current_a: it.output_current_a,
            output_power_w: it.output_power_w,
            output_voltage_v: it.output_voltage_v,
            current_type: it.current_type,
            interface: it.interface,
            speed: it.speed,
            mounting: it.mounting,
            protection: it.protection,
            communication: it.communication,
            enabled: it.enabled,
            online,
            condition: match (online, faulted) {
                (false, _) => ChargerCondition::Offline,
                (true, true) => ChargerCondition::Faulted,
                (true, false) => ChargerCondition::Online,
            },
            connectors,
            access: if it.has_password { Access::Password } else { Access::Open },
            last_seen_at,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    chargers::table.inner_join(stations::table).inner_join(areas::table).left_join(charger_states::table)
}

/// The chargers that the caller may see. Every read starts here.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    scope.narrow(joined().into_boxed(), chargers::provider_id, chargers::property_id, chargers::station_id)
}

fn found(scope: &Scope, filter: &CarChargerFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let CarChargerFilter {
        name,
        code,
        serial_no,
        station_id,
        station_name,
        area_id,
        area_name,
        speed,
        condition,
        access,
        enabled,
    } = filter;
    let mut query = visible(scope);
    if let Some(name) = name {
        query = query.filter(chargers::name.ilike(containing(name)));
    }
    if let Some(code) = code {
        query = query.filter(chargers::code.ilike(containing(code)));
    }
    if let Some(serial_no) = serial_no {
        query = query.filter(chargers::serial_no.ilike(containing(serial_no)));
    }
    if let Some(id) = station_id {
        query = query.filter(chargers::station_id.eq(*id));
    }
    if let Some(name) = station_name {
        query = query.filter(stations::name.ilike(containing(name)));
    }
    if let Some(id) = area_id {
        query = query.filter(chargers::area_id.eq(*id));
    }
    if let Some(name) = area_name {
        query = query.filter(areas::name.ilike(containing(name)));
    }
    if let Some(speed) = speed {
        query = query.filter(chargers::speed.eq(*speed));
    }
    if let Some(enabled) = enabled {
        query = query.filter(chargers::enabled.eq(*enabled));
    }
    if let Some(access) = access {
        query = query.filter(has_password().eq(*access == Access::Password));
    }
    let broken = connectors::table
        .filter(connectors::charger_id.eq(chargers::id))
        .filter(connectors::status.eq(ConnectorStatus::Faulted));
    let itself = charger_states::status.is_not_distinct_from(ConnectorStatus::Faulted);
    match condition {
        None => query,
        Some(ChargerCondition::Offline) => query.filter(charger_states::online.is_distinct_from(true)),
        Some(ChargerCondition::Online) => {
            query.filter(charger_states::online).filter(diesel::dsl::not(exists(broken).or(itself)))
        }
        Some(ChargerCondition::Faulted) => query.filter(charger_states::online).filter(exists(broken).or(itself)),
    }
}

impl Browse for CarChargers {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &CarChargerFilter,
        page: &PageQuery,
    ) -> Result<Page<CarChargerRow>> {
        let (key, falling) = page.order();
        let order: page::OrderBy<_> = match key {
            "code" => page::by(chargers::code, falling),
            "serial_no" => page::by(chargers::serial_no, falling),
            "name" => page::by(chargers::name, falling),
            _ => page::by(chargers::id, falling),
        };
        let rows = beyond!(found(scope, filter), chargers::id, page).order(order).select(Charger::as_select());
        page::load::<Charger, _, _, _>(conn, page, rows, found(scope, filter).select(chargers::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<CarChargerDetail> {
        let charger: Charger =
            visible(scope).filter(chargers::id.eq(id)).select(Charger::as_select()).first(conn).await?;
        let device: Option<Device> =
            charger_states::table.find(id).select(Device::as_select()).first(conn).await.optional()?;
        let device = device.map_or_else(DeviceData::default, DeviceData::from);
        let of_charger = connectors::table.filter(connectors::charger_id.eq(id)).order(connectors::number);
        let reports: Vec<(i32, Option<String>, Option<String>)> =
            of_charger.select((connectors::number, connectors::error_code, connectors::status_info)).load(conn).await?;
        let mut faults = FaultNote::explain(0, device.error_code.as_deref(), None);
        for (number, error_code, words) in &reports {
            faults.extend(FaultNote::explain(*number, error_code.as_deref(), words.as_deref()));
        }
        let pending = commands::table
            .filter(commands::device_id.eq(id))
            .filter(commands::state.eq(CommandState::Pending))
            .select(commands::kind)
            .distinct()
            .load(conn)
            .await?;
        Ok(CarChargerDetail { row: charger.into(), device, faults, pending, initial_password: None })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = charger_states, check_for_backend(Pg))]
struct Device {
    connected_at: Option<DateTime<Utc>>,
    remote_address: Option<String>,
    booted_at: Option<DateTime<Utc>>,
    vendor: Option<String>,
    reported_model: Option<String>,
    firmware: Option<String>,
    reported_serial_no: Option<String>,
    iccid: Option<String>,
    status: ConnectorStatus,
    error_code: Option<String>,
    status_at: Option<DateTime<Utc>>,
    relative_meter_since: Option<DateTime<Utc>>,
    configuration: Option<serde_json::Value>,
}

impl From<Device> for DeviceData {
    fn from(it: Device) -> Self {
        Self {
            connected_at: it.connected_at,
            remote_address: it.remote_address,
            booted_at: it.booted_at,
            vendor: it.vendor,
            model: it.reported_model,
            firmware: it.firmware,
            serial_no: it.reported_serial_no,
            iccid: it.iccid,
            status: Some(it.status),
            error_code: it.error_code,
            status_at: it.status_at,
            relative_meter_since: it.relative_meter_since,
            configuration: it.configuration,
        }
    }
}
