//! Areas of car stations: the worked example of a resource.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, chargers, connectors, reservations, stations};
use shared::area::{CarAreaFilter, CarAreaForm, CarAreaRow, CarAreas};
use shared::page::{Page, PageQuery};
use uuid::Uuid;

use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::{Owner, Scope};
use crate::beyond;
use crate::crud::page::{self, containing};
use crate::crud::{Browse, Change, Create, Impact, Switch, ops};
use crate::error::Result;
use crate::impact;

#[derive(HasQuery)]
#[diesel(table_name = areas, check_for_backend(Pg), base_query = joined())]
struct Area {
    id: Uuid,
    code: String,
    name: String,
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    phone: Option<String>,
    power_w: Option<i64>,
    enabled: bool,
    #[diesel(select_expression = chargers::table.filter(chargers::area_id.eq(areas::id)).count().single_value().assume_not_null())]
    chargers: i64,
    #[diesel(select_expression = connectors::table.filter(connectors::area_id.eq(areas::id)).count().single_value().assume_not_null())]
    connectors: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Area> for CarAreaRow {
    fn from(it: Area) -> Self {
        Self {
            id: it.id,
            code: it.code,
            name: it.name,
            station_id: it.station_id,
            station_name: it.station_name,
            phone: it.phone,
            power_w: it.power_w,
            enabled: it.enabled,
            bays: 0,
            chargers: it.chargers,
            connectors: it.connectors,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    areas::table.inner_join(stations::table)
}

/// The areas of car stations that the caller may see. Every read starts here.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let query = joined().filter(areas::line.eq("car")).into_boxed();
    scope.narrow(query, areas::provider_id, areas::property_id, areas::station_id)
}

fn found(scope: &Scope, filter: &CarAreaFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let CarAreaFilter { name, code, station_id, station_name, enabled } = filter;
    let mut query = visible(scope);
    if let Some(name) = name {
        query = query.filter(areas::name.ilike(containing(name)));
    }
    if let Some(code) = code {
        query = query.filter(areas::code.ilike(containing(code)));
    }
    if let Some(id) = station_id {
        query = query.filter(areas::station_id.eq(*id));
    }
    if let Some(name) = station_name {
        query = query.filter(stations::name.ilike(containing(name)));
    }
    if let Some(enabled) = enabled {
        query = query.filter(areas::enabled.eq(*enabled));
    }
    query
}

impl Browse for CarAreas {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &CarAreaFilter,
        page: &PageQuery,
    ) -> Result<Page<CarAreaRow>> {
        let (key, falling) = page.order();
        let order: page::OrderBy<_> = match key {
            "name" => page::by(areas::name, falling),
            "code" => page::by(areas::code, falling),
            _ => page::by(areas::id, falling),
        };
        let rows = beyond!(found(scope, filter), areas::id, page).order(order).select(Area::as_select());
        page::load::<Area, _, _, _>(conn, page, rows, found(scope, filter).select(areas::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<CarAreaRow> {
        let area: Area = visible(scope).filter(areas::id.eq(id)).select(Area::as_select()).first(conn).await?;
        Ok(area.into())
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = areas, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Values<'a> {
    name: &'a str,
    phone: Option<&'a str>,
    power_w: Option<i64>,
}

fn values(form: &CarAreaForm) -> Values<'_> {
    let CarAreaForm { station_id: _, name, phone, power_w } = form;
    Values { name, phone: phone.as_deref(), power_w: *power_w }
}

impl Create for CarAreas {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &CarAreaForm) -> Result<Uuid> {
        let Owner { provider_id, property_id, station_id } =
            crate::tenant::station_takes_new(conn, &by.scope, "car", form.station_id).await?;
        let id = new_id(Utc::now());
        diesel::insert_into(areas::table)
            .values((
                areas::id.eq(id),
                areas::line.eq("car"),
                areas::provider_id.eq(provider_id),
                areas::property_id.eq(property_id),
                areas::station_id.eq(station_id),
                values(form),
            ))
            .execute(conn)
            .await?;
        Ok(id)
    }
}

impl Change for CarAreas {
    const TABLE: &'static str = "areas";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &CarAreaForm) -> Result<()> {
        diesel::update(areas::table.find(id)).set(values(form)).execute(conn).await?;
        Ok(())
    }
}

impl Switch for CarAreas {
    const TABLE: &'static str = "areas";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(areas::table.find(id)).set(areas::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
        let running = impact::running(scope).filter(car_orders::area_id.eq(id));
        let enabled = impact::chargers(scope).filter(chargers::area_id.eq(id));
        let kept = impact::reserved(scope).filter(reservations::area_id.eq(id));
        Ok(Impact {
            running_orders: running.count().get_result(conn).await?,
            reservations: kept.count().get_result(conn).await?,
            chargers: enabled.count().get_result(conn).await?,
            ..Impact::default()
        })
    }
}

/// The operations of areas of car stations.
pub fn operations() -> Vec<Op> {
    [ops::browse::<CarAreas>(), ops::write::<CarAreas>(), ops::switch::<CarAreas>(), ops::history::<CarAreas>()]
        .into_iter()
        .flatten()
        .collect()
}
