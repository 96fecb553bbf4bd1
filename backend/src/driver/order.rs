//! A driver's own orders: making one, paying for it, ending it, looking at its bill (5/2, 5/4, 5/9).

use actix_web::HttpResponse;
use actix_web::web::{Json, Path};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, charge_sessions, chargers, connectors, drivers, payments, refunds, stations};
use shared::codes::Code;
use shared::driver_app::{
    DriverOrder, DriverOrderDetail, DriverOrderQuery, DriverPayment, DriverRefund, LiveOrder, NewOrder, OrderToPay,
};
use shared::fixed::{Fen, Kwh};
use shared::order::{EndReason, OrderState};
use shared::page::{NewestQuery, Page};
use shared::payment::{PaymentState, RefundKind, RefundState};
use shared::pricing::Tariff;
use shared::resource::FormMap;
use shared::text::t;
use uuid::Uuid;

use super::live;
use crate::api::body::{Body, Params};
use crate::app::App;
use crate::beyond;
use crate::charging::clock::Clock;
use crate::charging::settle::{Explained, explain};
use crate::crud::{DriverCtx, page};
use crate::error::{Error, Result};
use crate::payment::{channel, create as payment};

/// `POST /orders`: the order and its payment are committed before the channel is called, so that whatever happens then
/// is found again. Without an answer the payment stays pending, and a repeat asks for the same payment again, as `pay` does.
pub async fn create(ctx: DriverCtx, Body(form): Body<FormMap>) -> Result<HttpResponse> {
    let DriverCtx { app, driver_id, mut conn, lang, .. } = ctx;
    let form: NewOrder = shared::check::read(NewOrder::FIELDS, &form, lang).map_err(Error::Invalid)?;
    let NewOrder { connector_id, prepaid_fen, start_method } = form;
    let (channel, merchant_no) = channel::choose(&app.config, start_method)?;
    let phone: String = drivers::table.find(driver_id).select(drivers::phone).first(&mut conn).await?;
    let now = app.now();
    let (order_id, payment_id) = conn
        .once(async |conn| {
            let new = crate::order::NewOrder {
                connector_id,
                driver_id,
                phone: phone.clone(),
                prepaid: prepaid_fen,
                start_method,
            };
            let order = crate::order::create(conn, new, now).await?;
            let new = payment::NewPayment {
                order_id: order.order_id,
                order_no: order.order_no,
                owner: order.owner,
                driver_id,
                phone,
                channel,
                merchant_no,
                amount: prepaid_fen,
                expires_at: now + TimeDelta::seconds(app.config.charging.pay_seconds),
            };
            Ok((order.order_id, payment::create(conn, new, now).await?))
        })
        .await?;
    drop(conn);
    payment::open(&app, payment_id).await?;
    Ok(HttpResponse::Created().json(to_pay(&app, driver_id, order_id).await?))
}

/// `POST /orders/{id}/pay`.
pub async fn pay(ctx: DriverCtx, id: Path<Uuid>) -> Result<Json<OrderToPay>> {
    let DriverCtx { app, driver_id, mut conn, .. } = ctx;
    let payment_id = conn.once(async |conn| payable(conn, driver_id, *id).await).await?;
    drop(conn);
    payment::open(&app, payment_id).await?;
    Ok(Json(to_pay(&app, driver_id, *id).await?))
}

/// The payment of an order that waits to be paid.
async fn payable(conn: &mut AsyncPgConnection, driver_id: Uuid, id: Uuid) -> Result<Uuid> {
    if find(conn, driver_id, id).await?.state != OrderState::Created {
        let text = t("订单已不是待支付状态", "The order is not waiting to be paid any more");
        return Err(Error::Conflict("not_payable", text));
    }
    let newest = payments::table.filter(payments::order_id.eq(id)).order(payments::id.desc()).select(payments::id);
    Ok(newest.first(conn).await?)
}

async fn to_pay(app: &App, driver_id: Uuid, order_id: Uuid) -> Result<OrderToPay> {
    let mut conn = app.conn().await?;
    let order = find(&mut conn, driver_id, order_id).await?.into();
    let payment = payments_of(&mut conn, order_id).await?.pop().ok_or(Error::NotFound)?;
    Ok(OrderToPay { order, payment })
}

/// `POST /orders/{id}/stop`: also of one whose start is still waited for.
pub async fn stop(ctx: DriverCtx, id: Path<Uuid>) -> Result<Json<LiveOrder>> {
    let DriverCtx { app, driver_id, mut conn, .. } = ctx;
    let now = app.now();
    let stopped = conn
        .once(async |conn| {
            find(conn, driver_id, *id).await?;
            crate::charging::stop(conn, *id, EndReason::Driver, now).await?;
            live::read(conn, &app.config.charging, driver_id, *id, now).await
        })
        .await?;
    Ok(Json(stopped))
}

#[derive(HasQuery)]
#[diesel(table_name = car_orders, check_for_backend(Pg), base_query = placed())]
struct Order {
    id: Uuid,
    order_no: String,
    state: OrderState,
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
    prepaid_fen: Fen,
    elec_fen: Fen,
    service_fen: Fen,
    total_fen: Fen,
    charged_fen: Fen,
    refunded_fen: Fen,
    kwh: Kwh,
    end_reason: Option<EndReason>,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

impl From<Order> for DriverOrder {
    fn from(it: Order) -> Self {
        Self {
            id: it.id,
            order_no: it.order_no,
            state: it.state,
            station_id: it.station_id,
            station_name: it.station_name,
            charger_code: it.charger_code,
            charger_name: it.charger_name,
            connector_id: it.connector_id,
            connector_name: it.connector_name,
            prepaid_fen: it.prepaid_fen,
            total_fen: it.total_fen,
            refunded_fen: it.refunded_fen,
            kwh: it.kwh,
            created_at: it.created_at,
            started_at: it.started_at,
            ended_at: it.ended_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn placed() -> _ {
    car_orders::table.inner_join(stations::table).inner_join(chargers::table).inner_join(connectors::table)
}

/// A driver's own orders. Every read starts here.
fn own(driver_id: Uuid) -> diesel::dsl::IntoBoxed<'static, placed, Pg> {
    placed().into_boxed().filter(car_orders::driver_id.eq(driver_id))
}

async fn find(conn: &mut AsyncPgConnection, driver_id: Uuid, id: Uuid) -> Result<Order> {
    Ok(own(driver_id).filter(car_orders::id.eq(id)).select(Order::as_select()).first(conn).await?)
}

/// `GET /orders`.
pub async fn list(
    mut ctx: DriverCtx,
    Params(filter): Params<DriverOrderQuery>,
    Params(page): Params<NewestQuery>,
) -> Result<Json<Page<DriverOrder>>> {
    let page = page::newest_first(page, ctx.lang)?;
    let found = || match filter.state {
        Some(state) => own(ctx.driver_id).filter(car_orders::state.eq(state)),
        None => own(ctx.driver_id),
    };
    let counted = found().select(car_orders::id);
    let rows = beyond!(found(), car_orders::id, page).order(car_orders::id.desc()).select(Order::as_select());
    Ok(Json(page::load::<Order, _, _, _>(&mut ctx.conn, &page, rows, counted).await?))
}

/// `GET /orders/{id}`.
pub async fn detail(mut ctx: DriverCtx, id: Path<Uuid>) -> Result<Json<DriverOrderDetail>> {
    let (conn, lang) = (&mut ctx.conn, ctx.lang);
    let order = find(conn, ctx.driver_id, *id).await?;
    let agreed = (charge_sessions::clock, charge_sessions::tariff, charge_sessions::rated_power_w);
    let (clock, tariff, rated_power_w): (Option<Clock>, Tariff, i64) =
        charge_sessions::table.find(*id).select(agreed).first(conn).await?;
    let Explained { bill, segments, .. } = explain(conn, *id, clock.as_ref(), &tariff, rated_power_w).await?;
    let end_text = order.end_reason.map(|it| it.label().get(lang).to_owned());
    let payments = payments_of(conn, *id).await?;
    let refunds = refunds_of(conn, *id).await?;
    let (elec_fen, service_fen, charged_fen) = (order.elec_fen, order.service_fen, order.charged_fen);
    Ok(Json(DriverOrderDetail {
        order: order.into(),
        end_text,
        elec_fen,
        service_fen,
        charged_fen,
        tariff,
        lines: bill.lines,
        segments,
        payments,
        refunds,
    }))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(Pg))]
struct PaymentRow {
    payment_no: String,
    amount_fen: Fen,
    state: PaymentState,
    pay_url: Option<String>,
    expires_at: DateTime<Utc>,
    paid_at: Option<DateTime<Utc>>,
}

/// The payments of an order, the newest last.
async fn payments_of(conn: &mut AsyncPgConnection, order_id: Uuid) -> Result<Vec<DriverPayment>> {
    let of_order = payments::table.filter(payments::order_id.eq(order_id)).order(payments::id);
    let rows: Vec<PaymentRow> = of_order.select(PaymentRow::as_select()).load(conn).await?;
    let shown = |PaymentRow { payment_no, amount_fen, state, pay_url, expires_at, paid_at }| DriverPayment {
        payment_no,
        amount_fen,
        state,
        pay_url,
        expires_at,
        paid_at,
    };
    Ok(rows.into_iter().map(shown).collect())
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = refunds, check_for_backend(Pg))]
struct RefundRow {
    refund_no: String,
    amount_fen: Fen,
    kind: RefundKind,
    state: RefundState,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

async fn refunds_of(conn: &mut AsyncPgConnection, order_id: Uuid) -> Result<Vec<DriverRefund>> {
    let of_order = refunds::table.filter(refunds::order_id.eq(order_id)).order(refunds::id);
    let rows: Vec<RefundRow> = of_order.select(RefundRow::as_select()).load(conn).await?;
    let shown = |RefundRow { refund_no, amount_fen, kind, state, created_at, finished_at }| DriverRefund {
        refund_no,
        amount_fen,
        kind,
        state,
        created_at,
        finished_at,
    };
    Ok(rows.into_iter().map(shown).collect())
}
