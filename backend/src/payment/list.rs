//! Payments and refunds as staff looks through them.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, chargers, connectors, payments, refunds, stations};
use shared::fixed::Fen;
use shared::page::{Page, PageQuery};
use shared::payment::{
    Channel, OrderKind, PaymentDetail, PaymentFilter, PaymentRow, PaymentState, Payments, RefundDetail, RefundFilter,
    RefundKind, RefundRow, RefundState, Refunds,
};
use shared::time::midnight;
use uuid::Uuid;

use crate::api::op::Op;
use crate::app::first_id;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::lookup::{digits, squeezed};
use crate::crud::{Browse, ops, page};
use crate::error::Result;
use crate::payment::refund;

#[derive(HasQuery)]
#[diesel(table_name = payments, check_for_backend(Pg), base_query = paid_at_stations())]
struct Paid {
    id: Uuid,
    payment_no: String,
    order_kind: OrderKind,
    order_id: Uuid,
    order_no: String,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    phone: String,
    channel: Channel,
    merchant_no: String,
    amount_fen: Fen,
    refunded_fen: Fen,
    state: PaymentState,
    channel_no: Option<String>,
    result: Option<String>,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    paid_at: Option<DateTime<Utc>>,
    notified_at: Option<DateTime<Utc>>,
}

impl From<Paid> for PaymentRow {
    fn from(it: Paid) -> Self {
        Self {
            id: it.id,
            payment_no: it.payment_no,
            order_kind: it.order_kind,
            order_id: it.order_id,
            order_no: it.order_no,
            provider_id: it.provider_id,
            property_id: it.property_id,
            station_id: it.station_id,
            station_name: it.station_name,
            phone: it.phone,
            channel: it.channel,
            merchant_no: it.merchant_no,
            amount_fen: it.amount_fen,
            refunded_fen: it.refunded_fen,
            state: it.state,
            channel_no: it.channel_no,
            result: it.result,
            created_at: it.created_at,
            expires_at: it.expires_at,
            paid_at: it.paid_at,
            notified_at: it.notified_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn paid_at_stations() -> _ {
    payments::table.inner_join(stations::table)
}

/// The payments that the caller may see. Every read starts here: it is one table, so that what is searched and counted is
/// found in its indexes.
fn visible_payments(scope: &Scope) -> payments::BoxedQuery<'static, Pg> {
    scope.narrow(payments::table.into_boxed(), payments::provider_id, payments::property_id, payments::station_id)
}

/// No payment is open for this long: it is closed after minutes.
const LONGEST_PAYMENT: TimeDelta = TimeDelta::days(31);

fn found_payments(scope: &Scope, filter: &PaymentFilter) -> payments::BoxedQuery<'static, Pg> {
    let PaymentFilter {
        station_id,
        order_kind,
        channel,
        state,
        order_no,
        phone,
        created_from,
        created_to,
        paid_from,
        paid_to,
    } = filter;
    let mut query = visible_payments(scope);
    if let Some(id) = station_id {
        query = query.filter(payments::station_id.eq(*id));
    }
    if let Some(kind) = order_kind {
        query = query.filter(payments::order_kind.eq(page::written(*kind)));
    }
    if let Some(channel) = channel {
        query = query.filter(payments::channel.eq(page::written(*channel)));
    }
    if let Some(state) = state {
        query = query.filter(payments::state.eq(page::written(*state)));
    }
    if let Some(no) = order_no {
        query = query.filter(payments::order_no.eq(squeezed(no)));
    }
    if let Some(phone) = phone {
        query = query.filter(payments::phone.eq(digits(phone)));
    }
    // Ids grow with time, so a range of days is a range of ids.
    if let Some(day) = created_from {
        query = query.filter(payments::id.ge(first_id(midnight(*day))));
    }
    if let Some(day) = created_to {
        query = query.filter(payments::id.lt(first_id(page::after(*day))));
    }
    // What was paid was begun before, and not a month before: that narrows the ids, too.
    if let Some(day) = paid_from {
        query = query.filter(payments::paid_at.ge(midnight(*day)));
        query = query.filter(payments::id.ge(first_id(midnight(*day) - LONGEST_PAYMENT)));
    }
    if let Some(day) = paid_to {
        query =
            query.filter(payments::paid_at.lt(page::after(*day))).filter(payments::id.lt(first_id(page::after(*day))));
    }
    query
}

fn payment_order<QS>(page: &PageQuery) -> page::OrderBy<QS>
where
    payments::amount_fen: SelectableExpression<QS>,
    payments::paid_at: SelectableExpression<QS>,
    payments::id: SelectableExpression<QS>,
{
    match page.order() {
        ("amount", falling) => page::by(payments::amount_fen, falling),
        ("paid_at", falling) => page::by(payments::paid_at, falling),
        (_, falling) => page::by(payments::id, falling),
    }
}

impl Browse for Payments {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &PaymentFilter,
        page: &PageQuery,
    ) -> Result<Page<PaymentRow>> {
        let found = || found_payments(scope, filter).select(payments::id);
        let falling = page.order().1;
        let ids = beyond!(found(), payments::id, page)
            .order(payment_order(page))
            .then_order_by(page::by(payments::id, falling));
        let rows =
            paid_at_stations().into_boxed().filter(page::among(payments::id, ids, page)).select(Paid::as_select());
        let rows = rows.order(payment_order(page)).then_order_by(page::by(payments::id, falling));
        page::load_among::<Paid, _, _, _>(conn, page, rows, found()).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<PaymentDetail> {
        let one = visible_payments(scope).filter(payments::id.eq(id)).select(payments::id);
        let row = paid_at_stations().filter(payments::id.eq_any(one)).select(Paid::as_select());
        let payment = PaymentRow::from(row.first::<Paid>(conn).await?);
        let place = place_of(conn, payment.order_id).await?;
        let of_payment = refunded_orders().filter(refunds::payment_id.eq(id)).order(refunds::seq);
        let refunds: Vec<Refunded> = of_payment.select(Refunded::as_select()).load(conn).await?;
        Ok(PaymentDetail {
            charge_seconds: place.as_ref().and_then(Place::charge_seconds),
            area_name: place.as_ref().map(|it| it.area_name.clone()),
            charger_code: place.as_ref().map(|it| it.charger_code.clone()),
            charger_name: place.as_ref().map(|it| it.charger_name.clone()),
            connector_code: place.map(|it| it.connector_code),
            refunds: refunds.into_iter().map(RefundRow::from).collect(),
            payment,
        })
    }
}

/// Where and how long an order charged.
#[derive(Queryable)]
struct Place {
    area_name: String,
    charger_code: String,
    charger_name: String,
    connector_code: String,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

impl Place {
    fn charge_seconds(&self) -> Option<i64> {
        Some((self.ended_at? - self.started_at?).num_seconds())
    }
}

async fn place_of(conn: &mut AsyncPgConnection, order_id: Uuid) -> Result<Option<Place>> {
    let columns =
        (areas::name, chargers::code, chargers::name, connectors::code, car_orders::started_at, car_orders::ended_at);
    let joined = car_orders::table.inner_join(areas::table).inner_join(chargers::table).inner_join(connectors::table);
    Ok(joined.filter(car_orders::id.eq(order_id)).select(columns).first(conn).await.optional()?)
}

#[derive(HasQuery)]
#[diesel(table_name = refunds, check_for_backend(Pg), base_query = refunded_orders())]
struct Refunded {
    id: Uuid,
    refund_no: String,
    payment_id: Uuid,
    #[diesel(select_expression = payments::payment_no)]
    payment_no: String,
    order_id: Uuid,
    order_no: String,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    #[diesel(select_expression = stations::name)]
    station_name: String,
    phone: String,
    channel: Channel,
    kind: RefundKind,
    #[diesel(select_expression = car_orders::total_fen.nullable())]
    order_fen: Option<Fen>,
    #[diesel(select_expression = payments::amount_fen)]
    paid_fen: Fen,
    amount_fen: Fen,
    elec_fen: Fen,
    service_fen: Fen,
    state: RefundState,
    reason: String,
    requested_by: String,
    channel_refund_no: Option<String>,
    result: Option<String>,
    retried_as: Option<String>,
    created_at: DateTime<Utc>,
    sent_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<Refunded> for RefundRow {
    fn from(it: Refunded) -> Self {
        Self {
            id: it.id,
            refund_no: it.refund_no,
            payment_id: it.payment_id,
            payment_no: it.payment_no,
            order_id: it.order_id,
            order_no: it.order_no,
            provider_id: it.provider_id,
            property_id: it.property_id,
            station_id: it.station_id,
            station_name: it.station_name,
            phone: it.phone,
            channel: it.channel,
            kind: it.kind,
            order_fen: it.order_fen,
            paid_fen: it.paid_fen,
            amount_fen: it.amount_fen,
            state: it.state,
            reason: it.reason,
            requested_by: it.requested_by,
            channel_refund_no: it.channel_refund_no,
            result: it.result,
            retried_as: it.retried_as,
            created_at: it.created_at,
            finished_at: it.finished_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn refunded_orders() -> _ {
    refunds::table
        .inner_join(payments::table)
        .inner_join(stations::table)
        .left_join(car_orders::table.on(car_orders::id.eq(refunds::order_id)))
}

/// The refunds that the caller may see.
fn visible_refunds(scope: &Scope) -> refunds::BoxedQuery<'static, Pg> {
    scope.narrow(refunds::table.into_boxed(), refunds::provider_id, refunds::property_id, refunds::station_id)
}

fn found_refunds(scope: &Scope, filter: &RefundFilter) -> refunds::BoxedQuery<'static, Pg> {
    let RefundFilter { station_id, kind, state, phone, order_no, created_from, created_to, finished_from, finished_to } =
        filter;
    let mut query = visible_refunds(scope);
    if let Some(id) = station_id {
        query = query.filter(refunds::station_id.eq(*id));
    }
    if let Some(kind) = kind {
        query = query.filter(refunds::kind.eq(page::written(*kind)));
    }
    if let Some(state) = state {
        query = query.filter(refunds::state.eq(page::written(*state)));
    }
    if let Some(phone) = phone {
        query = query.filter(refunds::phone.eq(digits(phone)));
    }
    if let Some(no) = order_no {
        query = query.filter(refunds::order_no.eq(squeezed(no)));
    }
    if let Some(day) = created_from {
        query = query.filter(refunds::id.ge(first_id(midnight(*day))));
    }
    if let Some(day) = created_to {
        query = query.filter(refunds::id.lt(first_id(page::after(*day))));
    }
    if let Some(day) = finished_from {
        query = query.filter(refunds::finished_at.ge(midnight(*day)));
    }
    if let Some(day) = finished_to {
        // What has ended was begun before.
        query = query
            .filter(refunds::finished_at.lt(page::after(*day)))
            .filter(refunds::id.lt(first_id(page::after(*day))));
    }
    query
}

fn refund_order<QS>(page: &PageQuery) -> page::OrderBy<QS>
where
    refunds::amount_fen: SelectableExpression<QS>,
    refunds::finished_at: SelectableExpression<QS>,
    refunds::id: SelectableExpression<QS>,
{
    match page.order() {
        ("amount", falling) => page::by(refunds::amount_fen, falling),
        ("finished_at", falling) => page::by(refunds::finished_at, falling),
        (_, falling) => page::by(refunds::id, falling),
    }
}

impl Browse for Refunds {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &RefundFilter,
        page: &PageQuery,
    ) -> Result<Page<RefundRow>> {
        let found = || found_refunds(scope, filter).select(refunds::id);
        let falling = page.order().1;
        let ids =
            beyond!(found(), refunds::id, page).order(refund_order(page)).then_order_by(page::by(refunds::id, falling));
        let rows =
            refunded_orders().into_boxed().filter(page::among(refunds::id, ids, page)).select(Refunded::as_select());
        let rows = rows.order(refund_order(page)).then_order_by(page::by(refunds::id, falling));
        page::load_among::<Refunded, _, _, _>(conn, page, rows, found()).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<RefundDetail> {
        let one = visible_refunds(scope).filter(refunds::id.eq(id)).select(refunds::id);
        let row = refunded_orders().filter(refunds::id.eq_any(one)).select(Refunded::as_select());
        let row: Refunded = row.first(conn).await?;
        let area_name = place_of(conn, row.order_id).await?.map(|it| it.area_name);
        let (elec_fen, service_fen, sent_at) = (row.elec_fen, row.service_fen, row.sent_at);
        Ok(RefundDetail { refund: row.into(), area_name, elec_fen, service_fen, sent_at })
    }
}

/// The operations of payments and refunds.
pub fn operations() -> Vec<Op> {
    let retry = ops::action::<Refunds>("retry").returns::<RefundDetail>().to(refund::staff::retry);
    [ops::browse::<Payments>(), ops::browse::<Refunds>(), vec![retry]].into_iter().flatten().collect()
}
