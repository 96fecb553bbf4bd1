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
    /// The charger refused, was never told, or did not begin in time.
    StartFailed,
    /// The driver does not wait for the start any longer.
    StartCancelled,
    /// The charger reported what it meters.
    Metered,
    /// Driver, staff, limit or watch want it to end, and the charger is there.
    StopAsked,
    /// They want it to end while the charger is away.
    StopAskedAway,
    /// The charger refused to end it.
    StopRefused,
    /// The charger was away and is back.
    Returned,
    /// The charger was not heard of for too long, or has lost the charge.
    Silent,
    /// The charger's final record is here.
    Ended,
    /// The charger has ended it, and brings no record of it.
    NoRecord,
    /// It was suspended for too long.
    GivenUp,
    /// Staff ends it while the charger is away or has not begun.
    StaffEnded,
}

/// What has to be done besides writing down what was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Have the charger start, and watch it.
    SendStart,
    /// Take a start back that the charger was not told yet.
    WithdrawStart,
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
    use Effect::{SendRefresh, SendStart, SendStop, Settle, WithdrawStart};
    use OrderState::{Cancelled, Charging, Completed, Created, Failed, Starting, Stopping, Suspended};
    let (to, effects): (_, &'static [Effect]) = match (state, event) {
        (Created, Event::Paid) => (Starting, &[SendStart]),
        (Created, Event::Taken | Event::Unpaid) => (Cancelled, &[]),

        (Starting, Event::Started) => (Charging, &[]),
        (Starting, Event::StartFailed) => (Failed, &[WithdrawStart, Settle]),
        (Starting, Event::StartCancelled | Event::StaffEnded) => (Completed, &[WithdrawStart, Settle]),

        (Charging, Event::Metered) => (Charging, &[]),
        (Stopping, Event::Metered | Event::Returned) => (Stopping, &[SendStop]),
        (Suspended, Event::Metered | Event::Returned) if stop_asked => (Stopping, &[SendStop]),
        (Suspended, Event::Metered) => (Charging, &[]),

        (Charging | Stopping | Suspended, Event::StopAsked) => (Stopping, &[SendStop]),
        (Charging | Stopping, Event::StopAskedAway) => (Stopping, &[SendStop]),
        (Suspended, Event::StopAskedAway) => (Suspended, &[]),
        (Stopping, Event::StopRefused) => (Stopping, &[SendRefresh]),

        (Charging | Stopping, Event::Silent) => (Suspended, &[]),

        (Charging | Stopping | Suspended, Event::Ended | Event::NoRecord) => (Completed, &[Settle]),
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

    const EVENTS: [Event; 16] = [
        Event::Paid,
        Event::Taken,
        Event::Unpaid,
        Event::Started,
        Event::StartFailed,
        Event::StartCancelled,
        Event::Metered,
        Event::StopAsked,
        Event::StopAskedAway,
        Event::StopRefused,
        Event::Returned,
        Event::Silent,
        Event::Ended,
        Event::NoRecord,
        Event::GivenUp,
        Event::StaffEnded,
    ];

    /// One line an event, one word a state: where it leads, and after it what has to be done.
    const TABLE: &str = "
                       created        starting                   charging              stopping              suspended             completed failed    cancelled
        Paid           starting+start -                          -                     -                     -                     -         -         -
        Taken          cancelled      -                          -                     -                     -                     -         -         -
        Unpaid         cancelled      -                          -                     -                     -                     -         -         -
        Started        -              charging                   -                     -                     -                     -         -         -
        StartFailed    -              failed+withdraw+settle     -                     -                     -                     -         -         -
        StartCancelled -              completed+withdraw+settle  -                     -                     -                     -         -         -
        Metered        -              -                          charging              stopping+stop         charging              -         -         -
        StopAsked      -              -                          stopping+stop         stopping+stop         stopping+stop         -         -         -
        StopAskedAway  -              -                          stopping+stop         stopping+stop         suspended             -         -         -
        StopRefused    -              -                          -                     stopping+refresh      -                     -         -         -
        Returned       -              -                          -                     stopping+stop         -                     -         -         -
        Silent         -              -                          suspended             suspended             -                     -         -         -
        Ended          -              -                          completed+settle      completed+settle      completed+settle      -         -         -
        NoRecord       -              -                          completed+settle      completed+settle      completed+settle      -         -         -
        GivenUp        -              -                          -                     -                     completed+stop+settle -         -         -
        StaffEnded     -              completed+withdraw+settle  completed+stop+settle completed+stop+settle completed+stop+settle -         completed -
    ";

    fn shown(step: Option<Step>) -> String {
        let Some(step) = step else { return "-".to_owned() };
        let effects = step.effects.iter().map(|it| match it {
            Effect::SendStart => "+start",
            Effect::WithdrawStart => "+withdraw",
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
        assert_eq!((seen, OrderState::CHOICES.len()), (EVENTS.len() * STATES.len(), STATES.len()));
    }

    #[test]
    fn only_a_suspended_charge_cares_whether_it_was_asked_to_end() {
        for state in STATES {
            for event in EVENTS {
                let (asked, not_asked) = (next(state, true, event), next(state, false, event));
                if state == OrderState::Suspended && [Event::Metered, Event::Returned].contains(&event) {
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
