//! Commands in the protocol's words, and what its answers to them mean.

use ocpp::message::{
    Acceptance, AvailabilityStatus, AvailabilityType, CancelReservation, ChangeAvailability, ChangeConfiguration,
    ConfigurationStatus, MessageTrigger, Outcome, RemoteStartTransaction, RemoteStopTransaction, ReservationStatus,
    ReserveNow, Reset, ResetType, TriggerMessage, TriggerMessageStatus, UnlockConnector, UnlockStatus,
};
use ocpp::{CallError, ErrorCode, Frame, IdTag, Payload, Refused};
use serde::de::DeserializeOwned;
use shared::device::CommandOutcome;

use crate::command::{Command, End, State};
use crate::gateway::secret;

/// The call that carries a command.
pub fn frame(id: String, command: &Command) -> Result<Frame, Refused> {
    match command {
        Command::Reboot { hard } => {
            let kind = if *hard { ResetType::Hard } else { ResetType::Soft };
            Frame::call(id, &Reset { kind })
        }
        Command::Refresh => Frame::call(id, &trigger(MessageTrigger::StatusNotification)),
        Command::SyncClock => Frame::call(id, &trigger(MessageTrigger::Heartbeat)),
        Command::Availability { connector, available } => {
            let kind = if *available { AvailabilityType::Operative } else { AvailabilityType::Inoperative };
            Frame::call(id, &ChangeAvailability { connector_id: *connector, kind })
        }
        Command::Start { connector, tag } => {
            let id_tag = IdTag::new(tag.clone())?;
            let connector_id = Some(*connector);
            Frame::call(id, &RemoteStartTransaction { id_tag, connector_id, charging_profile: None })
        }
        Command::Stop { transaction_id } => Frame::call(id, &RemoteStopTransaction { transaction_id: *transaction_id }),
        Command::Unlock { connector } => Frame::call(id, &UnlockConnector { connector_id: *connector }),
        Command::Reserve { connector, number, tag, until } => {
            let reserve = ReserveNow {
                connector_id: *connector,
                expiry_date: *until,
                id_tag: IdTag::new(tag.clone())?,
                parent_id_tag: None,
                reservation_id: *number,
            };
            Frame::call(id, &reserve)
        }
        Command::CancelReservation { number } => Frame::call(id, &CancelReservation { reservation_id: *number }),
        Command::SetPassword { password } => {
            let (key, value) = (secret::SETTING.to_owned(), password.expose().to_owned());
            Frame::call(id, &ChangeConfiguration { key, value })
        }
    }
}

/// Asks for a message about all connectors.
pub fn trigger(requested_message: MessageTrigger) -> TriggerMessage {
    TriggerMessage { requested_message, connector_id: None }
}

/// How a command ended by this answer.
pub fn end(command: &Command, answer: Result<Payload, CallError>) -> End {
    let read = answer.map_err(|err| failed(&err)).and_then(|payload| match command {
        Command::Reboot { .. } | Command::Start { .. } | Command::Stop { .. } | Command::CancelReservation { .. } => {
            status(payload).map(|it: Acceptance| match it {
                Acceptance::Accepted => done(CommandOutcome::Accepted),
                Acceptance::Rejected => refused(CommandOutcome::Rejected),
            })
        }
        Command::Reserve { .. } => status(payload).map(|it: ReservationStatus| match it {
            ReservationStatus::Accepted => done(CommandOutcome::Accepted),
            ReservationStatus::Faulted
            | ReservationStatus::Occupied
            | ReservationStatus::Rejected
            | ReservationStatus::Unavailable => refused(CommandOutcome::Rejected),
        }),
        Command::Refresh | Command::SyncClock => status(payload).map(|it: TriggerMessageStatus| match it {
            TriggerMessageStatus::Accepted => done(CommandOutcome::Accepted),
            TriggerMessageStatus::Rejected => refused(CommandOutcome::Rejected),
            TriggerMessageStatus::NotImplemented => refused(CommandOutcome::NotSupported),
        }),
        Command::Availability { .. } => status(payload).map(|it: AvailabilityStatus| match it {
            AvailabilityStatus::Accepted => done(CommandOutcome::Accepted),
            AvailabilityStatus::Scheduled => done(CommandOutcome::Scheduled),
            AvailabilityStatus::Rejected => refused(CommandOutcome::Rejected),
        }),
        Command::SetPassword { .. } => status(payload).map(|it: ConfigurationStatus| match it {
            ConfigurationStatus::Accepted => done(CommandOutcome::Accepted),
            ConfigurationStatus::RebootRequired => done(CommandOutcome::AfterReboot),
            ConfigurationStatus::Rejected => refused(CommandOutcome::Rejected),
            ConfigurationStatus::NotSupported => refused(CommandOutcome::NotSupported),
        }),
        Command::Unlock { .. } => status(payload).map(|it: UnlockStatus| match it {
            UnlockStatus::Unlocked => done(CommandOutcome::Accepted),
            UnlockStatus::UnlockFailed => refused(CommandOutcome::UnlockFailed),
            UnlockStatus::NotSupported => refused(CommandOutcome::NotSupported),
        }),
    });
    let end = read.unwrap_or_else(|end| end);
    // Chargers take their time from the answer to any heartbeat, so a refusal only delays it.
    if *command == Command::SyncClock && end.state == State::Refused {
        return done(CommandOutcome::NextHeartbeat);
    }
    end
}

const fn done(outcome: CommandOutcome) -> End {
    End::new(State::Acknowledged, outcome)
}

const fn refused(outcome: CommandOutcome) -> End {
    End::new(State::Refused, outcome)
}

fn status<S: DeserializeOwned>(payload: Payload) -> Result<S, End> {
    let read: Result<Outcome<S>, CallError> = ocpp::read(payload);
    read.map(|it| it.status).map_err(|err| End { words: Some(err.to_string()), ..refused(CommandOutcome::Unreadable) })
}

fn failed(err: &CallError) -> End {
    match err.code {
        ErrorCode::NotImplemented | ErrorCode::NotSupported => refused(CommandOutcome::NotSupported),
        _ => End { words: Some(err.to_string()), ..refused(CommandOutcome::Failed) },
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;
    use crate::config::Secret;

    fn reserve(connector: i32) -> Command {
        Command::Reserve { connector, number: 7, tag: "R10000001".into(), until: DateTime::UNIX_EPOCH }
    }

    #[test]
    fn commands_are_calls() {
        let cases = [
            (Command::Reboot { hard: true }, r#"[2,"x","Reset",{"type":"Hard"}]"#),
            (Command::Reboot { hard: false }, r#"[2,"x","Reset",{"type":"Soft"}]"#),
            (Command::Refresh, r#"[2,"x","TriggerMessage",{"requestedMessage":"StatusNotification"}]"#),
            (Command::SyncClock, r#"[2,"x","TriggerMessage",{"requestedMessage":"Heartbeat"}]"#),
            (
                Command::Availability { connector: 0, available: false },
                r#"[2,"x","ChangeAvailability",{"connectorId":0,"type":"Inoperative"}]"#,
            ),
            (
                Command::Start { connector: 2, tag: "O00000K3R9".into() },
                r#"[2,"x","RemoteStartTransaction",{"connectorId":2,"idTag":"O00000K3R9"}]"#,
            ),
            (Command::Stop { transaction_id: 7 }, r#"[2,"x","RemoteStopTransaction",{"transactionId":7}]"#),
            (Command::Unlock { connector: 1 }, r#"[2,"x","UnlockConnector",{"connectorId":1}]"#),
            (
                reserve(1),
                r#"[2,"x","ReserveNow",{"connectorId":1,"expiryDate":"1970-01-01T00:00:00Z","idTag":"R10000001","reservationId":7}]"#,
            ),
            (Command::CancelReservation { number: 7 }, r#"[2,"x","CancelReservation",{"reservationId":7}]"#),
            (
                Command::SetPassword { password: Secret::new("0123456789") },
                r#"[2,"x","ChangeConfiguration",{"key":"AuthorizationKey","value":"0123456789"}]"#,
            ),
        ];
        for (command, text) in cases {
            assert_eq!(frame("x".into(), &command).unwrap().to_string(), text);
        }
        for command in [
            Command::Start { connector: 1, tag: "x".repeat(21) },
            Command::Start { connector: 0, tag: "x".into() },
            Command::Unlock { connector: 0 },
            Command::Stop { transaction_id: 0 },
            reserve(-1),
        ] {
            assert!(frame("x".into(), &command).is_err(), "{command:?}");
        }
    }

    #[test]
    fn answers_end_commands() {
        use CommandOutcome as Why;
        use State::{Acknowledged, Refused};
        let unlock = Command::Unlock { connector: 1 };
        let off = Command::Availability { connector: 1, available: false };
        let password = Command::SetPassword { password: Secret::new("0123456789") };
        let cases = [
            (&Command::Reboot { hard: true }, "Accepted", Acknowledged, Why::Accepted),
            (&Command::Stop { transaction_id: 1 }, "Rejected", Refused, Why::Rejected),
            (&Command::Refresh, "NotImplemented", Refused, Why::NotSupported),
            (&Command::SyncClock, "Accepted", Acknowledged, Why::Accepted),
            (&Command::SyncClock, "NotImplemented", Acknowledged, Why::NextHeartbeat),
            (&off, "Scheduled", Acknowledged, Why::Scheduled),
            (&unlock, "Unlocked", Acknowledged, Why::Accepted),
            (&reserve(1), "Accepted", Acknowledged, Why::Accepted),
            (&reserve(1), "Occupied", Refused, Why::Rejected),
            (&Command::CancelReservation { number: 7 }, "Rejected", Refused, Why::Rejected),
            (&unlock, "UnlockFailed", Refused, Why::UnlockFailed),
            (&unlock, "Whatever", Refused, Why::Unreadable),
            (&password, "Accepted", Acknowledged, Why::Accepted),
            (&password, "RebootRequired", Acknowledged, Why::AfterReboot),
            (&password, "Rejected", Refused, Why::Rejected),
            (&password, "NotSupported", Refused, Why::NotSupported),
        ];
        for (command, status, state, outcome) in cases {
            let payload = json!({ "status": status }).as_object().unwrap().clone();
            let end = end(command, Ok(payload));
            assert_eq!((end.state, end.outcome), (state, outcome), "{command:?} {status}");
        }
        let error = |code| Err(CallError::new(code, "why"));
        assert_eq!(end(&unlock, error(ErrorCode::NotImplemented)), refused(Why::NotSupported));
        assert_eq!(end(&Command::SyncClock, error(ErrorCode::NotImplemented)), done(Why::NextHeartbeat));
        let failed = end(&unlock, error(ErrorCode::InternalError));
        assert_eq!((failed.outcome, failed.words.as_deref()), (Why::Failed, Some("InternalError: why")));
    }
}
