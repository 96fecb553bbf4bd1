//! Stations near a point, with distance, free connectors and the price now: one query, however many there are.

use actix_web::web::Json;
use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Double, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared::driver_app::{NearbyQuery, NearbyStation, PriceNow};
use shared::pricing::Tariff;
use shared::problem::FieldError;
use shared::text::{Lang, t};
use uuid::Uuid;

use crate::api::body::Params;
use crate::crud::DriverCtx;
use crate::error::{Error, Result};

/// How far is looked unless something else is said, and how far at most.
const RADIUS_M: i64 = 10_000;
const MAX_RADIUS_M: i64 = 100_000;
/// A degree of latitude in metres, rounded down so that the box is not too small.
const DEGREE_M: f64 = 110_500.0;

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    city: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    address: Option<String>,
    #[diesel(sql_type = Double)]
    lng: f64,
    #[diesel(sql_type = Double)]
    lat: f64,
    #[diesel(sql_type = BigInt)]
    distance_m: i64,
    #[diesel(sql_type = Nullable<Text>)]
    business_hours: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    hotline: Option<String>,
    #[diesel(sql_type = BigInt)]
    connectors: i64,
    #[diesel(sql_type = BigInt)]
    free: i64,
    #[diesel(sql_type = Array<Jsonb>)]
    tariffs: Vec<serde_json::Value>,
}

/// The box finds candidates by index, the haversine formula keeps those within the circle, and only for those of them
/// that are shown connectors are counted and tariffs read. Where stations stand is rounded to a centimetre, as the point
/// is: PostgreSQL fails when a product of tiny numbers becomes zero.
const QUERY: &str = "\
    with boxed as ( \
        select id, name, city, address, lng, lat, business_hours, hotline, \
            round(12742016 * asin(least(1, sqrt(power(sin(radians(y - $2) / 2), 2) \
                + cos(radians($2)) * cos(radians(y)) * power(sin(radians(x - $1) / 2), 2)))))::bigint as distance_m \
        from stations \
        cross join lateral (select round(lng::numeric, 7)::float8 as x, round(lat::numeric, 7)::float8 as y) rounded \
        where enabled and line = 'car' and lat between $2 - $4 and $2 + $4 and lng between $1 - $5 and $1 + $5 \
            and ($6 = '' or strpos(lower(name || ' ' || coalesce(address, '')), lower($6)) > 0) \
    ), near as materialized ( \
        select * from boxed where distance_m <= $3 order by distance_m, id limit 50 \
    ) \
    select near.*, counted.connectors, counted.free, \
        array(select v.body from areas a join tariffs t on t.area_id = a.id and t.enabled \
            join tariff_versions v on v.id = tariff_version_in_force(t.id, $7) \
            where a.station_id = near.id and a.enabled) as tariffs \
    from near cross join lateral ( \
        select count(*) as connectors, count(*) filter (where s.online and k.status in ('available', 'preparing') \
            and not exists (select from car_orders o where o.connector_id = k.id \
                and o.state in ('starting', 'charging', 'stopping', 'suspended')) \
            and not exists (select from reservations r where r.connector_id = k.id \
                and r.state in ('reserved', 'occupying'))) as free \
        from connectors k join chargers c on c.id = k.charger_id join charger_states s on s.charger_id = c.id \
            join areas a on a.id = k.area_id \
        where k.station_id = near.id and k.enabled and c.enabled and a.enabled \
    ) counted order by distance_m, id";

/// `GET /stations`.
pub async fn stations(mut ctx: DriverCtx, Params(query): Params<NearbyQuery>) -> Result<Json<Vec<NearbyStation>>> {
    check(&query, ctx.lang)?;
    let now = ctx.app.now();
    Ok(Json(near(&mut ctx.conn, &query, now).await?))
}

fn check(query: &NearbyQuery, lang: Lang) -> Result<()> {
    let NearbyQuery { lng, lat, radius_m, q } = query;
    let range = t("超出范围", "Out of range").get(lang);
    let mut errors = vec![];
    // Not a number is in no range either.
    if !(-180.0..=180.0).contains(lng) {
        errors.push(FieldError::new("lng", "range", range));
    }
    if !(-90.0..=90.0).contains(lat) {
        errors.push(FieldError::new("lat", "range", range));
    }
    if radius_m.is_some_and(|it| !(1..=MAX_RADIUS_M).contains(&it)) {
        errors.push(FieldError::new("radius_m", "range", range));
    }
    if q.as_ref().is_some_and(|it| it.chars().count() > 50) {
        errors.push(FieldError::new("q", "too_long", t("太长", "Too long").get(lang)));
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

async fn near(conn: &mut AsyncPgConnection, query: &NearbyQuery, now: DateTime<Utc>) -> Result<Vec<NearbyStation>> {
    let radius_m = query.radius_m.unwrap_or(RADIUS_M);
    let radius = i32::try_from(radius_m).map_or(f64::INFINITY, f64::from);
    let lat_span = radius / DEGREE_M;
    // Meridians draw together towards the poles, where the box becomes a belt.
    let lng_span = (lat_span / query.lat.to_radians().cos().max(0.01)).min(360.0);
    let found: Vec<Found> = sql_query(QUERY)
        .bind::<Double, _>(rounded(query.lng))
        .bind::<Double, _>(rounded(query.lat))
        .bind::<BigInt, _>(radius_m)
        .bind::<Double, _>(lat_span)
        .bind::<Double, _>(lng_span)
        .bind::<Text, _>(query.q.as_deref().unwrap_or_default().trim())
        .bind::<Timestamptz, _>(now)
        .load(conn)
        .await?;
    Ok(found.into_iter().map(|it| shown(it, now)).collect())
}

/// A coordinate to seven decimal places.
fn rounded(degrees: f64) -> f64 {
    (degrees * 1e7).round() / 1e7
}

fn shown(it: Found, now: DateTime<Utc>) -> NearbyStation {
    let tariffs = it.tariffs.into_iter().filter_map(|body| serde_json::from_value::<Tariff>(body).ok());
    NearbyStation {
        id: it.id,
        name: it.name,
        city: it.city,
        address: it.address,
        lng: it.lng,
        lat: it.lat,
        distance_m: it.distance_m,
        business_hours: it.business_hours,
        hotline: it.hotline,
        connectors: it.connectors,
        free: it.free,
        price: tariffs.filter_map(|tariff| PriceNow::of(&tariff, now)).min_by_key(|it| it.total),
    }
}
