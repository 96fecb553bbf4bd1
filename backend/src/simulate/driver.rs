//! A simulated driver: logs in by text message, finds a station, plugs in, pays, charges, stops and drives off, all
//! through the public API.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use rand::Rng;
use rand::seq::{IteratorRandom, SliceRandom};
use serde_json::{Value, json};
use shared::driver_app::{
    ChargerFound, DriverOrderDetail, DriverPayment, DriverReservation, LiveOrder, NearbyStation, OrderToPay,
};
use shared::fixed::Fen;
use shared::invoice::{Buyer, DriverInvoice, DriverInvoiceRequest};
use shared::order::OrderState;
use uuid::Uuid;

use super::account::{Account, Refusal};
use super::bank::Bank;
use super::charger::{Bay, Deed, Handle};
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
    manner: Arc<Manner>,
    bank: Bank,
    account: Account,
}

/// Connectors at which a driver tries their luck before they drive on.
const TRIES: usize = 4;
/// How long the platform may take to hear from a charger that a plug was put in.
const PLUGGED: Duration = Duration::from_secs(10);

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
        let account = Account::new(phone, manner.platform.clone(), manner.patience, bank.clone(), http);
        Self { manner, bank, account }
    }

    /// Charges again and again until told to stop.
    pub async fn live(self, chargers: Chargers, stopping: tokio_util::sync::CancellationToken) {
        let mut failures = 0;
        loop {
            let trip = tokio::select! {
                () = stopping.cancelled() => return,
                trip = self.trip(&chargers) => trip,
            };
            let away = rand::rng().random_range(self.manner.away.clone());
            let pause = self.note(trip, &mut failures).map_or(away, |told| told.max(away));
            tokio::select! {
                () = stopping.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Logs how a trip went. What goes wrong once is life; what goes wrong again and again is a warning, more and more
    /// seldom. Gives how long the platform wants to be left alone.
    fn note(&self, trip: Result<Option<Outcome>>, failures: &mut u32) -> Option<Duration> {
        let phone = &self.account.phone;
        let wrong = match trip {
            Ok(Some(Outcome { order_id, state })) => {
                tracing::info!(phone, order = %order_id, %state, "a charge has ended");
                *failures = 0;
                return None;
            }
            Ok(None) => anyhow!("no connector is free"),
            Err(err) => err,
        };
        *failures += 1;
        let failures = *failures;
        if failures > 1 && failures.is_power_of_two() {
            tracing::warn!(phone, failures, "no charge, {failures} times in a row: {wrong:#}");
        } else {
            tracing::debug!(phone, failures, "no charge: {wrong:#}");
        }
        Refusal::of(&wrong).and_then(|it| it.retry_after)
    }

    /// One charge from finding a station to driving off; `None` when everything was taken. Where the platform does not let
    /// them begin, they try the next connector.
    ///
    /// # Errors
    /// The platform cannot be reached, says something unexpected, or refuses an order at every connector that was tried.
    pub async fn trip(&self, chargers: &Chargers) -> Result<Option<Outcome>> {
        if !self.account.known().await {
            self.log_in().await?;
        }
        let mut refused = None;
        for (handle, connector, number) in self.find(chargers).await?.into_iter().take(TRIES) {
            let Some(bay) = handle.park(number) else { continue };
            let car = Car {
                capacity_wh: rand::rng().random_range(40..=100) * 1000,
                soc: rand::rng().random_range(10..=60),
                max_power_w: rand::rng().random_range(6..=20) * 10_000,
                asleep: false,
            };
            match self.visit(&handle, &bay, connector, car).await {
                Err(err) if Refusal::is_conflict(&err) => {
                    tracing::debug!(phone = %self.account.phone, "not here: {err:#}");
                    refused = Some(err);
                    tokio::time::sleep(self.manner.look).await;
                }
                done => return done.map(Some),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    /// Plugs in, charges and takes the plug out, whatever happens in between.
    async fn visit(&self, handle: &Handle, bay: &Bay, connector: Uuid, car: Car) -> Result<Outcome> {
        handle.act(Deed::Plug(bay.number, car)).await?;
        let charged = match self.order_plugged(connector).await {
            Ok(made) => self.charge(made).await,
            Err(err) => Err(err),
        };
        handle.act(Deed::Unplug(bay.number)).await?;
        charged
    }

    /// Logs in with the code that the text message brings.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn log_in(&self) -> Result<()> {
        self.account.log_in().await
    }

    /// The connectors without a car of some chargers that are simulated here: the charger, the connector's id and number, in
    /// any order. A driver is not told which hardware stands at a station, and so walks up to a few chargers and scans their
    /// codes.
    async fn find(&self, chargers: &Chargers) -> Result<Vec<(Handle, Uuid, i32)>> {
        let near: Vec<NearbyStation> = self.account.get("stations?lng=120.2&lat=30.25&radius_m=100000").await?;
        if near.iter().all(|it| it.free == 0) {
            return Ok(vec![]);
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
        free.shuffle(&mut rand::rng());
        Ok(free)
    }

    /// Orders where a plug was put in a moment ago, of which the platform may not have heard yet.
    async fn order_plugged(&self, connector: Uuid) -> Result<OrderToPay> {
        let deadline = tokio::time::Instant::now() + PLUGGED.min(self.manner.patience);
        loop {
            match self.order(connector).await {
                Err(err)
                    if Refusal::of(&err).is_some_and(|it| it.code == "connector_not_plugged")
                        && tokio::time::Instant::now() < deadline =>
                {
                    tokio::time::sleep(self.manner.look).await;
                }
                made => return made,
            }
        }
    }

    /// Pays, watches, stops and waits for the end.
    async fn charge(&self, made: OrderToPay) -> Result<Outcome> {
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
                        match self.stop(order).await {
                            // It has ended by itself meanwhile.
                            Err(err) if Refusal::is_conflict(&err) => {}
                            asked => asked?,
                        }
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
        self.account.call("orders", &form).await
    }

    /// Has a connector kept free.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn reserve(&self, connector: Uuid) -> Result<DriverReservation> {
        self.account.call("reservations", &json!({ "connector_id": connector })).await
    }

    /// Gives a reservation up.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn give_up(&self, reservation: Uuid) -> Result<DriverReservation> {
        self.account.call(&format!("reservations/{reservation}/cancel"), &json!({})).await
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
        let _: Value = self.account.call(&format!("orders/{order}/stop"), &json!({})).await?;
        Ok(())
    }

    /// How the order stands.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn live_order(&self, order: Uuid) -> Result<LiveOrder> {
        self.account.get(&format!("orders/{order}/live")).await
    }

    /// The order with its bill explained.
    ///
    /// # Errors
    /// As [`Driver::trip`].
    pub async fn detail(&self, order: Uuid) -> Result<DriverOrderDetail> {
        self.account.get(&format!("orders/{order}")).await
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
        self.account.get(&format!("chargers/by-code/{code}")).await
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
        self.account.call("invoices", &form).await
    }
}
