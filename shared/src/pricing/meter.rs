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

#[cfg(test)]
mod tests {
    use super::super::{Range, UnitPrice, bill};
    use super::*;

    fn tariff() -> Tariff {
        let prices = [
            (Period::Sharp, "1.2513", "0.4"),
            (Period::Peak, "1.0125", "0.4"),
            (Period::Flat, "0.6987", "0.35"),
            (Period::Valley, "0.3521", "0.3"),
        ];
        let price = |(period, elec, service): (Period, &str, &str)| {
            (period, UnitPrice { elec: elec.parse().unwrap(), service: service.parse().unwrap() })
        };
        let slots = [
            ("23:00", "07:00", Period::Valley),
            ("07:00", "10:00", Period::Flat),
            ("10:00", "12:00", Period::Peak),
            ("12:00", "14:00", Period::Flat),
            ("14:00", "17:00", Period::Peak),
            ("17:00", "19:00", Period::Sharp),
            ("19:00", "22:00", Period::Peak),
            ("22:00", "23:00", Period::Flat),
        ];
        let range = |(from, to, period): (&str, &str, Period)| Range {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            period,
        };
        Tariff::time_of_use(prices.map(price).into(), slots.map(range).into())
    }

    /// Readings on 20 November, or with a `+` on the day after.
    fn samples(readings: &[(&str, &str)]) -> Vec<Sample> {
        let read = |(clock, kwh): &(&str, &str)| {
            let (day, clock) = clock.strip_prefix('+').map_or((20, *clock), |clock| (21, clock));
            Sample { at: format!("2026-11-{day}T{clock}+08:00").parse().unwrap(), kwh: kwh.parse().unwrap() }
        };
        readings.iter().map(read).collect()
    }

    /// The fees, and the energy by period as text.
    fn priced(readings: &[(&str, &str)]) -> ([i64; 3], Vec<(Period, String)>) {
        let bill = bill(&tariff(), &samples(readings)).unwrap();
        let lines = bill.lines.iter().map(|it| (it.period, it.kwh.to_string())).collect();
        ([bill.elec_fen.0, bill.service_fen.0, bill.total_fen.0], lines)
    }

    #[test]
    fn energy_is_spread_evenly_across_a_boundary() {
        let (fees, lines) = priced(&[("11:40:00", "0"), ("12:10:00", "30")]);
        assert_eq!(fees, [2724, 1150, 3874]);
        assert_eq!(lines, [(Period::Peak, "20.0000".to_owned()), (Period::Flat, "10.0000".to_owned())]);
    }

    #[test]
    fn the_first_reading_is_the_base() {
        let (fees, lines) = priced(&[("10:05:00", "1234.5"), ("10:25:00", "1254.5")]);
        assert_eq!((fees, lines), ([2025, 800, 2825], vec![(Period::Peak, "20.0000".to_owned())]));
    }

    #[test]
    fn a_reading_on_a_boundary_parts_the_periods_exactly() {
        let (_, lines) = priced(&[("11:30:00", "0"), ("12:00:00", "7"), ("12:30:00", "8")]);
        assert_eq!(lines, [(Period::Peak, "7.0000".to_owned()), (Period::Flat, "1.0000".to_owned())]);
    }

    #[test]
    fn a_charge_of_more_than_a_day_meets_its_periods_again() {
        let (_, lines) = priced(&[("23:00:00", "0"), ("+23:30:00", "24.5")]);
        let energy = |period| lines.iter().find(|it| it.0 == period).map(|it| it.1.as_str());
        assert_eq!(energy(Period::Valley), Some("8.5000"));
        assert_eq!(energy(Period::Sharp), Some("2.0000"));
    }

    #[test]
    fn fewer_than_two_readings_cost_nothing() {
        assert_eq!(priced(&[]), ([0; 3], vec![]));
        assert_eq!(priced(&[("10:00:00", "55")]), ([0; 3], vec![]));
        assert_eq!(priced(&[("10:00:00", "55"), ("11:00:00", "55")]), ([0; 3], vec![]));
    }

    #[test]
    fn readings_are_sorted_and_falling_ones_counted() {
        let mixed = [
            ("08:20:00", "1"),
            ("08:00:00", "0"),
            ("08:10:00", "3.9"),
            ("08:30:00", "3.5"),
            ("08:10:00", "4"),
            ("08:40:00", "3.4"),
        ];
        let counted = bill(&tariff(), &samples(&mixed)).unwrap();
        assert_eq!((counted.kwh_total.to_string(), counted.meter_anomalies), ("6.5000".to_owned(), 2));
        let resting = bill(&tariff(), &samples(&[("08:00:00", "5"), ("08:10:00", "5")])).unwrap();
        assert_eq!(resting.meter_anomalies, 0, "a meter may rest");
    }

    #[test]
    fn segments_explain_where_the_bill_comes_from() {
        let readings = samples(&[("16:50:00", "0"), ("17:07:00", "10"), ("19:05:00", "77.7777")]);
        let explained = segments(&tariff(), &readings).unwrap();
        let shown: Vec<_> = explained
            .iter()
            .map(|it| {
                let clocks = [it.from, it.to].map(time::clock_text).join(" to ");
                format!("{clocks} {} {} {} {} {}", it.period, it.kwh, it.elec_price, it.elec_fen, it.service_fen)
            })
            .collect();
        let expected = [
            "16:50:00 to 17:00:00 peak 5.8824 1.01250 5.95 2.35",
            "17:00:00 to 19:00:00 sharp 69.0234 1.25130 86.37 27.61",
            "19:00:00 to 19:05:00 peak 2.8719 1.01250 2.91 1.15",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn instants_are_told_apart_to_the_microsecond() {
        let (fees, _) = priced(&[("10:00:00.000000100", "0"), ("10:00:00.000000900", "5"), ("10:30:00", "5")]);
        assert_eq!(fees, [0; 3], "two readings at one instant count as the larger");
        let (_, lines) = priced(&[("11:59:59.999999", "0"), ("12:00:00.000001", "2")]);
        assert_eq!(lines, [(Period::Peak, "1.0000".to_owned()), (Period::Flat, "1.0000".to_owned())]);
    }

    #[test]
    fn a_wrong_clock_is_an_error() {
        let reading = |at: DateTime<Utc>| Sample { at, kwh: Kwh::ZERO };
        let start: DateTime<Utc> = "2026-01-01T00:00:00+08:00".parse().unwrap();
        let spanning = |span| bill(&tariff(), &[reading(start), reading(start + span)]).map(|it| it.kwh_total);
        let longest = chrono::TimeDelta::days(366);
        assert_eq!(spanning(longest), Ok(Kwh::ZERO));
        assert_eq!(spanning(longest + chrono::TimeDelta::microseconds(1)), Err(PricingError::TooLong));
        let ends = [reading(DateTime::<Utc>::MIN_UTC), reading(DateTime::<Utc>::MAX_UTC)];
        assert_eq!(bill(&tariff(), &ends), Err(PricingError::TooLong));
        let near_the_end = reading(DateTime::<Utc>::MAX_UTC - chrono::TimeDelta::minutes(50));
        assert!(bill(&tariff(), &[near_the_end, reading(DateTime::<Utc>::MAX_UTC)]).is_ok());
    }

    #[test]
    fn a_part_of_the_day_without_a_period_is_an_error() {
        let mut tariff = tariff();
        tariff.slots.remove(2);
        let readings = samples(&[("09:40:00", "0"), ("10:10:00", "1")]);
        assert_eq!(bill(&tariff, &readings), Err(PricingError::Uncovered("10:00".parse().unwrap())));
    }
}
