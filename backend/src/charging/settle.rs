//! What a charge comes to: its bill, the ledger, what goes back, and the day's sums, all in the transaction of its end.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::order_days;
use shared::fixed::{Fen, Kwh};
use shared::order::{OrderFlag, OrderState};
use shared::pricing::{Bill, PricingError, Segment, Tariff, bill, segments, settle as split};
use shared::time::business_day;
use uuid::Uuid;

use super::charge::{Agreed, Charge};
use super::clock::Clock;
use super::meter::credited;
use super::readings::Entry;
use super::{power, report};
use crate::error::{Error, Result};
use crate::ledger::{self, Account, Posting};

/// A bill, where it comes from, and what of the meter was not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The bill.
    pub bill: Bill,
    /// Its stretches.
    pub segments: Vec<Segment>,
    /// The readings that are not believed.
    pub suspects: u32,
    /// The charger's samples count from the beginning of the charge.
    pub relative: bool,
}

/// Prices readings by what was agreed: the one way from a meter to a bill that is settled, shown or proved. Pure.
///
/// # Errors
/// The readings cannot be priced.
pub fn price(
    clock: Option<&Clock>,
    readings: Vec<Entry>,
    tariff: &Tariff,
    rated_power_w: i64,
) -> Result<Explained, PricingError> {
    let credited = credited(clock, readings, rated_power_w)?;
    Ok(Explained {
        bill: bill(tariff, &credited.samples)?,
        segments: segments(tariff, &credited.samples)?,
        suspects: credited.suspects,
        relative: credited.relative,
    })
}

/// Prices an order's stored readings: at its end, and whenever somebody asks how it came about.
///
/// # Errors
/// The readings cannot be priced.
pub async fn explain(
    conn: &mut AsyncPgConnection,
    order_id: Uuid,
    clock: Option<&Clock>,
    tariff: &Tariff,
    rated_power_w: i64,
) -> Result<Explained> {
    let readings = report::billed(conn, order_id).await?;
    Ok(price(clock, readings, tariff, rated_power_w).map_err(anyhow::Error::from)?)
}

/// Settles a charge whose readings are stored and whose final state is set. A charge that never began has no readings, and
/// all of the prepayment goes back.
pub(super) async fn settle(conn: &mut AsyncPgConnection, charge: &mut Charge, now: DateTime<Utc>) -> Result<()> {
    let Agreed { tariff, rated_power_w, tag: _ } = &charge.agreed;
    let explained = explain(conn, charge.order.id, charge.session.clock.as_ref(), tariff, *rated_power_w).await?;
    charge.bill(&explained.bill)?;
    power::keep(conn, charge).await?;
    charge.flag_if(OrderFlag::MeterSuspect, explained.suspects > 0);
    if explained.relative {
        report::note_relative(conn, charge.order.charger_id, now).await?;
    }
    let (order, progress) = (&charge.order, &charge.progress);
    let parts = split(order.prepaid_fen, progress.total_fen).map_err(anyhow::Error::from)?;
    let negative = |it: Fen| it.negated().map_err(anyhow::Error::from);
    let posting = Posting {
        kind: "settle",
        business_id: order.id,
        idem_key: format!("settle:{}", order.order_no),
        entries: vec![
            (Account::Prepaid(order.order_no.clone()), order.prepaid_fen),
            (Account::EnergyIncome(order.station_id), negative(progress.elec_fen)?),
            (Account::ServiceIncome(order.station_id), negative(progress.service_fen)?),
            (Account::Overrun(order.station_id), parts.overrun_fen),
            (Account::RefundDue(order.order_no.clone()), negative(parts.auto_refund_fen)?),
        ],
    };
    if !ledger::post(conn, posting).await? {
        return Err(Error::internal(format!("order {} was settled before", order.order_no)));
    }
    let reason =
        if progress.state == OrderState::Failed { "启动失败，全额退回" } else { "预付余额退回" };
    crate::payment::refund::automatic(conn, order.id, parts.auto_refund_fen, reason, now).await?;
    if parts.overrun_fen > Fen::ZERO {
        charge.flag(OrderFlag::Overrun);
    }
    charge.progress.settled_at = Some(now);
    let completed = charge.progress.state == OrderState::Completed;
    count(conn, charge, Sums { orders: 1, completed: i64::from(completed) }).await
}

/// Counts a failed order that staff closed as completed.
pub(super) async fn close_failed(conn: &mut AsyncPgConnection, charge: &Charge) -> Result<()> {
    count(conn, charge, Sums { orders: 0, completed: 1 }).await
}

/// How an order changes the sums of its day.
struct Sums {
    /// By how much the number of ended orders rises; its energy and fees are counted with it.
    orders: i64,
    completed: i64,
}

/// Adds to the day on which the charge ended.
async fn count(conn: &mut AsyncPgConnection, charge: &Charge, sums: Sums) -> Result<()> {
    let (order, progress) = (&charge.order, &charge.progress);
    let Some(ended_at) = progress.ended_at else { return Err(Error::internal("an end without a time")) };
    let seconds = progress.started_at.map_or(0, |from| (ended_at - from).num_seconds().max(0));
    let first = sums.orders > 0;
    let fen = |it: Fen| if first { it } else { Fen::ZERO };
    diesel::insert_into(order_days::table)
        .values((
            order_days::day.eq(business_day(ended_at)),
            order_days::line.eq("car"),
            order_days::station_id.eq(order.station_id),
            order_days::provider_id.eq(order.provider_id),
            order_days::property_id.eq(order.property_id),
            order_days::orders.eq(sums.orders),
            order_days::completed.eq(sums.completed),
            order_days::kwh.eq(if first { progress.kwh } else { Kwh::ZERO }),
            order_days::elec_fen.eq(fen(progress.elec_fen)),
            order_days::service_fen.eq(fen(progress.service_fen)),
            order_days::charge_seconds.eq(if first { seconds } else { 0 }),
        ))
        .on_conflict((order_days::day, order_days::line, order_days::station_id))
        .do_update()
        .set((
            order_days::orders.eq(order_days::orders + excluded(order_days::orders)),
            order_days::completed.eq(order_days::completed + excluded(order_days::completed)),
            order_days::kwh.eq(order_days::kwh + excluded(order_days::kwh)),
            order_days::elec_fen.eq(order_days::elec_fen + excluded(order_days::elec_fen)),
            order_days::service_fen.eq(order_days::service_fen + excluded(order_days::service_fen)),
            order_days::charge_seconds.eq(order_days::charge_seconds + excluded(order_days::charge_seconds)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}
