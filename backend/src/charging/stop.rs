//! A charge ends: because somebody asks for it, or because the charger says so. The first end counts; what the charger
//! tells later is kept and compared, never settled again.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{charger_states, device_transactions as transactions};
use serde_json::json;
use shared::fixed::{Fen, Kwh};
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep, StepDetail};
use uuid::Uuid;

use super::Device;
use super::charge::{Charge, Told, refused};
use super::clock::micros;
use super::event::Reply;
use super::readings::Entry;
use super::record::{Stop, Transaction, cut, differ, keep, matching, write_end};
use super::state::Event;
use super::{report, settle};
use crate::error::Result;

/// Asks a running charge to end: the charger is told, and its record settles the order. A start that is still waited for is
/// given up, and costs nothing.
///
/// # Errors
/// 409 when it neither starts nor runs.
pub async fn stop(conn: &mut AsyncPgConnection, order_id: Uuid, reason: EndReason, now: DateTime<Utc>) -> Result<()> {
    let mut charge = Charge::lock(conn, order_id).await?;
    let by = if reason == EndReason::Driver { "driver" } else { "system" };
    let told = if charge.progress.state == OrderState::Starting {
        Told::new(Event::StartCancelled, OrderStep::StartCancelled, by, now).because(EndReason::StartCancelled)
    } else {
        let there = is_online(conn, &charge).await?;
        let event = if there { Event::StopAsked } else { Event::StopAskedAway };
        // Who asked first ended it.
        let first = charge.progress.end_reason.unwrap_or(reason);
        Told::new(event, OrderStep::StopAsked, by, now).because(first)
    };
    if charge.happen(conn, told, now).await? { Ok(()) } else { Err(refused()) }
}

/// Whether a charge's charger is there to be told something.
async fn is_online(conn: &mut AsyncPgConnection, charge: &Charge) -> Result<bool> {
    let online = charger_states::table.find(charge.order.charger_id).select(charger_states::online);
    Ok(online.first(conn).await.optional()?.unwrap_or_default())
}

/// The charger's final record.
pub(super) async fn stopped(
    conn: &mut AsyncPgConnection,
    device: &Device,
    stop: Stop,
    now: DateTime<Utc>,
) -> Result<Reply> {
    let Some(found) = matching(conn, device, &stop, now).await? else {
        keep(conn, device, &stop, now).await?;
        return Ok(Reply::Noted);
    };
    let charge = match found.order_id {
        Some(id) => Some(Charge::lock(conn, id).await?),
        None => None,
    };
    // Read again under the order's lock: the same record may be told twice at once.
    let known: Transaction = transactions::table
        .find(found.transaction_id)
        .select(Transaction::as_select())
        .for_no_key_update()
        .first(conn)
        .await?;
    if known.stopped_at.is_some() {
        again(conn, charge, &known, &stop, now).await?;
        return Ok(Reply::Noted);
    }
    write_end(conn, known.transaction_id, &stop, now).await?;
    match charge {
        Some(charge) if known.accepted && charge.would(Event::Ended).is_some() => end(conn, charge, stop, now).await?,
        Some(charge) => late(conn, charge, &known, &stop, now).await?,
        None => {}
    }
    Ok(Reply::Noted)
}

/// The end that counts.
pub(super) async fn end(
    conn: &mut AsyncPgConnection,
    mut charge: Charge,
    stop: Stop,
    now: DateTime<Utc>,
) -> Result<()> {
    let (samples, _) = charge.stamped(stop.readings, now);
    report::store(conn, charge.order.id, &samples, true, now).await?;
    let (last, at) = charge.end(stop.at, stop.meter_wh, now);
    report::store(conn, charge.order.id, &[last], true, now).await?;
    charge.session.last_report_at = Some(now);
    let reason = end_reason(&stop.reason, charge.progress.end_reason, charge.session.soc);
    let mut told = Told::new(Event::Ended, OrderStep::Ended, "charger", at).because(reason);
    told.words = Some(cut(&stop.reason)).filter(|it| !it.is_empty());
    charge.happen(conn, told, now).await?;
    Ok(())
}

/// The first record of a charge whose order has ended without it, or was never to run. An order is settled once, and in that
/// moment the rest of its prepayment is on its way back: more energy than was billed is written down and not collected.
async fn late(
    conn: &mut AsyncPgConnection,
    mut charge: Charge,
    known: &Transaction,
    stop: &Stop,
    now: DateTime<Utc>,
) -> Result<()> {
    let delivered = energy(known, stop);
    // What was delivered outside of the order's own charge was never billed.
    let billed = if known.accepted { charge.progress.kwh } else { Kwh::ZERO };
    let unbilled = if known.accepted { unbilled(conn, &charge, known, stop, now).await? } else { None };
    let (readings, _) = charge.evidence(stop.readings.clone(), now);
    if known.accepted {
        report::store(conn, charge.order.id, &readings, false, now).await?;
    }
    if delivered != billed {
        differ(conn, known, json!({ "billed_kwh": billed, "delivered_kwh": delivered })).await?;
        charge.flag(if unbilled.is_some() { OrderFlag::Uncollected } else { OrderFlag::Discrepancy });
    }
    let detail = StepDetail {
        words: Some(cut(&stop.reason)).filter(|it| !it.is_empty()),
        kwh: Some(delivered),
        billed_kwh: Some(billed),
        uncollected_fen: unbilled,
        ..StepDetail::default()
    };
    charge.note(conn, OrderStep::LateRecord, None, &detail, "charger", now).await?;
    charge.save(conn).await
}

/// The energy that a record tells of.
fn energy(known: &Transaction, stop: &Stop) -> Kwh {
    Kwh::from_wh(stop.meter_wh.saturating_sub(known.meter_start_wh).max(0)).unwrap_or(Kwh::MAX)
}

/// What it would have cost that flowed after the last reading that was billed; `None` unless just that explains the
/// difference.
async fn unbilled(
    conn: &mut AsyncPgConnection,
    charge: &Charge,
    known: &Transaction,
    stop: &Stop,
    now: DateTime<Utc>,
) -> Result<Option<Fen>> {
    let delivered = energy(known, stop);
    if delivered <= charge.progress.kwh || !charge.can_show(stop.meter_wh, now) {
        return Ok(None);
    }
    let mut ended = charge.clone();
    let (last, _) = ended.end(stop.at, stop.meter_wh, now);
    let mut readings = report::billed(conn, charge.order.id).await?;
    readings.push(Entry { kind: last.kind, stamp: last.stamp, arrived_at: now, wh: stop.meter_wh });
    let (clock, agreed) = (ended.session.clock.as_ref(), &charge.agreed);
    let whole = settle::price(clock, readings, &agreed.tariff, agreed.rated_power_w).map_err(anyhow::Error::from)?;
    if whole.bill.kwh_total != delivered {
        return Ok(None);
    }
    Ok(Some(whole.bill.total_fen.minus(charge.progress.total_fen).map_err(anyhow::Error::from)?))
}

/// A record that was told before. If it now says something else, that is kept.
async fn again(
    conn: &mut AsyncPgConnection,
    charge: Option<Charge>,
    known: &Transaction,
    stop: &Stop,
    now: DateTime<Utc>,
) -> Result<()> {
    let stopped_at = stop.at.map(micros);
    if known.meter_stop_wh == Some(stop.meter_wh) && (stopped_at.is_none() || known.stopped_at == stopped_at) {
        return Ok(());
    }
    let other = json!({ "meter_stop_wh": stop.meter_wh, "stopped_at": stopped_at });
    if !differ(conn, known, other).await? {
        return Ok(());
    }
    if let Some(mut charge) = charge {
        if known.meter_stop_wh != Some(stop.meter_wh) {
            charge.flag(OrderFlag::Discrepancy);
        }
        let detail = StepDetail { kwh: Some(energy(known, stop)), ..StepDetail::default() };
        charge.note(conn, OrderStep::LateRecord, None, &detail, "charger", now).await?;
        charge.save(conn).await?;
    }
    Ok(())
}

/// Why a charge ended, from the device's word, who asked for it, and how full the battery was.
fn end_reason(word: &str, asked: Option<EndReason>, soc: Option<i32>) -> EndReason {
    let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let full = soc.is_some_and(|it| it >= 100);
    match word.as_str() {
        // Not said is not "at the charger" when we had asked for it ourselves.
        "" => asked.unwrap_or(if full { EndReason::Full } else { EndReason::Local }),
        "remote" => asked.unwrap_or(EndReason::Remote),
        "local" => EndReason::Local,
        "evdisconnected" => EndReason::Unplugged,
        "emergencystop" => EndReason::EmergencyStop,
        "powerloss" => EndReason::PowerLoss,
        "reboot" | "hardreset" | "softreset" => EndReason::Rebooted,
        "unlockcommand" => EndReason::Unlocked,
        "deauthorized" => asked.unwrap_or(EndReason::Deauthorized),
        "full" | "fullycharged" | "chargecomplete" | "chargingcomplete" => EndReason::Full,
        "lowcurrent" | "smallcurrent" => EndReason::LowCurrent,
        word if word.contains("fault") || word.starts_with("over") || word.starts_with("under") => EndReason::Fault,
        _ if asked.is_none() && full => EndReason::Full,
        _ => asked.unwrap_or(EndReason::Other),
    }
}

/// Staff ends an order, whatever the charger says. One that is there is told to stop, and its record settles the order when
/// it comes in time; without one, what was reported last does, at once when the charger is away. A failed order, whose money
/// went back already, is closed.
///
/// # Errors
/// 409 when the order has ended already, or was not paid.
pub async fn end_by_staff(
    conn: &mut AsyncPgConnection,
    order_id: Uuid,
    note: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut charge = Charge::lock(conn, order_id).await?;
    let failed = charge.progress.state == OrderState::Failed;
    let waits = charge.would(Event::StopAsked).is_some() && is_online(conn, &charge).await?;
    let event = if waits { Event::StopAsked } else { Event::StaffEnded };
    let mut told = Told::new(event, OrderStep::EndedByStaff, by, now);
    // Why it failed stays known.
    told.reason = (!failed).then_some(EndReason::Staff);
    told.words = Some(note.to_owned()).filter(|it| !it.is_empty());
    if waits {
        charge.progress.end_note = told.words.clone().or(charge.progress.end_note.take());
        charge.session.staff_asked_at = charge.session.staff_asked_at.or(Some(now));
        charge.wake_watch(conn, now).await?;
    }
    if !charge.happen(conn, told, now).await? {
        return Err(refused());
    }
    if failed { settle::close_failed(conn, &charge).await } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_readable() {
        use EndReason as R;
        for (word, asked, soc, reason) in [
            ("Remote", Some(R::PrepaidUsed), None, R::PrepaidUsed),
            ("Remote", None, None, R::Remote),
            ("EVDisconnected", Some(R::Driver), None, R::Unplugged),
            ("EmergencyStop", None, None, R::EmergencyStop),
            ("PowerLoss", None, None, R::PowerLoss),
            ("HardReset", None, None, R::Rebooted),
            ("DeAuthorized", None, None, R::Deauthorized),
            ("Other", None, Some(100), R::Full),
            ("Other", Some(R::NoCurrent), Some(100), R::NoCurrent),
            ("Other", None, Some(80), R::Other),
            ("Low-Current", None, None, R::LowCurrent),
            ("OverTemperature", None, None, R::Fault),
            ("GroundFault", Some(R::Driver), None, R::Fault),
            ("", None, None, R::Local),
            ("", None, Some(100), R::Full),
            ("", Some(R::Driver), Some(100), R::Driver),
            ("", Some(R::PrepaidUsed), None, R::PrepaidUsed),
            ("Local", Some(R::Driver), None, R::Local),
        ] {
            assert_eq!(end_reason(word, asked, soc), reason, "{word}");
        }
    }
}
