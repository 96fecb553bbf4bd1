//! Time in a parking bay: how long a reservation holds it, and how long a car stood there without charging.

use chrono::{DateTime, TimeDelta, Utc};

use crate::codes::codes;

/// For how many whole seconds a car stood in a bay without charging. Charging intervals may overlap each other and the
/// ends of the stay. A car on the allowlist may stand as long as it likes.
pub fn occupancy_seconds(
    enter: DateTime<Utc>,
    leave: DateTime<Utc>,
    charging: &[(DateTime<Utc>, DateTime<Utc>)],
    allowlisted: bool,
) -> i64 {
    if allowlisted {
        return 0;
    }
    let mut intervals: Vec<_> = charging.iter().filter(|(from, to)| from < to).collect();
    intervals.sort_unstable();
    let mut idle = TimeDelta::zero();
    let mut idle_since = enter;
    for (from, to) in intervals {
        let (from, to) = (*from.min(&leave), *to.min(&leave));
        idle += (from - idle_since).max(TimeDelta::zero());
        idle_since = idle_since.max(to);
    }
    idle += (leave - idle_since).max(TimeDelta::zero());
    idle.num_seconds()
}

codes! {
    /// Where a reservation stands (3.4.4/5).
    pub enum ReservationState {
        Reserved = "reserved", Primary, "预约中", "Reserved";
        Occupying = "occupying", Warning, "占位中", "Occupying";
        Completed = "completed", Success, "预约完成", "Completed";
        Cancelled = "cancelled", Info, "预约取消", "Cancelled";
        TimedOut = "timed_out", Danger, "预约超时", "Timed out";
    }
}

/// How long a reservation waits for its car.
const HOLD: TimeDelta = TimeDelta::hours(2);

/// The last instant at which the car of a reservation may enter.
pub fn reservation_deadline(created: DateTime<Utc>) -> DateTime<Utc> {
    created.checked_add_signed(HOLD).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// Where a reservation stands that nobody has ended, as time alone decides it: entering in time occupies the bay, not having
/// entered in time loses it.
pub fn reservation_state(
    created: DateTime<Utc>,
    entered: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> ReservationState {
    let deadline = reservation_deadline(created);
    match entered {
        Some(entered) if entered <= deadline => ReservationState::Occupying,
        _ if now > deadline => ReservationState::TimedOut,
        _ => ReservationState::Reserved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(clock: &str) -> DateTime<Utc> {
        format!("2026-11-20T{clock}+08:00").parse().unwrap()
    }

    fn occupied(charging: &[(&str, &str)]) -> i64 {
        let charging: Vec<_> = charging.iter().map(|(from, to)| (at(from), at(to))).collect();
        occupancy_seconds(at("10:00:00"), at("11:00:00"), &charging, false)
    }

    #[test]
    fn only_time_without_charging_within_the_stay_counts() {
        assert_eq!(occupied(&[]), 3600);
        assert_eq!(occupied(&[("09:00:00", "12:00:00")]), 0);
        assert_eq!(occupied(&[("08:00:00", "09:00:00"), ("12:00:00", "13:00:00")]), 3600);
        assert_eq!(occupied(&[("10:30:00", "10:40:00"), ("10:10:00", "10:20:00")]), 2400);
        assert_eq!(occupied(&[("10:10:00", "10:50:00"), ("10:20:00", "10:30:00")]), 1200);
        assert_eq!(occupied(&[("10:50:00", "10:10:00")]), 3600, "an interval that ends before it begins is none");
        assert_eq!(occupied(&[("10:20:00.250", "10:30:00")]), 3000);
    }

    #[test]
    fn a_stay_that_ends_before_it_begins_is_none() {
        assert_eq!(occupancy_seconds(at("11:00:00"), at("10:00:00"), &[], false), 0);
        assert_eq!(occupancy_seconds(at("11:00:00"), at("10:00:00"), &[(at("10:10:00"), at("10:20:00"))], false), 0);
        let (min, max) = (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC);
        assert!(occupancy_seconds(min, max, &[(max, min), (min, min)], false) > 0);
    }

    #[test]
    fn entering_too_late_loses_the_bay() {
        let state = |entered: Option<&str>, now| reservation_state(at("10:00:00"), entered.map(at), at(now));
        assert_eq!(state(None, "12:00:00"), ReservationState::Reserved);
        assert_eq!(state(None, "12:00:01"), ReservationState::TimedOut);
        assert_eq!(state(Some("12:00:00"), "15:00:00"), ReservationState::Occupying);
        assert_eq!(state(Some("12:00:01"), "12:00:01"), ReservationState::TimedOut);
        assert_eq!(reservation_deadline(DateTime::<Utc>::MAX_UTC), DateTime::<Utc>::MAX_UTC);
    }
}
