//! Chargers for cars: entered by staff, heard of through the gateway.

mod actions;
mod log;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, sql};
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, charger_states, chargers, connectors, stations, unknown_devices};
use shared::charger::{
    CarChargerDetail, CarChargerFilter, CarChargerForm, CarChargerRow, CarChargers, ChargerCondition, Communication,
    ConnectorCounts, CurrentType, DeviceData, Interface, Mounting, Speed,
};
use shared::device::ConnectorStatus;
use shared::fault::FaultNote;
use shared::page::{Page, PageQuery};
use shared::station::Nature;
use shared::text::t;
use uuid::Uuid;

use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::{Owner, Scope};
use crate::beyond;
use crate::command::{self, Command};
use crate::crud::page::{self, containing};
use crate::crud::{Browse, Impact, Switch, Write, ops};
use crate::error::{Error, Result};

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
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

/// What the connectors of the charger that a query is about are doing.
fn statuses() -> SqlLiteral<Array<Text>> {
    sql("array(select it.status from connectors it where it.charger_id = chargers.id)")
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
        Ok(CarChargerDetail { row: charger.into(), device, faults })
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
    password_hashes: Vec<String>,
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
            has_password: !it.password_hashes.is_empty(),
            configuration: it.configuration,
        }
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = chargers, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Values<'a> {
    name: &'a str,
    model: Option<&'a str>,
    device_version: Option<&'a str>,
    sim: Option<&'a str>,
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
    protection: Option<&'a str>,
    communication: Option<Communication>,
}

fn values(form: &CarChargerForm) -> Values<'_> {
    let CarChargerForm {
        station_id: _,
        area_id: _,
        serial_no: _,
        name,
        connectors: _,
        model,
        device_version,
        sim,
        nature,
        occupancy_fee,
        reservable,
        output_power_w,
        output_current_a,
        output_voltage_v,
        current_type,
        interface,
        speed,
        mounting,
        protection,
        communication,
    } = form;
    Values {
        name,
        model: model.as_deref(),
        device_version: device_version.as_deref(),
        sim: sim.as_deref(),
        nature: *nature,
        occupancy_fee: occupancy_fee.unwrap_or(false),
        reservable: reservable.unwrap_or(false),
        output_current_a: *output_current_a,
        output_power_w: *output_power_w,
        output_voltage_v: *output_voltage_v,
        current_type: *current_type,
        interface: *interface,
        speed: *speed,
        mounting: *mounting,
        protection: protection.as_deref(),
        communication: *communication,
    }
}

/// What a connector takes over from its charger.
#[derive(Queryable, Selectable)]
#[diesel(table_name = chargers, check_for_backend(Pg))]
struct Parent {
    id: Uuid,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    area_id: Uuid,
    code: String,
    enabled: bool,
}

impl Parent {
    const fn owner(&self) -> Owner {
        Owner { provider_id: self.provider_id, property_id: self.property_id, station_id: self.station_id }
    }
}

/// Adds the connectors from one number to another, both included.
async fn add_connectors(conn: &mut AsyncPgConnection, parent: &Parent, first: i32, last: i32) -> Result<()> {
    let Parent { id, provider_id, property_id, station_id, area_id, code, enabled: _ } = parent;
    let rows = (first..=last).map(|number| {
        (
            connectors::id.eq(new_id(Utc::now())),
            connectors::provider_id.eq(provider_id),
            connectors::property_id.eq(property_id),
            connectors::station_id.eq(station_id),
            connectors::area_id.eq(area_id),
            connectors::charger_id.eq(id),
            connectors::number.eq(number),
            connectors::code.eq(format!("{code}-{number}")),
            connectors::name.eq(format!("{number}号枪")),
        )
    });
    diesel::insert_into(connectors::table).values(rows.collect::<Vec<_>>()).execute(conn).await?;
    Ok(())
}

impl Write for CarChargers {
    const TABLE: &'static str = "chargers";

    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &CarChargerForm) -> Result<Uuid> {
        let Owner { provider_id, property_id, station_id } =
            crate::tenant::area_takes_new(conn, &by.scope, "car", form.station_id, form.area_id).await?;
        let parent: Parent = diesel::insert_into(chargers::table)
            .values((
                chargers::id.eq(new_id(Utc::now())),
                chargers::provider_id.eq(provider_id),
                chargers::property_id.eq(property_id),
                chargers::station_id.eq(station_id),
                chargers::area_id.eq(form.area_id),
                chargers::serial_no.eq(&form.serial_no),
                values(form),
            ))
            .returning(Parent::as_returning())
            .get_result(conn)
            .await?;
        diesel::insert_into(charger_states::table)
            .values(charger_states::charger_id.eq(parent.id))
            .execute(conn)
            .await?;
        add_connectors(conn, &parent, 1, form.connectors).await?;
        // It is no stranger any more, in whatever letter case it knocked.
        diesel::define_sql_function! { fn lower(text: Text) -> Text; }
        let stranger =
            unknown_devices::table.filter(lower(unknown_devices::serial_no).eq(form.serial_no.to_lowercase()));
        diesel::delete(stranger).execute(conn).await?;
        Ok(parent.id)
    }

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &CarChargerForm) -> Result<()> {
        let parent: Parent = diesel::update(chargers::table.find(id))
            .set(values(form))
            .returning(Parent::as_returning())
            .get_result(conn)
            .await?;
        let of_charger = connectors::table.filter(connectors::charger_id.eq(id));
        let last: Option<i32> = of_charger.select(diesel::dsl::max(connectors::number)).first(conn).await?;
        let last = last.unwrap_or(0);
        if form.connectors < last {
            // Orders and records refer to them.
            let text = t("电枪数量不能减少，可禁用不用的枪", "There cannot be fewer; disable those that are not used");
            return Err(Error::field("connectors", "range", text));
        }
        if form.connectors > last && !parent.enabled {
            let text = t("电桩已禁用，不能添加充电枪", "The charger is disabled and takes no new connectors");
            return Err(Error::Conflict("charger_disabled", text));
        }
        add_connectors(conn, &parent, last + 1, form.connectors).await
    }
}

impl Switch for CarChargers {
    const TABLE: &'static str = "chargers";

    async fn switch(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid, on: bool) -> Result<()> {
        let parent: Parent = diesel::update(chargers::table.find(id))
            .set(chargers::enabled.eq(on))
            .returning(Parent::as_returning())
            .get_result(conn)
            .await?;
        make_available(conn, id, parent.owner(), 0, on, &by.name).await
    }

    async fn impact(conn: &mut AsyncPgConnection, id: Uuid) -> Result<Impact> {
        let running = car_orders::table
            .filter(car_orders::charger_id.eq(id))
            .filter(car_orders::state.eq_any(crate::order::RUNNING));
        Ok(Impact { running_orders: running.count().get_result(conn).await?, chargers: 1, ..Impact::default() })
    }
}

/// Tells a charger to take a connector, or with 0 all of them, into service or out of it. One that is offline is not
/// told: the platform refuses new charges on what is disabled by itself.
///
/// # Errors
/// The database's.
pub async fn make_available(
    conn: &mut AsyncPgConnection,
    charger: Uuid,
    owner: Owner,
    connector: i32,
    available: bool,
    by: &str,
) -> Result<()> {
    let command = Command::Availability { connector, available };
    match command::to_charger(conn, charger, owner, command, by, Utc::now()).await {
        Ok(_) | Err(Error::Unavailable("device_offline", _)) => Ok(()),
        Err(err) => Err(err),
    }
}

/// The operations of chargers.
pub fn operations() -> Vec<Op> {
    [
        ops::browse::<CarChargers>(),
        ops::write::<CarChargers>(),
        ops::switch::<CarChargers>(),
        ops::history::<CarChargers>(),
        actions::operations(),
        log::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
