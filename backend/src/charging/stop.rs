//! A charge ends: because somebody asks for it, or because the charger says so. The first end counts; what the charger
//! tells later is kept and compared, never settled again.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::device_transactions as transactions;
use serde_json::{Value, json};
use shared::fixed::Kwh;
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep, StepDetail};
use uuid::Uuid;

use super::Device;
use super::charge::{Charge, Told, refused};
use super::clock::micros;
use super::event::{Reading, Reply};
use super::report;
use super::state::Event;
use crate::error::Result;

/// How far a charger's clock may be off when a record has to be matched by time.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// A device's word is kept up to this length.
const WORDS: usize = 100;

/// An end as the charger tells it.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) transaction: i64,
    pub(super) tag: Option<String>,
    pub(super) meter_wh: i64,
    pub(super) at: Option<DateTime<Utc>>,
    pub(super) reason: String,
    pub(super) readings: Vec<Reading>,
}

/// The charger's record of a charge, as it was begun.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = transactions, check_for_backend(diesel::pg::Pg))]
struct Transaction {
    transaction_id: i32,
    meter_start_wh: i64,
    order_id: Option<Uuid>,
    accepted: bool,
    meter_stop_wh: Option<i64>,
    stopped_at: Option<DateTime<Utc>>,
    discrepancy: Option<Value>,
}

/// Asks a running charge to end: the charger is told, and its record settles the order.
///
/// # Errors
/// 409 when it does not run.
pub async fn stop(conn: &mut AsyncPgConnection, order_id: Uuid, reason: EndReason, now: DateTime<Utc>) -> Result<()> {
    let mut charge = Charge::lock(conn, order_id).await?;
    let by = if reason == EndReason::Driver { "driver" } else { "system" };
    // Who asked first ended it.
    let first = charge.progress.end_reason.unwrap_or(reason);
    let told = Told::new(Event::StopAsked, OrderStep::StopAsked, by, now).because(first);
    if charge.happen(conn, told, now).await? { Ok(()) } else { Err(refused()) }
}

/// The charger's final record.
pub(super) async fn stopped(
    conn: &mut AsyncPgConnection,
    device: &Device,
    stop: Stop,
    now: DateTime<Utc>,
) -> Result<Reply> {
    let Some(found) = matching(conn, device, &stop, now).await? else {
        orphan(conn, device, &stop, now).await?;
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
    let set = (
        transactions::meter_stop_wh.eq(stop.meter_wh),
        transactions::stopped_at.eq(stop.at.unwrap_or(now)),
        transactions::stop_reason.eq(cut(&stop.reason)),
    );
    diesel::update(transactions::table.find(known.transaction_id)).set(set).execute(conn).await?;
    match charge {
        Some(charge) if known.accepted && charge.would(Event::Ended).is_some() => end(conn, charge, stop, now).await?,
        Some(charge) => late(conn, charge, &known, &stop, now).await?,
        None => {}
    }
    Ok(Reply::Noted)
}

/// The charge that a record is about: by its number, or, since chargers invent numbers for charges that began without us
/// or lose them, the newest open one with the same tag that fits, or the only one that does.
async fn matching(
    conn: &mut AsyncPgConnection,
    device: &Device,
    stop: &Stop,
    now: DateTime<Utc>,
) -> Result<Option<Transaction>> {
    let of_charger = || transactions::table.filter(transactions::charger_id.eq(device.charger_id));
    if let Some(id) = i32::try_from(stop.transaction).ok().filter(|it| *it > 0) {
        let exact = of_charger().filter(transactions::transaction_id.eq(id)).select(Transaction::as_select());
        if let Some(found) = exact.first(conn).await.optional()? {
            return Ok(Some(found));
        }
    }
    let fitting = of_charger()
        .filter(transactions::stopped_at.is_null())
        .filter(transactions::started_at.le(stop.at.unwrap_or(now) + CLOCK_TOLERANCE))
        .filter(transactions::meter_start_wh.le(stop.meter_wh))
        .order(transactions::transaction_id.desc());
    let mut fitting: Vec<(Transaction, String)> =
        fitting.select((Transaction::as_select(), transactions::id_tag)).limit(50).load(conn).await?;
    if let Some(tag) = &stop.tag {
        fitting.retain(|(_, it)| it == tag);
        return Ok(fitting.into_iter().next().map(|it| it.0));
    }
    Ok(if fitting.len() == 1 { fitting.pop().map(|it| it.0) } else { None })
}

/// A record of a charge that nobody knows: kept, so that it can be looked into.
async fn orphan(conn: &mut AsyncPgConnection, device: &Device, stop: &Stop, now: DateTime<Utc>) -> Result<()> {
    tracing::warn!(charger = %device.charger_id, transaction = stop.transaction, "a record of an unknown charge");
    diesel::insert_into(transactions::table)
        .values((
            transactions::charger_id.eq(device.charger_id),
            transactions::connector_number.eq(0),
            transactions::id_tag.eq(stop.tag.as_deref().unwrap_or_default()),
            transactions::meter_start_wh.eq(stop.meter_wh),
            // Told again without a time it is the same.
            transactions::started_at.eq(stop.at.unwrap_or_default()),
            transactions::accepted.eq(false),
            transactions::meter_stop_wh.eq(stop.meter_wh),
            transactions::stopped_at.eq(stop.at.unwrap_or(now)),
            transactions::stop_reason.eq(cut(&stop.reason)),
            transactions::discrepancy.eq(json!([{ "unknown_transaction": stop.transaction }])),
            transactions::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(())
}

/// The end that counts.
async fn end(conn: &mut AsyncPgConnection, mut charge: Charge, stop: Stop, now: DateTime<Utc>) -> Result<()> {
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

/// The first record of a charge whose order has ended without it, or was never to run.
async fn late(
    conn: &mut AsyncPgConnection,
    mut charge: Charge,
    known: &Transaction,
    stop: &Stop,
    now: DateTime<Utc>,
) -> Result<()> {
    let delivered = Kwh::from_wh(stop.meter_wh.saturating_sub(known.meter_start_wh).max(0)).unwrap_or(Kwh::MAX);
    // What was delivered outside of the order's own charge was never billed.
    let billed = if known.accepted { charge.progress.kwh } else { Kwh::ZERO };
    let readings = charge.evidence(stop.readings.clone(), now);
    if known.accepted {
        report::store(conn, charge.order.id, &readings, false, now).await?;
    }
    if delivered != billed {
        differ(conn, known, json!({ "billed_kwh": billed, "delivered_kwh": delivered })).await?;
        charge.flag(OrderFlag::Discrepancy);
    }
    let detail = StepDetail {
        words: Some(cut(&stop.reason)).filter(|it| !it.is_empty()),
        kwh: Some(delivered),
        billed_kwh: Some(billed),
        ..StepDetail::default()
    };
    charge.note(conn, OrderStep::LateRecord, None, &detail, "charger", now).await?;
    charge.save(conn).await
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
        let kwh = Kwh::from_wh(stop.meter_wh.saturating_sub(known.meter_start_wh).max(0)).unwrap_or(Kwh::MAX);
        let detail = StepDetail { kwh: Some(kwh), ..StepDetail::default() };
        charge.note(conn, OrderStep::LateRecord, None, &detail, "charger", now).await?;
        charge.save(conn).await?;
    }
    Ok(())
}

/// Keeps what a record says differently; `false` when that is known.
async fn differ(conn: &mut AsyncPgConnection, known: &Transaction, other: Value) -> Result<bool> {
    let mut all = match &known.discrepancy {
        Some(Value::Array(all)) => all.clone(),
        _ => vec![],
    };
    if all.contains(&other) {
        return Ok(false);
    }
    all.push(other);
    let set = transactions::discrepancy.eq(Value::Array(all));
    diesel::update(transactions::table.find(known.transaction_id)).set(set).execute(conn).await?;
    Ok(true)
}

fn cut(words: &str) -> String {
    words.chars().take(WORDS).collect()
}

/// Why a charge ended, from the device's word, who asked for it, and how full the battery was.
fn end_reason(word: &str, asked: Option<EndReason>, soc: Option<i32>) -> EndReason {
    let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let full = soc.is_some_and(|it| it >= 100);
    match word.as_str() {
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

/// Staff ends an order with what the charger reported last, whatever the charger says; it is told to stop as well. A
/// failed order, whose money went back already, is closed.
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
    let mut told = Told::new(Event::StaffEnded, OrderStep::EndedByStaff, by, now);
    // Why it failed stays known.
    told.reason = (!failed).then_some(EndReason::Staff);
    told.words = Some(note.to_owned()).filter(|it| !it.is_empty());
    if !charge.happen(conn, told, now).await? {
        return Err(refused());
    }
    if failed { super::settle::close_failed(conn, &charge).await } else { Ok(()) }
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
            ("", None, None, R::Other),
        ] {
            assert_eq!(end_reason(word, asked, soc), reason, "{word}");
        }
    }
}
