//! Charges from payment to settlement, told to the core as a gateway tells them, on a real database.

use backend::app::new_id;
use backend::auth::scope::Owner;
use backend::charging::event::{Event, Reading, Reply};
use backend::charging::{self, Device};
use backend::config::Config;
use backend::db::Connection;
use backend::ledger::{self, Account, Posting};
use backend::order::{self, NewOrder};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use schema::{car_orders, charger_states, connectors, device_commands, drivers, order_events, payments, refunds};
use shared::fixed::{Fen, Kwh};
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep, StartMethod};
use uuid::Uuid;

use crate::app::{Site, Tenant, TestApp};

/// A server with one charger that is ready, and somebody who charges there.
pub struct Scene {
    pub app: TestApp,
    pub tenant: Tenant,
    pub site: Site,
    pub device: Device,
    pub driver: Uuid,
    pub phone: String,
    /// When it all begins. The clock stands still unless a test moves it.
    pub now: DateTime<Utc>,
}

/// A paid order.
pub struct Placed {
    pub id: Uuid,
    pub no: String,
}

/// An order as a test looks at it.
#[derive(Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = car_orders)]
pub struct Seen {
    pub state: OrderState,
    pub end_reason: Option<EndReason>,
    pub elec_fen: Fen,
    pub service_fen: Fen,
    pub charged_fen: Fen,
    pub overrun_fen: Fen,
    pub kwh: Kwh,
    pub flags: Vec<OrderFlag>,
}

impl Scene {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With settings of its own.
    pub async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let app = TestApp::with(|it| {
            // A charger is not asked for what it did not tell.
            it.gateway.report_seconds = 3600;
            configure(it);
        })
        .await;
        let tenant = app.tenant().await;
        let site = app.site(&tenant).await;
        app.tariff(&tenant, &site).await;
        let mut conn = app.conn().await;
        diesel::update(charger_states::table.find(site.charger))
            .set(charger_states::online.eq(true))
            .execute(&mut conn)
            .await
            .unwrap();
        diesel::update(connectors::table.filter(connectors::charger_id.eq(site.charger)))
            .set(connectors::status.eq("preparing"))
            .execute(&mut conn)
            .await
            .unwrap();
        let (driver, phone) = (new_id(Utc::now()), "13800000001".to_owned());
        diesel::insert_into(drivers::table)
            .values((drivers::id.eq(driver), drivers::phone.eq(&phone)))
            .execute(&mut conn)
            .await
            .unwrap();
        drop(conn);
        let owner = Owner { provider_id: tenant.provider, property_id: tenant.property, station_id: site.station };
        let device = Device { charger_id: site.charger, owner };
        let now = DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap();
        Self { app, tenant, site, device, driver, phone, now }
    }

    /// The charger is there, or away, without a word.
    pub async fn online(&self, online: bool) {
        let row = diesel::update(charger_states::table.find(self.site.charger));
        row.set(charger_states::online.eq(online)).execute(&mut self.conn().await).await.unwrap();
    }

    pub fn after(&self, seconds: i64) -> DateTime<Utc> {
        self.now + TimeDelta::seconds(seconds)
    }

    pub async fn conn(&self) -> Connection {
        self.app.conn().await
    }

    /// An order at the first connector that waits to be paid.
    pub async fn create(&self, prepaid: i64) -> order::Created {
        let new = NewOrder {
            connector_id: self.site.connectors[0],
            driver_id: self.driver,
            phone: self.phone.clone(),
            prepaid: Fen(prepaid),
            start_method: StartMethod::Scan,
        };
        let mut conn = self.conn().await;
        conn.transaction(async |conn| order::create(conn, new, self.now).await).await.unwrap()
    }

    /// The order's payment arrives; gives whether the charge starts.
    pub async fn pay(&self, order: &order::Created, prepaid: i64) -> bool {
        let (id, n) = (new_id(self.now), self.app.next());
        let mut conn = self.conn().await;
        let payment = (
            payments::id.eq(id),
            payments::payment_no.eq(format!("P{n}")),
            payments::provider_id.eq(order.owner.provider_id),
            payments::property_id.eq(order.owner.property_id),
            payments::station_id.eq(order.owner.station_id),
            payments::order_kind.eq("car"),
            payments::order_id.eq(order.order_id),
            payments::order_no.eq(&order.order_no),
            payments::driver_id.eq(self.driver),
            payments::phone.eq(&self.phone),
            payments::channel.eq("sandbox"),
            payments::merchant_no.eq("M1000"),
            payments::amount_fen.eq(prepaid),
            payments::state.eq("paid"),
            payments::channel_no.eq(n.to_string()),
            payments::expires_at.eq(self.after(300)),
            payments::paid_at.eq(self.now),
        );
        let clearing = Account::Clearing { channel: "sandbox".to_owned(), merchant_no: "M1000".to_owned() };
        let posting = Posting {
            kind: "pay",
            business_id: order.order_id,
            idem_key: format!("pay:sandbox:{n}"),
            entries: vec![(clearing, Fen(prepaid)), (Account::Prepaid(order.order_no.clone()), Fen(-prepaid))],
        };
        let started = conn
            .transaction(async |conn| {
                diesel::insert_into(payments::table).values(payment).execute(conn).await?;
                ledger::post(conn, posting).await?;
                order::paid(conn, order.order_id, self.now).await
            })
            .await;
        started.unwrap()
    }

    /// An order that the charger is told to start.
    pub async fn paid(&self, prepaid: i64) -> Placed {
        let order = self.create(prepaid).await;
        assert!(self.pay(&order, prepaid).await);
        Placed { id: order.order_id, no: order.order_no }
    }

    pub async fn tell(&self, event: Event, now: DateTime<Utc>) -> Reply {
        let mut conn = self.conn().await;
        charging::apply(&mut conn, &self.device, event, now).await.unwrap()
    }

    /// The charger began with this register; gives the charge's number.
    pub async fn began(&self, order: &Placed, meter_wh: i64) -> i32 {
        let at = self.after(5);
        let event = Event::Started { connector: 1, tag: order.no.clone(), meter_wh, at: Some(at) };
        match self.tell(event, at).await {
            Reply::Started { transaction_id, accepted: true } => transaction_id,
            other => panic!("{other:?}"),
        }
    }

    /// The charger reports its register, and that current flows.
    pub async fn metered(&self, transaction: i32, seconds: i64, wh: i64) {
        self.tell(metered(transaction, self.after(seconds), wh), self.after(seconds)).await;
    }

    pub async fn stopped(&self, transaction: i32, seconds: i64, wh: i64) {
        self.tell(stopped(transaction, self.after(seconds), wh), self.after(seconds)).await;
    }

    pub async fn seen(&self, order: &Placed) -> Seen {
        car_orders::table.find(order.id).select(Seen::as_select()).first(&mut self.conn().await).await.unwrap()
    }

    /// The commands that the charger was given for an order.
    pub async fn commands(&self, order: &Placed) -> Vec<String> {
        let of_order = device_commands::table.filter(device_commands::order_id.eq(order.id));
        of_order.order(device_commands::id).select(device_commands::kind).load(&mut self.conn().await).await.unwrap()
    }

    pub async fn timeline(&self, order: &Placed) -> Vec<OrderStep> {
        let of_order = order_events::table.filter(order_events::order_id.eq(order.id));
        of_order.order(order_events::id).select(order_events::kind).load(&mut self.conn().await).await.unwrap()
    }

    /// What goes back for an order by itself.
    pub async fn refunds(&self, order: &Placed) -> Vec<i64> {
        let of_order = refunds::table.filter(refunds::order_id.eq(order.id));
        of_order.order(refunds::id).select(refunds::amount_fen).load(&mut self.conn().await).await.unwrap()
    }

    /// The ledger's accounts of an order: still prepaid, due back.
    pub async fn books(&self, order: &Placed) -> [i64; 2] {
        let mut conn = self.conn().await;
        let prepaid = ledger::balance(&mut conn, &Account::Prepaid(order.no.clone())).await.unwrap();
        let due = ledger::balance(&mut conn, &Account::RefundDue(order.no.clone())).await.unwrap();
        [prepaid.0, due.0]
    }

    pub async fn watch(&self, order: &Placed, seconds: i64) -> backend::jobs::Outcome {
        let rules = self.app.app.config.charging.clone();
        let mut conn = self.conn().await;
        charging::watch::look(&mut conn, &rules, order.id, self.after(seconds)).await.unwrap()
    }

    pub async fn sound(&self) {
        assert_eq!(backend::verify::run(&self.app.app).await.unwrap(), Vec::<String>::new());
    }
}

pub fn metered(transaction: i32, at: DateTime<Utc>, wh: i64) -> Event {
    let reading = Reading { at: Some(at), wh: Some(wh), power_w: Some(40_000), soc: Some(50), ..Reading::default() };
    Event::Metered { connector: 1, transaction: Some(transaction.into()), readings: vec![reading] }
}

pub fn stopped(transaction: i32, at: DateTime<Utc>, meter_wh: i64) -> Event {
    let reason = "Remote".to_owned();
    Event::Stopped { transaction: transaction.into(), tag: None, meter_wh, at: Some(at), reason, readings: vec![] }
}

fn seen(state: OrderState, end_reason: Option<EndReason>, fees: [i64; 4], kwh: &str, flags: &[OrderFlag]) -> Seen {
    let [elec_fen, service_fen, charged_fen, overrun_fen] = fees.map(Fen);
    let (kwh, flags) = (kwh.parse().unwrap(), flags.to_vec());
    Seen { state, end_reason, elec_fen, service_fen, charged_fen, overrun_fen, kwh, flags }
}

// The tariff of all tests: 0.60 yuan for energy and 0.40 for service.

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_from_payment_to_settlement() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    assert_eq!(scene.seen(&order).await.state, OrderState::Starting);
    let transaction = scene.began(&order, 1_000_000).await;
    scene.metered(transaction, 35, 1_000_300).await;
    scene.metered(transaction, 1800, 1_012_345).await;
    let running = seen(OrderState::Charging, None, [741, 494, 1235, 0], "12.345", &[]);
    assert_eq!(scene.seen(&order).await, running, "the bill runs along");
    let mut conn = scene.conn().await;
    conn.transaction(async |conn| charging::stop(conn, order.id, EndReason::Driver, scene.after(1900)).await)
        .await
        .unwrap();
    assert_eq!(scene.seen(&order).await.state, OrderState::Stopping);
    scene.stopped(transaction, 1903, 1_013_000).await;
    let ended = seen(OrderState::Completed, Some(EndReason::Driver), [780, 520, 1300, 0], "13", &[]);
    assert_eq!(scene.seen(&order).await, ended);
    assert_eq!(scene.commands(&order).await, ["start", "stop"]);
    assert_eq!((scene.refunds(&order).await, scene.books(&order).await), (vec![3700], [0, -3700]));
    let steps = [OrderStep::Created, OrderStep::Paid, OrderStep::Started, OrderStep::StopAsked, OrderStep::Ended];
    assert_eq!(scene.timeline(&order).await, steps);
    scene.sound().await;
}
