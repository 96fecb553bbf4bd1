//! Our calls to a charger: one at a time, commands before housekeeping.

use std::collections::VecDeque;
use std::time::Duration;

use ocpp::{CallError, Frame, Payload};
use shared::device::CommandOutcome;
use tokio::time::Instant;
use uuid::Uuid;

use super::setup::{self, Task};
use super::{Conversation, command};
use crate::command::{Command, End, State, Taken};
use crate::config;
use crate::gateway::commands::{self, Next};

/// Why a connection is not to go on.
pub enum Over {
    /// Another one has the charger.
    Replaced,
    /// The charger has taken a new password, and is to log in with it.
    Renewed,
}

/// What a call is about.
enum Subject {
    Command(Taken),
    Task(Task),
}

/// A call that is not answered yet.
struct InFlight {
    id: String,
    /// When its answer is no longer waited for.
    due: Instant,
    subject: Subject,
}

/// The calls to one charger.
pub struct Calls {
    in_flight: Option<InFlight>,
    /// There may be a command in the database.
    look: bool,
    /// The charger is to log in anew.
    renew: bool,
    /// Housekeeping that waits.
    tasks: VecDeque<Task>,
    /// When the charger is asked for the states of its connectors, unless it tells them before.
    ask_at: Option<Instant>,
    patience: Duration,
    report: Duration,
}

impl Calls {
    /// Nothing said yet; but there may be commands that waited for the charger.
    pub fn new(config: &config::Gateway) -> Self {
        let report = Duration::from_secs(config.report_seconds);
        Self {
            in_flight: None,
            look: true,
            renew: false,
            tasks: VecDeque::new(),
            ask_at: Some(Instant::now() + report),
            patience: Duration::from_secs(config.call_seconds),
            report,
        }
    }

    /// The charger has started and was let in, or not: what was planned for it before is void.
    pub fn booted(&mut self, accepted: bool) {
        self.tasks.clear();
        if accepted {
            self.tasks.push_back(Task::Configuration);
            self.ask_at = Some(Instant::now() + self.report);
        }
    }

    /// The charger told the state of a connector.
    pub fn reported(&mut self) {
        self.ask_at = None;
    }

    /// There may be a command.
    pub fn look(&mut self) {
        self.look = true;
    }

    /// When something is to be done next.
    pub fn due(&self) -> Option<Instant> {
        [self.in_flight.as_ref().map(|it| it.due), self.ask_at].into_iter().flatten().min()
    }

    fn send(&mut self, frame: Frame, subject: Subject) -> String {
        if let Frame::Call { action, .. } = &frame {
            metrics::counter!("wattyard_gateway_calls_total", "action" => action.clone()).increment(1);
        }
        let (id, due) = (frame.id().to_owned(), Instant::now() + self.patience);
        self.in_flight = Some(InFlight { id, due, subject });
        frame.to_string()
    }
}

impl Conversation {
    /// The next call to be sent, when there is time for one.
    pub async fn next_call(&mut self) -> Result<Option<String>, Over> {
        if self.calls.renew {
            return Err(Over::Renewed);
        }
        if self.calls.in_flight.is_some() {
            return Ok(None);
        }
        let text = match Box::pin(self.next_command()).await? {
            Some(text) => Some(text),
            None => self.next_task(),
        };
        if let Some(text) = &text {
            self.keep(false, text, self.app.now());
        }
        Ok(text)
    }

    async fn next_command(&mut self) -> Result<Option<String>, Over> {
        while self.calls.look {
            let taken = match commands::next(&self.app, &self.line).await {
                Next::Command(taken) => taken,
                Next::Replaced => return Err(Over::Replaced),
                Next::Nothing => {
                    self.calls.look = false;
                    break;
                }
            };
            // The id of the command is that of the call, so that the frames show which is which.
            match command::frame(taken.id.to_string(), &taken.command) {
                Ok(frame) => return Ok(Some(self.calls.send(frame, Subject::Command(taken)))),
                Err(refused) => {
                    let end = End {
                        state: State::Refused,
                        outcome: CommandOutcome::Unsendable,
                        words: Some(refused.to_string()),
                    };
                    commands::end(&self.app, &taken, &end).await;
                }
            }
        }
        Ok(None)
    }

    fn next_task(&mut self) -> Option<String> {
        while let Some(task) = self.calls.tasks.pop_front() {
            match task.frame(Uuid::now_v7().to_string()) {
                Ok(frame) => return Some(self.calls.send(frame, Subject::Task(task))),
                Err(refused) => tracing::error!(error = %refused, "a call that may not be sent: {refused}"),
            }
        }
        None
    }

    /// Takes the answer to a call of ours. Late ones, and those to calls that were never made, are dropped.
    pub(super) async fn answered(&mut self, id: &str, answer: Result<Payload, CallError>) {
        let Some(InFlight { subject, .. }) = self.calls.in_flight.take_if(|it| it.id == id) else {
            tracing::debug!(charger = %self.device.charger_id, id, "an answer that nobody waits for");
            return;
        };
        match subject {
            Subject::Command(taken) => {
                let end = command::end(&taken.command, answer);
                commands::end(&self.app, &taken, &end).await;
                if taken.command == Command::Refresh && end.state == State::Acknowledged {
                    self.calls.tasks.push_back(Task::Meter);
                }
                let taken_over = end.outcome == CommandOutcome::Accepted;
                self.calls.renew = taken_over && matches!(taken.command, Command::SetPassword { .. });
                self.calls.look = true;
            }
            Subject::Task(task) => {
                let next = setup::done(self, task, answer).await;
                self.calls.tasks.extend(next);
            }
        }
    }

    /// Gives up calls that were not answered, and asks for what was not told.
    pub async fn tick(&mut self, now: Instant) {
        if let Some(InFlight { subject, id, .. }) = self.calls.in_flight.take_if(|it| it.due <= now) {
            tracing::info!(charger = %self.device.charger_id, id, "the call {id} was not answered");
            Box::pin(self.give_up(subject, CommandOutcome::NoAnswer)).await;
            self.calls.look = true;
        }
        if self.calls.ask_at.take_if(|it| *it <= now).is_some() {
            self.calls.tasks.push_back(Task::Status);
        }
    }

    /// The connection is gone, and so is the answer to an open call.
    pub async fn disconnected(&mut self) {
        if let Some(InFlight { subject, .. }) = self.calls.in_flight.take() {
            Box::pin(self.give_up(subject, CommandOutcome::Disconnected)).await;
        }
    }

    async fn give_up(&self, subject: Subject, outcome: CommandOutcome) {
        match subject {
            Subject::Command(taken) => commands::end(&self.app, &taken, &End::new(State::TimedOut, outcome)).await,
            // After the next boot it is tried again.
            Subject::Task(_) => {}
        }
    }
}
