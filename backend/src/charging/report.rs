//! A charger reports what it meters: the readings are kept, the bill runs along, and the charge ends in time.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::meter_readings;
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep};
use shared::pricing::should_stop;
use uuid::Uuid;

use super::Device;
use super::charge::{Charge, Told};
use super::event::{Reading, Reply};
use super::meter::{Meter, Register, believable};
use super::over::Named;
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
    let read_at = readings.iter().map(|it| it.at).max().unwrap_or(now);
    let mut charge = Charge::lock(conn, order_id).await?;
    let readings = charge.believed(readings, now);
    if charge.would(Event::Metered).is_none() {
        store(conn, order_id, &readings, false).await?;
        if let Some(named) = named {
            named.goes_on_after(conn, device, &mut charge, read_at, now).await?;
        }
        return Ok(Reply::Noted);
    }
    charge.reported_again(conn, read_at, now).await?;
    store(conn, order_id, &readings, true).await?;
    charge.session.last_report_at = Some(now);
    charge.take(conn, &readings, now).await?;
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

impl Charge {
    /// The readings at times that can be true, in their order, those of one instant as one.
    pub(super) fn believed(&mut self, readings: Vec<Reading>, now: DateTime<Utc>) -> Vec<Reading> {
        let earliest = self.progress.started_at.unwrap_or(now);
        let mut by_time: BTreeMap<DateTime<Utc>, Reading> = BTreeMap::new();
        for reading in readings {
            let (at, clock_is_wrong) = believable(reading.at, earliest, now);
            if clock_is_wrong {
                self.flag(OrderFlag::ClockSuspect);
            }
            // The database keeps microseconds.
            let at = DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at);
            let known = by_time.entry(at).or_insert(Reading { at, ..Reading::default() });
            known.wh = known.wh.max(reading.wh);
            known.power_w = reading.power_w.or(known.power_w);
            known.current_ma = reading.current_ma.or(known.current_ma);
            known.voltage_mv = reading.voltage_mv.or(known.voltage_mv);
            known.soc = reading.soc.or(known.soc);
        }
        by_time.into_values().collect()
    }

    /// Adds stored readings to the running bill.
    async fn take(&mut self, conn: &mut AsyncPgConnection, readings: &[Reading], now: DateTime<Utc>) -> Result<()> {
        let mut flows = false;
        for it in readings {
            self.session.power_w = it.power_w.or(self.session.power_w);
            self.session.current_ma = it.current_ma.or(self.session.current_ma);
            self.session.voltage_mv = it.voltage_mv.or(self.session.voltage_mv);
            self.session.soc = it.soc.or(self.session.soc);
            flows |= it.current_ma.is_some_and(|it| it >= IDLE_MA) || it.power_w.is_some_and(|it| it >= IDLE_W);
        }
        flows |= self.add_up(conn, readings).await?;
        if flows && self.session.flowing_at.is_none() {
            self.session.flowing_at = Some(now);
        }
        let Some(meter) = &self.session.meter else { return Ok(()) };
        let (bill, suspects) = (meter.bill(&self.agreed.tariff).map_err(anyhow::Error::from)?, meter.suspects());
        if suspects > 0 {
            self.flag(OrderFlag::MeterSuspect);
        }
        self.bill(&bill)
    }

    /// Adds to the meter; gives whether energy has flowed. A reading that is older than one before it, which came late
    /// out of the charger's memory, has all of them added up anew.
    async fn add_up(&mut self, conn: &mut AsyncPgConnection, readings: &[Reading]) -> Result<bool> {
        let (tariff, rated) = (&self.agreed.tariff, self.agreed.rated_power_w);
        let registers = readings.iter().filter_map(|it| Some(Register { at: it.at, wh: it.wh? }));
        let mut flows = false;
        for register in registers {
            match &mut self.session.meter {
                Some(meter) if meter.last().at < register.at => {
                    flows |= meter.take(register, tariff, rated).map_err(anyhow::Error::from)?;
                }
                Some(meter) if meter.last() == register => {}
                _ => {
                    let all = billed(conn, self.order.id).await?;
                    self.session.meter = Meter::of(all, tariff, rated).map_err(anyhow::Error::from)?;
                    break;
                }
            }
        }
        Ok(flows)
    }
}

/// The readings that a bill is made of.
///
/// # Errors
/// The database's.
pub async fn billed(conn: &mut AsyncPgConnection, order_id: Uuid) -> Result<Vec<Register>> {
    let rows: Vec<(DateTime<Utc>, i64)> = meter_readings::table
        .filter(meter_readings::order_id.eq(order_id))
        .filter(meter_readings::billed)
        .order(meter_readings::at)
        .select((meter_readings::at, meter_readings::wh))
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(|(at, wh)| Register { at, wh }).collect())
}

/// Keeps readings that show the register. Of several at one instant the largest counts, and what was billed stays.
pub(super) async fn store(
    conn: &mut AsyncPgConnection,
    order_id: Uuid,
    readings: &[Reading],
    billed: bool,
) -> Result<()> {
    let known = || readings.iter().filter(|it| it.wh.is_some());
    if known().next().is_none() {
        return Ok(());
    }
    diesel::sql_query(
        "insert into meter_readings (order_id, at, wh, power_w, current_ma, voltage_mv, soc, billed) \
         select $1, it.*, $8 from unnest($2, $3, $4, $5, $6, $7) as it \
         on conflict (order_id, at) do update set wh = greatest(meter_readings.wh, excluded.wh), \
           power_w = coalesce(excluded.power_w, meter_readings.power_w), \
           current_ma = coalesce(excluded.current_ma, meter_readings.current_ma), \
           voltage_mv = coalesce(excluded.voltage_mv, meter_readings.voltage_mv), \
           soc = coalesce(excluded.soc, meter_readings.soc) \
         where excluded.billed or not meter_readings.billed",
    )
    .bind::<SqlUuid, _>(order_id)
    .bind::<Array<Timestamptz>, _>(known().map(|it| it.at).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(known().filter_map(|it| it.wh).collect::<Vec<_>>())
    .bind::<Array<Nullable<BigInt>>, _>(known().map(|it| it.power_w).collect::<Vec<_>>())
    .bind::<Array<Nullable<BigInt>>, _>(known().map(|it| it.current_ma).collect::<Vec<_>>())
    .bind::<Array<Nullable<BigInt>>, _>(known().map(|it| it.voltage_mv).collect::<Vec<_>>())
    .bind::<Array<Nullable<Integer>>, _>(known().map(|it| it.soc).collect::<Vec<_>>())
    .bind::<Bool, _>(billed)
    .execute(conn)
    .await?;
    Ok(())
}
