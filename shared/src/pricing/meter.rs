//! Meter readings into energy by period: what was drawn between two readings is spread evenly over the time between.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bill::{apportion, cost};
use super::{Period, PricingError, Tariff, bill_by_period, half_up};
use crate::fixed::{Fen, Kwh, Overflow, Price};
use crate::time::{self, Clock, SLOTS};

/// A reading of a meter that counts up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sample {
    /// When it was read.
    pub at: DateTime<Utc>,
    /// What the meter showed.
    pub kwh: Kwh,
}

/// A stretch of a charge within one period, as the bill explains it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Segment {
    /// Its first instant.
    pub from: DateTime<Utc>,
    /// The instant after its last.
    pub to: DateTime<Utc>,
    /// The period that all of it belongs to.
    pub period: Period,
    /// The energy drawn in it.
    pub kwh: Kwh,
    /// The energy fee of a kWh.
    pub elec_price: Price,
    /// The service fee of a kWh.
    pub service_price: Price,
    /// Its part of the energy fee; the parts of a period add up to the period's line in the bill.
    pub elec_fen: Fen,
    /// Its part of the service fee, in the same way.
    pub service_fen: Fen,
}

/// The energy drawn from one instant to another.
pub(super) struct Stretch {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    pub(super) period: Period,
    pub(super) kwh: Kwh,
}

/// The readings of a charge, cut at the boundaries of the tariff's periods.
pub(super) struct Metered {
    pub(super) stretches: Vec<Stretch>,
    /// How often the meter went backwards.
    pub(super) anomalies: u32,
}

/// The longest charge there can be. Without a limit a device with a wrong clock could make us count half hours for ages.
const LONGEST_MICROS: i128 = 366 * 86_400 * 1_000_000;
const HALF_HOUR_MICROS: i64 = 1_800_000_000;

/// Cuts the energy between the readings at every boundary of a period.
pub(super) fn measure(tariff: &Tariff, samples: &[Sample]) -> Result<Metered, PricingError> {
    let readings = in_order(samples);
    let micros = |at: DateTime<Utc>| i128::from(at.timestamp_micros());
    if let [first, .., last] = readings.as_slice()
        && micros(last.at) - micros(first.at) > LONGEST_MICROS
    {
        return Err(PricingError::TooLong);
    }
    let grid = tariff.grid();
    let mut metered = Metered { stretches: Vec::new(), anomalies: 0 };
    for (a, b) in readings.iter().zip(readings.iter().skip(1)) {
        metered.anomalies += u32::from(b.kwh < a.kwh);
        let rise = i128::from(b.kwh.since(a.kwh).units());
        let (mut from, mut counted) = (a.at, 0);
        while from < b.at {
            let to = next_half_hour(from).min(b.at);
            // The value at a boundary is rounded, not the part, so that the parts add up to what the meter showed.
            let reached = half_up(rise * (micros(to) - micros(a.at)), micros(b.at) - micros(a.at));
            let period = period_at(&grid, from)?;
            metered.add(Stretch { from, to, period, kwh: kwh(reached - counted)? })?;
            (from, counted) = (to, reached);
        }
    }
    Ok(metered)
}

impl Metered {
    /// Adds a stretch, to the one before it if both belong to the same period.
    fn add(&mut self, stretch: Stretch) -> Result<(), Overflow> {
        match self.stretches.last_mut() {
            Some(last) if last.period == stretch.period => {
                last.to = stretch.to;
                last.kwh = last.kwh.plus(stretch.kwh)?;
            }
            _ => self.stretches.push(stretch),
        }
        Ok(())
    }
}

/// The readings by time, to the microsecond as the database keeps it; of several at one instant the largest.
fn in_order(samples: &[Sample]) -> Vec<Sample> {
    let to_micros = |at: DateTime<Utc>| DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at);
    let mut readings: Vec<Sample> = samples.iter().map(|it| Sample { at: to_micros(it.at), kwh: it.kwh }).collect();
    readings.sort_by_key(|sample| (sample.at, std::cmp::Reverse(sample.kwh)));
    readings.dedup_by_key(|sample| sample.at);
    readings
}

/// The half hours of local time are those of UTC, because the offset is whole hours.
fn next_half_hour(at: DateTime<Utc>) -> DateTime<Utc> {
    let micros = at.timestamp_micros();
    let into = micros.rem_euclid(HALF_HOUR_MICROS);
    micros
        .checked_add(HALF_HOUR_MICROS - into)
        .and_then(DateTime::from_timestamp_micros)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn period_at(grid: &[Option<Period>; SLOTS], at: DateTime<Utc>) -> Result<Period, PricingError> {
    let slot = time::slot(at);
    grid.get(slot).copied().flatten().ok_or(PricingError::Uncovered(Clock::of_slot(slot)))
}

fn kwh(units: i128) -> Result<Kwh, Overflow> {
    i64::try_from(units).ok().and_then(|units| Kwh::from_units(units).ok()).ok_or(Overflow)
}

/// Explains a bill: the stretches of the charge in their order, with what each of them costs.
///
/// # Errors
/// As [`bill`](super::bill()); also when the tariff has no price for a period in which nothing was drawn.
pub fn segments(tariff: &Tariff, samples: &[Sample]) -> Result<Vec<Segment>, PricingError> {
    let stretches = measure(tariff, samples)?.stretches;
    let bill = bill_by_period(tariff, stretches.iter().map(|it| (it.period, it.kwh)))?;
    let mut segments = Vec::with_capacity(stretches.len());
    for it in &stretches {
        let price = tariff.price(it.period)?;
        segments.push(Segment {
            from: it.from,
            to: it.to,
            period: it.period,
            kwh: it.kwh,
            elec_price: price.elec,
            service_price: price.service,
            elec_fen: Fen::ZERO,
            service_fen: Fen::ZERO,
        });
    }
    for line in &bill.lines {
        let of_line = || segments.iter().filter(|it| it.period == line.period);
        let elec = apportion(line.elec_fen, of_line().map(|it| cost(it.kwh, it.elec_price)))?;
        let service = apportion(line.service_fen, of_line().map(|it| cost(it.kwh, it.service_price)))?;
        let parts = elec.into_iter().zip(service);
        for (segment, (elec, service)) in segments.iter_mut().filter(|it| it.period == line.period).zip(parts) {
            (segment.elec_fen, segment.service_fen) = (elec, service);
        }
    }
    Ok(segments)
}
