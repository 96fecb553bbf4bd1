//! Reservations as staff looks through them.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, chargers, connectors, reservations, stations};
use shared::page::{Page, PageQuery};
use shared::plate;
use shared::pricing::{ReservationState, occupancy_seconds, reservation_deadline};
use shared::reservation::{ReservationDetail, ReservationEnd, ReservationFilter, ReservationRow, Reservations};
use uuid::Uuid;

use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::lookup::{digits, squeezed};
use crate::crud::{Browse, page};
use crate::error::Result;

#[derive(HasQuery)]
#[diesel(table_name = reservations, check_for_backend(Pg), base_query = joined())]
struct Listed {
    id: Uuid,
    reservation_no: String,
    state: ReservationState,
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    #[diesel(select_expression = areas::name)]
    area_name: String,
    charger_id: Uuid,
    #[diesel(select_expression = chargers::code)]
    charger_code: String,
    connector_id: Uuid,
    #[diesel(select_expression = connectors::code)]
    connector_code: String,
    driver_id: Uuid,
    phone: String,
    plate: String,
    created_at: DateTime<Utc>,
    entered_at: Option<DateTime<Utc>>,
    left_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    end_reason: Option<ReservationEnd>,
    ended_by: Option<String>,
    end_note: Option<String>,
}

impl From<Listed> for ReservationRow {
    fn from(it: Listed) -> Self {
        Self {
            id: it.id,
            reservation_no: it.reservation_no,
            state: it.state,
            station_id: it.station_id,
            station_name: it.station_name,
            area_name: it.area_name,
            charger_id: it.charger_id,
            charger_code: it.charger_code,
            connector_id: it.connector_id,
            connector_code: it.connector_code,
            driver_id: it.driver_id,
            phone: it.phone,
            plate: it.plate,
            // What was charged meanwhile does not count, see `complete`.
            occupied_seconds: None,
            created_at: it.created_at,
            expires_at: reservation_deadline(it.created_at),
            entered_at: it.entered_at,
            left_at: it.left_at,
            ended_at: it.ended_at,
            end_reason: it.end_reason,
            ended_by: it.ended_by,
            end_note: it.end_note,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    reservations::table
        .inner_join(stations::table)
        .inner_join(areas::table)
        .inner_join(chargers::table)
        .inner_join(connectors::table)
}

/// The reservations that the caller may see. Every read starts here: it is one table, so that what is searched and counted
/// is found in its indexes.
fn visible(scope: &Scope) -> reservations::BoxedQuery<'static, Pg> {
    scope.narrow(
        reservations::table.into_boxed(),
        reservations::provider_id,
        reservations::property_id,
        reservations::station_id,
    )
}

fn found(scope: &Scope, filter: &ReservationFilter) -> reservations::BoxedQuery<'static, Pg> {
    let ReservationFilter { station_id, reservation_no, phone, plate, charger_code, state, created_from, created_to } =
        filter;
    let mut query = visible(scope);
    if let Some(id) = station_id {
        query = query.filter(reservations::station_id.eq(*id));
    }
    if let Some(number) = reservation_no {
        query = query.filter(reservations::reservation_no.eq(squeezed(number)));
    }
    if let Some(phone) = phone {
        query = query.filter(reservations::phone.eq(digits(phone)));
    }
    if let Some(plate) = plate {
        query = query.filter(reservations::plate.eq(plate::normal(plate)));
    }
    if let Some(code) = charger_code {
        let coded = chargers::table.filter(chargers::code.eq(squeezed(code))).select(chargers::id);
        query = query.filter(reservations::charger_id.nullable().eq(coded.single_value()));
    }
    if let Some(state) = state {
        query = query.filter(reservations::state.eq(page::written(*state)));
    }
    let (from, to) = page::made_on(*created_from, *created_to);
    query.filter(reservations::id.ge(from)).filter(reservations::id.lt(to))
}

/// Adds for how long cars stood there without charging.
async fn complete(conn: &mut AsyncPgConnection, rows: &mut [ReservationRow], now: DateTime<Utc>) -> Result<()> {
    type Charge = (Option<Uuid>, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let ids: Vec<Uuid> = rows.iter().map(|it| it.id).collect();
    let charged = car_orders::table.filter(car_orders::reservation_id.eq_any(ids)).select((
        car_orders::reservation_id,
        car_orders::started_at,
        car_orders::ended_at,
    ));
    let mut charging: HashMap<Uuid, Vec<_>> = HashMap::new();
    for (id, from, to) in charged.load::<Charge>(conn).await? {
        if let (Some(id), Some(from)) = (id, from) {
            charging.entry(id).or_default().push((from, to.unwrap_or(now)));
        }
    }
    for row in rows {
        let charging = charging.remove(&row.id).unwrap_or_default();
        let left = row.left_at.or(row.ended_at).unwrap_or(now);
        row.occupied_seconds = row.entered_at.map(|entered| occupancy_seconds(entered, left, &charging, false));
    }
    Ok(())
}

impl Browse for Reservations {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &ReservationFilter,
        page: &PageQuery,
    ) -> Result<Page<ReservationRow>> {
        let falling = page.order().1;
        let found = || found(scope, filter).select(reservations::id);
        let ids = beyond!(found(), reservations::id, page).order(page::by(reservations::id, falling));
        let rows = joined().into_boxed().filter(page::among(reservations::id, ids, page)).select(Listed::as_select());
        let rows = rows.order(page::by(reservations::id, falling));
        let mut page = page::load_among::<Listed, ReservationRow, _, _>(conn, page, rows, found()).await?;
        complete(conn, &mut page.items, Utc::now()).await?;
        Ok(page)
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<ReservationDetail> {
        let one = visible(scope).filter(reservations::id.eq(id)).select(reservations::id);
        let row = joined().filter(reservations::id.eq_any(one)).select(Listed::as_select());
        let mut row = ReservationRow::from(row.first::<Listed>(conn).await?);
        complete(conn, std::slice::from_mut(&mut row), Utc::now()).await?;
        let orders = crate::order::made_under(conn, scope, id).await?;
        Ok(ReservationDetail { row, orders })
    }
}
