//! What can come in the way of a charge: each turn of the state machine, with its bill, its refund and its books.

use backend::charging;
use backend::charging::event::{Event, Reading, Reply};
use backend::command::{self, Command};
use backend::jobs::Outcome;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, RunQueryDsl};
use schema::{charger_states, device_transactions};
use serde_json::json;
use shared::device::CommandOutcome;
use shared::fixed::Fen;
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep};

use crate::charging::{Placed, Scene, metered, stopped};

impl Scene {
    /// The charger is heard of at this moment.
    pub async fn heard(&self, seconds: i64) {
        diesel::update(charger_states::table.find(self.site.charger))
            .set(charger_states::last_seen_at.eq(self.after(seconds)))
            .execute(&mut self.conn().await)
            .await
            .unwrap();
    }

    /// The charger's answer to a command about an order.
    pub async fn answered(&self, order: &Placed, command: Command, end: command::State) {
        let end = command::End::new(end, CommandOutcome::Accepted);
        let mut conn = self.conn().await;
        conn.transaction(async |conn| charging::command_ended(conn, order.id, &command, &end, self.after(10)).await)
            .await
            .unwrap();
    }

    pub async fn state(&self, order: &Placed) -> OrderState {
        self.seen(order).await.state
    }

    /// Nothing was billed, all of the money goes back, and the books are even.
    pub async fn all_goes_back(&self, order: &Placed, state: OrderState, reason: EndReason) {
        let seen = self.seen(order).await;
        assert_eq!((seen.state, seen.end_reason), (state, Some(reason)));
        assert_eq!((seen.elec_fen, seen.service_fen, seen.charged_fen), (Fen::ZERO, Fen::ZERO, Fen::ZERO));
        assert_eq!((self.refunds(order).await, self.books(order).await), (vec![5000], [0, -5000]));
        self.sound().await;
    }

    /// The bill was settled once, to this, and the rest goes back.
    pub async fn settled(&self, order: &Placed, reason: EndReason, elec: i64, service: i64) {
        let seen = self.seen(order).await;
        assert_eq!((seen.state, seen.end_reason), (OrderState::Completed, Some(reason)));
        assert_eq!((seen.elec_fen, seen.service_fen), (Fen(elec), Fen(service)));
        let back = 5000 - elec - service;
        assert_eq!((self.refunds(order).await, self.books(order).await), (vec![back], [0, -back]));
        self.sound().await;
    }
}

fn start(order: &Placed) -> Command {
    Command::Start { connector: 1, tag: order.no.clone() }
}

/// A reading that shows a register and no current.
fn idle(transaction: i32, at: DateTime<Utc>, wh: i64) -> Event {
    let reading = Reading { at: Some(at), wh: Some(wh), power_w: Some(0), current_ma: Some(0), ..Reading::default() };
    Event::Metered { connector: 1, transaction: Some(transaction.into()), readings: vec![reading] }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_does_not_start_in_time_costs_nothing() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    assert!(matches!(scene.watch(&order, 59).await, Outcome::Again(at) if at == scene.after(60)));
    assert_eq!(scene.state(&order).await, OrderState::Starting);
    assert!(matches!(scene.watch(&order, 60).await, Outcome::Done));
    scene.all_goes_back(&order, OrderState::Failed, EndReason::StartTimeout).await;

    // It starts after all: it is told to stop, and nothing is billed or given back again (I-61).
    let at = scene.after(70);
    let late = Event::Started { connector: 1, tag: order.no.clone(), meter_wh: 1_000_000, at: Some(at) };
    let Reply::Started { transaction_id, accepted: false } = scene.tell(late, at).await else { panic!("accepted") };
    scene.tell(stopped(transaction_id, scene.after(80), 1_000_200), scene.after(80)).await;
    assert_eq!(scene.commands(&order).await, ["start", "stop"]);
    assert_eq!(scene.seen(&order).await.flags, [OrderFlag::LateStart, OrderFlag::Discrepancy]);
    scene.all_goes_back(&order, OrderState::Failed, EndReason::StartTimeout).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_refuses_to_start_costs_nothing() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    scene.answered(&order, start(&order), command::State::Refused).await;
    scene.all_goes_back(&order, OrderState::Failed, EndReason::StartRefused).await;

    // The connector is free for the next one, whose start is accepted and then believed only when it comes.
    let next = scene.paid(5000).await;
    scene.answered(&next, start(&next), command::State::Acknowledged).await;
    assert_eq!(scene.state(&next).await, OrderState::Starting);
    assert_eq!(scene.timeline(&next).await.last(), Some(&OrderStep::StartAccepted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_ends_before_the_money_does() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 0).await;
    // 1.00 yuan a kWh: exactly one yuan is left, which goes on.
    scene.metered(transaction, 3600, 49_000).await;
    assert_eq!(scene.state(&order).await, OrderState::Charging);
    scene.metered(transaction, 3610, 49_010).await;
    let seen = scene.seen(&order).await;
    assert_eq!((seen.state, seen.end_reason), (OrderState::Stopping, Some(EndReason::PrepaidUsed)));
    assert_eq!(scene.commands(&order).await, ["start", "stop"]);
    // The charger takes its time; what exceeds the prepayment is written off.
    scene.stopped(transaction, 3900, 50_370).await;
    let seen = scene.seen(&order).await;
    assert_eq!((seen.charged_fen, seen.overrun_fen), (Fen(5000), Fen(37)));
    assert_eq!((seen.end_reason, seen.flags), (Some(EndReason::PrepaidUsed), vec![OrderFlag::Overrun]));
    assert_eq!((scene.refunds(&order).await, scene.books(&order).await), (vec![], [0, 0]));
    scene.sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_car_is_not_waited_for() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 1_000_000).await;
    scene.tell(idle(transaction, scene.after(60), 1_000_000), scene.after(60)).await;
    scene.watch(&order, 94).await;
    assert_eq!(scene.state(&order).await, OrderState::Charging, "it began after 5 seconds, so that 90 have not passed");
    scene.tell(idle(transaction, scene.after(95), 1_000_000), scene.after(95)).await;
    scene.watch(&order, 95).await;
    let seen = scene.seen(&order).await;
    assert_eq!((seen.state, seen.end_reason), (OrderState::Stopping, Some(EndReason::NoCurrent)));
    scene.stopped(transaction, 97, 1_000_000).await;
    scene.all_goes_back(&order, OrderState::Completed, EndReason::NoCurrent).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_register_that_stands_still_says_little() {
    // One of whole kWh may stand still for an hour while a kW flows, one of 10 Wh for 36 seconds.
    for (meter, patience) in [(1_000_000, 3600), (1_000_200, 360), (1_000_010, 90), (1_000_001, 90)] {
        let scene = Scene::new().await;
        let order = scene.paid(5000).await;
        let transaction = scene.began(&order, meter).await;
        let report = async |seconds: i64| {
            let reading = Reading { at: Some(scene.after(seconds)), wh: Some(meter), ..Reading::default() };
            let event = Event::Metered { connector: 1, transaction: Some(transaction.into()), readings: vec![reading] };
            scene.tell(event, scene.after(seconds)).await;
            scene.watch(&order, seconds).await;
        };
        scene.watch(&order, 160).await;
        assert_eq!(scene.state(&order).await, OrderState::Charging, "nothing was reported");
        for seconds in (60..5 + patience).step_by(30) {
            report(seconds).await;
            assert_eq!(scene.state(&order).await, OrderState::Charging, "{meter} after {seconds} seconds");
        }
        report(5 + patience).await;
        let seen = scene.seen(&order).await;
        assert_eq!((seen.state, seen.end_reason), (OrderState::Stopping, Some(EndReason::NoCurrent)), "{meter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_car_that_once_drew_current_may_pause() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 1_000_000).await;
    scene.metered(transaction, 35, 1_000_300).await;
    scene.tell(idle(transaction, scene.after(150), 1_000_300), scene.after(150)).await;
    scene.watch(&order, 151).await;
    assert_eq!(scene.state(&order).await, OrderState::Charging);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_comes_back_goes_on() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 1_000_000).await;
    scene.metered(transaction, 35, 1_000_300).await;
    scene.heard(35).await;
    scene.watch(&order, 214).await;
    assert_eq!(scene.state(&order).await, OrderState::Charging);
    scene.watch(&order, 215).await;
    assert_eq!(scene.state(&order).await, OrderState::Suspended, "three minutes without a word");
    // It was charging all the time.
    scene.metered(transaction, 1800, 1_012_345).await;
    assert_eq!(scene.state(&order).await, OrderState::Charging);
    scene.stopped(transaction, 1903, 1_013_000).await;
    scene.settled(&order, EndReason::Remote, 780, 520).await;
    assert!(scene.timeline(&order).await.ends_with(&[OrderStep::Suspended, OrderStep::Resumed, OrderStep::Ended]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_that_ended_while_nobody_listened_is_settled_by_its_record() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 1_000_000).await;
    scene.metered(transaction, 35, 1_000_300).await;
    scene.heard(35).await;
    scene.watch(&order, 300).await;
    assert_eq!(scene.state(&order).await, OrderState::Suspended);
    // The power came back after an hour; the record tells when it went.
    let mut record = stopped(transaction, scene.after(400), 1_003_000);
    let Event::Stopped { reason, .. } = &mut record else { unreachable!() };
    "PowerLoss".clone_into(reason);
    scene.tell(record, scene.after(4000)).await;
    scene.settled(&order, EndReason::PowerLoss, 180, 120).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_never_comes_back_is_settled_by_its_last_report() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 1_000_000).await;
    scene.metered(transaction, 1800, 1_012_345).await;
    scene.heard(1800).await;
    scene.watch(&order, 1980).await;
    assert_eq!(scene.state(&order).await, OrderState::Suspended);
    let days = 72 * 3600;
    scene.watch(&order, 1980 + days - 1).await;
    assert_eq!(scene.state(&order).await, OrderState::Suspended);
    assert!(matches!(scene.watch(&order, 1980 + days).await, Outcome::Done));
    scene.settled(&order, EndReason::SuspendedTooLong, 741, 494).await;

    // Then it does: what it tells is kept and compared, and changes nothing (I-62).
    scene.stopped(transaction, 2000, 1_013_000).await;
    assert_eq!(scene.seen(&order).await.flags, [OrderFlag::Uncollected]);
    assert_eq!(scene.timeline(&order).await.last(), Some(&OrderStep::LateRecord));
    scene.settled(&order, EndReason::SuspendedTooLong, 741, 494).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_lives_and_does_not_report_has_lost_the_charge() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 1_000_000).await;
    scene.metered(transaction, 35, 1_000_300).await;
    scene.heard(930).await;
    scene.watch(&order, 936).await;
    let seen = scene.seen(&order).await;
    assert_eq!((seen.state, seen.flags), (OrderState::Suspended, vec![OrderFlag::NoReports]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_charger_tells_again_changes_nothing() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 1_000_000).await;
    assert_eq!(scene.began(&order, 1_000_000).await, transaction, "the same answer");
    for _ in 0..2 {
        scene.metered(transaction, 1800, 1_012_345).await;
    }
    for _ in 0..3 {
        scene.stopped(transaction, 1903, 1_013_000).await;
        scene.metered(transaction, 1800, 1_012_345).await;
    }
    scene.settled(&order, EndReason::Remote, 780, 520).await;
    assert_eq!(scene.seen(&order).await.flags, []);
    let steps = [OrderStep::Created, OrderStep::Paid, OrderStep::Started, OrderStep::Ended];
    assert_eq!(scene.timeline(&order).await, steps);
    let records: i64 = device_transactions::table.count().get_result(&mut scene.conn().await).await.unwrap();
    assert_eq!(records, 1);

    // A second record with other numbers is evidence, not a bill.
    scene.stopped(transaction, 1903, 1_020_000).await;
    assert_eq!(scene.seen(&order).await.flags, [OrderFlag::Discrepancy]);
    scene.settled(&order, EndReason::Remote, 780, 520).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_that_come_late_are_billed_where_they_belong() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 1_000_000).await;
    scene.metered(transaction, 1800, 1_012_345).await;
    // Out of the charger's memory, in the wrong order.
    scene.tell(metered(transaction, scene.after(900), 1_006_000), scene.after(1801)).await;
    scene.tell(metered(transaction, scene.after(600), 1_004_000), scene.after(1802)).await;
    let seen = scene.seen(&order).await;
    assert_eq!((seen.elec_fen, seen.service_fen, seen.flags), (Fen(741), Fen(494), vec![]));
    scene.stopped(transaction, 1903, 1_013_000).await;
    scene.settled(&order, EndReason::Remote, 780, 520).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_price_of_the_start_counts_to_the_end() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 1_000_000).await;
    // Somebody triples the price while it charges, and it charges beyond the midnight from which that is in force.
    let path = format!("/api/v1/car/tariffs/{}", scene.app.tariff(&scene.tenant, &scene.site).await);
    let row = scene.tenant.boss.get(&path).await.ok();
    let price = json!({"mode": "uniform", "prices": {"uniform": {"elec": "1.80000", "service": "1.20000"}}});
    let form = json!({
        "station_id": row["station_id"], "area_id": row["area_id"], "name": row["name"], "tariff": price,
        "version": row["version"],
    });
    scene.tenant.boss.put(&path, form).await.ok();
    scene.metered(transaction, 86_400, 1_012_000).await;
    scene.stopped(transaction, 87_000, 1_013_000).await;
    scene.settled(&order, EndReason::Remote, 780, 520).await;
}
