//! Car orders as staff looks through them.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, charge_sessions, chargers, connectors, invoice_orders, invoices, stations};
use shared::car_order::{CarOrderDetail, CarOrderFilter, CarOrderRow, CarOrders};
use shared::fixed::{Fen, Kwh};
use shared::invoice::InvoiceState;
use shared::order::{CarOrderKind, EndReason, OrderFlag, OrderState, StartMethod};
use shared::page::{Page, PageQuery};
use shared::time::business_day;
use uuid::Uuid;

use super::named::Named;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::{Browse, page};
use crate::error::Result;

#[derive(HasQuery)]
#[diesel(table_name = car_orders, check_for_backend(Pg), base_query = joined())]
pub(super) struct Order {
    id: Uuid,
    order_no: String,
    state: OrderState,
    reservation_id: Option<Uuid>,
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    #[diesel(select_expression = areas::name)]
    area_name: String,
    charger_id: Uuid,
    #[diesel(select_expression = chargers::code)]
    charger_code: String,
    #[diesel(select_expression = chargers::serial_no)]
    serial_no: String,
    #[diesel(select_expression = connectors::code)]
    connector_code: String,
    driver_id: Uuid,
    phone: String,
    start_method: StartMethod,
    card_no: Option<String>,
    end_reason: Option<EndReason>,
    end_note: Option<String>,
    prepaid_fen: Fen,
    elec_fen: Fen,
    service_fen: Fen,
    total_fen: Fen,
    refunded_fen: Fen,
    kwh: Kwh,
    #[diesel(select_expression = charge_sessions::power_w)]
    power_w: Option<i64>,
    #[diesel(select_expression = charge_sessions::avg_power_w)]
    avg_power_w: Option<i64>,
    #[diesel(select_expression = charge_sessions::peak_power_w)]
    peak_power_w: Option<i64>,
    #[diesel(select_expression = charge_sessions::soc)]
    soc: Option<i32>,
    #[diesel(select_expression = invoice_state())]
    invoice: Option<InvoiceState>,
    flags: Vec<OrderFlag>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<Order> for CarOrderRow {
    fn from(it: Order) -> Self {
        // What was last measured says nothing any more once the charge has ended.
        let runs = it.ended_at.is_none();
        Self {
            id: it.id,
            order_no: it.order_no,
            state: it.state,
            order_kind: CarOrderKind::of_reservation(it.reservation_id),
            reservation_id: it.reservation_id,
            station_id: it.station_id,
            station_name: it.station_name,
            area_name: it.area_name,
            charger_id: it.charger_id,
            charger_code: it.charger_code,
            serial_no: it.serial_no,
            connector_code: it.connector_code,
            driver_id: it.driver_id,
            phone: it.phone,
            start_method: it.start_method,
            card_no: it.card_no,
            end_reason: it.end_reason,
            end_note: it.end_note,
            prepaid_fen: it.prepaid_fen,
            elec_fen: it.elec_fen,
            service_fen: it.service_fen,
            total_fen: it.total_fen,
            refunded_fen: it.refunded_fen,
            kwh: it.kwh,
            power_w: it.power_w.filter(|_| runs),
            avg_power_w: it.avg_power_w,
            peak_power_w: it.peak_power_w,
            soc: it.soc,
            invoice: it.invoice,
            flags: it.flags,
            created_at: it.created_at,
            started_at: it.started_at,
            ended_at: it.ended_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    car_orders::table
        .inner_join(stations::table)
        .inner_join(areas::table)
        .inner_join(chargers::table)
        .inner_join(connectors::table)
        .inner_join(charge_sessions::table)
}

/// Where the newest invoice of an order stands.
#[diesel::dsl::auto_type]
fn invoice_state() -> _ {
    let about = invoice_orders::table.inner_join(invoices::table).filter(invoice_orders::order_id.eq(car_orders::id));
    about.order(invoice_orders::invoice_id.desc()).select(invoices::state).single_value()
}

/// The orders that the caller may see. Every read starts here: it is one table, so that what is searched and counted is
/// found in its indexes.
pub(super) fn visible(scope: &Scope) -> car_orders::BoxedQuery<'static, Pg> {
    scope.narrow(
        car_orders::table.into_boxed(),
        car_orders::provider_id,
        car_orders::property_id,
        car_orders::station_id,
    )
}

fn found(
    scope: &Scope,
    filter: &CarOrderFilter,
    named: &Named,
    now: DateTime<Utc>,
) -> car_orders::BoxedQuery<'static, Pg> {
    let mut query = named.narrow(visible(scope));
    if let Some(id) = filter.station_id {
        query = query.filter(car_orders::station_id.eq(id));
    }
    if let Some(state) = filter.state {
        query = query.filter(car_orders::state.eq(page::written(state)));
    }
    match filter.kind {
        Some(CarOrderKind::Reserved) => query = query.filter(car_orders::reservation_id.is_not_null()),
        Some(CarOrderKind::Plain) => query = query.filter(car_orders::reservation_id.is_null()),
        None => {}
    }
    if let Some(method) = filter.start_method {
        query = query.filter(car_orders::start_method.eq(page::written(method)));
    }
    let (from, to) = filter.days(business_day(now));
    let (from, to) = page::made_on(from, to);
    query.filter(car_orders::id.ge(from)).filter(car_orders::id.lt(to))
}

impl Browse for CarOrders {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &CarOrderFilter,
        page: &PageQuery,
    ) -> Result<Page<CarOrderRow>> {
        let (now, falling) = (Utc::now(), page.order().1);
        let named = Named::by(conn, scope, filter).await?;
        let found = || found(scope, filter, &named, now).select(car_orders::id);
        let ids = beyond!(found(), car_orders::id, page).order(named.order(falling));
        let rows = joined().into_boxed().filter(page::among(car_orders::id, ids, page)).select(Order::as_select());
        let rows = rows.order(page::by(car_orders::id, falling));
        page::load_among::<Order, _, _, _>(conn, page, rows, found()).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<CarOrderDetail> {
        let one = visible(scope).filter(car_orders::id.eq(id)).select(car_orders::id);
        let row = joined().filter(car_orders::id.eq_any(one)).select(Order::as_select());
        let order: Order = row.first(conn).await?;
        super::detail::complete(conn, order.into()).await
    }
}

/// The orders of a driver that the caller may see, the newest first.
///
/// # Errors
/// The database's.
pub async fn latest_of(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    driver_id: Uuid,
    count: i64,
) -> Result<Vec<CarOrderRow>> {
    newest(conn, visible(scope).filter(car_orders::driver_id.eq(driver_id)), count).await
}

/// A driver makes few orders under one reservation.
const FEW: i64 = 200;

/// The orders that were made under a reservation and that the caller may see, the newest first.
///
/// # Errors
/// The database's.
pub async fn made_under(conn: &mut AsyncPgConnection, scope: &Scope, reservation_id: Uuid) -> Result<Vec<CarOrderRow>> {
    newest(conn, visible(scope).filter(car_orders::reservation_id.eq(reservation_id)), FEW).await
}

async fn newest(
    conn: &mut AsyncPgConnection,
    of: car_orders::BoxedQuery<'static, Pg>,
    count: i64,
) -> Result<Vec<CarOrderRow>> {
    let newest = of.order(car_orders::id.desc()).limit(count).select(car_orders::id);
    let rows = joined().filter(car_orders::id.eq_any(newest)).order(car_orders::id.desc());
    let orders: Vec<Order> = rows.select(Order::as_select()).load(conn).await?;
    Ok(orders.into_iter().map(CarOrderRow::from).collect())
}
