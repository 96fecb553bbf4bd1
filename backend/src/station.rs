//! Car stations: the worked example of a resource.

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, chargers, connectors, properties, providers, stations};
use shared::page::{Page, PageQuery};
use shared::station::{CarStationFilter, CarStationForm, CarStationRow, CarStations, Nature, Review};
use uuid::Uuid;

use crate::api::body::Body;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::{Browse, Change, Create, Ctx, Impact, Switch, ops, page, routes};
use crate::error::Result;
use crate::review::{Rejection, require_pending};

#[derive(HasQuery)]
#[diesel(table_name = stations, check_for_backend(Pg), base_query = joined())]
struct Station {
    id: Uuid,
    code: String,
    name: String,
    provider_id: Uuid,
    #[diesel(select_expression = providers::name)]
    provider_name: String,
    property_id: Uuid,
    #[diesel(select_expression = properties::name)]
    property_name: String,
    nature: Nature,
    contact: Option<String>,
    contact_phone: Option<String>,
    intro: Option<String>,
    hotline: Option<String>,
    business_hours: Option<String>,
    max_power_w: Option<i64>,
    capacity_w: Option<i64>,
    province: Option<String>,
    city: Option<String>,
    address: Option<String>,
    lng: Option<f64>,
    lat: Option<f64>,
    review: Review,
    review_note: Option<String>,
    enabled: bool,
    #[diesel(select_expression = areas::table.filter(areas::station_id.eq(stations::id)).count().single_value().assume_not_null())]
    areas: i64,
    #[diesel(select_expression = chargers::table.filter(chargers::station_id.eq(stations::id)).count().single_value().assume_not_null())]
    chargers: i64,
    #[diesel(select_expression = connectors::table.filter(connectors::station_id.eq(stations::id)).count().single_value().assume_not_null())]
    connectors: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Station> for CarStationRow {
    fn from(it: Station) -> Self {
        Self {
            id: it.id,
            code: it.code,
            name: it.name,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            property_id: it.property_id,
            property_name: it.property_name,
            nature: it.nature,
            contact: it.contact,
            contact_phone: it.contact_phone,
            intro: it.intro,
            hotline: it.hotline,
            business_hours: it.business_hours,
            max_power_w: it.max_power_w,
            capacity_w: it.capacity_w,
            province: it.province,
            city: it.city,
            address: it.address,
            lng: it.lng,
            lat: it.lat,
            review: it.review,
            review_note: it.review_note,
            enabled: it.enabled,
            areas: it.areas,
            chargers: it.chargers,
            connectors: it.connectors,
            bays: 0,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    stations::table.inner_join(providers::table).inner_join(properties::table)
}

/// The car stations that the caller may see. Every read starts here.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let query = joined().filter(stations::line.eq("car")).into_boxed();
    scope.narrow(query, stations::provider_id, stations::property_id, stations::id)
}

fn found(scope: &Scope, filter: &CarStationFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let CarStationFilter { name, provider_id, property_id, review, enabled } = filter;
    let mut query = visible(scope);
    if let Some(name) = name {
        query = query.filter(stations::name.ilike(page::containing(name)));
    }
    if let Some(id) = provider_id {
        query = query.filter(stations::provider_id.eq(*id));
    }
    if let Some(id) = property_id {
        query = query.filter(stations::property_id.eq(*id));
    }
    if let Some(review) = review {
        query = query.filter(stations::review.eq(*review));
    }
    if let Some(enabled) = enabled {
        query = query.filter(stations::enabled.eq(*enabled));
    }
    query
}

impl Browse for CarStations {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &CarStationFilter,
        page: &PageQuery,
    ) -> Result<Page<CarStationRow>> {
        let (key, falling) = page.order();
        let order = match key {
            "code" => page::by(stations::code, falling),
            "name" => page::by(stations::name, falling),
            _ => page::by(stations::id, falling),
        };
        let rows = beyond!(found(scope, filter), stations::id, page).order(order).select(Station::as_select());
        page::load::<Station, _, _, _>(conn, page, rows, found(scope, filter).select(stations::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<CarStationRow> {
        let station: Station =
            visible(scope).filter(stations::id.eq(id)).select(Station::as_select()).first(conn).await?;
        Ok(station.into())
    }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = stations, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Values<'a> {
    name: &'a str,
    nature: Nature,
    contact: Option<&'a str>,
    contact_phone: Option<&'a str>,
    intro: Option<&'a str>,
    hotline: Option<&'a str>,
    business_hours: Option<&'a str>,
    max_power_w: Option<i64>,
    capacity_w: Option<i64>,
    province: Option<&'a str>,
    city: Option<&'a str>,
    address: Option<&'a str>,
    lng: Option<f64>,
    lat: Option<f64>,
}

fn values(form: &CarStationForm) -> Values<'_> {
    let CarStationForm {
        provider_id: _,
        property_id: _,
        name,
        nature,
        contact,
        contact_phone,
        intro,
        hotline,
        business_hours,
        max_power_w,
        capacity_w,
        province,
        city,
        address,
        lng,
        lat,
    } = form;
    Values {
        name,
        nature: *nature,
        contact: contact.as_deref(),
        contact_phone: contact_phone.as_deref(),
        intro: intro.as_deref(),
        hotline: hotline.as_deref(),
        business_hours: business_hours.as_deref(),
        max_power_w: *max_power_w,
        capacity_w: *capacity_w,
        province: province.as_deref(),
        city: city.as_deref(),
        address: address.as_deref(),
        lng: *lng,
        lat: *lat,
    }
}

impl Create for CarStations {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &CarStationForm) -> Result<Uuid> {
        crate::tenant::property_takes_new(conn, &by.scope, form.provider_id, form.property_id).await?;
        let id = new_id(Utc::now());
        diesel::insert_into(stations::table)
            .values((
                stations::id.eq(id),
                stations::line.eq("car"),
                stations::provider_id.eq(form.provider_id),
                stations::property_id.eq(form.property_id),
                values(form),
            ))
            .execute(conn)
            .await?;
        // Every station begins with an area of its own (3.2.2/3.1).
        diesel::insert_into(areas::table)
            .values((
                areas::id.eq(new_id(Utc::now())),
                areas::line.eq("car"),
                areas::provider_id.eq(form.provider_id),
                areas::property_id.eq(form.property_id),
                areas::station_id.eq(id),
                areas::name.eq("默认区域"),
                areas::phone.eq(form.hotline.as_deref()),
            ))
            .execute(conn)
            .await?;
        Ok(id)
    }
}

impl Change for CarStations {
    const TABLE: &'static str = "stations";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &CarStationForm) -> Result<()> {
        diesel::update(stations::table.find(id)).set(values(form)).execute(conn).await?;
        // What was rejected and is then changed asks anew.
        diesel::update(stations::table.find(id).filter(stations::review.eq(Review::Rejected)))
            .set((stations::review.eq(Review::Pending), stations::review_note.eq(None::<String>)))
            .execute(conn)
            .await?;
        Ok(())
    }
}

impl Switch for CarStations {
    const TABLE: &'static str = "stations";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(stations::table.find(id)).set(stations::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    async fn impact(conn: &mut AsyncPgConnection, id: Uuid) -> Result<Impact> {
        let running = car_orders::table
            .filter(car_orders::station_id.eq(id))
            .filter(car_orders::state.eq_any(crate::order::RUNNING));
        let enabled = chargers::table.filter(chargers::station_id.eq(id)).filter(chargers::enabled);
        Ok(Impact {
            running_orders: running.count().get_result(conn).await?,
            chargers: enabled.count().get_result(conn).await?,
            ..Impact::default()
        })
    }
}

async fn approve(ctx: Ctx, id: Path<Uuid>) -> Result<Json<CarStationRow>> {
    review(ctx, *id, "approve", Review::Approved, None).await
}

async fn reject(ctx: Ctx, id: Path<Uuid>, Body(form): Body<Rejection>) -> Result<Json<CarStationRow>> {
    review(ctx, *id, "reject", Review::Rejected, Some(form.reason()?)).await
}

async fn review(
    ctx: Ctx,
    id: Uuid,
    verb: &'static str,
    review: Review,
    note: Option<String>,
) -> Result<Json<CarStationRow>> {
    routes::act::<CarStations, _>(ctx, id, verb, move |conn, _, before| {
        Box::pin(async move {
            require_pending(before.review)?;
            routes::stamp(conn, "stations", id, Some(before.version)).await?;
            let set = (stations::review.eq(review), stations::review_note.eq(note));
            diesel::update(stations::table.find(id)).set(set).execute(conn).await?;
            Ok(())
        })
    })
    .await
}

/// The operations of car stations.
pub fn operations() -> Vec<Op> {
    let approve = ops::action::<CarStations>("approve").returns::<CarStationRow>().to(approve);
    let reject = ops::action::<CarStations>("reject").body::<Rejection>().returns::<CarStationRow>().to(reject);
    [
        ops::browse::<CarStations>(),
        ops::write::<CarStations>(),
        ops::switch::<CarStations>(),
        ops::history::<CarStations>(),
        vec![approve, reject],
    ]
    .into_iter()
    .flatten()
    .collect()
}
