//! A charger on a real socket, a car plugged in, and an order there: what the tests of starts and ends begin with.

use std::time::Duration;

use backend::app::new_id;
use backend::auth::session::{Place, Subject, start};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{charge_sessions, device_commands, order_events};
use serde_json::{Value, json};
use shared::order::{OrderFlag, OrderState, OrderStep, StepDetail};

use crate::app::Client;
use crate::charging::{Placed, Scene};
use crate::gateway::{Charger, eventually, is_online};

/// The register when a charge begins. Within a moment a charger is believed to deliver one kWh, and the price is one yuan.
pub const METER: i64 = 100_000;

impl Scene {
    /// The charger connects, and tells that a car is plugged in.
    pub async fn plugged(&self) -> Charger {
        let mut charger = self.connected().await;
        charger.tell_status("Preparing").await;
        charger
    }

    /// The charger connects and says nothing.
    pub async fn connected(&self) -> Charger {
        Charger::connect(&self.app, &self.site.serial_no).await
    }

    /// The charger's connection ends, and everybody knows it.
    pub async fn gone(&self, charger: Charger) {
        charger.leave().await;
        eventually(false, async || is_online(&self.app, self.site.charger).await).await;
    }

    /// A paid order that the charger has begun; gives the charge's number.
    pub async fn running(&self, charger: &mut Charger) -> (Placed, i64) {
        let order = self.paid(5000).await;
        charger.obeys("RemoteStartTransaction").await;
        let number = charger.begins(&order.no, Utc::now()).await;
        self.until(&order, OrderState::Charging).await;
        (order, number)
    }

    /// Waits until an order is in a state.
    pub async fn until(&self, order: &Placed, state: OrderState) {
        eventually(state, async || self.seen(order).await.state).await;
    }

    /// Waits until an order is settled, for so much of its 50 yuan and with these flags; the books are even.
    pub async fn until_settled(&self, order: &Placed, fen: i64, flags: &[OrderFlag]) {
        self.until(order, OrderState::Completed).await;
        let seen = self.seen(order).await;
        assert_eq!((seen.charged_fen.0, seen.flags.as_slice()), (fen, flags));
        assert_eq!((self.refunds(order).await, self.books(order).await), (vec![5000 - fen], [0, fen - 5000]));
        self.sound().await;
    }

    /// The newest command of a kind about an order: its state and outcome.
    pub async fn command(&self, order: &Placed, kind: &str) -> (String, Option<String>) {
        let of_order = device_commands::table.filter(device_commands::order_id.eq(order.id));
        let newest = of_order.filter(device_commands::kind.eq(kind)).order(device_commands::id.desc());
        let columns = (device_commands::state, device_commands::outcome);
        newest.select(columns).first(&mut self.conn().await).await.unwrap()
    }

    /// What the newest step of a kind says.
    pub async fn told(&self, order: &Placed, step: OrderStep) -> StepDetail {
        let of_order = order_events::table.filter(order_events::order_id.eq(order.id));
        let newest = of_order.filter(order_events::kind.eq(step)).order(order_events::id.desc());
        let detail: Option<Value> = newest.select(order_events::detail).first(&mut self.conn().await).await.unwrap();
        serde_json::from_value(detail.unwrap()).unwrap()
    }

    /// Whether the charger seems to have lost a charge.
    pub async fn seems_lost(&self, order: &Placed) -> bool {
        let session = charge_sessions::table.find(order.id).select(charge_sessions::lost_at.is_not_null());
        session.first(&mut self.conn().await).await.unwrap()
    }

    /// The driver, logged in.
    pub async fn at_hand(&self) -> Client {
        let place = Place { ip: "127.0.0.1".to_owned(), agent: "test".to_owned() };
        let subject = Subject::Driver(self.driver);
        let pair = start(&mut *self.conn().await, &self.app.app, subject, &place).await.unwrap();
        self.app.bearer(&pair.access)
    }

    /// The driver ends an order; gives it as it then is.
    pub async fn driver_ends(&self, order: &Placed) -> Value {
        self.at_hand().await.post(&format!("/api/app/v1/orders/{}/stop", order.id), json!({})).await.ok()
    }
}

impl Charger {
    /// The next call of the server is this one, and accepted; gives its payload.
    pub async fn obeys(&mut self, wanted: &str) -> Value {
        let (id, action, payload) = self.asked().await;
        assert_eq!(action, wanted);
        self.answer(&id, json!({"status": "Accepted"})).await;
        payload
    }

    /// Nothing has been asked of the charger before this.
    pub async fn is_left_alone(&mut self) {
        // What the server had to say about earlier messages it has said before it answers a later one, or soon after.
        tokio::time::sleep(Duration::from_millis(300)).await;
        self.call("Heartbeat", json!({})).await;
        assert!(self.nothing_asked(), "something was asked");
    }

    /// Tells what the first connector does.
    pub async fn tell_status(&mut self, status: &str) {
        self.call("StatusNotification", json!({"connectorId": 1, "status": status, "errorCode": "NoError"})).await;
    }

    /// Begins with a tag; gives the whole answer.
    pub async fn tries(&mut self, tag: &str, at: DateTime<Utc>) -> Value {
        self.call("StartTransaction", json!({"connectorId": 1, "idTag": tag, "meterStart": METER, "timestamp": at}))
            .await
    }

    /// Begins with a tag, and may; gives the charge's number.
    pub async fn begins(&mut self, tag: &str, at: DateTime<Utc>) -> i64 {
        let answer = self.tries(tag, at).await;
        assert_eq!(answer["idTagInfo"]["status"], "Accepted");
        answer["transactionId"].as_i64().unwrap()
    }

    /// Reports so many Wh since the beginning, and that current flows.
    pub async fn meters(&mut self, number: i64, wh: i64, at: DateTime<Utc>) {
        let sampled = json!([
            {"measurand": "Energy.Active.Import.Register", "unit": "Wh", "value": (METER + wh).to_string()},
            {"measurand": "Power.Active.Import", "unit": "W", "value": "40000"},
        ]);
        let values = json!([{"timestamp": at, "sampledValue": sampled}]);
        self.call("MeterValues", json!({"connectorId": 1, "transactionId": number, "meterValue": values})).await;
    }

    /// Tells the end after so many Wh, with more about it.
    pub async fn ends(&mut self, number: i64, wh: i64, at: DateTime<Utc>, more: Value) {
        let mut record = json!({"transactionId": number, "meterStop": METER + wh, "timestamp": at});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(self.call("StopTransaction", record).await, json!({}));
    }
}

/// So many seconds ago.
pub fn ago(seconds: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::seconds(seconds)
}

/// An id that nobody has.
pub fn nobody() -> String {
    new_id(Utc::now()).simple().to_string()[..20].to_uppercase()
}
