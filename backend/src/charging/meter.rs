//! From a meter's register to energy that may be billed. Pure.
//!
//! Registers jump: they are exchanged, start at the meter's whole life, or come from a broken device. A step that falls,
//! or rises faster than the charger can deliver, is not billed and counts as suspect; what follows it is measured from
//! the new value. So nobody pays for an odometer, and nobody waits for money because of one.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Jsonb;
use serde::{Deserialize, Serialize};
use shared::fixed::Kwh;
use shared::pricing::{Bill, Period, PricingError, Sample, Tariff, bill_by_period, segments};

/// What a register showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// When it was read.
    pub at: DateTime<Utc>,
    /// Its value in Wh.
    pub wh: i64,
}

/// A clock may be ahead by this before it is called wrong.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// Chargers deliver a little more than they are sold for, and their clocks are not exact: a quarter above the rated power
/// and, for steps of an instant, this much are believed.
const ALLOWANCE_WH: i128 = 1000;

/// Energy up to an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Credit {
    first_at: DateTime<Utc>,
    last: Register,
    /// The energy that may be billed.
    wh: i64,
    /// The steps that may not.
    suspects: u32,
}

impl Credit {
    const fn begin(first: Register) -> Self {
        Self { first_at: first.at, last: first, wh: 0, suspects: 0 }
    }

    /// Takes the next reading, which is not older than the last; gives the sample that it stands for.
    fn take(&mut self, reading: Register, rated_power_w: i64) -> Result<Sample, PricingError> {
        let most = |since: DateTime<Utc>| {
            let millis = i128::from((reading.at - since).num_milliseconds());
            i128::from(rated_power_w) * millis / 3_600_000 * 5 / 4 + ALLOWANCE_WH
        };
        let step = i128::from(reading.wh) - i128::from(self.last.wh);
        let sum = i128::from(self.wh) + step;
        if step >= 0 && step <= most(self.last.at) && sum <= most(self.first_at) {
            self.wh = self.wh.saturating_add(reading.wh.saturating_sub(self.last.wh));
        } else {
            self.suspects += 1;
        }
        self.last = reading;
        self.sample()
    }

    fn sample(&self) -> Result<Sample, PricingError> {
        let kwh = Kwh::from_wh(self.wh).map_err(|_| shared::fixed::Overflow)?;
        Ok(Sample { at: self.last.at, kwh })
    }
}

/// All readings of a charge, as samples that may be billed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credited {
    /// The energy since the first reading, rising.
    pub samples: Vec<Sample>,
    /// The steps that are not billed.
    pub suspects: u32,
}

/// Judges all readings of a charge, in any order; of several at one instant the largest counts.
///
/// # Errors
/// A number is out of range.
pub fn credited(readings: Vec<Register>, rated_power_w: i64) -> Result<Credited, PricingError> {
    let mut readings = in_order(readings).into_iter();
    let Some(first) = readings.next() else { return Ok(Credited::default()) };
    let mut credit = Credit::begin(first);
    let mut samples = vec![credit.sample()?];
    for reading in readings {
        samples.push(credit.take(reading, rated_power_w)?);
    }
    Ok(Credited { samples, suspects: credit.suspects })
}

fn in_order(mut readings: Vec<Register>) -> Vec<Register> {
    readings.sort_by_key(|it| (it.at, std::cmp::Reverse(it.wh)));
    readings.dedup_by_key(|it| it.at);
    readings
}

/// The readings of a running charge, added up: a new one is billed without reading the others again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
pub struct Meter {
    credit: Credit,
    /// The energy drawn in each period.
    energy: BTreeMap<Period, Kwh>,
}

impl Meter {
    /// The meter of a charge that begins.
    pub const fn begin(first: Register) -> Self {
        Self { credit: Credit::begin(first), energy: BTreeMap::new() }
    }

    /// The meter of readings in any order.
    ///
    /// # Errors
    /// As [`Meter::take`].
    pub fn of(readings: Vec<Register>, tariff: &Tariff, rated_power_w: i64) -> Result<Option<Self>, PricingError> {
        let mut readings = in_order(readings).into_iter();
        let Some(first) = readings.next() else { return Ok(None) };
        let mut meter = Self::begin(first);
        for reading in readings {
            meter.take(reading, tariff, rated_power_w)?;
        }
        Ok(Some(meter))
    }

    /// Takes a reading that is newer than all before it; gives whether energy has flowed since the last.
    ///
    /// # Errors
    /// The tariff does not price it, or a number is out of range.
    pub fn take(&mut self, reading: Register, tariff: &Tariff, rated_power_w: i64) -> Result<bool, PricingError> {
        let before = self.credit.sample()?;
        let after = self.credit.take(reading, rated_power_w)?;
        for segment in segments(tariff, &[before, after])? {
            let sum = self.energy.entry(segment.period).or_insert(Kwh::ZERO);
            *sum = sum.plus(segment.kwh)?;
        }
        Ok(after.kwh > before.kwh)
    }

    /// When it was last read.
    pub const fn last(&self) -> Register {
        self.credit.last
    }

    /// The steps that are not billed.
    pub const fn suspects(&self) -> u32 {
        self.credit.suspects
    }

    /// What the charge costs so far.
    ///
    /// # Errors
    /// A number is out of range.
    pub fn bill(&self, tariff: &Tariff) -> Result<Bill, PricingError> {
        bill_by_period(tariff, self.energy.iter().map(|(period, kwh)| (*period, *kwh)))
    }
}

/// When a device says that something happened, as far as that can be true: not before the charge and not in the future.
/// With a wrong clock it is the time of arrival, and the second value says so.
pub fn believable(at: DateTime<Utc>, earliest: DateTime<Utc>, now: DateTime<Utc>) -> (DateTime<Utc>, bool) {
    let wrong = at < earliest || at > now + CLOCK_TOLERANCE;
    (if wrong { now } else { at }, wrong)
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use shared::pricing::{Range, UnitPrice, bill};

    use super::*;

    const RATED_W: i64 = 60_000;

    fn at(minute: i64) -> DateTime<Utc> {
        "2026-11-20T09:30:00+08:00".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
    }

    fn readings(pairs: &[(i64, i64)]) -> Vec<Register> {
        pairs.iter().map(|(minute, wh)| Register { at: at(*minute), wh: *wh }).collect()
    }

    /// The energy in Wh after all readings, and the steps that are not billed.
    fn judged(pairs: &[(i64, i64)]) -> (i64, u32) {
        let it = credited(readings(pairs), RATED_W).unwrap();
        (it.samples.last().map_or(0, |it| it.kwh.units() / 10), it.suspects)
    }

    fn tariff() -> Tariff {
        let price =
            |elec: &str, service: &str| UnitPrice { elec: elec.parse().unwrap(), service: service.parse().unwrap() };
        let prices = [(Period::Peak, price("1.01250", "0.4")), (Period::Valley, price("0.35210", "0.3"))];
        let range =
            |from: &str, to: &str, period| Range { from: from.parse().unwrap(), to: to.parse().unwrap(), period };
        let ranges = vec![range("08:00", "10:00", Period::Peak), range("10:00", "08:00", Period::Valley)];
        Tariff::time_of_use(prices.into(), ranges)
    }

    #[test]
    fn true_readings_are_billed_as_they_are() {
        assert_eq!(judged(&[]), (0, 0));
        assert_eq!(judged(&[(0, 7000)]), (0, 0));
        assert_eq!(judged(&[(10, 17_000), (0, 7_000), (20, 29_000), (10, 16_000)]), (22_000, 0));
    }

    #[test]
    fn an_odometer_is_not_billed() {
        assert_eq!(
            judged(&[(0, 0), (1, 910_000), (2, 910_900)]),
            (900, 1),
            "it began at zero and told its whole life later"
        );
        assert_eq!(judged(&[(0, 910_000), (1, 910_500), (2, 0), (3, 600)]), (1100, 1), "it was exchanged");
        assert_eq!(judged(&[(0, 100), (1, 900), (2, 99_999_999), (3, 1500), (4, 2300)]), (1600, 2), "one was nonsense");
        assert_eq!(judged(&[(0, 0), (1, i64::MAX), (2, i64::MIN), (3, 5)]), (0, 3));
    }

    #[test]
    fn nothing_is_faster_than_the_charger() {
        // 60 kW for an hour is 60 kWh; a quarter and 1 kWh more are believed.
        assert_eq!(judged(&[(0, 0), (60, 76_000)]), (76_000, 0));
        assert_eq!(judged(&[(0, 0), (60, 76_001)]), (0, 1));
        // Small leaps, each of them possible, do not add up to something impossible.
        let leaps: Vec<_> = (0..60).map(|n| (n, n * 2000)).collect();
        let (wh, suspects) = judged(&leaps);
        assert!(suspects > 0 && wh <= 59 * 1250 + 1000, "{wh} {suspects}");
    }

    #[test]
    fn the_running_bill_is_the_bill_of_all_readings() {
        let tariff = tariff();
        let mut random = StdRng::seed_from_u64(7);
        for _ in 0..200 {
            let mut all = vec![];
            let (mut minute, mut wh) = (0, random.random_range(0..1_000_000));
            for _ in 0..random.random_range(1..40) {
                all.push(Register { at: at(minute) + TimeDelta::milliseconds(random.random_range(0..60_000)), wh });
                minute += random.random_range(1..20);
                wh += match random.random_range(0..12) {
                    0 => -500,
                    1 => 200_000,
                    _ => random.random_range(0..5000),
                };
            }
            let mut running = Meter::begin(all[0]);
            for reading in &all[1..] {
                running.take(*reading, &tariff, RATED_W).unwrap();
            }
            let mut shuffled = all.clone();
            shuffled.extend_from_slice(&all[..all.len() / 2]);
            shuffled.reverse();
            let credited = credited(shuffled.clone(), RATED_W).unwrap();
            let whole = bill(&tariff, &credited.samples).unwrap();
            assert_eq!(running.bill(&tariff).unwrap(), whole);
            assert_eq!((running.suspects(), whole.meter_anomalies), (credited.suspects, 0));
            assert_eq!(Meter::of(shuffled, &tariff, RATED_W).unwrap(), Some(running));
        }
    }

    #[test]
    fn only_possible_times_are_believed() {
        let (start, now) = (at(0), at(60));
        assert_eq!(believable(at(30), start, now), (at(30), false));
        assert_eq!(believable(at(65), start, now), (at(65), false));
        assert_eq!(believable(at(66), start, now), (now, true));
        assert_eq!(believable(at(-1), start, now), (now, true));
    }

    #[test]
    fn a_meter_survives_the_database() {
        let meter = Meter::of(readings(&[(0, 5), (40, 900)]), &tariff(), RATED_W).unwrap().unwrap();
        let stored = serde_json::to_value(&meter).unwrap();
        assert_eq!(serde_json::from_value::<Meter>(stored).unwrap(), meter);
    }
}
