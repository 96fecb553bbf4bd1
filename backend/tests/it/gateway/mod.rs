//! The gateway as chargers see it: over real WebSockets, with a client that may misbehave.

mod claims;
mod commands;
mod handshake;
mod messages;
mod passwords;
mod presence;
mod service;
mod wire;

use std::collections::VecDeque;
use std::time::Duration;

use backend::events::Happening;
use backend::gateway::credentials::password_hashes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use futures_util::{SinkExt, StreamExt};
use schema::{charger_states, connection_records, connectors, unknown_devices};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

use crate::app::{Site, TestApp};

/// Nothing in these tests takes this long, unless it never comes.
const LIMIT: Duration = Duration::from_secs(20);

/// The header with which a charger offers what we speak.
pub const OCPP: (&str, &str) = ("sec-websocket-protocol", "ocpp1.6");

/// The header with which a charger logs in.
pub fn basic(name: &str, password: &[u8]) -> String {
    format!("Basic {}", STANDARD.encode([name.as_bytes(), b":", password].concat()))
}

/// Gives a charger a password, behind the API's back.
pub async fn protect(app: &TestApp, charger: Uuid, password: &str) {
    diesel::update(charger_states::table.find(charger))
        .set(charger_states::password_hashes.eq(password_hashes(password)))
        .execute(&mut app.conn().await)
        .await
        .unwrap();
}

/// Why devices were turned away: serial number, offered protocols, reason and knocks.
pub async fn turned_away(app: &TestApp) -> Vec<(String, String, String, i64)> {
    let columns =
        (unknown_devices::serial_no, unknown_devices::protocol, unknown_devices::reason, unknown_devices::knocks);
    let found = unknown_devices::table.select(columns).order(unknown_devices::serial_no);
    found.load(&mut app.conn().await).await.unwrap()
}

/// A charger's end of a connection.
pub struct Charger {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Calls of the server that nobody has looked at yet.
    asked: VecDeque<Value>,
    calls: u32,
}

impl Charger {
    /// Connects as a well-behaved charger without a password.
    pub async fn connect(app: &TestApp, serial_no: &str) -> Self {
        Self::try_connect(app, serial_no, &[OCPP]).await.unwrap()
    }

    /// Connects with a password.
    pub async fn connect_with(app: &TestApp, serial_no: &str, password: &str) -> Self {
        Self::log_in(app, serial_no, password).await.unwrap()
    }

    /// As [`Charger::connect_with`]; the error is the HTTP status of the refusal.
    pub async fn log_in(app: &TestApp, serial_no: &str, password: &str) -> Result<Self, u16> {
        let basic = basic(serial_no, password.as_bytes());
        Self::try_connect(app, serial_no, &[OCPP, ("authorization", &basic)]).await
    }

    /// Connects with these headers; the error is the HTTP status of the refusal.
    pub async fn try_connect(app: &TestApp, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        Self::try_connect_to(&app.url, path, headers).await
    }

    /// As [`Charger::try_connect`], to a server at this address.
    pub async fn try_connect_to(url: &str, path: &str, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let url = format!("{}/ocpp/{path}", url.replace("http:", "ws:"));
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, response)) => {
                let chosen = response.headers().get("sec-websocket-protocol").map(|it| it.to_str().unwrap());
                assert_eq!(chosen, Some("ocpp1.6"));
                Ok(Self { socket, asked: VecDeque::new(), calls: 0 })
            }
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(err) => panic!("{err}"),
        }
    }

    /// Sends a text.
    pub async fn say(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    /// Sends any WebSocket message.
    pub async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends bytes that may be no WebSocket message.
    pub async fn send_raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.get_mut().write_all(bytes).await
    }

    /// The next frame, or the code with which the server closed the connection.
    pub async fn hear(&mut self) -> Result<Value, u16> {
        loop {
            let message = tokio::time::timeout(LIMIT, self.socket.next()).await.expect("the server says nothing");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame.map_or(1005, |it| it.code.into())),
                Some(Ok(_)) => {}
                Some(Err(err)) => panic!("{err}"),
                None => return Err(1006),
            }
        }
    }

    /// Waits for the end of the connection and gives its code.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.hear().await {
                return code;
            }
        }
    }

    /// Calls the server under an id of its own and gives the answering frame.
    pub async fn call_frame(&mut self, action: &str, payload: Value) -> Value {
        self.calls += 1;
        let id = format!("c{}", self.calls);
        self.say(&json!([2, id, action, payload]).to_string()).await;
        self.answer_to(&id).await
    }

    /// The answer to the call with this id; calls of the server are put aside.
    pub async fn answer_to(&mut self, id: &str) -> Value {
        loop {
            let frame = self.hear().await.expect("closed instead of answered");
            match frame[0].as_i64() {
                Some(2) => self.asked.push_back(frame),
                _ if frame[1] == id => return frame,
                _ => panic!("an answer to somebody else: {frame}"),
            }
        }
    }

    /// Calls the server and gives the payload of its result.
    pub async fn call(&mut self, action: &str, payload: Value) -> Value {
        let frame = self.call_frame(action, payload).await;
        assert_eq!(frame[0], 3, "{frame}");
        frame[2].clone()
    }

    /// Starts.
    pub async fn boot(&mut self) -> Value {
        self.call("BootNotification", json!({"chargePointVendor": "ACME", "chargePointModel": "DC120"})).await
    }

    /// The next call of the server: id, action and payload.
    pub async fn asked(&mut self) -> (String, String, Value) {
        let frame = match self.asked.pop_front() {
            Some(frame) => frame,
            None => self.hear().await.expect("closed instead of asked"),
        };
        assert_eq!(frame[0], 2, "{frame}");
        let text = |it: &Value| it.as_str().unwrap().to_owned();
        (text(&frame[1]), text(&frame[2]), frame[3].clone())
    }

    /// Whether no call of the server was put aside.
    pub fn nothing_asked(&self) -> bool {
        self.asked.is_empty()
    }

    /// Answers a call of the server.
    pub async fn answer(&mut self, id: &str, payload: Value) {
        self.say(&json!([3, id, payload]).to_string()).await;
    }

    /// Says goodbye.
    pub async fn leave(mut self) {
        self.socket.close(None).await.unwrap();
    }
}

/// A server with one charger, and everything that happens from now on.
pub async fn one_charger(app: &TestApp) -> (Site, Happenings) {
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    // The listener on the database is up when it has heard of something.
    let mut happenings = Happenings(app.app.hub.happenings());
    let first = Charger::connect(app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    first.leave().await;
    happenings.wait("charger", site.charger).await;
    (site, happenings)
}

/// What the server tells about.
pub struct Happenings(broadcast::Receiver<Happening>);

impl Happenings {
    /// Waits until something is told of this thing.
    pub async fn wait(&mut self, kind: &str, id: Uuid) {
        let told = async {
            loop {
                let it = self.0.recv().await.unwrap();
                if json!(it.kind) == kind && it.id == id {
                    return;
                }
            }
        };
        tokio::time::timeout(LIMIT, told).await.unwrap_or_else(|_| panic!("nothing is told of the {kind}"));
    }
}

/// Waits until the database gives what is expected.
pub async fn eventually<T: PartialEq + std::fmt::Debug>(expected: T, look: impl AsyncFn() -> T) {
    let until = tokio::time::Instant::now() + LIMIT;
    loop {
        let found = look().await;
        if found == expected {
            return;
        }
        assert!(tokio::time::Instant::now() < until, "{found:?} instead of {expected:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a charger is online.
pub async fn is_online(app: &TestApp, charger: Uuid) -> bool {
    let mut conn = app.conn().await;
    charger_states::table.find(charger).select(charger_states::online).first(&mut conn).await.unwrap()
}

/// Why a charger came and went, the newest last.
pub async fn comings_and_goings(app: &TestApp, charger: Uuid) -> Vec<(bool, String)> {
    let records = connection_records::table
        .filter(connection_records::device_id.eq(charger))
        .order(connection_records::id)
        .select((connection_records::online, connection_records::reason));
    records.load(&mut app.conn().await).await.unwrap()
}

/// Status, error, more about it, and since when.
pub type Doing = (String, Option<String>, Option<String>, Option<DateTime<Utc>>);

/// What a connector is doing.
pub async fn doing(app: &TestApp, connector: Uuid) -> Doing {
    let columns = (connectors::status, connectors::error_code, connectors::status_info, connectors::status_at);
    connectors::table.find(connector).select(columns).first(&mut app.conn().await).await.unwrap()
}
