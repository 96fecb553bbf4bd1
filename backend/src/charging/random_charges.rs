//! Random charges at chargers of all kinds, against a model that knows what really flowed and when.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use shared::pricing::{Bill, Period, Range, Sample, Tariff, UnitPrice, bill};

use super::clock::{Clock, Stamp, micros};
use super::event::Reading;
use super::meter::Meter;
use super::readings::{Entry, Kind, Register};
use super::report::{Stamped, follow, stamped};
use super::settle::{Explained, price};

const RATED_W: i64 = 60_000;
const CASES: u64 = 1500;
const MINUTE: i64 = 60_000;

/// Milliseconds after the charger was asked to begin, by our clock, which is right.
fn at(millis: i64) -> DateTime<Utc> {
    "2026-11-20T09:30:00+08:00".parse::<DateTime<Utc>>().unwrap() + TimeDelta::milliseconds(millis)
}

fn tariff() -> Tariff {
    let price =
        |elec: &str, service: &str| UnitPrice { elec: elec.parse().unwrap(), service: service.parse().unwrap() };
    let prices = [
        (Period::Peak, price("1.01250", "0.4")),
        (Period::Flat, price("0.69870", "0.35")),
        (Period::Valley, price("0.35210", "0.3")),
    ];
    let range = |from: &str, to: &str, period| Range { from: from.parse().unwrap(), to: to.parse().unwrap(), period };
    let ranges = vec![
        range("08:00", "10:00", Period::Peak),
        range("10:00", "10:30", Period::Flat),
        range("10:30", "08:00", Period::Valley),
    ];
    Tariff::time_of_use(prices.into(), ranges)
}

/// A charger's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    /// About right.
    Right,
    /// Wrong, and always by as much.
    Steady,
    /// Changed during the charge.
    Changed,
}

/// What really happens.
#[derive(Debug)]
struct World {
    watch: Watch,
    /// How far the clock is ahead, before and after it is changed, and when that is.
    ahead: [i64; 2],
    changed_at: i64,
    drift_ppm: i64,
    whole_seconds: [bool; 2],
    /// The register at the start of each minute.
    minutes: Vec<i64>,
    /// When the charger is not connected.
    away: Vec<(i64, i64)>,
    started_at: i64,
    stopped_at: i64,
    samples: Vec<i64>,
    relative: bool,
    relative_end: bool,
    coarse: i64,
    untimed: bool,
}

impl World {
    fn new(random: &mut StdRng) -> Self {
        let started_at = random.random_range(500..30_000);
        let minutes = random.random_range(2..70_i64);
        let stopped_at = started_at + minutes * MINUTE + random.random_range(0..MINUTE);
        let relative = random.random_bool(0.15);
        let mut wh = match random.random_range(0..4) {
            _ if relative => random.random_range(500_000..1_000_000_000),
            0 => 0,
            1 => random.random_range(1..2000),
            _ => random.random_range(100_000..1_000_000_000),
        };
        let mut registers = vec![];
        for _ in 0..minutes + 3 {
            registers.push(wh);
            wh += *[0, random.random_range(0..=1000), 1000].get(random.random_range(0..3)).unwrap();
        }
        let mut away = vec![];
        if random.random_bool(0.2) {
            away.push((random.random_range(0..started_at), started_at + random.random_range(1000..9 * MINUTE)));
        }
        let mut from = away.last().map_or(started_at, |it: &(i64, i64)| it.1) + 1000;
        while random.random_bool(0.5) && from < stopped_at {
            from += random.random_range(0..minutes * MINUTE / 2);
            let to = from + random.random_range(1000..40 * MINUTE);
            away.push((from, to));
            from = to + 1000;
        }
        let wrong =
            [-10 * MINUTE, 10 * MINUTE, 480 * MINUTE, -480 * MINUTE, -at(0).timestamp_millis(), 38_000_000 * MINUTE];
        let mut any = || wrong[random.random_range(0..wrong.len())];
        let (one, other) = (any(), any());
        let right = random.random_range(-4 * MINUTE..4 * MINUTE);
        let watch = [Watch::Right, Watch::Right, Watch::Steady, Watch::Changed][random.random_range(0..4)];
        let ahead = match (watch, random.random_range(0..3)) {
            (Watch::Right, _) => [right, right],
            (Watch::Steady, _) => [one, one],
            (Watch::Changed, 0) => [right, one],
            (Watch::Changed, 1) => [one, right],
            (Watch::Changed, _) => [one, other],
        };
        let interval = [15_000, 30_000, 60_000, 300_000, 900_000][random.random_range(0..5)];
        let mut samples = vec![];
        let mut next = started_at + random.random_range(0..interval);
        while next < stopped_at {
            samples.push(next);
            next += interval;
        }
        Self {
            watch,
            ahead,
            changed_at: random.random_range(started_at..stopped_at),
            drift_ppm: random.random_range(-50..=50),
            whole_seconds: [random.random_bool(0.3), random.random_bool(0.3)],
            minutes: registers,
            away,
            started_at,
            stopped_at,
            samples,
            relative,
            relative_end: relative && random.random_bool(0.5),
            coarse: [1, 1, 1, 10, 100, 1000][random.random_range(0..6)],
            untimed: random.random_bool(0.1),
        }
    }

    fn register(&self, millis: i64) -> i64 {
        let since = millis - self.started_at;
        let (minute, into) = (usize::try_from(since / MINUTE).unwrap(), since % MINUTE);
        self.minutes[minute] + (self.minutes[minute + 1] - self.minutes[minute]) * into / MINUTE
    }

    /// What the charger says of the time.
    fn told(&self, millis: i64, sample: bool) -> DateTime<Utc> {
        let ahead = self.ahead[usize::from(millis >= self.changed_at)];
        let told = at(millis + ahead + millis * self.drift_ppm / 1_000_000);
        let whole = self.whole_seconds[0] || sample && self.whole_seconds[1];
        if whole { DateTime::from_timestamp(told.timestamp(), 0).unwrap() } else { told }
    }

    /// When it comes, if it is told then.
    fn arrives(&self, millis: i64) -> i64 {
        self.away.iter().find(|it| (it.0..it.1).contains(&millis)).map_or(millis + 80, |it| it.1)
    }

    fn reading(&self, millis: i64, random: &mut StdRng) -> Reading {
        let mut wh = self.register(millis) - if self.relative { self.minutes[0] } else { 0 };
        if random.random_bool(0.5) {
            wh -= wh % self.coarse;
        }
        let untimed = self.untimed && random.random_bool(0.3);
        Reading { at: (!untimed).then(|| self.told(millis, true)), wh: Some(wh), ..Reading::default() }
    }
}

/// What the platform keeps of a charge, without a database.
struct Kept {
    clock: Clock,
    meter: Meter,
    rows: BTreeMap<(Stamp, Kind), Entry>,
    tariff: Tariff,
}

impl Kept {
    fn begin(told: Option<DateTime<Utc>>, wh: i64, connected_at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let clock = Clock::begin(told, at(0), Some(connected_at), now);
        let meter = Meter::begin(Register { at: clock.began_at(), arrived_at: now, wh });
        let mut kept = Self { clock, meter, rows: BTreeMap::new(), tariff: tariff() };
        let reading = Reading { at: told, wh: Some(wh), ..Reading::default() };
        kept.store(&[Stamped { kind: Kind::Begin, stamp: kept.clock.beginning(), reading }], now);
        kept
    }

    fn store(&mut self, readings: &[Stamped], now: DateTime<Utc>) {
        for Stamped { kind, stamp, reading } in readings {
            let wh = reading.wh.unwrap();
            let new = Entry { kind: *kind, stamp: *stamp, arrived_at: now, wh };
            let row = self.rows.entry((*stamp, *kind)).or_insert(new);
            row.wh = row.wh.max(wh);
        }
    }

    fn metered(&mut self, readings: Vec<Reading>, now: DateTime<Utc>) {
        let (readings, moved) = stamped(&mut self.clock, self.meter.last(), readings, now);
        self.store(&readings, now);
        if moved || !follow(&mut self.meter, &self.clock, &readings, &self.tariff, RATED_W, now).unwrap() {
            self.meter = Meter::of(Some(&self.clock), self.entries(), &self.tariff, RATED_W).unwrap().unwrap();
        }
    }

    fn stopped(&mut self, readings: Vec<Reading>, end: Reading, now: DateTime<Utc>) {
        let (readings, _) = stamped(&mut self.clock, self.meter.last(), readings, now);
        self.store(&readings, now);
        let stamp = self.clock.place(end.at, end.wh, self.meter.last(), now).stamp;
        self.store(&[Stamped { kind: Kind::End, stamp, reading: end }], now);
    }

    fn entries(&self) -> Vec<Entry> {
        self.rows.values().copied().collect()
    }

    fn settled(&self) -> Explained {
        price(Some(&self.clock), self.entries(), &self.tariff, RATED_W).unwrap()
    }
}

/// The bill by what is known of the world: all times of the charger, moved by this.
fn expected(world: &World, offset: TimeDelta, told: &BTreeMap<i64, i64>) -> Bill {
    let date = |millis: i64, sample| micros(world.told(millis, sample)) + offset;
    let (start, first) = (date(world.started_at, false), world.minutes[0]);
    let stop = date(world.stopped_at, false).max(start + TimeDelta::microseconds(1));
    let kwh = |wh: i64| shared::fixed::Kwh::from_wh(wh - first).unwrap();
    let mut samples = vec![Sample { at: start, kwh: kwh(first) }];
    for (millis, wh) in told {
        let at = date(*millis, true).clamp(start + TimeDelta::microseconds(1), stop);
        samples.push(Sample { at, kwh: kwh(*wh) });
    }
    samples.push(Sample { at: stop, kwh: kwh(world.register(world.stopped_at)) });
    bill(&tariff(), &samples).unwrap()
}

#[test]
fn what_flowed_is_billed_once_and_exactly() {
    let mut compared = 0;
    for seed in 0..CASES {
        compared += u32::from(charge(seed));
    }
    assert!(u64::from(compared) > CASES / 10, "{compared} bills were compared to the fen");
}

/// One random charge; gives whether its bill could be compared to the fen.
fn charge(seed: u64) -> bool {
    let random = &mut StdRng::seed_from_u64(seed);
    let world = World::new(random);
    let tell = |what: &str| format!("{what}, seed {seed}: {world:?}");
    let began = world.arrives(world.started_at);
    let connected = world.away.iter().map(|it| it.1).filter(|it| *it <= began).max().unwrap_or(-86_400_000);
    let untimed = |random: &mut StdRng| world.untimed && random.random_bool(0.3);
    let told = (!untimed(random)).then(|| world.told(world.started_at, false));
    let mut kept = Kept::begin(told, world.minutes[0], at(connected), at(began));

    // Samples come one by one, or all that were kept at once, perhaps in any order, and some of them twice.
    let only_with_the_end = random.random_bool(0.1);
    let readings: Vec<(i64, Reading)> = world.samples.iter().map(|it| (*it, world.reading(*it, random))).collect();
    let mut arrivals: BTreeMap<i64, Vec<Reading>> = BTreeMap::new();
    for (millis, reading) in &readings {
        arrivals.entry(world.arrives(*millis).max(began + 1)).or_default().push(reading.clone());
        if random.random_bool(0.02) {
            arrivals.entry(world.arrives(*millis) + random.random_range(1..MINUTE)).or_default().push(reading.clone());
        }
    }
    let ended = world.arrives(world.stopped_at);
    let shuffled = random.random_bool(0.3);
    for (millis, mut readings) in arrivals.range(..ended).map(|it| (*it.0, it.1.clone())) {
        if only_with_the_end {
            break;
        }
        if shuffled {
            readings.shuffle(random);
        }
        if random.random_bool(0.5) {
            kept.metered(readings, at(millis));
        } else {
            readings.into_iter().zip(0..).for_each(|(it, n)| kept.metered(vec![it], at(millis + n)));
        }
        if random.random_bool(0.01) {
            assert_eq!(kept.meter.bill(&kept.tariff).unwrap(), kept.settled().bill, "{}", tell("runs along"));
        }
    }
    assert_eq!(kept.meter.bill(&kept.tariff).unwrap(), kept.settled().bill, "{}", tell("runs along"));

    let with_data = only_with_the_end || random.random_bool(0.3);
    let data = if with_data { readings.iter().map(|it| it.1.clone()).collect() } else { vec![] };
    let stop = Reading {
        at: (!untimed(random)).then(|| world.told(world.stopped_at, false)),
        wh: Some(world.register(world.stopped_at) - if world.relative_end { world.minutes[0] } else { 0 }),
        ..Reading::default()
    };
    kept.stopped(data, stop, at(ended + MINUTE / 100));

    let settled = kept.settled();
    let flowed = world.register(world.stopped_at) - world.minutes[0];
    let knows_relative = !world.relative_end || settled.relative || world.minutes[0] == 0;
    if knows_relative {
        assert_eq!(settled.bill.kwh_total.units(), flowed * 10, "{}", tell("energy"));
    } else {
        // Nothing shows that the end is relative when no sample does.
        assert!(settled.suspects > 0, "{}", tell("a relative end"));
    }
    let suspect = kept.clock.is_suspect();
    match world.watch {
        _ if world.untimed => return false,
        Watch::Changed => return false,
        Watch::Right => assert!(!suspect, "{}", tell("a right clock")),
        Watch::Steady => assert!(suspect, "{}", tell("a wrong clock")),
    }
    // Samples that stay at zero may be relative, or of a register that is not read.
    if world.relative && !settled.relative {
        return false;
    }
    assert_eq!(settled.suspects, 0, "{}", tell("suspects"));
    let late = began > world.started_at + 100;
    if world.coarse > 1 || world.watch == Watch::Steady && late {
        return false;
    }
    // What did not come before the end, nor with it, is not known.
    let there = |it: &&i64| with_data || !only_with_the_end && world.arrives(**it).max(began + 1) < ended;
    let told = world.samples.iter().filter(there).map(|it| (*it, world.register(*it))).collect();
    let offset = match world.watch {
        Watch::Steady => at(began) - world.told(world.started_at, false),
        Watch::Right | Watch::Changed => TimeDelta::zero(),
    };
    let expected = expected(&world, offset, &told);
    assert_eq!(
        (&settled.bill.lines, settled.bill.total_fen),
        (&expected.lines, expected.total_fen),
        "{}",
        tell("bill")
    );
    true
}
