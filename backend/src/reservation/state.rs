//! The life of a reservation as a table: what an event makes of a state. Pure.

use chrono::{DateTime, Utc};
use shared::device::ConnectorStatus;
use shared::pricing::{ReservationState, reservation_state};
use shared::reservation::ReservationEnd;

/// Something that concerns a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The car came.
    Entered,
    /// The car left.
    Left,
    /// Time has passed.
    Waited,
    /// The driver does not want it any more.
    Cancelled,
    /// Staff ends it.
    StaffEnded,
}

/// The state that follows, and why the reservation ends with it, if it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The state that follows.
    pub to: ReservationState,
    /// Why it ends.
    pub reason: Option<ReservationEnd>,
}

/// What an event that happens at an instant makes of a reservation that was made at another. `None`: it does not concern
/// one in this state, which stays as it is. Whoever comes too late has lost it.
pub fn next(state: ReservationState, event: Event, created: DateTime<Utc>, at: DateTime<Utc>) -> Option<Step> {
    use ReservationState::{Cancelled, Completed, Occupying, Reserved, TimedOut};
    let (to, reason) = match (state, event) {
        (Reserved, Event::Entered | Event::Waited) => {
            let entered = Some(at).filter(|_| event == Event::Entered);
            let to = reservation_state(created, entered, at);
            (to, Some(ReservationEnd::Expired).filter(|_| to == TimedOut))
        }
        (Reserved, Event::Cancelled) => (Cancelled, Some(ReservationEnd::Driver)),
        (Reserved | Occupying, Event::StaffEnded) => (Completed, Some(ReservationEnd::Staff)),
        (Occupying, Event::Left) => (Completed, Some(ReservationEnd::Left)),
        (Reserved | Occupying | Completed | Cancelled | TimedOut, _) => return None,
    };
    (to != state).then_some(Step { to, reason })
}

/// What a connector tells of the car by what it does: nobody else sees it there.
pub const fn told_by(status: ConnectorStatus) -> Option<Event> {
    use ConnectorStatus as Is;
    match status {
        Is::Preparing | Is::Charging | Is::SuspendedEv | Is::SuspendedEvse | Is::Finishing => Some(Event::Entered),
        Is::Available | Is::Reserved => Some(Event::Left),
        Is::Unavailable | Is::Faulted | Is::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use shared::codes::Code;

    use super::*;

    const STATES: [ReservationState; 5] = [
        ReservationState::Reserved,
        ReservationState::Occupying,
        ReservationState::Completed,
        ReservationState::Cancelled,
        ReservationState::TimedOut,
    ];

    const EVENTS: [Event; 5] = [Event::Entered, Event::Left, Event::Waited, Event::Cancelled, Event::StaffEnded];

    /// One line an event and the minutes after which it happens, one word a state: where it leads, and why it ends.
    const TABLE: &str = "
                       reserved           occupying       completed cancelled timed_out
        Entered    120 occupying          -               -         -         -
        Left       120 -                  completed+left  -         -         -
        Waited     120 -                  -               -         -         -
        Cancelled  120 cancelled+driver   -               -         -         -
        StaffEnded 120 completed+staff    completed+staff -         -         -
        Entered    121 timed_out+expired  -               -         -         -
        Left       121 -                  completed+left  -         -         -
        Waited     121 timed_out+expired  -               -         -         -
        Cancelled  121 cancelled+driver   -               -         -         -
        StaffEnded 121 completed+staff    completed+staff -         -         -
    ";

    fn shown(step: Option<Step>) -> String {
        let Some(Step { to, reason }) = step else { return "-".to_owned() };
        reason.map_or_else(|| to.to_string(), |reason| format!("{to}+{reason}"))
    }

    #[test]
    fn every_event_in_every_state_of_a_reservation() {
        let mut rows = TABLE.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(rows.next().unwrap(), STATES.map(ReservationState::as_str));
        let created = DateTime::from_timestamp(1_795_311_005, 0).unwrap();
        let mut seen = 0;
        for (event, row) in EVENTS.iter().cycle().zip(rows) {
            assert_eq!(row[0], format!("{event:?}"));
            let at = created + TimeDelta::minutes(row[1].parse().unwrap());
            for (state, expected) in STATES.iter().zip(&row[2..]) {
                assert_eq!(shown(next(*state, *event, created, at)), *expected, "{state} + {event:?}");
                seen += 1;
            }
        }
        assert_eq!((seen, ReservationState::CHOICES.len()), (50, STATES.len()));
    }

    #[test]
    fn a_reservation_ends_with_a_reason_or_goes_on() {
        let created = DateTime::from_timestamp(1_795_311_005, 0).unwrap();
        for (state, event) in STATES.iter().flat_map(|state| EVENTS.map(|event| (*state, event))) {
            if let Some(Step { to, reason }) = next(state, event, created, created) {
                assert_eq!(reason.is_some(), !to.is_live(), "{state} + {event:?}");
            }
        }
    }
}
