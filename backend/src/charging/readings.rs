//! The readings of a charge: as the charger told them, and at the times that they were read. Pure.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::clock::{Clock, Stamp};

/// What a reading stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The register at the start, as the charger's record of it says.
    Begin,
    /// The register in between.
    Sample,
    /// The register at the end, as the charger's record of it says.
    End,
}

impl Kind {
    /// Its name in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Sample => "sample",
            Self::End => "end",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Self {
        [Self::Begin, Self::End].into_iter().find(|it| it.as_str() == name).unwrap_or(Self::Sample)
    }
}

/// A reading as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it stands for.
    pub kind: Kind,
    /// When it was read, as the charger tells it.
    pub stamp: Stamp,
    /// When it came.
    pub arrived_at: DateTime<Utc>,
    /// The register in Wh.
    pub wh: i64,
}

/// What a register showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// When it was read.
    pub at: DateTime<Utc>,
    /// When that was told.
    pub arrived_at: DateTime<Utc>,
    /// Its value in Wh.
    pub wh: i64,
}

/// The smallest step of time that is kept.
const TICK: TimeDelta = TimeDelta::microseconds(1);
/// Chargers deliver a little more than they are sold for, and their clocks are not exact: a quarter above the rated power
/// and, for steps of an instant, this much are believed.
const ALLOWANCE_WH: i128 = 1000;
/// Registers that are sampled in whole kWh lag behind exact ones by less than this.
pub(super) const COARSE_WH: i64 = 1000;

/// The most that can have flowed between two readings. Of a charger's time and ours one may be short, but not both: what
/// was away tells all at once, and a clock that was set back hides what passed.
pub(super) fn most(from: Register, to: Register, rated_power_w: i64) -> i128 {
    let time = (to.at - from.at).max(to.arrived_at - from.arrived_at).max(TimeDelta::zero());
    i128::from(rated_power_w) * i128::from(time.num_milliseconds()) / 3_600_000 * 5 / 4 + ALLOWANCE_WH
}

/// Whether a register can have risen from there to this by now.
pub(super) fn reachable(from: Register, wh: i64, rated_power_w: i64, now: DateTime<Utc>) -> bool {
    let to = Register { at: now, arrived_at: now, wh };
    (0..=most(from, to, rated_power_w)).contains(&(i128::from(wh) - i128::from(from.wh)))
}

/// All readings of a charge, at the times that they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Readings {
    /// The register at the start.
    pub(super) begin: Register,
    /// In their order, between both ends; of several at one instant the largest.
    pub(super) samples: Vec<Register>,
    /// The register at the end.
    pub(super) end: Option<Register>,
}

impl Readings {
    /// Dates readings that come in any order; `None` if there are none. Without a charger's record of the start, as orders
    /// have that were made before these were kept, the first reading is the beginning.
    pub(super) fn of(clock: Option<&Clock>, mut entries: Vec<Entry>) -> Option<Self> {
        let date = |it: &Entry| Register {
            at: clock.map_or(it.stamp.told, |clock| clock.date(it.stamp)),
            arrived_at: it.arrived_at,
            wh: it.wh,
        };
        entries.sort_by_key(|it| (it.kind != Kind::Begin, it.stamp, Reverse(it.wh)));
        let mut entries = entries.into_iter();
        let mut begin = date(&entries.next()?);
        if let Some(clock) = clock.filter(|it| it.is_suspect()) {
            begin.arrived_at = begin.arrived_at.min(clock.earliest());
        }
        let rest: Vec<Entry> = entries.collect();
        let soonest = begin.at + TICK;
        let end = rest.iter().find(|it| it.kind == Kind::End).map(date);
        let end = end.map(|it| Register { at: it.at.max(soonest), ..it });
        // Samples in whole seconds may lie before their start, or behind their end; they belong between both.
        let latest = end.map_or(DateTime::<Utc>::MAX_UTC, |it| it.at);
        let between = |it: Register| Register { at: it.at.clamp(soonest, latest), ..it };
        let mut samples: Vec<Register> =
            rest.iter().filter(|it| it.kind != Kind::End).map(|it| between(date(it))).collect();
        samples.sort_by_key(|it| (it.at, Reverse(it.wh)));
        samples.dedup_by_key(|it| it.at);
        Some(Self { begin, samples, end })
    }

    /// Whether the samples count from the beginning of the charge instead of showing the register: they begin below it and
    /// rise by themselves, and none of them can only be the register.
    pub(super) fn are_relative(&self, rated_power_w: i64) -> bool {
        let Self { begin, samples, end: _ } = self;
        let (Some(first), Some(highest)) = (samples.first(), samples.iter().map(|it| it.wh).max()) else {
            return false;
        };
        let own = |it: &Register| (0..=most(*begin, *it, rated_power_w)).contains(&i128::from(it.wh));
        let absolute = |it: &Register| {
            let step = i128::from(it.wh) - i128::from(begin.wh);
            (-i128::from(COARSE_WH)..=most(*begin, *it, rated_power_w)).contains(&step)
        };
        let mut below = samples.iter().filter(|it| it.wh < begin.wh).map(|it| it.wh);
        let lowest = below.next();
        let rises_below = lowest.is_some_and(|lowest| below.any(|it| it > lowest));
        first.wh < begin.wh
            && highest > 0
            && own(first)
            && (first.wh < begin.wh.saturating_sub(COARSE_WH) || rises_below)
            && !samples.iter().any(|it| absolute(it) && !own(it))
    }
}
