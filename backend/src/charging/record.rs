//! The charger's own records of charges: which charge an end belongs to, and those that belong to none (yet). What does
//! not fit is kept as evidence.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rand::Rng;
use schema::{car_orders, charge_sessions, device_transactions as transactions};
use serde_json::{Value, json};
use shared::order::{OrderFlag, OrderStep, StepDetail};
use uuid::Uuid;

use super::Device;
use super::charge::Charge;
use super::clock::micros;
use super::event::Reading;
use super::meter::Meter;
use super::readings::{Register, reachable};
use crate::error::Result;
use crate::order::is_running;

/// How far a charger's clock may be off when a record has to be matched by time.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// A record whose charge is not known yet waits this long for its start.
const KEPT: TimeDelta = TimeDelta::days(1);
/// Charges of one charger that have no record of their end, the newest: more are not looked through.
const MOST_OPEN: i64 = 50;
/// A device's word is kept up to this length.
const WORDS: usize = 100;

/// An end as the charger tells it.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    pub(super) transaction: i64,
    pub(super) tag: Option<String>,
    pub(super) meter_wh: i64,
    /// By the charger's clock, if it has one.
    pub(super) at: Option<DateTime<Utc>>,
    pub(super) reason: String,
    pub(super) readings: Vec<Reading>,
}

/// The charger's record of a charge, as it was begun.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = transactions, check_for_backend(diesel::pg::Pg))]
pub(super) struct Transaction {
    pub(super) transaction_id: i32,
    id_tag: String,
    pub(super) meter_start_wh: i64,
    pub(super) order_id: Option<Uuid>,
    pub(super) accepted: bool,
    pub(super) meter_stop_wh: Option<i64>,
    pub(super) stopped_at: Option<DateTime<Utc>>,
    discrepancy: Option<Value>,
}

/// A number for a charge, drawn at random: whoever knows one of them knows no other.
pub(super) async fn free_number(conn: &mut AsyncPgConnection) -> Result<i32> {
    loop {
        let number = rand::rng().random_range(1..=i32::MAX);
        let taken = diesel::dsl::exists(transactions::table.find(number));
        if !diesel::select(taken).get_result::<bool>(conn).await? {
            return Ok(number);
        }
    }
}

/// The charge that a record is about: by its number, or, since chargers invent numbers for charges that began without us
/// or lose them, the newest open one with the same tag that fits, or the only one that does. A number that is none of ours,
/// though it could be one, belongs to somebody else's charge, unless the meter can stand there.
pub(super) async fn matching(
    conn: &mut AsyncPgConnection,
    device: &Device,
    stop: &Stop,
    now: DateTime<Utc>,
) -> Result<Option<Transaction>> {
    let of_charger = || transactions::table.filter(transactions::charger_id.eq(device.charger_id));
    let foreign = stop.transaction > 0;
    if let Some(id) = i32::try_from(stop.transaction).ok().filter(|_| foreign) {
        let exact = of_charger().filter(transactions::transaction_id.eq(id)).select(Transaction::as_select());
        if let Some(found) = exact.first(conn).await.optional()? {
            return Ok(Some(found));
        }
    }
    let mut same = of_charger()
        .filter(transactions::meter_stop_wh.eq(stop.meter_wh).and(transactions::created_at.gt(now - KEPT)))
        .into_boxed();
    if let Some(at) = stop.at {
        same = same.filter(transactions::stopped_at.eq(micros(at)));
    }
    let same: Vec<Transaction> = same.select(Transaction::as_select()).limit(MOST_OPEN).load(conn).await?;
    if let Some(told_before) = same.into_iter().find(|it| stop.tag.as_ref().is_none_or(|tag| *tag == it.id_tag)) {
        return Ok(Some(told_before));
    }
    let fitting = of_charger()
        .filter(transactions::stopped_at.is_null())
        .filter(transactions::started_at.le(stop.at.unwrap_or(now) + CLOCK_TOLERANCE))
        .filter(transactions::meter_start_wh.le(stop.meter_wh))
        .order(transactions::created_at.desc());
    let open: Vec<Transaction> = fitting.select(Transaction::as_select()).limit(MOST_OPEN).load(conn).await?;
    let mut fitting = vec![];
    for it in open {
        let tag_fits = stop.tag.as_ref().is_none_or(|tag| *tag == it.id_tag);
        if tag_fits && (!foreign || is_possible(conn, &it, stop.meter_wh, now).await?) {
            fitting.push(it);
        }
    }
    let several = fitting.len() > 1;
    Ok(fitting.into_iter().next().filter(|_| stop.tag.is_some() || !several))
}

/// Whether the meter of a charge can have risen to this since it was last read.
async fn is_possible(conn: &mut AsyncPgConnection, it: &Transaction, wh: i64, now: DateTime<Utc>) -> Result<bool> {
    let Some(order_id) = it.order_id.filter(|_| it.accepted) else { return Ok(true) };
    let session =
        charge_sessions::table.find(order_id).select((charge_sessions::meter, charge_sessions::rated_power_w));
    let (meter, rated_power_w): (Option<Meter>, i64) = session.first(conn).await?;
    Ok(meter.is_some_and(|it| it.can_show(wh, rated_power_w, now)))
}

/// Keeps a record of a charge that nobody knows, for its start may come yet, and tells staff by the charges that run there.
pub(super) async fn keep(conn: &mut AsyncPgConnection, device: &Device, stop: &Stop, now: DateTime<Utc>) -> Result<()> {
    tracing::warn!(charger = %device.charger_id, transaction = stop.transaction, "a record of an unknown charge");
    let readings = serde_json::to_value(&stop.readings).map_err(anyhow::Error::from)?;
    let kept = diesel::insert_into(transactions::table)
        .values((
            transactions::transaction_id.eq(free_number(conn).await?),
            transactions::charger_id.eq(device.charger_id),
            transactions::connector_number.eq(0),
            transactions::id_tag.eq(stop.tag.as_deref().unwrap_or_default()),
            transactions::meter_start_wh.eq(stop.meter_wh),
            // Told again without a time it is the same.
            transactions::started_at.eq(stop.at.unwrap_or(DateTime::UNIX_EPOCH)),
            transactions::accepted.eq(false),
            transactions::meter_stop_wh.eq(stop.meter_wh),
            transactions::stopped_at.eq(stop.at.unwrap_or(now)),
            transactions::stop_reason.eq(cut(&stop.reason)),
            transactions::discrepancy.eq(json!([{ "unknown_transaction": stop.transaction }])),
            transactions::readings.eq(readings),
            transactions::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    let here = car_orders::table.filter(car_orders::charger_id.eq(device.charger_id)).filter(is_running());
    let here = here.filter(car_orders::started_at.is_not_null()).order(car_orders::id).select(car_orders::id);
    let running: Vec<Uuid> = if kept == 0 { vec![] } else { here.load(conn).await? };
    for id in running {
        let mut charge = Charge::lock(conn, id).await?;
        if charge.flag(OrderFlag::UnknownRecord) {
            let words = format!("transactionId {}, meterStop {} Wh", stop.transaction, stop.meter_wh);
            let detail = StepDetail { words: Some(words), ..StepDetail::default() };
            charge.note(conn, OrderStep::UnknownRecord, None, &detail, "charger", now).await?;
            charge.save(conn).await?;
        }
    }
    Ok(())
}

/// The record of the end that came before its charge had begun for us. It is taken out, to be put where it belongs.
pub(super) async fn take_kept(
    conn: &mut AsyncPgConnection,
    charge: &Charge,
    start: &super::start::Start,
    now: DateTime<Utc>,
) -> Result<Option<Stop>> {
    // Of what tells no time nobody knows whether it was before.
    let began_at = start.at.unwrap_or(DateTime::UNIX_EPOCH);
    let kept = transactions::table
        .filter(transactions::charger_id.eq(charge.order.charger_id))
        .filter(transactions::connector_number.eq(0).and(transactions::order_id.is_null()))
        .filter(transactions::created_at.gt(now - KEPT))
        .filter(transactions::id_tag.eq_any([start.tag.as_str(), ""]))
        .filter(transactions::meter_stop_wh.ge(start.meter_wh))
        .filter(transactions::stopped_at.ge(began_at).or(transactions::started_at.eq(DateTime::UNIX_EPOCH)))
        .order((transactions::id_tag.desc(), transactions::created_at.desc()))
        .select((
            transactions::transaction_id,
            transactions::id_tag,
            transactions::meter_start_wh,
            transactions::started_at,
            transactions::stop_reason,
            transactions::readings,
        ));
    type Row = (i32, String, i64, DateTime<Utc>, Option<String>, Option<Value>);
    let rows: Vec<Row> = kept.limit(MOST_OPEN).load(conn).await?;
    let told_at = charge.session.start_sent_at.unwrap_or(now);
    for (transaction_id, tag, meter_wh, at, reason, readings) in rows {
        let from = Register { at: told_at, arrived_at: told_at, wh: start.meter_wh };
        if !reachable(from, meter_wh, charge.agreed.rated_power_w, now) {
            continue;
        }
        diesel::delete(transactions::table.find(transaction_id)).execute(conn).await?;
        let readings = readings.map(serde_json::from_value).transpose().map_err(anyhow::Error::from)?;
        return Ok(Some(Stop {
            transaction: transaction_id.into(),
            tag: Some(tag).filter(|it| !it.is_empty()),
            meter_wh,
            at: Some(at).filter(|it| *it != DateTime::UNIX_EPOCH),
            reason: reason.unwrap_or_default(),
            readings: readings.unwrap_or_default(),
        }));
    }
    Ok(None)
}

/// Writes down the end of a charge that is known.
pub(super) async fn write_end(
    conn: &mut AsyncPgConnection,
    transaction_id: i32,
    stop: &Stop,
    now: DateTime<Utc>,
) -> Result<()> {
    let set = (
        transactions::meter_stop_wh.eq(stop.meter_wh),
        transactions::stopped_at.eq(stop.at.unwrap_or(now)),
        transactions::stop_reason.eq(cut(&stop.reason)),
    );
    diesel::update(transactions::table.find(transaction_id)).set(set).execute(conn).await?;
    Ok(())
}

/// Keeps what a record says differently; `false` when that is known.
pub(super) async fn differ(conn: &mut AsyncPgConnection, known: &Transaction, other: Value) -> Result<bool> {
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

/// The first characters of what a device said.
pub(super) fn cut(words: &str) -> String {
    words.chars().take(WORDS).collect()
}
