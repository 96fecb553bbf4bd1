//! Stations of both lines: what cars and e-bikes have in common. They are one table, for users are bound to stations of
//! either line, and scopes name stations.

pub mod bike;
pub mod car;

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, chargers, connectors, properties, providers, reservations, stations};
use shared::invoice::Seller;
use shared::page::{Page, PageQuery};
use shared::resource::{FormMap, Row};
use shared::station::{Nature, Review, StationFilter};
use uuid::Uuid;

use crate::api::body::Body;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::{Browse, Change, Create, Ctx, Impact, Switch, ops, page, routes};
use crate::error::{Error, Result};
use crate::impact;
use crate::review::{Rejection, require_pending};

/// A station of either line.
#[derive(HasQuery)]
#[diesel(table_name = stations, check_for_backend(Pg), base_query = joined())]
struct Station {
    id: Uuid,
    code: String,
    name: String,
    short_name: Option<String>,
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
    seller: Option<Seller>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    stations::table.inner_join(providers::table).inner_join(properties::table)
}

/// The stations of a line that the caller may see. Every read starts here.
fn visible(scope: &Scope, line: &'static str) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let query = joined().filter(stations::line.eq(line)).into_boxed();
    scope.narrow(query, stations::provider_id, stations::property_id, stations::id)
}

fn found(scope: &Scope, line: &'static str, filter: &StationFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let StationFilter { name, provider_id, property_id, review, enabled } = filter;
    let mut query = visible(scope, line);
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

async fn list<R: Row + From<Station>>(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    line: &'static str,
    filter: &StationFilter,
    page: &PageQuery,
) -> Result<Page<R>> {
    let (key, falling) = page.order();
    let order = match key {
        "code" => page::by(stations::code, falling),
        "name" => page::by(stations::name, falling),
        _ => page::by(stations::id, falling),
    };
    let rows = beyond!(found(scope, line, filter), stations::id, page).order(order).select(Station::as_select());
    page::load::<Station, _, _, _>(conn, page, rows, found(scope, line, filter).select(stations::id)).await
}

async fn find<R: From<Station>>(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    line: &'static str,
    id: Uuid,
) -> Result<R> {
    let station: Station =
        visible(scope, line).filter(stations::id.eq(id)).select(Station::as_select()).first(conn).await?;
    Ok(station.into())
}

/// What people fill in; stations of one line leave some of it out.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = stations, treat_none_as_null = true, treat_none_as_default_value = false)]
struct Values<'a> {
    name: &'a str,
    short_name: Option<&'a str>,
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

async fn create(
    conn: &mut AsyncPgConnection,
    by: &Caller,
    line: &'static str,
    (provider, property): (Uuid, Uuid),
    values: Values<'_>,
) -> Result<Uuid> {
    crate::tenant::property_takes_new(conn, &by.scope, provider, property).await?;
    let (id, hotline) = (new_id(Utc::now()), values.hotline);
    diesel::insert_into(stations::table)
        .values((
            stations::id.eq(id),
            stations::line.eq(line),
            stations::provider_id.eq(provider),
            stations::property_id.eq(property),
            values,
        ))
        .execute(conn)
        .await?;
    // Every station begins with an area of its own (3.2.2/3.1, 3.3.2/3.2).
    diesel::insert_into(areas::table)
        .values((
            areas::id.eq(new_id(Utc::now())),
            areas::line.eq(line),
            areas::provider_id.eq(provider),
            areas::property_id.eq(property),
            areas::station_id.eq(id),
            areas::name.eq("默认区域"),
            areas::phone.eq(hotline),
        ))
        .execute(conn)
        .await?;
    Ok(id)
}

async fn update(conn: &mut AsyncPgConnection, id: Uuid, values: Values<'_>) -> Result<()> {
    diesel::update(stations::table.find(id)).set(values).execute(conn).await?;
    // What was rejected and is then changed asks anew.
    diesel::update(stations::table.find(id).filter(stations::review.eq(Review::Rejected)))
        .set((stations::review.eq(Review::Pending), stations::review_note.eq(None::<String>)))
        .execute(conn)
        .await?;
    Ok(())
}

async fn switch(conn: &mut AsyncPgConnection, id: Uuid, on: bool) -> Result<()> {
    diesel::update(stations::table.find(id)).set(stations::enabled.eq(on)).execute(conn).await?;
    Ok(())
}

async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
    let running = impact::running(scope).filter(car_orders::station_id.eq(id));
    let enabled = impact::chargers(scope).filter(chargers::station_id.eq(id));
    let kept = impact::reserved(scope).filter(reservations::station_id.eq(id));
    Ok(Impact {
        running_orders: running.count().get_result(conn).await?,
        reservations: kept.count().get_result(conn).await?,
        chargers: enabled.count().get_result(conn).await?,
        ..Impact::default()
    })
}

async fn approve<R: Browse>(ctx: Ctx, id: Path<Uuid>) -> Result<Json<R::Detail>> {
    review::<R>(ctx, *id, "approve", Review::Approved, None).await
}

async fn reject<R: Browse>(ctx: Ctx, id: Path<Uuid>, Body(form): Body<Rejection>) -> Result<Json<R::Detail>> {
    review::<R>(ctx, *id, "reject", Review::Rejected, Some(form.reason()?)).await
}

async fn review<R: Browse>(
    ctx: Ctx,
    id: Uuid,
    verb: &'static str,
    review: Review,
    note: Option<String>,
) -> Result<Json<R::Detail>> {
    routes::act::<R, _>(ctx, id, verb, move |conn, _, _| {
        Box::pin(async move {
            routes::stamp(conn, "stations", id, None).await?;
            require_pending(stations::table.find(id).select(stations::review).first(conn).await?)?;
            let set = (stations::review.eq(review), stations::review_note.eq(note));
            diesel::update(stations::table.find(id)).set(set).execute(conn).await?;
            Ok(())
        })
    })
    .await
}

/// `POST …/{id}/invoicing`: in whose name the station sells (3.2.1/5, 3.3.1/5).
async fn invoicing_of<R: Browse>(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<R::Detail>> {
    let seller: Seller = shared::check::read(Seller::FIELDS, &form, ctx.lang).map_err(Error::Invalid)?;
    let id = *id;
    routes::act::<R, _>(ctx, id, "invoicing", move |conn, _, _| {
        Box::pin(async move {
            routes::stamp(conn, "stations", id, None).await?;
            diesel::update(stations::table.find(id)).set(stations::seller.eq(seller)).execute(conn).await?;
            Ok(())
        })
    })
    .await
}

/// The operations of the stations of one line.
fn operations_of<R: Create + Change + Switch>() -> Vec<Op> {
    let approve = ops::action::<R>("approve").returns::<R::Detail>().to(approve::<R>);
    let reject = ops::action::<R>("reject").body::<Rejection>().returns::<R::Detail>().to(reject::<R>);
    let invoicing = ops::action::<R>("invoicing").form::<Seller>(Seller::FIELDS);
    let invoicing = invoicing.returns::<R::Detail>().to(invoicing_of::<R>);
    [ops::browse::<R>(), ops::write::<R>(), ops::switch::<R>(), ops::history::<R>(), vec![approve, reject, invoicing]]
        .into_iter()
        .flatten()
        .collect()
}

/// The operations of stations.
pub fn operations() -> Vec<Op> {
    [operations_of::<shared::station::car::CarStations>(), operations_of::<shared::station::bike::BikeStations>()]
        .into_iter()
        .flatten()
        .collect()
}
