//! OCPP 1.6-J: what a charger sends becomes events and signs of presence, their replies become its answers.

mod authorize;
mod boot;
mod calls;
mod command;
mod meter;
mod other;
mod setup;
mod start;
mod status;
mod stop;

use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncPgConnection;
use ocpp::message::HeartbeatConfirmation;
use ocpp::{CallError, ErrorCode, Frame, Malformed, Payload, Request};
use serde::Serialize;
use shared::device::ConnectorStatus;
use tokio::time::Instant;

use self::calls::Calls;
pub use self::calls::Over;
use super::registry::Line;
use super::secret;
use crate::app::App;
use crate::charger;
use crate::charging::event::{Event, Reply};
use crate::charging::{self, Device};
use crate::error::{Error, Result};
use crate::presence::{self, Presence};

/// A charger that says so much nonsense in a row is hung up on.
const MOST_NONSENSE: u32 = 10;
/// Answers that are kept, should a call be repeated.
const KEPT_ANSWERS: usize = 4;
/// Heartbeats that come faster than this are not all kept as evidence.
const KEEP_HEARTBEAT: TimeDelta = TimeDelta::seconds(10);
/// A clock that is wrong by more than this is not believed.
const MOST_SKEW: TimeDelta = TimeDelta::minutes(5);

/// What a message leads to.
pub enum Heard {
    /// Nothing to say.
    Nothing,
    /// This answer.
    Answer(String),
    /// It is larger than its kind may be.
    TooLarge,
    /// There was too much nonsense.
    Nonsense,
}

/// All that is known about one connection to a charger.
pub struct Conversation {
    app: App,
    device: Device,
    line: Arc<Line>,
    /// Our calls to the charger.
    calls: Calls,
    /// Unreadable messages in a row.
    nonsense: u32,
    /// The newest answers about transactions, by the digest of the whole message that they answer.
    answers: VecDeque<(u64, String)>,
    digests: RandomState,
    heartbeat_kept_at: DateTime<Utc>,
    /// What connectors said that is not as it should be, and was corrected since the charger came or started: once each, for
    /// not every charger does as it is told.
    corrected: BTreeSet<(i32, ConnectorStatus)>,
}

impl Conversation {
    /// A connection that was just opened.
    pub fn new(app: App, device: Device, line: Arc<Line>) -> Self {
        let calls = Calls::new(&app.config.gateway);
        Self {
            app,
            device,
            line,
            calls,
            nonsense: 0,
            answers: VecDeque::new(),
            digests: RandomState::new(),
            heartbeat_kept_at: DateTime::UNIX_EPOCH,
            corrected: BTreeSet::new(),
        }
    }

    /// Takes a message and gives the answer. It is given when everything is written down, not earlier.
    pub async fn hear(&mut self, bytes: &[u8]) -> Heard {
        let now = self.app.now();
        let Ok(text) = std::str::from_utf8(bytes) else {
            return self.nonsense("not a text");
        };
        let frame = match Frame::parse(text) {
            Ok(frame) => frame,
            Err(malformed) => {
                self.keep(true, text, now);
                return match malformed {
                    Malformed::TooLarge => Heard::TooLarge,
                    Malformed::Unreadable(why) => self.nonsense(why),
                    Malformed::Refused { why, answer } => {
                        self.nonsense = 0;
                        tracing::debug!(charger = %self.device.charger_id, why, "a broken call: {why}");
                        self.keep(false, &answer, now);
                        Heard::Answer(answer)
                    }
                };
            }
        };
        self.nonsense = 0;
        match frame {
            Frame::Call { id, action, payload } => Heard::Answer(self.answer(text, id, &action, payload, now).await),
            Frame::Result { id, payload } => {
                self.keep(true, text, now);
                Box::pin(self.answered(&id, Ok(payload))).await;
                Heard::Nothing
            }
            Frame::Error { id, code, description, details: _ } => {
                self.keep(true, text, now);
                Box::pin(self.answered(&id, Err(CallError { code, description }))).await;
                Heard::Nothing
            }
        }
    }

    fn nonsense(&mut self, why: &'static str) -> Heard {
        self.nonsense += 1;
        metrics::counter!("wattyard_gateway_messages_total", "action" => "unreadable").increment(1);
        tracing::debug!(charger = %self.device.charger_id, why, "an unreadable message: {why}");
        if self.nonsense >= MOST_NONSENSE { Heard::Nonsense } else { Heard::Nothing }
    }

    /// Answers a call.
    async fn answer(&mut self, text: &str, id: String, action: &str, payload: Payload, now: DateTime<Utc>) -> String {
        let request = match Request::read(action, payload) {
            Ok(request) => request,
            Err(refusal) => {
                self.keep(true, text, now);
                metrics::counter!("wattyard_gateway_messages_total", "action" => "refused").increment(1);
                let answer = Frame::error(id, refusal).to_string();
                self.keep(false, &answer, now);
                return answer;
            }
        };
        metrics::counter!("wattyard_gateway_messages_total", "action" => request.action()).increment(1);
        if let Request::Heartbeat(_) = request {
            let answer = Frame::result(id, &HeartbeatConfirmation { current_time: now }).to_string();
            if now - self.heartbeat_kept_at >= KEEP_HEARTBEAT {
                self.heartbeat_kept_at = now;
                self.keep(true, text, now);
                self.keep(false, &answer, now);
            }
            return answer;
        }
        self.keep(true, text, now);
        let answer = Box::pin(self.answer_kept(text, id, request, now)).await;
        self.keep(false, &answer, now);
        answer
    }

    /// Answers, or repeats the answer, if the very same message about a transaction comes again: the database would
    /// give the same one, only later.
    async fn answer_kept(&mut self, text: &str, id: String, request: Request, now: DateTime<Utc>) -> String {
        if !matches!(request, Request::StartTransaction(_) | Request::StopTransaction(_) | Request::MeterValues(_)) {
            return self.dispatch(id, request, now).await.to_string();
        }
        let digest = self.digests.hash_one(text);
        if let Some((_, answer)) = self.answers.iter().find(|(it, _)| *it == digest) {
            return answer.clone();
        }
        let frame = self.dispatch(id, request, now).await;
        let answer = frame.to_string();
        // What failed is tried again in earnest.
        if matches!(frame, Frame::Result { .. }) {
            self.answers.truncate(KEPT_ANSWERS - 1);
            self.answers.push_front((digest, answer.clone()));
        }
        answer
    }

    async fn dispatch(&mut self, id: String, request: Request, now: DateTime<Utc>) -> Frame {
        match request {
            Request::Authorize(it) => self.reply(id, authorize::answer(self, it, now).await),
            Request::BootNotification(it) => {
                let answer = boot::answer(self, it, now).await;
                self.calls.booted(answer.is_ok());
                self.corrected.clear();
                self.reply(id, answer)
            }
            Request::DataTransfer(it) => self.reply(id, Ok(other::data_transfer(&it))),
            Request::DiagnosticsStatusNotification(_)
            | Request::FirmwareStatusNotification(_)
            | Request::LogStatusNotification(_)
            | Request::SecurityEventNotification(_)
            | Request::SignedFirmwareStatusNotification(_) => self.reply(id, Ok(ocpp::message::Empty {})),
            Request::Heartbeat(_) => self.reply(id, Ok(HeartbeatConfirmation { current_time: now })),
            Request::MeterValues(it) => self.reply(id, meter::answer(self, it, now).await),
            Request::SignCertificate(_) => self.reply(id, Ok(other::sign_certificate())),
            Request::StartTransaction(it) => self.reply(id, start::answer(self, it, now).await),
            Request::StatusNotification(it) => {
                self.calls.reported();
                let answer = status::answer(self, it, now).await;
                self.reply(id, answer)
            }
            Request::StopTransaction(it) => self.reply(id, stop::answer(self, it, now).await),
        }
    }

    /// The frame of an answer. Our own failure makes the charger try again later.
    fn reply<T: Serialize>(&self, id: String, answer: Result<T>) -> Frame {
        match answer {
            Ok(confirmation) => Frame::result(id, &confirmation),
            Err(err) => {
                let charger = self.device.charger_id;
                tracing::error!(%charger, error = ?err, "a message of {charger} failed: {err:#}");
                metrics::counter!("wattyard_gateway_failures_total").increment(1);
                Frame::error(id, CallError::new(ErrorCode::InternalError, "try again later"))
            }
        }
    }

    /// Applies what happened to a charge.
    async fn charge(&self, event: Event, now: DateTime<Utc>) -> Result<Reply> {
        self.write(async |conn| charging::apply(conn, &self.device, event.clone(), now).await).await
    }

    /// Applies what the charger told about itself.
    async fn note(&self, presence: Presence, now: DateTime<Utc>) -> Result<()> {
        self.write(async |conn| presence::apply(conn, &self.device, presence.clone(), now).await).await
    }

    /// Has the charger do what it should, where a connector says that it does not.
    async fn correct(&mut self, connector: i32, status: ConnectorStatus, now: DateTime<Utc>) -> Result<()> {
        if self.corrected.contains(&(connector, status)) {
            return Ok(());
        }
        let corrects = async |conn: &mut AsyncPgConnection| {
            charger::service::correct(conn, &self.device, connector, status, now).await
        };
        if self.write(corrects).await? {
            self.corrected.insert((connector, status));
        }
        Ok(())
    }

    /// Writes, and once more if it failed: a connection that died with its database fails at its first use. All that
    /// is written here bears being written twice.
    async fn write<T>(&self, work: impl AsyncFn(&mut AsyncPgConnection) -> Result<T>) -> Result<T> {
        let _turn = self.app.gateway.turn().await;
        match work(&mut *self.app.conn().await?).await {
            Err(Error::Internal(err)) => {
                tracing::warn!(charger = %self.device.charger_id, error = %err, "tried once more: {err:#}");
                work(&mut *self.app.conn().await?).await
            }
            done => done,
        }
    }

    fn keep(&self, inbound: bool, text: &str, now: DateTime<Utc>) {
        self.app.gateway.frames.note(self.device.charger_id, inbound, &secret::masked(text), now);
    }

    /// There may be commands.
    pub fn wake(&mut self) {
        self.calls.look();
    }

    /// When [`Conversation::tick`] has something to do.
    pub fn due(&self) -> Option<Instant> {
        self.calls.due()
    }
}

/// The charger's time, if it is to be believed.
fn believed(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> DateTime<Utc> {
    at.filter(|it| (*it - now).abs() <= MOST_SKEW).unwrap_or(now)
}
