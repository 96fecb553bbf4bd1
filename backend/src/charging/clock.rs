//! When things happened at a charger whose clock may be wrong. Pure.
//!
//! What a charger says about the differences of its own times is believed; the offset of its clock is not. So a charge is
//! dated as a whole: every time that belongs to it is moved by one offset, which is none for a clock that is right. A clock
//! that changes during a charge begins a new run, with an offset of its own: differences across the change say nothing.
//!
//! Nothing can be told before it happened, but much may be told late. Whether a charge that was told late began late or has
//! a clock that is slow is seen from what was possible: it cannot have begun before the charger was asked to, and a charger
//! that was connected would have told it at once. What is told later shows the rest, see [`Clock::place`].

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::Jsonb;
use serde::{Deserialize, Serialize};

use super::readings::{COARSE_WH, Register};

/// A clock may be off by this before it is called wrong.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// A clock that was just within the tolerance when the charge began, or whose offset was found then, may drift away a
/// little.
const DRIFT: TimeDelta = TimeDelta::minutes(1);
/// What is dated so little before something that it must follow belongs to it: samples often have whole seconds only.
const SLACK: TimeDelta = TimeDelta::seconds(60);
/// A clock that changes more often than this tells nothing any more.
const MOST_RUNS: usize = 16;

/// The clock of a charger during one charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[diesel(sql_type = Jsonb)]
pub struct Clock {
    /// Its run since the beginning of the charge.
    first: Run,
    /// Those after it was changed.
    later: Vec<Run>,
    /// Something came without a time that could be read.
    untimed: bool,
}

/// A time during which nobody touched the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    /// What has to be added to the charger's times, in microseconds.
    offset: i64,
    /// The charger's time of what it told first in this run.
    first: DateTime<Utc>,
    /// By our clock that cannot have happened before this.
    earliest: DateTime<Utc>,
    /// The register that had been reached before.
    from_wh: Option<i64>,
}

impl Run {
    fn date(&self, told: DateTime<Utc>) -> DateTime<Utc> {
        let micros = told.timestamp_micros().saturating_add(self.offset);
        DateTime::from_timestamp_micros(micros).unwrap_or(told)
    }

    fn began_at(&self) -> DateTime<Utc> {
        self.date(self.first)
    }
}

/// When something happened, as the charger tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The run of its clock.
    pub run: i16,
    /// What the clock showed, to the microsecond, as the database keeps it.
    pub told: DateTime<Utc>,
}

/// A stamp, and whether it changed what earlier ones mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The stamp.
    pub stamp: Stamp,
    /// All that was told before has other dates now.
    pub moved: bool,
}

impl Clock {
    /// The clock of a charge that begins, which the charger was asked to at `asked_at`. Its present connection was made
    /// at `connected_at`, as far as that is known.
    pub fn begin(
        told: Option<DateTime<Utc>>,
        asked_at: DateTime<Utc>,
        connected_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Self {
        let first = micros(told.unwrap_or(now));
        let possible = first >= asked_at - TOLERANCE && first <= now + TOLERANCE;
        let in_time = now - first <= TOLERANCE || connected_at.is_none_or(|it| first < it);
        let offset = if possible && in_time { 0 } else { lag(first, now) };
        let first = Run { offset, first, earliest: asked_at.min(now), from_wh: None };
        Self { first, later: vec![], untimed: told.is_none() }
    }

    /// When the charge began.
    pub fn began_at(&self) -> DateTime<Utc> {
        self.first.began_at()
    }

    /// By our clock, the charge cannot have begun before this.
    pub const fn earliest(&self) -> DateTime<Utc> {
        self.first.earliest
    }

    /// How the charger stamped the beginning.
    pub const fn beginning(&self) -> Stamp {
        Stamp { run: 0, told: self.first.first }
    }

    /// When that was.
    pub fn date(&self, stamp: Stamp) -> DateTime<Utc> {
        let run = usize::try_from(stamp.run).ok().and_then(|it| self.run(it)).unwrap_or_else(|| self.newest());
        run.date(stamp.told)
    }

    fn run(&self, number: usize) -> Option<&Run> {
        match number.checked_sub(1) {
            None => Some(&self.first),
            Some(later) => self.later.get(later),
        }
    }

    fn newest(&self) -> &Run {
        self.later.last().unwrap_or(&self.first)
    }

    /// It is not right, has changed, or cannot be read.
    pub fn is_suspect(&self) -> bool {
        self.untimed || self.first.offset != 0 || !self.later.is_empty()
    }

    /// Finds out when something was that is told now. `wh` is the register then, `last` the newest reading so far.
    ///
    /// It belongs to the newest run in which it can be true. What would lie in the future shows that the first word of
    /// this run came late, so that all of the run has to move back, as far as that is possible. Otherwise the clock was
    /// changed, and what is told now happens now.
    pub fn place(
        &mut self,
        told: Option<DateTime<Utc>>,
        wh: Option<i64>,
        last: Register,
        now: DateTime<Utc>,
    ) -> Placed {
        let Some(told) = told.map(micros) else {
            self.untimed = true;
            return Placed { stamp: self.arrived(now), moved: false };
        };
        let newest = self.later.len();
        if let Some(run) = (0..=newest).rev().find(|it| self.fits(*it, told, wh, last, now)) {
            return Placed { stamp: stamp(run, told), moved: false };
        }
        let run = self.later.last_mut().unwrap_or(&mut self.first);
        let ahead = run.date(told) - now;
        if ahead > TimeDelta::zero() && run.began_at() - ahead >= run.earliest {
            run.offset = offset(told, now);
            return Placed { stamp: stamp(newest, told), moved: true };
        }
        if newest < MOST_RUNS {
            let (offset, earliest, from_wh) = (offset(told, now), last.at.min(now), Some(last.wh));
            self.later.push(Run { offset, first: told, earliest, from_wh });
            return Placed { stamp: stamp(newest + 1, told), moved: false };
        }
        Placed { stamp: self.arrived(now), moved: false }
    }

    /// Whether something can have been told so in this run: neither before the charge nor in the future, not with a higher
    /// register than a later reading, nor with a lower one than had been reached before this run, nor after it ended.
    fn fits(&self, run: usize, told: DateTime<Utc>, wh: Option<i64>, last: Register, now: DateTime<Utc>) -> bool {
        let Some(it) = self.run(run) else { return false };
        let (at, ahead) = (it.date(told), if it.offset == 0 { TOLERANCE + DRIFT } else { DRIFT });
        at >= self.began_at() - SLACK
            && at <= now + ahead
            && !(at < last.at - SLACK && wh.is_some_and(|it| it > last.wh.saturating_add(COARSE_WH)))
            && it.from_wh.is_none_or(|from| wh.is_none_or(|it| it >= from.saturating_sub(COARSE_WH)))
            && self.later.get(run).is_none_or(|next| at <= next.began_at() + SLACK)
    }

    /// What the clock would have shown now.
    fn arrived(&self, now: DateTime<Utc>) -> Stamp {
        let told = DateTime::from_timestamp_micros(now.timestamp_micros().saturating_sub(self.newest().offset));
        stamp(self.later.len(), told.unwrap_or(now))
    }
}

fn stamp(run: usize, told: DateTime<Utc>) -> Stamp {
    Stamp { run: i16::try_from(run).unwrap_or(i16::MAX), told }
}

fn lag(told: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    now.timestamp_micros().saturating_sub(told.timestamp_micros())
}

/// The offset of a clock that shows this now: none for one that is about right.
fn offset(told: DateTime<Utc>, now: DateTime<Utc>) -> i64 {
    if (now - told).abs() <= TOLERANCE { 0 } else { lag(told, now) }
}

/// The database keeps microseconds.
pub fn micros(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.timestamp_micros()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        "2026-11-20T09:30:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(second)
    }

    /// The offset that is found in seconds, when a start comes so many seconds after the charger was asked to.
    fn offset_of(told: i64, connected: Option<i64>, now: i64) -> i64 {
        let clock = Clock::begin(Some(at(told)), at(0), connected.map(at), at(now));
        assert_eq!(clock.is_suspect(), clock.first.offset != 0);
        clock.first.offset / 1_000_000
    }

    #[test]
    fn a_late_start_is_told_from_a_wrong_clock() {
        let long_ago = Some(-86_400);
        for (told, connected, now, offset) in [
            (5, long_ago, 5, 0),
            (-280, long_ago, 5, 0),
            (300, long_ago, 5, 0),
            (-301, long_ago, 5, 306),
            (306, long_ago, 5, -301),
            (-28_800 + 5, long_ago, 5, 28_800),
            (28_800 + 5, long_ago, 5, -28_800),
            // It was away when it began, or it was there and its clock is slow.
            (20, Some(559), 560, 0),
            (20, Some(19), 560, 540),
            (20, None, 560, 0),
            // Away or not, it cannot have begun before it was asked to.
            (-400, Some(559), 560, 960),
        ] {
            assert_eq!(offset_of(told, connected, now), offset, "{told} {connected:?} {now}");
        }
    }

    /// A clock of a charge that began at 10 with 1000 Wh, and its newest reading.
    fn begun(told: i64) -> (Clock, Register) {
        let last = Register { at: at(10), arrived_at: at(10), wh: 1000 };
        (Clock::begin(Some(at(told)), at(5), None, at(10)), last)
    }

    /// When readings were, by the time that is told and the register, if they come at these times.
    fn dated(clock: &mut Clock, mut last: Register, readings: &[(i64, i64, i64)]) -> Vec<i64> {
        let mut stamps = vec![];
        for (told, wh, now) in readings {
            let placed = clock.place(Some(at(*told)), Some(*wh), last, at(*now));
            stamps.push(placed.stamp);
            last = Register { at: clock.date(placed.stamp), arrived_at: at(*now), wh: *wh };
        }
        stamps.into_iter().map(|it| (clock.date(it) - at(0)).num_seconds()).collect()
    }

    #[test]
    fn differences_are_believed() {
        for off in [0, 200, -200, 3600, -28_800, -1_700_000_000] {
            let (mut clock, last) = begun(10 + off);
            let readings = [(40, 1500, 40), (70, 2000, 900), (100, 2500, 900), (900, 9000, 901)];
            let expected = readings.map(|it| it.0 + if off.abs() < 300 { off } else { 0 });
            let readings = readings.map(|(told, wh, now)| (told + off, wh, now));
            assert_eq!(dated(&mut clock, last, &readings), expected, "{off}");
            assert_eq!((clock.is_suspect(), clock.later.len()), (off.abs() > 300, 0), "{off}");
        }
    }

    #[test]
    fn a_moment_before_the_start_is_no_wrong_clock() {
        let (mut clock, last) = begun(10);
        assert_eq!(dated(&mut clock, last, &[(9, 1000, 11), (-50, 1000, 12), (11, 1100, 12)]), [9, -50, 11]);
        assert!(!clock.is_suspect());
    }

    #[test]
    fn what_is_told_shows_that_the_start_was_late() {
        // It is 8 hours ahead, and was away for 300 of the 310 seconds that have passed since it was asked to begin.
        let mut clock = Clock::begin(Some(at(28_810)), at(0), Some(at(309)), at(310));
        let last = Register { at: at(310), arrived_at: at(310), wh: 0 };
        assert_eq!(clock.began_at(), at(310));
        assert_eq!(dated(&mut clock, last, &[(29_115, 5000, 315)]), [315]);
        assert_eq!((clock.began_at(), clock.later.len()), (at(10), 0));
    }

    #[test]
    fn a_clock_that_is_changed_begins_anew() {
        // Put right, lost, and set back by less than has passed.
        let (mut clock, last) = begun(-1_700_000_000);
        assert_eq!(dated(&mut clock, last, &[(40, 1500, 40), (70, 2000, 70)]), [40, 70]);
        assert_eq!(clock.later.len(), 1);
        let (mut clock, last) = begun(10);
        assert_eq!(dated(&mut clock, last, &[(40, 1500, 40), (-1_700_000_000, 2000, 70)]), [40, 70]);
        let (mut clock, last) = begun(10);
        assert_eq!(
            dated(&mut clock, last, &[(1000, 1500, 1000), (400, 3000, 1030), (430, 3500, 1060)]),
            [1000, 1030, 1060]
        );
        assert!(clock.is_suspect());
        // While it was away: the last of what it tells at once is now, the others before it.
        let (mut clock, last) = begun(10);
        let readings =
            [(600, 1500, 3600), (900, 4000, 3600), (300, 7000, 3600), (900, 10_000, 3600), (1500, 13_000, 3600)];
        assert_eq!(dated(&mut clock, last, &readings), [600, 900, 2400, 3000, 3600]);
        // What it tells again is where it was.
        let last = Register { at: at(3600), arrived_at: at(3600), wh: 13_000 };
        assert_eq!(dated(&mut clock, last, &[(600, 1500, 3610)]), [600]);
    }

    #[test]
    fn a_clock_gone_mad_ends_with_ours() {
        let (mut clock, last) = begun(10);
        let readings: Vec<_> = (1..100).map(|n| (n * 1_000_000 * (n % 2 * 2 - 1), 1000 + n, 10 + n)).collect();
        dated(&mut clock, last, &readings);
        assert_eq!(clock.later.len(), MOST_RUNS);
        let placed = clock.place(Some(at(77_777_777)), Some(9000), last, at(500));
        assert_eq!(clock.date(placed.stamp), at(500));
        let placed = clock.place(None, Some(9000), last, at(501));
        assert_eq!(clock.date(placed.stamp), at(501));
    }

    #[test]
    fn what_has_no_time_happens_when_it_comes() {
        let (mut clock, last) = begun(10);
        let placed = clock.place(None, Some(1500), last, at(77));
        assert_eq!((clock.date(placed.stamp), clock.is_suspect()), (at(77), true));
        let clock = Clock::begin(None, at(0), None, at(9));
        assert_eq!((clock.began_at(), clock.is_suspect()), (at(9), true));
    }
}
