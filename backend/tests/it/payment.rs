//! Payments and refunds against a channel that does everything wrong that a channel can do.

use std::time::Duration;

use backend::config::Secret;
use backend::jobs::{Job, Outcome};
use backend::ledger::{self, Account, Posting};
use backend::payment::refund;
use backend::payment::refund::send::SendRefund;
use backend::payment::sandbox::sign::{Headers, Message, Signer};
use backend::payment::sandbox::wire::{Notice, PaymentState as There, RefundState as RefundThere};
use backend::payment::watch::Watch;
use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use schema::{
    car_orders, charger_states, connectors, inbox, inbox_rejected, ledger_accounts, ledger_transactions, payments,
    refunds,
};
use serde_json::json;
use shared::fixed::Fen;
use shared::payment::{PaymentState, RefundState};
use uuid::Uuid;

use crate::app::{Answer, Client, Site, Tenant, TestApp, driver};
use crate::channel::{Channel, Mood, signer};

/// A server with a channel, a station where one can charge, and a driver.
pub struct World {
    pub app: TestApp,
    pub channel: Channel,
    pub tenant: Tenant,
    pub site: Site,
    pub driver: Client,
}

/// An order that waits to be paid.
pub struct Unpaid {
    pub order: Uuid,
    pub order_no: String,
    pub payment: Uuid,
    pub payment_no: String,
}

impl World {
    pub async fn new() -> Self {
        let channel = Channel::start();
        let app = TestApp::with(|config| channel.configure(config)).await;
        let tenant = app.tenant().await;
        let site = app.site(&tenant).await;
        open(&app, &tenant, &site).await;
        let driver = driver(&app).await;
        Self { app, channel, tenant, site, driver }
    }

    /// Asks for an order.
    pub async fn ask(&self, prepaid: i64) -> Answer {
        self.ask_at(0, prepaid).await
    }

    /// Asks for an order at one of the connectors.
    pub async fn ask_at(&self, connector: usize, prepaid: i64) -> Answer {
        let form =
            json!({"connector_id": self.site.connectors[connector], "prepaid_fen": prepaid, "start_method": "scan"});
        self.driver.post("/api/app/v1/orders", form).await
    }

    /// An order that waits to be paid.
    pub async fn order(&self, prepaid: i64) -> Unpaid {
        self.order_at(0, prepaid).await
    }

    /// An order at one of the connectors that waits to be paid.
    pub async fn order_at(&self, connector: usize, prepaid: i64) -> Unpaid {
        let made = self.ask_at(connector, prepaid).await.ok();
        let order: Uuid = made["order"]["id"].as_str().unwrap().parse().unwrap();
        let payment_no = made["payment"]["payment_no"].as_str().unwrap().to_owned();
        let of_order = payments::table.filter(payments::order_id.eq(order)).select(payments::id);
        let payment = of_order.first(&mut self.app.conn().await).await.unwrap();
        Unpaid { order, order_no: made["order"]["order_no"].as_str().unwrap().to_owned(), payment, payment_no }
    }

    /// An order that was paid, of which the channel has told.
    pub async fn paid(&self, prepaid: i64) -> Unpaid {
        self.paid_at(0, prepaid).await
    }

    /// An order at one of the connectors that was paid, of which the channel has told.
    pub async fn paid_at(&self, connector: usize, prepaid: i64) -> Unpaid {
        let order = self.order_at(connector, prepaid).await;
        let notice = self.channel.pay(&order.payment_no);
        assert_eq!(self.channel.tell(&self.app.url, &notice).await, 200);
        self.until(order.payment, PaymentState::Paid).await;
        order
    }

    pub async fn payment_state(&self, id: Uuid) -> PaymentState {
        payments::table.find(id).select(payments::state).first(&mut self.app.conn().await).await.unwrap()
    }

    pub async fn until(&self, id: Uuid, wanted: PaymentState) {
        eventually(&format!("payment is {wanted}"), async || self.payment_state(id).await == wanted).await;
    }

    pub async fn order_state(&self, id: Uuid) -> String {
        let states = car_orders::table.find(id).select(diesel::dsl::sql::<diesel::sql_types::Text>("state"));
        states.first(&mut self.app.conn().await).await.unwrap()
    }

    pub async fn balance(&self, account: Account) -> i64 {
        ledger::balance(&mut *self.app.conn().await, &account).await.unwrap().0
    }

    pub async fn clearing(&self) -> i64 {
        self.balance(Account::Clearing { channel: "sandbox".into(), merchant_no: "M1000".into() }).await
    }

    pub async fn postings(&self, kind: &str) -> i64 {
        let of_kind = ledger_transactions::table.filter(ledger_transactions::kind.eq(kind)).count();
        of_kind.get_result(&mut self.app.conn().await).await.unwrap()
    }

    pub async fn watch(&self, id: Uuid) -> Outcome {
        Watch { payment_id: id }.run(&self.app.app).await.unwrap()
    }

    pub async fn carry_out(&self, refund: Uuid) -> Outcome {
        SendRefund { refund_id: refund }.run(&self.app.app).await.unwrap()
    }

    /// The refunds of an order: id, number and state, in the order in which they were made.
    pub async fn refunds(&self, order: Uuid) -> Vec<(Uuid, String, RefundState)> {
        let of_order = refunds::table.filter(refunds::order_id.eq(order)).order(refunds::seq);
        let columns = (refunds::id, refunds::refund_no, refunds::state);
        of_order.select(columns).load(&mut self.app.conn().await).await.unwrap()
    }

    /// Settles a paid order behind the API's back: so much of the prepayment is used, the rest goes back.
    pub async fn settle(&self, it: &Unpaid, prepaid: i64, elec: i64, service: i64) {
        let rest = prepaid - elec - service;
        let mut conn = self.app.conn().await;
        diesel::sql_query(format!(
            "update car_orders set state = 'completed', elec_fen = {elec}, service_fen = {service}, \
             total_fen = {0}, charged_fen = {0}, settled_at = now() where id = '{1}'",
            elec + service,
            it.order
        ))
        .execute(&mut conn)
        .await
        .unwrap();
        let station = self.site.station;
        let entries = vec![
            (Account::Prepaid(it.order_no.clone()), Fen(prepaid)),
            (Account::EnergyIncome(station), Fen(-elec)),
            (Account::ServiceIncome(station), Fen(-service)),
            (Account::RefundDue(it.order_no.clone()), Fen(-rest)),
        ];
        let idem_key = format!("settle:{}", it.order_no);
        conn.transaction(async |conn| {
            ledger::post(conn, Posting { kind: "settle", business_id: it.order, idem_key, entries }).await?;
            refund::automatic(conn, it.order, Fen(rest), "充电结束，退回余额", Utc::now()).await
        })
        .await
        .unwrap();
    }
}

/// A tariff in force, the charger online, everything plugged in.
pub async fn open(app: &TestApp, tenant: &Tenant, site: &Site) {
    app.tariff(tenant, site).await;
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
}

/// Waits until something holds that others bring about, and fails when they do not.
pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("never: {what}"));
}

#[tokio::test]
async fn a_hundred_equal_callbacks_are_booked_once() {
    let world = World::new().await;
    let order = world.order(5000).await;
    let notice = world.channel.pay(&order.payment_no);
    let told = (0..100).map(|_| world.channel.tell(&world.app.url, &notice));
    assert!(futures_util::future::join_all(told).await.iter().all(|it| *it == 200));
    world.until(order.payment, PaymentState::Paid).await;
    let states: Vec<String> = inbox::table.select(inbox::state).load(&mut world.app.conn().await).await.unwrap();
    assert_eq!(states, ["done"]);
    assert_eq!((world.postings("pay").await, world.clearing().await), (1, 5000));
    assert_eq!(world.balance(Account::Prepaid(order.order_no.clone())).await, -5000);
    assert_eq!(world.order_state(order.order).await, "starting");
    // The channel's other words for the same come too late to matter.
    let again = world.channel.pay(&order.payment_no);
    assert_eq!(world.channel.tell(&world.app.url, &again).await, 200);
    eventually("the second is done", async || {
        let done = inbox::table.filter(inbox::state.eq("done")).count();
        done.get_result::<i64>(&mut world.app.conn().await).await.unwrap() == 2
    })
    .await;
    assert_eq!((world.postings("pay").await, world.clearing().await), (1, 5000));
}

#[tokio::test]
async fn being_told_and_asking_may_race() {
    let world = World::new().await;
    let order = world.order(5000).await;
    let notice = world.channel.pay(&order.payment_no);
    let told = async {
        assert_eq!(world.channel.tell(&world.app.url, &notice).await, 200);
    };
    let asked = futures_util::future::join_all((0..5).map(|_| world.watch(order.payment)));
    tokio::join!(told, asked);
    world.until(order.payment, PaymentState::Paid).await;
    assert_eq!((world.postings("pay").await, world.clearing().await), (1, 5000));
    assert_eq!(world.order_state(order.order).await, "starting");
    assert_eq!(world.refunds(order.order).await, []);
}

#[tokio::test]
async fn what_nobody_told_is_found_by_asking() {
    let world = World::new().await;
    let order = world.order(5000).await;
    assert!(matches!(world.watch(order.payment).await, Outcome::Again(_)));
    assert_eq!(world.payment_state(order.payment).await, PaymentState::Paying);
    world.channel.pay(&order.payment_no);
    assert_eq!(world.watch(order.payment).await, Outcome::Done);
    assert_eq!(world.payment_state(order.payment).await, PaymentState::Paid);
    assert_eq!(world.order_state(order.order).await, "starting");
    let notified: Option<chrono::DateTime<Utc>> = payments::table
        .find(order.payment)
        .select(payments::notified_at)
        .first(&mut world.app.conn().await)
        .await
        .unwrap();
    assert_eq!(notified, None);
}

#[tokio::test]
async fn an_unpaid_order_is_closed_there_first_and_late_money_goes_back() {
    let world = World::new().await;
    let order = world.order(5000).await;
    let past = payments::expires_at.eq(Utc::now() - TimeDelta::seconds(1));
    diesel::update(payments::table.find(order.payment)).set(past).execute(&mut world.app.conn().await).await.unwrap();
    world.channel.set(Mood::LosesRequests);
    assert!(matches!(world.watch(order.payment).await, Outcome::Again(_)));
    assert_eq!(world.order_state(order.order).await, "created", "the channel has not closed it yet");
    world.channel.set(Mood::Fine);
    assert_eq!(world.watch(order.payment).await, Outcome::Done);
    assert_eq!(world.channel.payment(&order.payment_no).state, There::Closed);
    assert_eq!(world.payment_state(order.payment).await, PaymentState::Closed);
    assert_eq!(world.order_state(order.order).await, "cancelled");

    let notice = world.channel.pay(&order.payment_no);
    assert_eq!(world.channel.tell(&world.app.url, &notice).await, 200);
    world.until(order.payment, PaymentState::Paid).await;
    let number = format!("R{}0", order.payment_no);
    eventually("the channel is asked to give it back", async || world.channel.refund_requests() == [number.clone()])
        .await;
    let done = world.channel.finish(&number, RefundThere::Succeeded);
    for _ in 0..3 {
        assert_eq!(world.channel.tell(&world.app.url, &done).await, 200);
    }
    eventually("it is back", async || world.refunds(order.order).await[0].2 == RefundState::Succeeded).await;
    assert_eq!(world.order_state(order.order).await, "cancelled");
    assert_eq!(world.channel.refunds().len(), 1);
    let (prepaid, due) = (Account::Prepaid(order.order_no.clone()), Account::RefundDue(order.order_no.clone()));
    assert_eq!((world.clearing().await, world.balance(prepaid).await, world.balance(due).await), (0, 0, 0));
    assert_eq!(backend::verify::run(&world.app.app).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn no_answer_that_counts_means_pending() {
    let world = World::new().await;
    for mood in [Mood::LosesRequests, Mood::LosesAnswers, Mood::Late, Mood::Forges, Mood::Babbles] {
        world.channel.set(mood);
        let made = world.ask(5000).await.ok();
        assert_eq!(
            (made["payment"]["state"].as_str(), made["payment"]["pay_url"].as_str()),
            (Some("created"), None),
            "{mood:?}"
        );
        world.channel.set(Mood::Fine);
        let id = made["order"]["id"].as_str().unwrap();
        let paid = world.driver.post(&format!("/api/app/v1/orders/{id}/pay"), json!({})).await.ok();
        assert_eq!(paid["payment"]["payment_no"], made["payment"]["payment_no"], "{mood:?}");
        assert!(paid["payment"]["pay_url"].is_string(), "{mood:?}");
    }
}

#[tokio::test]
async fn a_definite_no_ends_the_order() {
    let world = World::new().await;
    world.channel.set(Mood::Refuses);
    assert_eq!(world.ask(5000).await.refused(), (503, "payment_refused"));
    let orders = world.driver.get("/api/app/v1/orders").await.ok();
    assert_eq!(orders["items"][0]["state"], "cancelled");
    let form = json!({"connector_id": world.site.connectors[0], "prepaid_fen": 5000, "start_method": "card"});
    assert_eq!(world.driver.post("/api/app/v1/orders", form).await.refused(), (409, "channel_unavailable"));
}

#[tokio::test]
async fn what_is_not_proved_changes_nothing() {
    let world = World::new().await;
    let order = world.order(5000).await;
    let notice = world.channel.pay(&order.payment_no);
    let body = serde_json::to_vec(&notice).unwrap();
    let path = "/api/callbacks/sandbox";
    let url = &world.app.url;
    assert_eq!(world.channel.tell_as(url, &body, &Signer::new("M1000", Secret::new("guessed"))).await, 401);
    assert_eq!(world.channel.tell_as(url, &body, &Signer::new("M2000", Secret::new("guessed"))).await, 401);
    let signed = signer().sign(Message { method: "POST", path, body: &body }, "n1", Utc::now());
    let other = String::from_utf8(body.clone()).unwrap().replace("5000", "1");
    assert_eq!(world.channel.post(url, other.as_bytes(), &signed).await, 401);
    let old = signer().sign(Message { method: "POST", path, body: &body }, "n1", Utc::now() - TimeDelta::minutes(6));
    assert_eq!(world.channel.post(url, &body, &old).await, 401);
    assert_eq!(world.channel.post(url, &body, &Headers { signature: String::new(), ..signed }).await, 401);
    let long = vec![b'x'; 60_000];
    assert_eq!(world.channel.tell_as(url, &long, &Signer::new("M1000", Secret::new("guessed"))).await, 401);

    let mut conn = world.app.conn().await;
    assert_eq!(inbox::table.count().get_result::<i64>(&mut conn).await.unwrap(), 0);
    let kept: Vec<String> = inbox_rejected::table.select(inbox_rejected::body).load(&mut conn).await.unwrap();
    assert_eq!(kept.len(), 6);
    assert!(kept.iter().all(|it| it.len() <= 4096));
    assert_eq!(world.payment_state(order.payment).await, PaymentState::Paying);

    // What is proved but does not fit is stored and answered, and changes nothing either.
    let Notice::Payment { id: _, payment_no, channel_no, amount_fen, state, at } = notice else { unreachable!() };
    let told = |id: &str, payment_no: &str, amount_fen| Notice::Payment {
        id: id.to_owned(),
        payment_no: payment_no.to_owned(),
        channel_no: channel_no.clone(),
        amount_fen,
        state,
        at,
    };
    assert_eq!(world.channel.tell(url, &told("other amount", &payment_no, Fen(4999))).await, 200);
    assert_eq!(world.channel.tell(url, &told("nobody's", "P0", amount_fen)).await, 200);
    assert_eq!(world.channel.tell_as(url, b"<html>", &signer()).await, 200);
    eventually("all three are rejected", async || {
        let rejected = inbox::table.filter(inbox::state.eq("rejected")).count();
        rejected.get_result::<i64>(&mut world.app.conn().await).await.unwrap() == 3
    })
    .await;
    assert_eq!(world.payment_state(order.payment).await, PaymentState::Paying);
    assert_eq!(ledger_accounts::table.count().get_result::<i64>(&mut conn).await.unwrap(), 0);
}

#[tokio::test]
async fn fifty_refunds_at_once_stay_within_what_was_charged() {
    let world = World::new().await;
    let order = world.paid(5000).await;
    world.settle(&order, 5000, 2290, 1055).await;
    let ask = async || {
        let mut conn = world.app.conn().await;
        conn.transaction(async |conn| {
            refund::staff::manual(conn, order.order, Fen(100), "客诉", "陈晨", Utc::now()).await
        })
        .await
    };
    let answers = futures_util::future::join_all((0..50).map(|_| ask())).await;
    let accepted = answers.iter().filter(|it| it.is_ok()).count();
    assert_eq!(accepted, 33, "3345 fen were charged");
    // The service fee is given up first.
    let mut conn = world.app.conn().await;
    let parts: Vec<(Fen, Fen)> = refunds::table
        .filter(refunds::kind.eq(shared::payment::RefundKind::Manual))
        .select((refunds::service_fen, refunds::elec_fen))
        .load(&mut conn)
        .await
        .unwrap();
    let sum = |part: fn(&(Fen, Fen)) -> Fen| Fen::sum(parts.iter().map(part)).unwrap();
    assert_eq!((sum(|it| it.0), sum(|it| it.1)), (Fen(1055), Fen(2245)));
    assert_eq!(world.balance(Account::RefundDue(order.order_no.clone())).await, -1655 - 3300);
}

#[tokio::test]
async fn a_refund_whose_sender_died_goes_back_once() {
    let world = World::new().await;
    let order = world.paid(5000).await;
    // The request is lost as if the process had died between writing `sent` and calling.
    world.channel.set(Mood::LosesRequests);
    world.settle(&order, 5000, 2290, 1055).await;
    let (id, number, _) = world.refunds(order.order).await.remove(0);
    eventually("it was sent", async || world.refunds(order.order).await[0].2 == RefundState::Sent).await;
    assert!(matches!(world.carry_out(id).await, Outcome::Again(_)));
    assert_eq!(world.channel.refund_requests(), Vec::<String>::new());
    // The line is back. The channel does not know the refund, and says so twice before it is sent again.
    world.channel.set(Mood::Fine);
    eventually("it is on its way", async || {
        world.carry_out(id).await;
        world.refunds(order.order).await[0].2 == RefundState::Processing
    })
    .await;
    // Done, and the answer lost: asking finds it.
    world.channel.finish(&number, RefundThere::Succeeded);
    world.channel.set(Mood::LosesAnswers);
    assert!(matches!(world.carry_out(id).await, Outcome::Again(_)));
    world.channel.set(Mood::Fine);
    assert_eq!(world.carry_out(id).await, Outcome::Done);
    assert_eq!(world.carry_out(id).await, Outcome::Done);
    assert_eq!(world.channel.refunds().len(), 1);
    assert!(world.channel.refund_requests().iter().all(|it| *it == number));
    assert_eq!((world.postings("refund_ok").await, world.clearing().await), (1, 3345));
    let refunded: Fen = car_orders::table
        .find(order.order)
        .select(car_orders::refunded_fen)
        .first(&mut world.app.conn().await)
        .await
        .unwrap();
    assert_eq!(refunded, Fen(1655));
}

#[tokio::test]
async fn what_definitely_failed_is_asked_for_under_a_new_number() {
    let world = World::new().await;
    let order = world.paid(5000).await;
    world.settle(&order, 5000, 2290, 1055).await;
    let (_, number, _) = world.refunds(order.order).await.remove(0);
    eventually("it is on its way", async || world.refunds(order.order).await[0].2 == RefundState::Processing).await;
    let failed = world.channel.finish(&number, RefundThere::Failed);
    assert_eq!(world.channel.tell(&world.app.url, &failed).await, 200);
    eventually("there is another", async || world.refunds(order.order).await.len() == 2).await;
    let (id, second, state) = world.refunds(order.order).await.remove(1);
    assert_eq!((second, state), (format!("R{}1", order.payment_no), RefundState::Created));
    world.carry_out(id).await;
    let done = world.channel.finish(&format!("R{}1", order.payment_no), RefundThere::Succeeded);
    assert_eq!(world.channel.tell(&world.app.url, &done).await, 200);
    eventually("it is back", async || world.refunds(order.order).await[1].2 == RefundState::Succeeded).await;
    assert_eq!(world.clearing().await, 3345);
    // A word that contradicts the first is not believed.
    let lie = world.channel.finish(&number, RefundThere::Succeeded);
    assert_eq!(world.channel.tell(&world.app.url, &lie).await, 200);
    eventually("it is rejected", async || {
        let rejected = inbox::table.filter(inbox::state.eq("rejected")).count();
        rejected.get_result::<i64>(&mut world.app.conn().await).await.unwrap() == 1
    })
    .await;
    assert_eq!(world.clearing().await, 3345);
}

#[tokio::test]
async fn staff_looks_through_payments_and_refunds() {
    let world = World::new().await;
    let order = world.paid(5000).await;
    world.settle(&order, 5000, 2290, 1055).await;
    let boss = &world.tenant.boss;
    let page = boss.get("/api/v1/orders/payments?state=paid&channel=sandbox&order_kind=car").await.ok();
    assert_eq!(page["total"], 1);
    assert_eq!(page["items"][0]["order_no"], order.order_no);
    let today = shared::time::day_text(Utc::now());
    for (query, total) in [
        (format!("order_no={}", order.order_no), 1),
        ("order_no=C1".to_owned(), 0),
        (format!("created_from={today}&created_to={today}&paid_from={today}&paid_to={today}"), 1),
        ("created_to=2020-01-01".to_owned(), 0),
        ("paid_to=2020-01-01".to_owned(), 0),
        (format!("station_id={}", world.site.station), 1),
        ("phone=13000000000".to_owned(), 0),
    ] {
        let page = boss.get(&format!("/api/v1/orders/payments?{query}")).await.ok();
        assert_eq!(page["total"], total, "{query}");
    }
    let detail = boss.get(&format!("/api/v1/orders/payments/{}", order.payment)).await.ok();
    assert_eq!(detail["refunds"][0]["amount_fen"], 1655);
    assert_eq!(detail["area_name"], "默认区域");
    let page = boss.get("/api/v1/orders/refunds?kind=automatic&sort=-amount").await.ok();
    assert_eq!(page["items"][0]["order_fen"], 3345);
    let id = page["items"][0]["id"].as_str().unwrap();
    let detail = boss.get(&format!("/api/v1/orders/refunds/{id}")).await.ok();
    assert_eq!((detail["paid_fen"].as_i64(), detail["area_name"].as_str()), (Some(5000), Some("默认区域")));
    let sheet = boss.get("/api/v1/orders/refunds/export.xlsx").await;
    assert_eq!(crate::crud::sheet_text(&sheet.bytes).len(), 2);
    let others = world.app.tenant().await;
    assert_eq!(others.boss.get("/api/v1/orders/payments").await.ok()["total"], 0);
    assert_eq!(others.boss.get(&format!("/api/v1/orders/refunds/{id}")).await.status, 404);
}
