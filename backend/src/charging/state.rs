//! The life of a car order as a table: what an event makes of a state, and what has to be done then. Pure.

use shared::order::OrderState;

/// Something that concerns an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its payment is confirmed.
    Paid,
    /// Its payment is confirmed, but somebody else has the connector.
    Taken,
    /// Its payment was closed without money.
    Unpaid,
    /// The charger began.
    Started,
    /// The charger refused, is away, or did not begin in time.
    StartFailed,
    /// The charger reported what it meters.
    Metered,
    /// Driver, limit or watch want it to end.
    StopAsked,
    /// The charger refused to end it.
    StopRefused,
    /// The charger was not heard of for too long, or has lost the charge.
    Silent,
    /// The charger's final record is here.
    Ended,
    /// It was suspended for too long.
    GivenUp,
    /// Staff ends it, whatever the charger says.
    StaffEnded,
}

/// What has to be done besides writing down what was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Have the charger start, and watch it.
    SendStart,
    /// Have the charger stop. Asked again shortly after, it is not told again.
    SendStop,
    /// Have the charger tell how things are.
    SendRefresh,
    /// Bill what was metered, book it, give back the rest.
    Settle,
}

/// The state that follows, and what has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The state that follows; it may be the same.
    pub to: OrderState,
    /// What has to be done, in this order.
    pub effects: &'static [Effect],
}

/// What an event makes of an order. `None`: it does not concern an order in this state, which stays as it is. The first
/// terminal event wins, so nothing but a name follows on a terminal state: staff may close a failed order, whose money
/// went back already.
///
/// `stop_asked` tells whether somebody wanted the charge to end before: a charge that was suspended goes on ending.
pub const fn next(state: OrderState, stop_asked: bool, event: Event) -> Option<Step> {
    use Effect::{SendRefresh, SendStart, SendStop, Settle};
    use OrderState::{Cancelled, Charging, Completed, Created, Failed, Starting, Stopping, Suspended};
    let (to, effects): (_, &'static [Effect]) = match (state, event) {
        (Created, Event::Paid) => (Starting, &[SendStart]),
        (Created, Event::Taken | Event::Unpaid) => (Cancelled, &[]),

        (Starting, Event::Started) => (Charging, &[]),
        (Starting, Event::StartFailed) => (Failed, &[Settle]),
        (Starting, Event::StaffEnded) => (Completed, &[Settle]),

        (Charging, Event::Metered) => (Charging, &[]),
        (Stopping, Event::Metered) => (Stopping, &[SendStop]),
        (Suspended, Event::Metered) if stop_asked => (Stopping, &[SendStop]),
        (Suspended, Event::Metered) => (Charging, &[]),

        (Charging | Stopping, Event::StopAsked) => (Stopping, &[SendStop]),
        (Suspended, Event::StopAsked) => (Suspended, &[]),
        (Stopping, Event::StopRefused) => (Stopping, &[SendRefresh]),

        (Charging | Stopping, Event::Silent) => (Suspended, &[]),

        (Charging | Stopping | Suspended, Event::Ended) => (Completed, &[Settle]),
        (Suspended, Event::GivenUp) => (Completed, &[SendStop, Settle]),
        (Charging | Stopping | Suspended, Event::StaffEnded) => (Completed, &[SendStop, Settle]),
        (Failed, Event::StaffEnded) => (Completed, &[]),

        (Created | Starting | Charging | Stopping | Suspended | Completed | Failed | Cancelled, _) => return None,
    };
    Some(Step { to, effects })
}

#[cfg(test)]
mod tests {
    use shared::codes::Code;

    use super::*;

    const STATES: [OrderState; 8] = [
        OrderState::Created,
        OrderState::Starting,
        OrderState::Charging,
        OrderState::Stopping,
        OrderState::Suspended,
        OrderState::Completed,
        OrderState::Failed,
        OrderState::Cancelled,
    ];

    const EVENTS: [Event; 12] = [
        Event::Paid,
        Event::Taken,
        Event::Unpaid,
        Event::Started,
        Event::StartFailed,
        Event::Metered,
        Event::StopAsked,
        Event::StopRefused,
        Event::Silent,
        Event::Ended,
        Event::GivenUp,
        Event::StaffEnded,
    ];

    /// One line an event, one word a state: where it leads, and after it what has to be done.
    const TABLE: &str = "
                    created          starting           charging                stopping                suspended               completed failed    cancelled
        Paid        starting+start   -                  -                       -                       -                       -         -         -
        Taken       cancelled        -                  -                       -                       -                       -         -         -
        Unpaid      cancelled        -                  -                       -                       -                       -         -         -
        Started     -                charging           -                       -                       -                       -         -         -
        StartFailed -                failed+settle      -                       -                       -                       -         -         -
        Metered     -                -                  charging                stopping+stop           charging                -         -         -
        StopAsked   -                -                  stopping+stop           stopping+stop           suspended               -         -         -
        StopRefused -                -                  -                       stopping+refresh        -                       -         -         -
        Silent      -                -                  suspended               suspended               -                       -         -         -
        Ended       -                -                  completed+settle        completed+settle        completed+settle        -         -         -
        GivenUp     -                -                  -                       -                       completed+stop+settle   -         -         -
        StaffEnded  -                completed+settle   completed+stop+settle   completed+stop+settle   completed+stop+settle   -         completed -
    ";

    fn shown(step: Option<Step>) -> String {
        let Some(step) = step else { return "-".to_owned() };
        let effects = step.effects.iter().map(|it| match it {
            Effect::SendStart => "+start",
            Effect::SendStop => "+stop",
            Effect::SendRefresh => "+refresh",
            Effect::Settle => "+settle",
        });
        step.to.as_str().to_owned() + &effects.collect::<String>()
    }

    #[test]
    fn every_event_in_every_state() {
        let mut rows = TABLE.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(rows.next().unwrap(), STATES.map(OrderState::as_str));
        let mut seen = 0;
        for (event, row) in EVENTS.iter().zip(rows) {
            assert_eq!(row[0], format!("{event:?}"));
            for (state, expected) in STATES.iter().zip(&row[1..]) {
                assert_eq!(shown(next(*state, false, *event)), *expected, "{state} + {event:?}");
                seen += 1;
            }
        }
        assert_eq!((seen, OrderState::CHOICES.len()), (96, STATES.len()));
    }

    #[test]
    fn only_a_suspended_charge_cares_whether_it_was_asked_to_end() {
        for state in STATES {
            for event in EVENTS {
                let (asked, not_asked) = (next(state, true, event), next(state, false, event));
                if (state, event) == (OrderState::Suspended, Event::Metered) {
                    assert_eq!(shown(asked), "stopping+stop");
                } else {
                    assert_eq!(asked, not_asked, "{state} + {event:?}");
                }
            }
        }
    }

    #[test]
    fn an_order_is_settled_once() {
        for state in STATES {
            for event in EVENTS {
                let Some(step) = next(state, false, event) else { continue };
                let settled = [OrderState::Completed, OrderState::Failed];
                let settles = step.effects.contains(&Effect::Settle);
                assert_eq!(settles, settled.contains(&step.to) && !settled.contains(&state), "{state} + {event:?}");
            }
        }
    }
}
