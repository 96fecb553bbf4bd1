//! From a meter's register to energy that may be billed. Pure.
//!
//! What the charger says at the start and at the end of a charge is what is billed, exactly, if it can have flowed in the
//! time between, by the charger's clock or by ours; the samples say when it flowed. Where there is no end yet, or none that
//! can be true, the energy is added up from reading to reading.
//!
//! Registers jump: they are exchanged, start at the meter's whole life, or come from a broken device. A reading that falls,
//! or rises faster than the charger can deliver, is not believed and counts as suspect. If the next one continues the one
//! before it, it was nonsense and costs nobody anything; if the next one continues it, the energy is measured from there on.
//! So nobody pays for an odometer, and nobody waits for money because of one.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Jsonb;
use serde::{Deserialize, Serialize};
use shared::fixed::{Kwh, Overflow};
use shared::pricing::{Bill, Period, PricingError, Sample, Tariff, bill_by_period, segments};

use super::clock::Clock;
use super::readings::{COARSE_WH, Entry, Readings, Register, most, reachable};

/// Energy up to an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Credit {
    begin: Register,
    /// The register from which energy is measured, and the energy at that time.
    from_wh: i64,
    base_wh: i64,
    /// The newest reading that is believed, and the highest register since `from_wh`.
    last: Register,
    high_wh: i64,
    /// The energy that may be billed.
    wh: i64,
    /// The newest reading, if it is not believed.
    doubtful: Option<Register>,
    /// The readings that are not believed.
    suspects: u32,
}

impl Credit {
    const fn begin(begin: Register, from_wh: i64) -> Self {
        let last = Register { wh: from_wh, ..begin };
        Self { begin, from_wh, base_wh: 0, last, high_wh: from_wh, wh: 0, doubtful: None, suspects: 0 }
    }

    /// The energy up to a reading, if that continues the readings before.
    fn continued(&self, reading: Register, rated_power_w: i64) -> Option<i64> {
        let step = i128::from(reading.wh) - i128::from(self.last.wh);
        if reading.wh < self.high_wh.saturating_sub(COARSE_WH) || step > most(self.last, reading, rated_power_w) {
            return None;
        }
        let wh = i128::from(self.base_wh) + (i128::from(reading.wh) - i128::from(self.from_wh)).max(0);
        i64::try_from(wh).ok().filter(|_| wh <= most(self.begin, reading, rated_power_w))
    }

    /// Takes the next reading, which is not older than the last; `false` if it is not believed.
    fn take(&mut self, reading: Register, rated_power_w: i64) -> bool {
        if let Some(wh) = self.continued(reading, rated_power_w) {
            (self.wh, self.last, self.doubtful) = (wh, reading, None);
            self.high_wh = self.high_wh.max(reading.wh);
            return true;
        }
        // Perhaps the meter is another one since the reading before.
        if let Some(other) = self.doubtful {
            let exchanged =
                Self { from_wh: other.wh, base_wh: self.wh, last: other, high_wh: other.wh, doubtful: None, ..*self };
            if exchanged.continued(reading, rated_power_w).is_some() {
                *self = exchanged;
                return self.take(reading, rated_power_w);
            }
        }
        self.doubtful = Some(reading);
        self.suspects += 1;
        false
    }
}

fn sample(at: DateTime<Utc>, wh: i64) -> Result<Sample, PricingError> {
    Ok(Sample { at, kwh: Kwh::from_wh(wh).map_err(|_| Overflow)? })
}

/// All readings of a charge, as samples that may be billed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credited {
    /// The energy since the beginning, never falling.
    pub samples: Vec<Sample>,
    /// The readings that are not believed.
    pub suspects: u32,
    /// The charger's samples count from the beginning of the charge.
    pub relative: bool,
    credit: Option<Credit>,
}

/// Judges all readings of a charge, in any order.
///
/// # Errors
/// A number is out of range.
pub fn credited(clock: Option<&Clock>, entries: Vec<Entry>, rated_power_w: i64) -> Result<Credited, PricingError> {
    let Some(readings) = Readings::of(clock, entries) else {
        return Ok(Credited { samples: vec![], suspects: 0, relative: false, credit: None });
    };
    let relative = readings.are_relative(rated_power_w);
    let Readings { begin, samples, end } = readings;
    let mut credit = Credit::begin(begin, if relative { 0 } else { begin.wh });
    let mut points = vec![(begin.at, 0)];
    for reading in samples {
        if credit.take(reading, rated_power_w) {
            reach(&mut points, reading.at, credit.wh);
        }
    }
    if let Some(end) = end {
        match whole(&credit, end, relative, rated_power_w) {
            Some(wh) => reach(&mut points, end.at, wh),
            None => {
                if credit.take(end, rated_power_w) {
                    reach(&mut points, end.at, credit.wh);
                }
                // Less than at the start cannot be, however small the difference.
                if end.wh < begin.wh {
                    credit.suspects = credit.suspects.max(1);
                }
            }
        }
    }
    let samples = points.into_iter().map(|(at, wh)| sample(at, wh)).collect::<Result<_, _>>()?;
    Ok(Credited { samples, suspects: credit.suspects, relative, credit: Some(credit) })
}

/// What flowed between both ends as the charger's records of them say, if that is possible. A charger whose samples are
/// relative may end with either; it is what its samples lead to.
fn whole(credit: &Credit, end: Register, relative: bool, rated_power_w: i64) -> Option<i64> {
    let possible = 0..=most(credit.begin, end, rated_power_w);
    [end.wh.checked_sub(credit.begin.wh), Some(end.wh).filter(|_| relative)]
        .into_iter()
        .flatten()
        .filter(|it| possible.contains(&i128::from(*it)))
        .min_by_key(|it| (*it < credit.wh, it.abs_diff(credit.wh)))
}

/// Adds what was reached. A reading that is lower than one before it tells that less had flowed by then.
fn reach(points: &mut Vec<(DateTime<Utc>, i64)>, at: DateTime<Utc>, wh: i64) {
    points.iter_mut().rev().take_while(|it| it.1 > wh).for_each(|it| it.1 = wh);
    points.push((at, wh));
}

/// The readings of a running charge, added up: a new one is billed without reading the others again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
pub struct Meter {
    credit: Credit,
    relative: bool,
    /// The energy drawn in each period.
    energy: BTreeMap<Period, Kwh>,
}

impl Meter {
    /// The meter of a charge that begins.
    pub const fn begin(first: Register) -> Self {
        Self { credit: Credit::begin(first, first.wh), relative: false, energy: BTreeMap::new() }
    }

    /// The meter of readings in any order; `None` if there are none.
    ///
    /// # Errors
    /// As [`Meter::take`].
    pub fn of(
        clock: Option<&Clock>,
        entries: Vec<Entry>,
        tariff: &Tariff,
        rated_power_w: i64,
    ) -> Result<Option<Self>, PricingError> {
        let Credited { samples, relative, credit, suspects: _ } = credited(clock, entries, rated_power_w)?;
        let Some(credit) = credit else { return Ok(None) };
        let mut meter = Self { credit, relative, energy: BTreeMap::new() };
        meter.add(&samples, tariff)?;
        Ok(Some(meter))
    }

    /// Takes a sample that simply continues all before it. `false`, and nothing changed, if it does not: then what it
    /// means depends on the others, see [`Meter::of`].
    ///
    /// # Errors
    /// The tariff does not price it, or a number is out of range.
    pub fn take(&mut self, reading: Register, tariff: &Tariff, rated_power_w: i64) -> Result<bool, PricingError> {
        let Credit { begin, last, high_wh, doubtful, .. } = self.credit;
        let lowest = if self.relative { high_wh } else { high_wh.max(begin.wh) };
        if doubtful.is_some() || reading.at <= last.at || reading.wh < lowest {
            return Ok(false);
        }
        let Some(wh) = self.credit.continued(reading, rated_power_w) else { return Ok(false) };
        self.add(&[sample(last.at, self.credit.wh)?, sample(reading.at, wh)?], tariff)?;
        (self.credit.wh, self.credit.last, self.credit.high_wh) = (wh, reading, reading.wh);
        Ok(true)
    }

    fn add(&mut self, samples: &[Sample], tariff: &Tariff) -> Result<(), PricingError> {
        for segment in segments(tariff, samples)? {
            let sum = self.energy.entry(segment.period).or_insert(Kwh::ZERO);
            *sum = sum.plus(segment.kwh)?;
        }
        Ok(())
    }

    /// The newest reading that is believed.
    pub const fn last(&self) -> Register {
        self.credit.last
    }

    /// The energy so far in Wh.
    pub const fn wh(&self) -> i64 {
        self.credit.wh
    }

    /// The readings that are not believed.
    pub const fn suspects(&self) -> u32 {
        self.credit.suspects
    }

    /// The charger's samples count from the beginning of the charge.
    pub const fn is_relative(&self) -> bool {
        self.relative
    }

    /// Whether the charger's record of the end can show this now. Where samples count from the beginning it may do so, too.
    pub fn can_show(&self, wh: i64, rated_power_w: i64, now: DateTime<Utc>) -> bool {
        let Credit { begin, last, .. } = self.credit;
        let register = if self.relative { begin.wh.saturating_add(last.wh) } else { last.wh };
        reachable(Register { wh: register, ..last }, wh, rated_power_w, now)
            || self.relative && reachable(last, wh, rated_power_w, now)
    }

    /// How long a register like this may stand still while a kW flows; `None` as long as no sample has shown one.
    pub fn still(&self) -> Option<TimeDelta> {
        let Credit { begin, last, .. } = self.credit;
        let step = [1000, 100, 10].into_iter().find(|step| last.wh % step == 0).unwrap_or(1);
        (last.at > begin.at).then(|| TimeDelta::milliseconds(step * 3600))
    }

    /// What the charge costs so far.
    ///
    /// # Errors
    /// A number is out of range.
    pub fn bill(&self, tariff: &Tariff) -> Result<Bill, PricingError> {
        bill_by_period(tariff, self.energy.iter().map(|(period, kwh)| (*period, *kwh)))
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};
    use shared::pricing::{Range, UnitPrice, bill};

    use super::super::clock::Stamp;
    use super::super::readings::Kind;
    use super::*;

    const RATED_W: i64 = 60_000;

    fn at(minute: i64) -> DateTime<Utc> {
        "2026-11-20T09:30:00+08:00".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minute)
    }

    fn entry(told: DateTime<Utc>, wh: i64) -> Entry {
        Entry { kind: Kind::Sample, stamp: Stamp { run: 0, told }, arrived_at: told, wh }
    }

    fn readings(pairs: &[(i64, i64)]) -> Vec<Entry> {
        pairs.iter().map(|(minute, wh)| entry(at(*minute), *wh)).collect()
    }

    /// The same, of which the last one is the charger's record of the end.
    fn ended(pairs: &[(i64, i64)]) -> (i64, u32) {
        let mut readings = readings(pairs);
        readings.last_mut().unwrap().kind = Kind::End;
        let it = credited(None, readings, RATED_W).unwrap();
        (it.samples.last().unwrap().kwh.units() / 10, it.suspects)
    }

    /// The energy in Wh after all readings, and the steps that are not billed.
    fn judged(pairs: &[(i64, i64)]) -> (i64, u32) {
        let it = credited(None, readings(pairs), RATED_W).unwrap();
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
        assert_eq!(judged(&[(0, 100), (1, 900), (2, 99_999_999), (3, 1500), (4, 2300)]), (2200, 1), "one was nonsense");
        assert_eq!(judged(&[(0, 0), (1, i64::MAX), (2, i64::MIN), (3, 5)]), (5, 2));
        assert_eq!(ended(&[(0, 910_000), (1, 910_500), (2, 0)]), (500, 1), "it lost its register before the end");
        assert_eq!(ended(&[(0, 910_000), (1, 0)]), (0, 1));
        assert_eq!(ended(&[(0, 910_000), (1, 909_999)]), (0, 1), "less than at the start, however little");
    }

    #[test]
    fn both_ends_say_what_is_billed() {
        assert_eq!(ended(&[(0, 10_000), (1, 99_000), (2, 0), (3, 12_000)]), (2000, 2), "whatever lies between");
        assert_eq!(ended(&[(0, 1000), (1, 2000), (2, 1900)]), (900, 0), "a sample in whole kWh was rounded up");
        assert_eq!(ended(&[(0, 100_432), (1, 100_000), (2, 101_000), (3, 101_600)]), (1168, 0), "or down");
        assert_eq!(judged(&[(0, 100_432), (1, 100_000), (2, 101_000)]), (568, 0), "while there is no end, too");
        let mut readings = readings(&[(0, 1000), (-1, 1500), (3, 3500)]);
        readings[0].kind = Kind::Begin;
        readings.push(Entry { kind: Kind::End, ..entry(at(2), 3000) });
        let credited = credited(None, readings, RATED_W).unwrap();
        let told: Vec<_> = credited.samples.iter().map(|it| (it.at, it.kwh.units() / 10)).collect();
        let first = at(0) + TimeDelta::microseconds(1);
        assert_eq!(told, [(at(0), 0), (first, 500), (at(2), 2000), (at(2), 2000)], "all of it lies between");
    }

    #[test]
    fn samples_may_count_from_the_beginning() {
        let relative = |pairs: &[(i64, i64)]| credited(None, readings(pairs), RATED_W).unwrap().relative;
        assert!(relative(&[(0, 910_000), (1, 50)]));
        assert_eq!(judged(&[(0, 910_000), (1, 50), (2, 900)]), (900, 0));
        for end in [1000, 911_000] {
            assert_eq!(ended(&[(0, 910_000), (1, 50), (2, 900), (3, end)]), (1000, 0), "the end may be either");
        }
        assert_eq!(ended(&[(0, 500), (1, 50), (2, 300), (3, 900), (4, 1200)]), (1200, 0), "a new meter");
        assert_eq!(ended(&[(0, 500), (1, 50), (2, 300), (3, 900), (4, 1700)]), (1200, 0));
        assert!(!relative(&[(0, 910_000), (1, 0), (2, 0)]), "it was not read yet");
        assert!(!relative(&[(0, 910_000), (1, 0), (2, 910_300)]));
        assert_eq!(judged(&[(0, 910_000), (1, 0), (2, 910_300)]), (300, 1));
        assert!(!relative(&[(0, 910_000), (1, 910_100), (2, 50), (3, 900)]), "it was exchanged");
        assert!(!relative(&[(0, 100_432), (1, 100_000), (2, 100_000)]), "whole kWh");
    }

    #[test]
    fn a_clock_that_hides_time_hides_no_energy() {
        // Ten minutes, of which the charger counts one.
        let mut readings = readings(&[(0, 0), (1, 9000)]);
        assert_eq!(credited(None, readings.clone(), RATED_W).unwrap().suspects, 1);
        readings[1].arrived_at = at(10);
        let credited = credited(None, readings, RATED_W).unwrap();
        assert_eq!((credited.suspects, credited.samples.last().unwrap().kwh), (0, "9".parse().unwrap()));
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
                all.push(entry(at(minute) + TimeDelta::milliseconds(random.random_range(0..60_000)), wh));
                minute += random.random_range(1..20);
                wh += match random.random_range(0..12) {
                    0 => -500,
                    1 => 200_000,
                    _ => random.random_range(0..5000),
                };
            }
            let register = |it: &Entry| Register { at: it.stamp.told, arrived_at: it.arrived_at, wh: it.wh };
            let mut running = Meter::begin(register(&all[0]));
            for (n, reading) in all.iter().enumerate().skip(1) {
                if !running.take(register(reading), &tariff, RATED_W).unwrap() {
                    running = Meter::of(None, all[..=n].to_vec(), &tariff, RATED_W).unwrap().unwrap();
                }
            }
            let mut shuffled = all.clone();
            shuffled.extend_from_slice(&all[..all.len() / 2]);
            shuffled.reverse();
            let credited = credited(None, shuffled.clone(), RATED_W).unwrap();
            let whole = bill(&tariff, &credited.samples).unwrap();
            assert_eq!(running.bill(&tariff).unwrap(), whole);
            assert_eq!((running.suspects(), whole.meter_anomalies), (credited.suspects, 0));
            assert_eq!(Meter::of(None, shuffled, &tariff, RATED_W).unwrap(), Some(running));
        }
    }

    #[test]
    fn a_meter_survives_the_database() {
        let meter = Meter::of(None, readings(&[(0, 5), (40, 900)]), &tariff(), RATED_W).unwrap().unwrap();
        let stored = serde_json::to_value(&meter).unwrap();
        assert_eq!(serde_json::from_value::<Meter>(stored).unwrap(), meter);
    }
}
