//! A simulated charger: speaks OCPP 1.6-J over a real socket, loses its connection now and then, and forgets no charge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use futures_util::{SinkExt, StreamExt};
use ocpp::message::{
    Acceptance, AuthorizationStatus, AvailabilityStatus, AvailabilityType, BootNotification,
    BootNotificationConfirmation, ChargePointErrorCode, ConfigurationKey, ConfigurationStatus,
    GetConfigurationConfirmation, MessageTrigger, Outcome, RegistrationStatus, ReservationStatus,
    StartTransactionConfirmation, StopReason, TriggerMessageStatus, UnlockStatus,
};
use ocpp::{CallError, Command, ErrorCode, Frame, Malformed};
use rand::Rng;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message as Text;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::connector::{Car, Charge, Connector};
use super::outbox::{Item, Outbox};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How a charger behaves.
#[derive(Clone, Debug)]
pub struct Habits {
    /// The server, `ws://127.0.0.1:8080`.
    pub server: String,
    /// Connectors.
    pub connectors: i32,
    /// Time between two samples.
    pub sample: Duration,
    /// How often it loses its connection, in a thousandth of the samples.
    pub drops_per_mille: u32,
    /// How often it tells a transaction message twice, in percent.
    pub repeats_percent: u32,
    /// The first pause before it connects again.
    pub reconnect: Duration,
}

/// What somebody does at a charger.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Plugs a car in.
    Plug(i32, Car),
    /// Takes the plug out.
    Unplug(i32),
    /// Cuts the connection for a while.
    Cut(Duration),
    /// Breaks a connector, or mends it.
    Fault(i32, Option<ChargePointErrorCode>),
    /// Enters the password that it logs in with.
    Password(String),
}

/// What can be seen of a charger from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// It is connected and accepted.
    pub online: bool,
    /// The connectors at which a charge runs.
    pub charging: Vec<i32>,
    /// The connectors at which a car stands.
    pub plugged: Vec<i32>,
    /// Everything was told and answered.
    pub told: bool,
}

/// A charger's handle.
#[derive(Clone)]
pub struct Handle {
    /// Its serial number.
    pub serial_no: String,
    deeds: mpsc::Sender<Deed>,
    view: watch::Receiver<View>,
    parked: Arc<Mutex<BTreeSet<i32>>>,
}

/// The place at a connector, for one car; given back when it is dropped.
#[derive(Debug)]
pub struct Bay {
    /// The connector's number.
    pub number: i32,
    parked: Arc<Mutex<BTreeSet<i32>>>,
}

impl Drop for Bay {
    fn drop(&mut self) {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

impl Handle {
    /// Drives up to a connector; `None` when somebody stands there.
    pub fn park(&self, number: i32) -> Option<Bay> {
        let came = self.parked.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
        came.then(|| Bay { number, parked: self.parked.clone() })
    }

    /// Does something at the charger.
    ///
    /// # Errors
    /// The charger has gone.
    pub async fn act(&self, deed: Deed) -> Result<()> {
        self.deeds.send(deed).await.map_err(|_| anyhow!("{} has gone", self.serial_no))
    }

    /// What can be seen now.
    pub fn view(&self) -> View {
        self.view.borrow().clone()
    }

    /// Waits until what can be seen is so.
    ///
    /// # Errors
    /// The charger has gone.
    pub async fn until(&self, so: impl FnMut(&View) -> bool) -> Result<()> {
        self.view.clone().wait_for(so).await.map(drop).with_context(|| format!("{} has gone", self.serial_no))
    }
}

/// Starts a charger with this password whose connectors give so many W at most; it ends when told to stop.
pub fn spawn(
    serial_no: String,
    password: String,
    power_w: i64,
    habits: Arc<Habits>,
    stopping: tokio_util::sync::CancellationToken,
) -> Handle {
    let (deeds, received) = mpsc::channel(16);
    let (shown, view) = watch::channel(View::default());
    let meter = 1_000_000 + rand::rng().random_range(0..9_000_000);
    let charger = Charger {
        serial_no: serial_no.clone(),
        password,
        power_w,
        connectors: (1..=habits.connectors).map(|it| Connector::new(it, power_w, meter + i64::from(it))).collect(),
        configuration: configuration(&habits),
        habits,
        outbox: Outbox::default(),
        last_tick: Instant::now(),
        next_local: 1,
        online: false,
        shown,
    };
    tokio::spawn(async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = charger.live(received) => {}
        }
    });
    Handle { serial_no, deeds, view, parked: Arc::default() }
}

fn configuration(habits: &Habits) -> BTreeMap<String, (bool, String)> {
    let seconds = habits.sample.as_secs().max(1).to_string();
    [
        ("HeartbeatInterval", false, "60"),
        ("WebSocketPingInterval", false, "30"),
        ("MeterValueSampleInterval", false, seconds.as_str()),
        ("ClockAlignedDataInterval", false, "0"),
        (
            "MeterValuesSampledData",
            false,
            "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC",
        ),
        ("StopTransactionOnInvalidId", false, "true"),
        ("LocalAuthorizeOffline", false, "false"),
        ("TransactionMessageAttempts", false, "5"),
        ("NumberOfConnectors", true, &habits.connectors.to_string()),
        ("SupportedFeatureProfiles", true, "Core,RemoteTrigger,Reservation"),
    ]
    .into_iter()
    .map(|(key, readonly, value)| (key.to_owned(), (readonly, value.to_owned())))
    .collect()
}

struct Charger {
    serial_no: String,
    password: String,
    power_w: i64,
    habits: Arc<Habits>,
    connectors: Vec<Connector>,
    configuration: BTreeMap<String, (bool, String)>,
    outbox: Outbox,
    last_tick: Instant,
    next_local: u64,
    online: bool,
    shown: watch::Sender<View>,
}

/// Why a connection ended.
enum Ended {
    /// It was lost.
    Lost,
    /// Somebody cut it for that long.
    Cut(Duration),
    /// The charger starts over.
    Restart,
}

impl Charger {
    async fn live(mut self, mut deeds: mpsc::Receiver<Deed>) {
        let mut pause = self.habits.reconnect;
        let mut boot = true;
        loop {
            let ended = match self.connect().await {
                Ok(socket) => {
                    pause = self.habits.reconnect;
                    let introduce = std::mem::take(&mut boot);
                    self.talk(socket, &mut deeds, introduce).await
                }
                Err(err) => {
                    tracing::debug!(charger = %self.serial_no, error = %err, "no connection: {err:#}");
                    Ended::Lost
                }
            };
            self.online = false;
            self.outbox.disconnected();
            self.connectors.iter_mut().for_each(Connector::forget_told);
            self.show();
            // Who was not let in introduces itself when it is.
            boot |= matches!(ended, Ended::Restart);
            let wait = match ended {
                Ended::Lost => pause,
                Ended::Cut(wait) => wait,
                Ended::Restart => Duration::from_millis(500),
            };
            pause = (pause * 2).min(Duration::from_secs(5));
            // Cars go on charging while there is no connection.
            let until = Instant::now() + wait.mul_f64(rand::rng().random_range(0.8..1.2));
            let mut ticks = tokio::time::interval(self.habits.sample);
            loop {
                tokio::select! {
                    () = tokio::time::sleep_until(until) => break,
                    _ = ticks.tick() => self.tick(),
                    deed = deeds.recv() => match deed {
                        Some(deed) => drop(self.take(deed)),
                        None => return,
                    },
                }
            }
        }
    }

    async fn connect(&self) -> Result<Socket> {
        let mut request = format!("{}/ocpp/{}", self.habits.server, self.serial_no).into_client_request()?;
        let credentials = STANDARD.encode(format!("{}:{}", self.serial_no, self.password));
        request.headers_mut().insert("sec-websocket-protocol", "ocpp1.6".parse()?);
        request.headers_mut().insert("authorization", format!("Basic {credentials}").parse()?);
        let (socket, _) =
            tokio::time::timeout(Duration::from_secs(10), tokio_tungstenite::connect_async(request)).await??;
        Ok(socket)
    }

    async fn talk(&mut self, mut socket: Socket, deeds: &mut mpsc::Receiver<Deed>, boot: bool) -> Ended {
        if boot {
            self.outbox.push_first(Item::Boot(self.introduction()));
        } else {
            self.online = true;
        }
        let mut ticks = tokio::time::interval(self.habits.sample);
        let mut heartbeats = tokio::time::interval(Duration::from_secs(60));
        let mut heard = Instant::now();
        loop {
            self.show();
            match self.outbox.next() {
                Ok(Some(text)) => {
                    if socket.send(Text::text(text)).await.is_err() {
                        return Ended::Lost;
                    }
                }
                Ok(None) => {}
                Err(refused) => tracing::error!(charger = %self.serial_no, "a message of ours is wrong: {refused:?}"),
            }
            tokio::select! {
                message = socket.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Text::Text(text))) => match self.hear(&text, &mut socket).await {
                            Ok(None) => {}
                            Ok(Some(ended)) => return ended,
                            Err(err) => {
                                tracing::debug!(charger = %self.serial_no, error = %err, "{err:#}");
                                return Ended::Lost;
                            }
                        },
                        Some(Ok(Text::Close(_)) | Err(_)) | None => return Ended::Lost,
                        Some(Ok(_)) => {}
                    }
                }
                _ = ticks.tick() => {
                    self.tick();
                    // A server that was killed may leave a line that nobody holds any more.
                    if heard.elapsed() > Duration::from_secs(100) || self.unlucky(self.habits.drops_per_mille) {
                        return Ended::Lost;
                    }
                }
                _ = heartbeats.tick() => self.outbox.push(Item::Heartbeat),
                deed = deeds.recv() => match deed {
                    Some(deed) => if let Some(ended) = self.take(deed) { return ended },
                    None => return Ended::Lost,
                },
            }
        }
    }

    fn unlucky(&self, per_mille: u32) -> bool {
        per_mille > 0 && rand::rng().random_range(0..1000) < per_mille
    }

    fn introduction(&self) -> BootNotification {
        BootNotification {
            charge_point_vendor: "Wattyard".to_owned(),
            charge_point_model: format!("SIM-{}kW", self.power_w / 1000),
            charge_point_serial_number: Some(self.serial_no.chars().take(25).collect()),
            charge_box_serial_number: None,
            firmware_version: Some("1.0.0".to_owned()),
            iccid: Some("89860000000000000001".to_owned()),
            imsi: None,
            meter_type: Some("SIM".to_owned()),
            meter_serial_number: None,
        }
    }

    /// Lets time pass: energy flows, charges end, samples are taken.
    fn tick(&mut self) {
        let now = Instant::now();
        let millis = i64::try_from(now.duration_since(self.last_tick).as_millis()).unwrap_or_default();
        self.last_tick = now;
        let at = Utc::now();
        for index in 0..self.connectors.len() {
            let Some(connector) = self.connectors.get_mut(index) else { continue };
            connector.flow(millis);
            connector.expire(at);
            if let Some(charge) = &connector.charge {
                let (local, connector_no) = (charge.local, connector.number);
                let value = connector.sample(at);
                self.push(Item::Meter { local, connector: connector_no, value });
            }
            let Some(connector) = self.connectors.get(index) else { continue };
            if let Some(reason) = connector.wants_to_stop() {
                self.stop(index, reason, at);
            }
        }
        self.tell_news(at);
    }

    fn push(&mut self, item: Item) {
        let money = matches!(item, Item::Start { .. } | Item::Stop { .. } | Item::Meter { .. });
        if money && self.unlucky(self.habits.repeats_percent * 10) {
            self.outbox.push(item.clone());
        }
        self.outbox.push(item);
    }

    fn tell_news(&mut self, at: DateTime<Utc>) {
        for connector in &mut self.connectors {
            if let Some(status) = connector.news() {
                let error = connector.fault.clone().unwrap_or(ChargePointErrorCode::NoError);
                self.outbox.push(Item::Status(connector.number, status, error, at));
            }
        }
    }

    fn stop(&mut self, index: usize, reason: StopReason, at: DateTime<Utc>) {
        let Some(connector) = self.connectors.get_mut(index) else { return };
        let meter = connector.meter_wh();
        if let Some(charge) = connector.end() {
            self.push(Item::Stop { local: charge.local, meter, reason, at });
        }
    }

    fn take(&mut self, deed: Deed) -> Option<Ended> {
        let find = |connectors: &[Connector], number: i32| connectors.iter().position(|it| it.number == number);
        match deed {
            Deed::Plug(number, car) => {
                let connector = find(&self.connectors, number).and_then(|it| self.connectors.get_mut(it))?;
                connector.plug(car);
            }
            Deed::Unplug(number) => {
                let index = find(&self.connectors, number)?;
                self.stop(index, StopReason::EVDisconnected, Utc::now());
                self.connectors.get_mut(index)?.unplug();
            }
            Deed::Fault(number, fault) => {
                let index = find(&self.connectors, number)?;
                self.connectors.get_mut(index)?.fault = fault;
            }
            Deed::Password(password) => self.password = password,
            Deed::Cut(wait) => return Some(Ended::Cut(wait)),
        }
        self.tell_news(Utc::now());
        self.show();
        None
    }

    async fn hear(&mut self, text: &str, socket: &mut Socket) -> Result<Option<Ended>> {
        match Frame::parse(text) {
            Ok(Frame::Call { id, action, payload }) => {
                let (answer, ended) = match Command::read(&action, payload) {
                    Ok(command) => self.obey(&id, command),
                    Err(refusal) => (Frame::error(id, refusal), None),
                };
                socket.send(Text::text(answer.to_string())).await?;
                Ok(ended)
            }
            Ok(Frame::Result { id, payload }) => {
                self.learn(&id, payload);
                Ok(None)
            }
            Ok(Frame::Error { id, .. }) => {
                self.outbox.refused(&id);
                Ok(None)
            }
            Err(Malformed::Refused { why, .. } | Malformed::Unreadable(why)) => {
                Err(anyhow!("the server sent nonsense: {why}"))
            }
            Err(Malformed::TooLarge) => Err(anyhow!("the server sent too much")),
        }
    }

    /// Takes the answer to one of our messages.
    fn learn(&mut self, id: &str, payload: ocpp::Payload) {
        match self.outbox.answered(id) {
            Some(Item::Boot(boot)) => match ocpp::read::<BootNotificationConfirmation>(payload) {
                Ok(it) if it.status == RegistrationStatus::Accepted => {
                    self.online = true;
                    self.connectors.iter_mut().for_each(Connector::forget_told);
                    self.tell_news(Utc::now());
                }
                _ => self.outbox.push(Item::Boot(boot)),
            },
            Some(Item::Start { local, .. }) => {
                let Ok(answer) = ocpp::read::<StartTransactionConfirmation>(payload) else { return };
                self.outbox.number(local, answer.transaction_id);
                if answer.id_tag_info.status != AuthorizationStatus::Accepted {
                    self.stop_charge(local, StopReason::DeAuthorized);
                }
            }
            Some(Item::Heartbeat | Item::Status(..) | Item::Meter { .. } | Item::Stop { .. }) | None => {}
        }
    }

    fn stop_charge(&mut self, local: u64, reason: StopReason) -> bool {
        let runs = |it: &Connector| it.charge.as_ref().is_some_and(|it| it.local == local);
        let Some(index) = self.connectors.iter().position(runs) else { return false };
        self.stop(index, reason, Utc::now());
        self.tell_news(Utc::now());
        true
    }

    fn obey(&mut self, id: &str, command: Command) -> (Frame, Option<Ended>) {
        let accept = |yes: bool| Outcome { status: if yes { Acceptance::Accepted } else { Acceptance::Rejected } };
        let now = Utc::now();
        let answer = match command {
            Command::RemoteStartTransaction(it) => {
                let started = self.start(it.connector_id, it.id_tag, now);
                Frame::result(id, &accept(started))
            }
            Command::RemoteStopTransaction(it) => {
                let local = self.outbox.local(it.transaction_id);
                let stopped = local.is_some_and(|it| self.stop_charge(it, StopReason::Remote));
                Frame::result(id, &accept(stopped))
            }
            Command::Reset(_) => {
                for index in 0..self.connectors.len() {
                    self.stop(index, StopReason::SoftReset, now);
                }
                return (Frame::result(id, &accept(true)), Some(Ended::Restart));
            }
            Command::UnlockConnector(it) => {
                let index = self.connectors.iter().position(|own| own.number == it.connector_id);
                if let Some(index) = index {
                    self.stop(index, StopReason::UnlockCommand, now);
                }
                let status = if index.is_some() { UnlockStatus::Unlocked } else { UnlockStatus::UnlockFailed };
                Frame::result(id, &Outcome { status })
            }
            Command::ChangeAvailability(it) => {
                let mut status = AvailabilityStatus::Accepted;
                for own in
                    self.connectors.iter_mut().filter(|own| it.connector_id == 0 || own.number == it.connector_id)
                {
                    own.operative = it.kind == AvailabilityType::Operative;
                    if own.charge.is_some() && !own.operative {
                        status = AvailabilityStatus::Scheduled;
                    }
                }
                Frame::result(id, &Outcome { status })
            }
            Command::TriggerMessage(it) => {
                let status = match it.requested_message {
                    MessageTrigger::Heartbeat => {
                        self.outbox.push(Item::Heartbeat);
                        TriggerMessageStatus::Accepted
                    }
                    MessageTrigger::BootNotification => {
                        self.outbox.push(Item::Boot(self.introduction()));
                        TriggerMessageStatus::Accepted
                    }
                    MessageTrigger::StatusNotification => {
                        self.connectors.iter_mut().for_each(Connector::forget_told);
                        TriggerMessageStatus::Accepted
                    }
                    MessageTrigger::MeterValues => TriggerMessageStatus::Accepted,
                    _ => TriggerMessageStatus::NotImplemented,
                };
                Frame::result(id, &Outcome { status })
            }
            Command::GetConfiguration(it) => {
                let wanted = |key: &str| it.key.is_empty() || it.key.iter().any(|it| it == key);
                let known = self.configuration.iter().filter(|(key, _)| wanted(key));
                let configuration_key = known
                    .map(|(key, (readonly, value))| ConfigurationKey {
                        key: key.clone(),
                        readonly: *readonly,
                        value: Some(value.clone()),
                    })
                    .collect();
                let unknown_key = it.key.iter().filter(|key| !self.configuration.contains_key(*key)).cloned().collect();
                Frame::result(id, &GetConfigurationConfirmation { configuration_key, unknown_key })
            }
            // It can be set, and never read.
            Command::ChangeConfiguration(it) if it.key == "AuthorizationKey" => {
                self.password = it.value;
                Frame::result(id, &Outcome { status: ConfigurationStatus::Accepted })
            }
            Command::ChangeConfiguration(it) => {
                let status = match self.configuration.get_mut(&it.key) {
                    Some((true, _)) => ConfigurationStatus::Rejected,
                    Some((false, value)) => {
                        *value = it.value;
                        ConfigurationStatus::Accepted
                    }
                    None => ConfigurationStatus::NotSupported,
                };
                Frame::result(id, &Outcome { status })
            }
            Command::ReserveNow(it) => {
                let own = self.connectors.iter_mut().find(|own| own.number == it.connector_id);
                let status = own.map_or(ReservationStatus::Rejected, |own| own.reserve(it));
                Frame::result(id, &Outcome { status })
            }
            Command::CancelReservation(it) => {
                let kept = self.connectors.iter_mut().any(|own| own.give_free(it.reservation_id));
                Frame::result(id, &accept(kept))
            }
            Command::ClearCache(_) => Frame::result(id, &accept(true)),
            other => {
                let refusal = CallError::new(ErrorCode::NotSupported, format!("{} is not simulated", other.action()));
                Frame::error(id, refusal)
            }
        };
        self.tell_news(now);
        (answer, None)
    }

    fn start(&mut self, number: Option<i32>, tag: ocpp::IdTag, now: DateTime<Utc>) -> bool {
        let free = |it: &&mut Connector| {
            number.is_none_or(|number| number == it.number)
                && it.charge.is_none()
                && it.car.is_some()
                && it.operative
                && it.fault.is_none()
                && it.lets(&tag)
        };
        let Some(connector) = self.connectors.iter_mut().find(free) else { return false };
        let (local, meter, number) = (self.next_local, connector.meter_wh(), connector.number);
        self.next_local += 1;
        connector.begin(Charge { local, tag: tag.clone(), meter_start: meter });
        self.push(Item::Start { local, connector: number, tag, meter, at: now });
        true
    }

    fn show(&self) {
        let numbers =
            |so: fn(&Connector) -> bool| self.connectors.iter().filter(|it| so(it)).map(|it| it.number).collect();
        self.shown.send_if_modified(|view| {
            let now = View {
                online: self.online,
                charging: numbers(|it| it.charge.is_some()),
                plugged: numbers(|it| it.car.is_some()),
                told: self.outbox.is_empty(),
            };
            std::mem::replace(view, now.clone()) != now
        });
    }
}
