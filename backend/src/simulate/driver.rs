//! A simulated driver: logs in by text message, finds a station, plugs in, pays, charges, stops and drives off, all
//! through the public API.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rand::Rng;
use rand::seq::{IndexedRandom, IteratorRandom};
use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use shared::driver_app::{
    ChargerFound, DriverOrderDetail, DriverPayment, DriverReservation, DriverTokens, LiveOrder, NearbyStation,
    OrderToPay,
};
use shared::fixed::Fen;
use shared::invoice::{Buyer, DriverInvoice, DriverInvoiceRequest};
use shared::order::OrderState;
use uuid::Uuid;

use super::bank::Bank;
use super::charger::{Deed, Handle};
use super::connector::Car;

/// How a driver behaves.
#[derive(Clone, Debug)]
pub struct Manner {
    /// The platform, `http://127.0.0.1:8080`.
    pub platform: String,
    /// How long they charge before they stop it themselves.
    pub charge: std::ops::Range<Duration>,
    /// How long they stay away between two charges.
    pub away: std::ops::Range<Duration>,
    /// What they prepay.
    pub prepaid: Fen,
    /// How often they look at the running order.
    pub look: Duration,
    /// How long they wait for anything before they give up.
    pub patience: Duration,
}

/// Chargers that a driver looks at before coming back later.
const LOOKS: usize = 6;

/// The chargers that drivers can walk up to, by serial number.
pub type Chargers = Arc<HashMap<String, Handle>>;

/// A driver.
pub struct Driver {
    phone: String,
    manner: Arc<Manner>,
    bank: Bank,
    http: reqwest::Client,
    token: String,
}

/// How an order ended, as the driver saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The order.
    pub order_id: Uuid,
    /// Its last state.
    pub state: OrderState,
}

impl Driver {
    /// A driver with a telephone number.
    pub fn new(phone: String, manner: Arc<Manner>, bank: Bank, http: reqwest::Client) -> Self {
        Self { phone, manner, bank, http, token: String::new() }
    }

    /// Charges again and again until told to stop.
    pub async fn live(mut self, chargers: Chargers, stopping: tokio_util::sync::CancellationToken) {
        loop {
            tokio::select! {
                () = stopping.cancelled() => return,
                trip = self.trip(&chargers) => if let Err(err) = trip {
                    tracing::debug!(phone = %self.phone, error = %err, "a trip went wrong: {err:#}");
                    // The session may have ended with the server.
                    self.token.clear();
                }
            }
            let pause = rand::rng().random_range(self.manner.away.clone());
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// One charge from finding a station to driving off; `None` when everything was taken.
    ///
    /// # Errors
    /// The platform cannot be reached or says something unexpected.
    pub async fn trip(&mut self, chargers: &Chargers) -> Result<Option<Outcome>> {
        if self.token.is_empty() {
            self.log_in().await?;
        }
        let Some((handle, connector, number)) = self.find(chargers).await? else { return Ok(None) };
        let car = Car {
            capacity_wh: rand::rng().random_range(40..=100) * 1000,
            soc: rand::rng().random_range(10..=60),
            max_power_w: rand::rng().random_range(6..=20) * 10_000,
            asleep: false,
        };
        handle.act(Deed::Plug(number, car)).await?;
        let charged = self.charge(connector).await;
        handle.act(Deed::Unplug(number)).await?;
        charged.map(Some)
    }

    /// Logs in with the code that the text message brings.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn log_in(&mut self) -> Result<()> {
        let before = self.bank.code(&self.phone);
        let _: Value = self.call(Method::POST, "auth/code", &json!({ "phone": self.phone })).await?;
        let deadline = tokio::time::Instant::now() + self.manner.patience;
        let code = loop {
            if let Some(code) = self.bank.code(&self.phone).filter(|it| Some(it) != before.as_ref()) {
                break code;
            }
            if tokio::time::Instant::now() > deadline {
                bail!("no text message for {}", self.phone);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let form = json!({ "phone": self.phone, "code": code });
        let tokens: DriverTokens = self.call(Method::POST, "auth/login", &form).await?;
        self.token = tokens.access_token;
        Ok(())
    }

    /// A free connector of a charger that is simulated here: the charger, the connector's id and number. A driver is not told
    /// which hardware stands at a station, and so walks up to a few chargers and scans their codes.
    async fn find(&self, chargers: &Chargers) -> Result<Option<(Handle, Uuid, i32)>> {
        let near: Vec<NearbyStation> = self.get("stations?lng=120.2&lat=30.25&radius_m=100000").await?;
        if near.iter().all(|it| it.free == 0) {
            return Ok(None);
        }
        let mut free = vec![];
        let near: Vec<&Handle> = chargers.values().choose_multiple(&mut rand::rng(), LOOKS);
        for handle in near {
            // One that nobody has put up yet is not known.
            let Ok(ChargerFound { charger, .. }) = self.scan(&handle.serial_no).await else { continue };
            let taken = handle.view().plugged;
            let open = charger.connectors.iter().filter(|it| !taken.contains(&it.number) && charger.online);
            free.extend(open.map(|it| (handle.clone(), it.id, it.number)));
        }
        Ok(free.choose(&mut rand::rng()).cloned())
    }

    /// Orders, pays, watches, stops and waits for the end.
    async fn charge(&self, connector: Uuid) -> Result<Outcome> {
        let made = self.order(connector).await?;
        let order = made.order.id;
        self.pay(&made.payment)?;
        let stop_after = rand::rng().random_range(self.manner.charge.clone());
        let mut charging_since = None;
        let mut asked = false;
        let deadline = tokio::time::Instant::now() + self.manner.patience + stop_after;
        loop {
            let live = self.live_order(order).await?;
            match live.state {
                OrderState::Completed | OrderState::Failed | OrderState::Cancelled => {
                    return Ok(Outcome { order_id: order, state: live.state });
                }
                OrderState::Charging if !asked => {
                    let since = *charging_since.get_or_insert_with(tokio::time::Instant::now);
                    if since.elapsed() >= stop_after {
                        asked = true;
                        self.stop(order).await?;
                    }
                }
                _ => {}
            }
            if tokio::time::Instant::now() > deadline {
                return Ok(Outcome { order_id: order, state: live.state });
            }
            tokio::time::sleep(self.manner.look).await;
        }
    }

    /// Orders a charge at a connector.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn order(&self, connector: Uuid) -> Result<OrderToPay> {
        let form = json!({ "connector_id": connector, "prepaid_fen": self.manner.prepaid, "start_method": "scan" });
        self.call(Method::POST, "orders", &form).await
    }

    /// Has a connector kept free.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn reserve(&self, connector: Uuid) -> Result<DriverReservation> {
        self.call(Method::POST, "reservations", &json!({ "connector_id": connector })).await
    }

    /// Gives a reservation up.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn give_up(&self, reservation: Uuid) -> Result<DriverReservation> {
        self.call(Method::POST, &format!("reservations/{reservation}/cancel"), &json!({})).await
    }

    /// Pays in the wallet.
    ///
    /// # Errors
    /// The payment cannot be paid any more.
    pub fn pay(&self, payment: &DriverPayment) -> Result<()> {
        let number = &payment.payment_no;
        self.bank.pay(number, chrono::Utc::now()).map_err(|code| anyhow::anyhow!("cannot pay {number}: {code}"))
    }

    /// Asks for the end of a charge.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn stop(&self, order: Uuid) -> Result<()> {
        let _: Value = self.call(Method::POST, &format!("orders/{order}/stop"), &json!({})).await?;
        Ok(())
    }

    /// How the order stands.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn live_order(&self, order: Uuid) -> Result<LiveOrder> {
        self.get(&format!("orders/{order}/live")).await
    }

    /// The order with its bill explained.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn detail(&self, order: Uuid) -> Result<DriverOrderDetail> {
        self.get(&format!("orders/{order}")).await
    }

    /// Looks at the order until it stands so.
    ///
    /// # Errors
    /// It does not in time, or as [`Driver::trip`].
    pub async fn until(&self, order: Uuid, so: impl Fn(&LiveOrder) -> bool) -> Result<LiveOrder> {
        let deadline = tokio::time::Instant::now() + self.manner.patience;
        loop {
            let live = self.live_order(order).await?;
            if so(&live) {
                return Ok(live);
            }
            if tokio::time::Instant::now() > deadline {
                bail!("the order stands at {live:?}");
            }
            tokio::time::sleep(self.manner.look).await;
        }
    }

    /// Reads a charger as the scan of its code does.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn scan(&self, code: &str) -> Result<ChargerFound> {
        self.get(&format!("chargers/by-code/{code}")).await
    }

    /// Asks for an invoice over some of one's orders, to a person of this name.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn ask_for_invoice(&self, orders: &[Uuid], title: &str) -> Result<DriverInvoice> {
        let form = DriverInvoiceRequest {
            order_ids: orders.to_vec(),
            buyer: Buyer::Person,
            kind: None,
            title: title.to_owned(),
            tax_id: None,
            email: "driver@example.com".to_owned(),
        };
        self.call(Method::POST, "invoices", &form).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.send(self.http.get(self.url(path)), path).await
    }

    async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: &impl Serialize) -> Result<T> {
        let key = Uuid::new_v4().to_string();
        let request = self.http.request(method, self.url(path)).header("idempotency-key", key).json(body);
        self.send(request, path).await
    }

    async fn send<T: DeserializeOwned>(&self, mut request: reqwest::RequestBuilder, path: &str) -> Result<T> {
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let response = request.send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        if !status.is_success() {
            bail!("{path}: {status} {}", String::from_utf8_lossy(&body));
        }
        let body: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(body).with_context(|| format!("{path} answered something unexpected"))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/app/v1/{path}", self.manner.platform)
    }
}
