//! A driver's own reservations: making one, giving it up, looking at them (5/10).

use actix_web::HttpResponse;
use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{chargers, connectors, reservations, stations};
use shared::driver_app::{DriverReservation, NewReservation};
use shared::page::{NewestQuery, Page};
use shared::pricing::{ReservationState, reservation_deadline};
use shared::resource::FormMap;
use uuid::Uuid;

use crate::api::body::{Body, Params};
use crate::beyond;
use crate::crud::{DriverCtx, page};
use crate::error::{Error, Result};
use crate::reservation;

/// `POST /reservations`.
pub async fn create(ctx: DriverCtx, Body(form): Body<FormMap>) -> Result<HttpResponse> {
    let DriverCtx { app, driver_id, mut conn, lang, .. } = ctx;
    let NewReservation { connector_id } =
        shared::check::read(NewReservation::FIELDS, &form, lang).map_err(Error::Invalid)?;
    let now = app.now();
    let made = conn
        .once(async |conn| {
            let id = reservation::create(conn, connector_id, driver_id, now).await?;
            find(conn, driver_id, id).await
        })
        .await?;
    Ok(HttpResponse::Created().json(made))
}

/// `POST /reservations/{id}/cancel`.
pub async fn cancel(ctx: DriverCtx, id: Path<Uuid>) -> Result<Json<DriverReservation>> {
    let DriverCtx { app, driver_id, mut conn, .. } = ctx;
    let now = app.now();
    let cancelled = conn
        .once(async |conn| {
            find(conn, driver_id, *id).await?;
            reservation::cancel(conn, *id, now).await?;
            find(conn, driver_id, *id).await
        })
        .await?;
    Ok(Json(cancelled))
}

/// `GET /reservations`.
pub async fn list(mut ctx: DriverCtx, Params(page): Params<NewestQuery>) -> Result<Json<Page<DriverReservation>>> {
    let page = page::newest_first(page, ctx.lang)?;
    let counted = own(ctx.driver_id).select(reservations::id);
    let rows = beyond!(own(ctx.driver_id), reservations::id, page).order(reservations::id.desc());
    let rows = rows.select(Reservation::as_select());
    Ok(Json(page::load::<Reservation, _, _, _>(&mut ctx.conn, &page, rows, counted).await?))
}

/// `GET /reservations/{id}`.
pub async fn detail(mut ctx: DriverCtx, id: Path<Uuid>) -> Result<Json<DriverReservation>> {
    Ok(Json(find(&mut ctx.conn, ctx.driver_id, *id).await?))
}

#[derive(HasQuery)]
#[diesel(table_name = reservations, check_for_backend(Pg), base_query = placed())]
struct Reservation {
    id: Uuid,
    reservation_no: String,
    state: ReservationState,
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    #[diesel(select_expression = chargers::code)]
    charger_code: String,
    #[diesel(select_expression = chargers::name)]
    charger_name: String,
    connector_id: Uuid,
    #[diesel(select_expression = connectors::name)]
    connector_name: String,
    plate: String,
    created_at: DateTime<Utc>,
    entered_at: Option<DateTime<Utc>>,
    left_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<Reservation> for DriverReservation {
    fn from(it: Reservation) -> Self {
        Self {
            id: it.id,
            reservation_no: it.reservation_no,
            state: it.state,
            station_id: it.station_id,
            station_name: it.station_name,
            charger_code: it.charger_code,
            charger_name: it.charger_name,
            connector_id: it.connector_id,
            connector_name: it.connector_name,
            plate: it.plate,
            created_at: it.created_at,
            expires_at: reservation_deadline(it.created_at),
            entered_at: it.entered_at,
            left_at: it.left_at,
            ended_at: it.ended_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn placed() -> _ {
    reservations::table.inner_join(stations::table).inner_join(chargers::table).inner_join(connectors::table)
}

/// A driver's own reservations. Every read starts here.
fn own(driver_id: Uuid) -> diesel::dsl::IntoBoxed<'static, placed, Pg> {
    placed().into_boxed().filter(reservations::driver_id.eq(driver_id))
}

async fn find(conn: &mut AsyncPgConnection, driver_id: Uuid, id: Uuid) -> Result<DriverReservation> {
    let one = own(driver_id).filter(reservations::id.eq(id)).select(Reservation::as_select());
    Ok(one.first::<Reservation>(conn).await?.into())
}
