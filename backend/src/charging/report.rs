//! A charger reports what it meters: the readings are kept, the bill runs along, and the charge ends in time.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{charger_states, meter_readings};
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep};
use shared::pricing::{PricingError, Tariff, should_stop};
use uuid::Uuid;

use super::Device;
use super::charge::{Agreed, Charge, Session, Told};
use super::clock::{Clock, Placed, Stamp};
use super::event::{Reading, Reply};
use super::meter::Meter;
use super::over::Named;
use super::readings::{Entry, Kind, Register};
use super::start;
use super::state::Event;
use crate::error::Result;

/// What a connected car that does not charge may still draw: less is no current.
const IDLE_MA: i64 = 500;
const IDLE_W: i64 = 100;

/// The charger read its meter during a charge. Told again it changes nothing; told after the end it is kept beside the bill.
pub(super) async fn metered(
    conn: &mut AsyncPgConnection,
    device: &Device,
    connector: i32,
    transaction: Option<i64>,
    readings: Vec<Reading>,
    now: DateTime<Utc>,
) -> Result<Reply> {
    // Chargers that leave the number out mean what runs at the connector.
    let named = match transaction.and_then(|it| i32::try_from(it).ok()).filter(|it| *it > 0) {
        Some(number) => Some(Named::find(conn, device, number).await?),
        None => None,
    };
    let order_id = match &named {
        Some(named) => named.as_ref().and_then(|it| it.order_id.filter(|_| it.accepted)),
        None => start::running_on(conn, device, connector).await?,
    };
    let named = named.flatten();
    let Some(order_id) = order_id else {
        if let Some(named) = named {
            named.goes_on(conn, device, now).await?;
        }
        return Ok(Reply::Noted);
    };
    let told_at = readings.iter().filter_map(|it| it.at).max();
    let mut charge = Charge::lock(conn, order_id).await?;
    if charge.would(Event::Metered).is_none() {
        let (readings, read_at) = charge.evidence(readings, now);
        store(conn, order_id, &readings, false, now).await?;
        if let Some(named) = named {
            named.goes_on_after(conn, device, &mut charge, (told_at, read_at), now).await?;
        }
        return Ok(Reply::Noted);
    }
    let (readings, moved) = charge.stamped(readings, now);
    charge.reported_again(conn, charge.newest_of(&readings, now), now).await?;
    store(conn, order_id, &readings, true, now).await?;
    charge.session.last_report_at = Some(now);
    charge.take(conn, &readings, moved, now).await?;
    charge.happen(conn, Told::new(Event::Metered, OrderStep::Resumed, "charger", now), now).await?;
    let progress = &charge.progress;
    if progress.state == OrderState::Charging
        && should_stop(charge.order.prepaid_fen, progress.total_fen).map_err(anyhow::Error::from)?
    {
        let told = Told::new(Event::StopAsked, OrderStep::StopAsked, "system", now).because(EndReason::PrepaidUsed);
        charge.happen(conn, told, now).await?;
    }
    Ok(Reply::Noted)
}

/// A reading, and when that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamped {
    /// What it stands for.
    pub(super) kind: Kind,
    /// When it was read, as the charger tells it.
    pub(super) stamp: Stamp,
    /// The reading.
    pub(super) reading: Reading,
}

/// Finds out when readings were made, in the order in which they are told; those of one instant become one. Gives them in
/// their order, and whether what was told before has other dates now. Pure.
pub(super) fn stamped(
    clock: &mut Clock,
    mut last: Register,
    readings: Vec<Reading>,
    now: DateTime<Utc>,
) -> (Vec<Stamped>, bool) {
    let mut by_time: BTreeMap<Stamp, Reading> = BTreeMap::new();
    let mut all_moved = false;
    for reading in readings {
        let Placed { stamp, moved } = clock.place(reading.at, reading.wh, last, now);
        let at = clock.date(stamp);
        if moved {
            (all_moved, last.at) = (true, last.at.min(at));
        }
        if let Some(wh) = reading.wh.filter(|it| at >= last.at && *it >= last.wh) {
            last = Register { at, arrived_at: now, wh };
        }
        let known = by_time.entry(stamp).or_default();
        known.wh = known.wh.max(reading.wh);
        known.power_w = reading.power_w.or(known.power_w);
        known.current_ma = reading.current_ma.or(known.current_ma);
        known.voltage_mv = reading.voltage_mv.or(known.voltage_mv);
        known.soc = reading.soc.or(known.soc);
    }
    let readings = by_time.into_iter().map(|(stamp, reading)| Stamped { kind: Kind::Sample, stamp, reading });
    (readings.collect(), all_moved)
}

impl Charge {
    /// Finds out when readings were made, see [`stamped`]: the start may move with that.
    pub(super) fn stamped(&mut self, readings: Vec<Reading>, now: DateTime<Utc>) -> (Vec<Stamped>, bool) {
        let mut clock = self.clock(now);
        let stamped = stamped(&mut clock, self.newest(now), readings, now);
        self.set_clock(clock);
        stamped
    }

    /// The charger's record of the end, and when that was.
    pub(super) fn end(&mut self, told: Option<DateTime<Utc>>, wh: i64, now: DateTime<Utc>) -> (Stamped, DateTime<Utc>) {
        let mut clock = self.clock(now);
        let stamp = clock.place(told, Some(wh), self.newest(now), now).stamp;
        let at = clock.date(stamp).max(clock.began_at());
        self.set_clock(clock);
        let reading = Reading { at: told, wh: Some(wh), ..Reading::default() };
        (Stamped { kind: Kind::End, stamp, reading }, at)
    }

    /// Its clock. A charge that was running already when clocks were not kept yet is dated as it was.
    fn clock(&self, now: DateTime<Utc>) -> Clock {
        let began_at = self.progress.started_at.unwrap_or(now);
        self.session.clock.clone().unwrap_or_else(|| Clock::begin(Some(began_at), began_at, None, began_at))
    }

    fn newest(&self, now: DateTime<Utc>) -> Register {
        let at = self.progress.started_at.unwrap_or(now);
        self.session.meter.as_ref().map_or(Register { at, arrived_at: at, wh: 0 }, Meter::last)
    }

    fn set_clock(&mut self, clock: Clock) {
        if self.progress.started_at.is_some() {
            self.progress.started_at = Some(clock.began_at());
        }
        self.flag_if(OrderFlag::ClockSuspect, clock.is_suspect());
        self.session.clock = Some(clock);
    }

    /// The same for what came too late to change anything, and when the newest of it was read.
    pub(super) fn evidence(&self, readings: Vec<Reading>, now: DateTime<Utc>) -> (Vec<Stamped>, DateTime<Utc>) {
        let mut late = self.clone();
        let (readings, _) = late.stamped(readings, now);
        let read_at = late.newest_of(&readings, now);
        (readings, read_at)
    }

    /// When the newest of its readings was read.
    fn newest_of(&self, readings: &[Stamped], now: DateTime<Utc>) -> DateTime<Utc> {
        let date = |it: &Stamped| self.session.clock.as_ref().map_or(now, |clock| clock.date(it.stamp));
        readings.last().map_or(now, date)
    }

    /// How long nothing must have flowed by what was reported before that is sure. No time at all where current or power
    /// are measured; a register alone may stand still while its smallest step is filled. `None` as long as nothing was
    /// reported that would tell.
    pub(super) fn still(&self) -> Option<TimeDelta> {
        let measured = self.session.current_ma.or(self.session.power_w).map(|_| TimeDelta::zero());
        measured.or_else(|| self.session.meter.as_ref().and_then(Meter::still))
    }

    /// Adds stored readings to the running bill.
    async fn take(
        &mut self,
        conn: &mut AsyncPgConnection,
        readings: &[Stamped],
        moved: bool,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let mut flows = false;
        for Stamped { reading: it, .. } in readings {
            self.session.power_w = it.power_w.or(self.session.power_w);
            self.session.current_ma = it.current_ma.or(self.session.current_ma);
            self.session.voltage_mv = it.voltage_mv.or(self.session.voltage_mv);
            self.session.soc = it.soc.or(self.session.soc);
            flows |= it.current_ma.is_some_and(|it| it >= IDLE_MA) || it.power_w.is_some_and(|it| it >= IDLE_W);
        }
        let before = self.session.meter.as_ref().map_or(0, Meter::wh);
        self.add_up(conn, readings, moved, now).await?;
        let Some(meter) = &self.session.meter else { return Ok(()) };
        if (flows || meter.wh() > before) && self.session.flowing_at.is_none() {
            self.session.flowing_at = Some(now);
        }
        let (bill, suspects) = (meter.bill(&self.agreed.tariff).map_err(anyhow::Error::from)?, meter.suspects());
        self.flag_if(OrderFlag::MeterSuspect, suspects > 0);
        self.bill(&bill)
    }

    /// Adds to the meter. Readings that do not simply continue the ones before, or that change when those were, have all of
    /// them added up anew.
    async fn add_up(
        &mut self,
        conn: &mut AsyncPgConnection,
        readings: &[Stamped],
        moved: bool,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Self {
            session: Session { clock: Some(clock), meter, .. },
            agreed: Agreed { tariff, rated_power_w, .. },
            ..
        } = self
        else {
            return Ok(());
        };
        let follows = match meter {
            Some(meter) if !moved => follow(meter, clock, readings, tariff, *rated_power_w, now),
            Some(_) | None => Ok(false),
        };
        if !follows.map_err(anyhow::Error::from)? {
            let all = billed(conn, self.order.id).await?;
            *meter = Meter::of(Some(clock), all, tariff, *rated_power_w).map_err(anyhow::Error::from)?;
            if meter.as_ref().is_some_and(Meter::is_relative) {
                note_relative(conn, self.order.charger_id, now).await?;
            }
        }
        Ok(())
    }
}

/// Adds readings to a meter that simply continue those before; `false` as soon as one does not. Pure.
pub(super) fn follow(
    meter: &mut Meter,
    clock: &Clock,
    readings: &[Stamped],
    tariff: &Tariff,
    rated_power_w: i64,
    now: DateTime<Utc>,
) -> Result<bool, PricingError> {
    for Stamped { stamp, reading, .. } in readings {
        let Some(wh) = reading.wh else { continue };
        let register = Register { at: clock.date(*stamp), arrived_at: now, wh };
        let told_again = (meter.last().at, meter.last().wh) == (register.at, wh);
        if !told_again && !meter.take(register, tariff, rated_power_w)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Notes that a charger's meter values count from the beginning of each charge.
pub(super) async fn note_relative(conn: &mut AsyncPgConnection, charger: Uuid, now: DateTime<Utc>) -> Result<()> {
    let new = charger_states::table.find(charger).filter(charger_states::relative_meter_since.is_null());
    diesel::update(new).set(charger_states::relative_meter_since.eq(now)).execute(conn).await?;
    Ok(())
}

/// The readings that a bill is made of.
///
/// # Errors
/// The database's.
pub async fn billed(conn: &mut AsyncPgConnection, order_id: Uuid) -> Result<Vec<Entry>> {
    let rows: Vec<EntryRow> = meter_readings::table
        .filter(meter_readings::order_id.eq(order_id))
        .filter(meter_readings::billed)
        .select(EntryRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Entry::from).collect())
}

/// A stored reading.
#[derive(Queryable, Selectable)]
#[diesel(table_name = meter_readings, check_for_backend(diesel::pg::Pg))]
pub struct EntryRow {
    kind: String,
    run: i16,
    at: DateTime<Utc>,
    arrived_at: DateTime<Utc>,
    wh: i64,
}

impl From<EntryRow> for Entry {
    fn from(EntryRow { kind, run, at, arrived_at, wh }: EntryRow) -> Self {
        Self { kind: Kind::named(&kind), stamp: Stamp { run, told: at }, arrived_at, wh }
    }
}

/// Keeps readings that show the register. Of several at one instant the largest counts, and what was billed stays.
pub(super) async fn store(
    conn: &mut AsyncPgConnection,
    order_id: Uuid,
    readings: &[Stamped],
    billed: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    let known = || readings.iter().filter(|it| it.reading.wh.is_some());
    if known().next().is_none() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into meter_readings \
           (order_id, kind, run, at, wh, power_w, current_ma, voltage_mv, soc, billed, arrived_at) \
         select $1, it.*, $10, $11 from unnest($2, $3, $4, $5, $6, $7, $8, $9) as it \
         on conflict (order_id, run, at, kind) do update set wh = greatest(meter_readings.wh, excluded.wh), \
           power_w = coalesce(excluded.power_w, meter_readings.power_w), \
           current_ma = coalesce(excluded.current_ma, meter_readings.current_ma), \
           voltage_mv = coalesce(excluded.voltage_mv, meter_readings.voltage_mv), \
           soc = coalesce(excluded.soc, meter_readings.soc), \
           billed = meter_readings.billed or excluded.billed \
         where excluded.billed or not meter_readings.billed",
    )
    .bind::<SqlUuid, _>(order_id)
    .bind::<Array<Text>, _>(known().map(|it| it.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<SmallInt>, _>(known().map(|it| it.stamp.run).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(known().map(|it| it.stamp.told).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(known().filter_map(|it| it.reading.wh).collect::<Vec<_>>())
    .bind::<Array<Nullable<BigInt>>, _>(known().map(|it| it.reading.power_w).collect::<Vec<_>>())
    .bind::<Array<Nullable<BigInt>>, _>(known().map(|it| it.reading.current_ma).collect::<Vec<_>>())
    .bind::<Array<Nullable<BigInt>>, _>(known().map(|it| it.reading.voltage_mv).collect::<Vec<_>>())
    .bind::<Array<Nullable<Integer>>, _>(known().map(|it| it.reading.soc).collect::<Vec<_>>())
    .bind::<Bool, _>(billed)
    .bind::<Timestamptz, _>(now)
    .execute(conn)
    .await?;
    Ok(())
}
