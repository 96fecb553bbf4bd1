//! One task a device: reads what it sends, one message after the other, and writes what it is to get.

use std::pin::pin;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, BytesMut};
use actix_ws::{CloseCode, CloseReason, Closed, Item, Message, MessageStream, ProtocolError, Session};
use futures_util::SinkExt;
use shared::device::ConnectionReason;
use tokio::time::{Instant, sleep_until, timeout};

use super::ocpp16::{Conversation, Heard, Over};
use super::registry::Line;
use crate::app::App;
use crate::charging::Device;
use crate::error::Result;
use crate::presence::{self, Arrival};

/// A device that takes nothing off its line for this long is given up.
const WRITE: Duration = Duration::from_secs(10);
/// After a farewell, the other end has this long to answer it.
const FAREWELL: Duration = Duration::from_secs(1);

/// A connection that was let in.
pub struct Opened {
    /// The application, as the worker has it that drives the socket.
    pub app: App,
    /// The device.
    pub device: Device,
    /// The connection.
    pub line: Arc<Line>,
    /// The connection as the database is to know it.
    pub arrival: Arrival,
}

/// Why a conversation ended.
enum End {
    /// The device said goodbye.
    Closed(Option<CloseReason>),
    /// The line is dead; nobody is there to say goodbye to.
    Broken,
    /// Nothing was heard for too long.
    Silent,
    /// Another connection has the charger.
    Replaced,
    /// The device has a new password, and is to log in with it.
    Renewed,
    /// The process stops.
    Stopping,
    /// The device sent what must not be sent.
    Flawed(CloseCode, &'static str),
    /// We cannot go on.
    Failed,
}

impl End {
    const fn reason(&self) -> ConnectionReason {
        match self {
            Self::Closed(_) => ConnectionReason::Closed,
            Self::Broken => ConnectionReason::Broken,
            Self::Silent => ConnectionReason::Silent,
            Self::Replaced => ConnectionReason::Reconnected,
            Self::Renewed => ConnectionReason::Renewed,
            Self::Stopping => ConnectionReason::Stopping,
            Self::Flawed(..) => ConnectionReason::Flawed,
            Self::Failed => ConnectionReason::Failed,
        }
    }

    fn farewell(self) -> Option<CloseReason> {
        let (code, text) = match self {
            Self::Closed(reason) => return reason,
            Self::Broken => return None,
            Self::Silent => (CloseCode::Away, "nothing was heard for too long"),
            Self::Replaced => (CloseCode::Normal, "replaced by another connection"),
            Self::Renewed => (CloseCode::Normal, "log in with the new password"),
            Self::Stopping => (CloseCode::Away, "the server stops"),
            Self::Flawed(code, text) => (code, text),
            Self::Failed => (CloseCode::Error, "try again later"),
        };
        Some(CloseReason { code, description: Some(text.to_owned()) })
    }
}

impl From<Closed> for End {
    fn from(_: Closed) -> Self {
        Self::Broken
    }
}

/// Takes the connection out of the registry even if its task breaks off.
struct Entered {
    app: App,
    line: Arc<Line>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.app.gateway.registry.leave(&self.line);
    }
}

/// Talks with a device until one of both ends it.
pub async fn serve(opened: Opened, session: Session, stream: MessageStream) {
    let Opened { app, device, line, arrival } = opened;
    let entered = Entered { app: app.clone(), line: line.clone() };
    let stream = stream.max_frame_size(app.config.gateway.max_message_bytes);
    let mut socket = Socket { session, stream, parts: None, most: app.config.gateway.max_message_bytes };
    let end = match online(&app, &device, &arrival).await {
        Ok(true) if app.gateway.registry.hold(&line) => {
            let mut conversation = Conversation::new(app.clone(), device, line.clone());
            let end = socket.talk(&app, &line, &mut conversation).await;
            conversation.disconnected().await;
            end
        }
        Ok(_) => End::Replaced,
        Err(err) => {
            tracing::warn!(charger = %device.charger_id, error = %err, "a connection could not be noted: {err:#}");
            End::Failed
        }
    };
    let reason = end.reason();
    tracing::debug!(charger = %device.charger_id, ?reason, "the connection of {} ended: {reason}", device.charger_id);
    socket.close(end).await;
    match reason {
        // Many leave at once; they are written together.
        ConnectionReason::Stopping => {
            app.gateway.left.lock().unwrap_or_else(PoisonError::into_inner).push(line.held());
        }
        reason => {
            if let Err(err) = offline(&app, &line, reason).await {
                // The watch finds it after a while.
                tracing::warn!(charger = %device.charger_id, error = %err, "an end could not be noted: {err:#}");
            }
        }
    }
    drop(entered);
}

async fn online(app: &App, device: &Device, arrival: &Arrival) -> Result<bool> {
    let _turn = app.gateway.turn().await;
    presence::online(&mut *app.conn().await?, device.charger_id, arrival).await
}

/// Tells whoever waits for this connection's end that it is alive.
async fn alive(app: &App, line: &Line) {
    let write = async || -> Result<()> {
        let _turn = app.gateway.turn().await;
        presence::alive(&mut *app.conn().await?, &line.held()).await
    };
    if let Err(err) = write().await {
        tracing::warn!(charger = %line.charger_id, error = %err, "a sign of life could not be written: {err}");
    }
}

async fn offline(app: &App, line: &Line, reason: ConnectionReason) -> Result<()> {
    let _turn = app.gateway.turn().await;
    presence::offline(&mut *app.conn().await?, &[line.held()], reason).await?;
    Ok(())
}

/// What the device sent.
enum Inbound {
    /// A whole text.
    Text(Bytes),
    /// A sign of life, or a part of a text.
    Nothing,
}

struct Socket {
    session: Session,
    stream: MessageStream,
    /// The parts of a text that is not complete yet.
    parts: Option<BytesMut>,
    /// The largest text, in bytes.
    most: usize,
}

impl Socket {
    async fn talk(&mut self, app: &App, line: &Line, conversation: &mut Conversation) -> End {
        let config = &app.config.gateway;
        let (ping, idle) = (Duration::from_secs(config.ping_seconds), Duration::from_secs(config.idle_seconds));
        let now = Instant::now();
        let (mut heard_at, mut ping_at, mut pace) = (now, now + ping, Pace { due: now });
        let mut probed = false;
        let mut timer = pin!(sleep_until(ping_at));
        loop {
            match conversation.next_call().await {
                Ok(Some(text)) => {
                    if let Err(end) = self.send(Message::Text(text.into())).await {
                        return end;
                    }
                }
                Ok(None) => {}
                Err(Over::Replaced) => return End::Replaced,
                Err(Over::Renewed) => return End::Renewed,
            }
            let resume_at = pace.resume_at(Instant::now());
            let due = [Some(ping_at), Some(heard_at + idle), conversation.due(), resume_at];
            let due = due.into_iter().flatten().min().unwrap_or(ping_at);
            if timer.deadline() != due {
                timer.as_mut().reset(due);
            }
            tokio::select! {
                () = app.stopping.cancelled() => return End::Stopping,
                woken = line.woken() => {
                    if woken.replaced {
                        return End::Replaced;
                    }
                    if woken.probed {
                        probed = true;
                        if let Err(end) = self.send(Message::Ping(Bytes::new())).await {
                            return end;
                        }
                    }
                    conversation.wake();
                }
                () = timer.as_mut() => {
                    let now = Instant::now();
                    if now >= heard_at + idle {
                        return End::Silent;
                    }
                    if now >= ping_at {
                        ping_at = now + ping;
                        if let Err(end) = self.send(Message::Ping(Bytes::new())).await {
                            return end;
                        }
                    }
                    conversation.tick(now).await;
                }
                message = self.stream.recv(), if resume_at.is_none() => {
                    heard_at = Instant::now();
                    pace.count(heard_at);
                    line.heard(app.now());
                    let inbound = match self.take(message).await {
                        Ok(inbound) => inbound,
                        Err(end) => return end,
                    };
                    if std::mem::take(&mut probed) {
                        alive(app, line).await;
                    }
                    let answer = match inbound {
                        Inbound::Text(text) => conversation.hear(&text).await,
                        Inbound::Nothing => Heard::Nothing,
                    };
                    match answer {
                        Heard::Nothing => {}
                        Heard::Answer(text) => if let Err(end) = self.send(Message::Text(text.into())).await {
                            return end;
                        },
                        Heard::TooLarge => return End::Flawed(CloseCode::Size, "the message is too large"),
                        Heard::Nonsense => return End::Flawed(CloseCode::Policy, "too many unreadable messages"),
                    }
                }
            }
        }
    }

    /// Sorts what came in, and puts the parts of a text together.
    async fn take(&mut self, message: Option<Result<Message, ProtocolError>>) -> Result<Inbound, End> {
        let too_large = End::Flawed(CloseCode::Size, "the message is too large");
        let item = match message {
            Some(Ok(Message::Text(text))) => return Ok(Inbound::Text(text.into_bytes())),
            // OCPP knows no binary messages; it is read as text and found to be none.
            Some(Ok(Message::Binary(bytes))) => return Ok(Inbound::Text(bytes)),
            Some(Ok(Message::Ping(bytes))) => {
                self.send(Message::Pong(bytes)).await?;
                return Ok(Inbound::Nothing);
            }
            Some(Ok(Message::Pong(_) | Message::Nop)) => return Ok(Inbound::Nothing),
            Some(Ok(Message::Close(reason))) => return Err(End::Closed(reason)),
            Some(Ok(Message::Continuation(item))) => item,
            Some(Err(ProtocolError::Overflow)) => return Err(too_large),
            Some(Err(ProtocolError::Io(err))) if claims_too_much(&err) => return Err(too_large),
            Some(Err(ProtocolError::Io(err))) if err.kind() == std::io::ErrorKind::InvalidData => {
                return Err(End::Flawed(CloseCode::Invalid, "the message is not UTF-8"));
            }
            // The line broke; what had arrived before comes after this.
            Some(Err(ProtocolError::Io(_))) => return Ok(Inbound::Nothing),
            None => return Err(End::Broken),
            Some(Err(_)) => return Err(End::Flawed(CloseCode::Protocol, "the frames break the WebSocket protocol")),
        };
        let (bytes, last) = match item {
            Item::FirstText(bytes) | Item::FirstBinary(bytes) => {
                self.parts = Some(BytesMut::new());
                (bytes, false)
            }
            Item::Continue(bytes) => (bytes, false),
            Item::Last(bytes) => (bytes, true),
        };
        let parts = self.parts.get_or_insert_default();
        if parts.len() + bytes.len() > self.most {
            return Err(too_large);
        }
        parts.extend_from_slice(&bytes);
        if !last {
            return Ok(Inbound::Nothing);
        }
        Ok(Inbound::Text(self.parts.take().unwrap_or_default().freeze()))
    }

    /// Sends one message. While the device takes nothing, nothing more is read from it.
    async fn send(&mut self, message: Message) -> Result<(), End> {
        timeout(WRITE, self.session.send(message)).await.unwrap_or(Err(Closed)).map_err(End::from)
    }

    /// Says goodbye, and reads until the other end has heard it: a socket that is closed with something unread in it
    /// takes the farewell back.
    async fn close(self, end: End) {
        let Self { session, mut stream, .. } = self;
        if matches!(end, End::Broken) {
            return;
        }
        let answered = matches!(end, End::Closed(_));
        let _ = timeout(WRITE, session.close(end.farewell())).await;
        let gone = async { while !matches!(stream.recv().await, None | Some(Err(_) | Ok(Message::Close(_)))) {} };
        if !answered {
            let _ = timeout(FAREWELL, gone).await;
        }
    }
}

/// Whether a frame's header claimed more than is taken: [`super::limit::bounded`] says so.
fn claims_too_much(err: &std::io::Error) -> bool {
    let cause = err.get_ref().and_then(|it| it.downcast_ref::<PayloadError>());
    matches!(cause, Some(PayloadError::Overflow))
}

/// Holds back a device that sends too fast: bursts are fine, a flood is read at the speed of [`Pace::EACH`].
struct Pace {
    /// When the device would be through with what it has sent, had it kept the pace.
    due: Instant,
}

impl Pace {
    const EACH: Duration = Duration::from_millis(10);
    const BURST: Duration = Duration::from_secs(10);

    fn count(&mut self, now: Instant) {
        self.due = self.due.max(now) + Self::EACH;
    }

    /// When it may be read again; nothing when it may now.
    fn resume_at(&self, now: Instant) -> Option<Instant> {
        let ahead = self.due.saturating_duration_since(now);
        ahead.checked_sub(Self::BURST).filter(|it| !it.is_zero()).map(|wait| now + wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_pass_and_floods_are_held_back() {
        let start = Instant::now();
        let mut pace = Pace { due: start };
        for _ in 0..1000 {
            assert_eq!(pace.resume_at(start), None);
            pace.count(start);
        }
        pace.count(start);
        assert_eq!(pace.resume_at(start), Some(start + Pace::EACH));
        assert_eq!(pace.resume_at(start + Pace::EACH), None);
        pace.count(start + Duration::from_secs(60));
        assert_eq!(pace.resume_at(start + Duration::from_secs(60)), None);
    }
}
