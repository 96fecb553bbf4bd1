//! All that is known of one car order: its timeline, its curve, and its bill, computed anew.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{
    car_orders, charge_sessions, drivers, ledger_accounts, ledger_entries, ledger_transactions, meter_readings,
    order_events, reservations, tariff_versions, tariffs,
};
use shared::car_order::{CarOrderDetail, CarOrderRow, CurvePoint, LedgerLine, OrderEventRow};
use shared::fixed::Fen;
use shared::order::{OrderState, OrderStep};
use shared::page::PageQuery;
use shared::payment::{PaymentFilter, PaymentRow, Payments, RefundFilter, RefundRow, Refunds};
use shared::pricing::{Bill, Tariff};
use uuid::Uuid;

use crate::auth::scope::Scope;
use crate::charging::clock::{Clock, Stamp};
use crate::charging::settle::explain;
use crate::crud::Browse;
use crate::error::{Error, Result};
use crate::invoice;
use crate::payment::refund;

/// Points that a curve has at most.
const POINTS: usize = 500;

type Session = (
    serde_json::Value,
    String,
    i64,
    Option<Clock>,
    Option<i32>,
    Option<i64>,
    Option<i64>,
    Option<DateTime<Utc>>,
    Fen,
    Fen,
    Option<DateTime<Utc>>,
    String,
    Option<String>,
);

/// Puts everything together about an order that was found in scope.
pub(super) async fn complete(conn: &mut AsyncPgConnection, order: CarOrderRow) -> Result<CarOrderDetail> {
    let id = order.id;
    let (
        tariff,
        tariff_hash,
        rated_power_w,
        clock,
        transaction_id,
        voltage_mv,
        current_ma,
        last_report_at,
        charged_fen,
        overrun_fen,
        settled_at,
        tariff_name,
        plate,
    ): Session = charge_sessions::table
        .inner_join(car_orders::table.inner_join(drivers::table))
        .inner_join(tariff_versions::table.inner_join(tariffs::table))
        .filter(charge_sessions::order_id.eq(id))
        .select((
            charge_sessions::tariff,
            charge_sessions::tariff_hash,
            charge_sessions::rated_power_w,
            charge_sessions::clock,
            charge_sessions::transaction_id,
            charge_sessions::voltage_mv,
            charge_sessions::current_ma,
            charge_sessions::last_report_at,
            car_orders::charged_fen,
            car_orders::overrun_fen,
            car_orders::settled_at,
            tariffs::name,
            drivers::plate,
        ))
        .first(conn)
        .await?;
    let tariff: Tariff =
        serde_json::from_value(tariff).map_err(|err| Error::internal(format!("the tariff of order {id}: {err}")))?;
    let explained = explain(conn, id, clock.as_ref(), &tariff, rated_power_w).await.ok();
    let proved = explained.as_ref().filter(|_| order.state == OrderState::Completed).map(|it| agrees(&it.bill, &order));
    let (bill, segments) = explained.map(|it| (it.bill, it.segments)).unzip();
    let payments = payments(conn, &order).await?;
    let refunds = refunds(conn, &order).await?;
    let refundable_fen = if order.state == OrderState::Completed {
        refund::staff::left(conn, id, charged_fen).await?
    } else {
        Fen::ZERO
    };
    let mut about = vec![id];
    about.extend(payments.iter().map(|it| it.id));
    about.extend(refunds.iter().map(|it| it.id));
    Ok(CarOrderDetail {
        plate,
        reservation_no: reservation_no(conn, order.reservation_id).await?,
        tariff_name,
        charge_seconds: order.charge_seconds(Utc::now()),
        charged_fen,
        overrun_fen,
        refundable_fen,
        settled_at,
        segments: segments.unwrap_or_default(),
        bill,
        proved,
        tariff,
        tariff_hash,
        transaction_id,
        voltage_mv,
        current_ma,
        last_report_at,
        timeline: timeline(conn, id).await?,
        curve: thinned(readings(conn, id, clock.as_ref()).await?),
        payments,
        refunds,
        invoices: invoice::of_order(conn, id).await?,
        ledger: ledger(conn, about).await?,
        order,
    })
}

/// The number of a reservation.
async fn reservation_no(conn: &mut AsyncPgConnection, id: Option<Uuid>) -> Result<Option<String>> {
    let Some(id) = id else { return Ok(None) };
    Ok(Some(reservations::table.find(id).select(reservations::reservation_no).first(conn).await?))
}

/// The bill that the readings give is the one that was settled.
fn agrees(bill: &Bill, order: &CarOrderRow) -> bool {
    (bill.elec_fen, bill.service_fen, bill.kwh_total) == (order.elec_fen, order.service_fen, order.kwh)
}

/// The curve, in the order in which it was metered.
async fn readings(conn: &mut AsyncPgConnection, order: Uuid, clock: Option<&Clock>) -> Result<Vec<CurvePoint>> {
    type Row = (i16, DateTime<Utc>, i64, Option<i64>, Option<i64>, Option<i64>, Option<i32>);
    let rows: Vec<Row> = meter_readings::table
        .filter(meter_readings::order_id.eq(order))
        .order((meter_readings::run, meter_readings::at, meter_readings::kind))
        .select((
            meter_readings::run,
            meter_readings::at,
            meter_readings::wh,
            meter_readings::power_w,
            meter_readings::current_ma,
            meter_readings::voltage_mv,
            meter_readings::soc,
        ))
        .load(conn)
        .await?;
    let point = |(run, told, wh, power_w, current_ma, voltage_mv, soc)| {
        let at = clock.map_or(told, |it| it.date(Stamp { run, told }));
        CurvePoint { at, wh, power_w, current_ma, voltage_mv, soc }
    };
    let mut points: Vec<CurvePoint> = rows.into_iter().map(point).collect();
    points.sort_by_key(|it| it.at);
    Ok(points)
}

/// Every so-manieth point, the last one included.
fn thinned(points: Vec<CurvePoint>) -> Vec<CurvePoint> {
    let step = points.len().div_ceil(POINTS).max(1);
    let last = points.len().saturating_sub(1);
    points.into_iter().enumerate().filter(|(n, _)| n % step == 0 || *n == last).map(|(_, it)| it).collect()
}

async fn timeline(conn: &mut AsyncPgConnection, order: Uuid) -> Result<Vec<OrderEventRow>> {
    type Row = (OrderStep, Option<OrderState>, Option<OrderState>, String, Option<serde_json::Value>, DateTime<Utc>);
    let rows: Vec<Row> = order_events::table
        .filter(order_events::order_id.eq(order))
        .order(order_events::id)
        .select((
            order_events::kind,
            order_events::from_state,
            order_events::to_state,
            order_events::actor,
            order_events::detail,
            order_events::created_at,
        ))
        .load(conn)
        .await?;
    let row = |(kind, from_state, to_state, actor, detail, created_at): Row| {
        let detail = detail.map(serde_json::from_value).transpose();
        let detail = detail.map_err(|err| Error::internal(format!("the {kind} step of order {order}: {err}")))?;
        Ok(OrderEventRow { kind, from_state, to_state, actor, detail, created_at })
    };
    rows.into_iter().map(row).collect()
}

/// An order has one payment that counts, and few others.
const FEW: i64 = 200;

async fn payments(conn: &mut AsyncPgConnection, order: &CarOrderRow) -> Result<Vec<PaymentRow>> {
    let filter = PaymentFilter { order_no: Some(order.order_no.clone()), ..PaymentFilter::default() };
    Ok(Payments::list(conn, &Scope::ALL, &filter, &PageQuery { size: FEW, ..PageQuery::default() }).await?.items)
}

async fn refunds(conn: &mut AsyncPgConnection, order: &CarOrderRow) -> Result<Vec<RefundRow>> {
    let filter = RefundFilter { order_no: Some(order.order_no.clone()), ..RefundFilter::default() };
    Ok(Refunds::list(conn, &Scope::ALL, &filter, &PageQuery { size: FEW, ..PageQuery::default() }).await?.items)
}

/// The ledger's lines about the order, its payments and its refunds.
async fn ledger(conn: &mut AsyncPgConnection, about: Vec<Uuid>) -> Result<Vec<LedgerLine>> {
    let rows: Vec<(DateTime<Utc>, String, String, Fen)> = ledger_transactions::table
        .inner_join(ledger_entries::table.inner_join(ledger_accounts::table))
        .filter(ledger_transactions::business_id.eq_any(about))
        .order((ledger_transactions::id, ledger_entries::seq))
        .select((
            ledger_transactions::created_at,
            ledger_transactions::kind,
            ledger_accounts::key,
            ledger_entries::amount_fen,
        ))
        .load(conn)
        .await?;
    let line = |(created_at, kind, account, amount_fen)| LedgerLine { created_at, kind, account, amount_fen };
    Ok(rows.into_iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_end() {
        let at = DateTime::from_timestamp(1_795_311_005, 0).unwrap();
        let point = |wh| CurvePoint { at, wh, power_w: None, current_ma: None, voltage_mv: None, soc: None };
        for count in [0, 1, 499, 500, 501, 12_345] {
            let thin = thinned((0..count).map(point).collect());
            assert!(thin.len() <= POINTS + 1, "{count}");
            assert_eq!(thin.last().map(|it| it.wh), (count > 0).then(|| count - 1));
        }
    }
}
