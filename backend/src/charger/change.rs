//! Chargers are added with their connectors, changed, and switched on and off.

use actix_web::HttpResponse;
use chrono::Utc;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, charger_states, chargers, connectors, reservations, unknown_devices};
use shared::charger::{
    CarChargerDetail, CarChargerForm, CarChargers, Communication, CurrentType, Interface, Mounting, Speed,
};
use shared::resource::FormMap;
use shared::station::Nature;
use shared::text::t;
use uuid::Uuid;

use super::Parent;
use super::service::make_available;
use crate::api::body::Body;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::{Owner, Scope};
use crate::crud::{Change, Create, Ctx, Impact, Switch, ops, routes};
use crate::error::{Error, Result};
use crate::gateway::credentials::{password_hashes, random_password};
use crate::impact;

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
        password: _,
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

/// Drops the connectors beyond a number, if none of them was ever used: what is on an order or a reservation stays.
async fn drop_connectors(conn: &mut AsyncPgConnection, charger: Uuid, last: i32) -> Result<()> {
    // Whoever orders or reserves one waits for this, or has done so by now.
    let beyond = connectors::table.filter(connectors::charger_id.eq(charger)).filter(connectors::number.gt(last));
    let beyond: Vec<Uuid> = beyond.select(connectors::id).for_update().load(conn).await?;
    let ordered = car_orders::table.filter(car_orders::charger_id.eq(charger));
    let ordered = ordered.filter(car_orders::connector_id.eq_any(&beyond));
    if diesel::select(exists(ordered)).get_result(conn).await? {
        let text = t(
            "要减少的电枪已有充电订单，不能删除，可改为禁用",
            "A connector that would go has orders and cannot be removed; disable it instead",
        );
        return Err(Error::field("connectors", "in_use", text));
    }
    let reserved = reservations::table.filter(reservations::charger_id.eq(charger));
    let reserved = reserved.filter(reservations::connector_id.eq_any(&beyond));
    if diesel::select(exists(reserved)).get_result(conn).await? {
        let text = t(
            "要减少的电枪已有预约订单，不能删除，可改为禁用",
            "A connector that would go has reservations and cannot be removed; disable it instead",
        );
        return Err(Error::field("connectors", "in_use", text));
    }
    diesel::delete(connectors::table.filter(connectors::id.eq_any(beyond))).execute(conn).await?;
    Ok(())
}

impl Create for CarChargers {
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
        // A sheet cannot tell what would be made up: who leaves a password out of it sets it later.
        let password = form.password.clone().unwrap_or_else(random_password);
        diesel::insert_into(charger_states::table)
            .values((
                charger_states::charger_id.eq(parent.id),
                charger_states::password_hashes.eq(password_hashes(&password)),
            ))
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
}

impl Change for CarChargers {
    const TABLE: &'static str = "chargers";

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
            return drop_connectors(conn, id, form.connectors).await;
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
    const TELLS: bool = true;

    async fn switch(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid, on: bool) -> Result<()> {
        let parent: Parent = diesel::update(chargers::table.find(id))
            .set(chargers::enabled.eq(on))
            .returning(Parent::as_returning())
            .get_result(conn)
            .await?;
        make_available(conn, id, parent.owner(), 0, on, &by.name).await
    }

    async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
        let running = impact::running(scope).filter(car_orders::charger_id.eq(id));
        let kept = impact::reserved(scope).filter(reservations::charger_id.eq(id));
        Ok(Impact {
            running_orders: running.count().get_result(conn).await?,
            reservations: kept.count().get_result(conn).await?,
            ..Impact::default()
        })
    }
}

/// `POST /car/chargers`: a password that was made up is told in the answer.
async fn create(ctx: Ctx, Body(form): Body<FormMap>) -> Result<HttpResponse> {
    let mut form = routes::read_form::<CarChargers>(form, &ctx.caller, ctx.lang)?;
    let made_up = form.password.is_none().then(random_password);
    form.password = form.password.or_else(|| made_up.clone());
    let actor = ctx.actor();
    let mut conn = ctx.conn;
    let mut row = conn.transaction(async |conn| routes::insert::<CarChargers>(conn, &actor, &form).await).await?;
    row.initial_password = made_up;
    Ok(HttpResponse::Created().json(row))
}

/// The operations that write chargers.
pub fn operations() -> Vec<Op> {
    let create = ops::create::<CarChargers>().returns_with::<CarChargerDetail>(201).to(create);
    [create].into_iter().chain(ops::change::<CarChargers>()).chain(ops::sheets::<CarChargers>()).collect()
}
