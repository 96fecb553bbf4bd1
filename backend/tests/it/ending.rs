//! How charges end when not everything goes well: records that are missing, late, foreign, or say little.

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{device_commands, device_transactions};
use serde_json::json;
use shared::fixed::Fen;
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep};

use crate::charging::{Placed, Scene};
use crate::gateway::{eventually, is_online};
use crate::plugged::ago;

impl Scene {
    /// What the charger was told about an order is too old to be told.
    async fn commands_expire(&self, order: &Placed) {
        let of_order = device_commands::table.filter(device_commands::order_id.eq(order.id));
        let past = device_commands::deadline.eq(ago(1));
        diesel::update(of_order).set(past).execute(&mut self.conn().await).await.unwrap();
        eventually("timed_out".to_owned(), async || self.command(order, "stop").await.0).await;
    }

    async fn reason(&self, order: &Placed) -> Option<EndReason> {
        self.seen(order).await.end_reason
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_somebody_elses_charge_ends_nothing() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    charger.meters(number, 300, Utc::now()).await;
    // Beyond what can have flowed, and below what was read.
    charger.ends(555, 4_900_000, Utc::now(), json!({})).await;
    charger.ends(556, 200, Utc::now(), json!({})).await;
    let seen = scene.seen(&order).await;
    assert_eq!((seen.state, seen.flags), (OrderState::Charging, vec![OrderFlag::UnknownRecord]));
    assert_eq!(
        scene.told(&order, OrderStep::UnknownRecord).await.words.unwrap(),
        "transactionId 555, meterStop 5000000 Wh"
    );
    let evidence = device_transactions::table.filter(device_transactions::order_id.is_null());
    let stops: Vec<Option<i64>> = evidence
        .order(device_transactions::created_at)
        .select(device_transactions::meter_stop_wh)
        .load(&mut scene.conn().await)
        .await
        .unwrap();
    assert_eq!(stops, [Some(5_000_000), Some(100_200)]);
    // The car has gone on, and is billed until its own record.
    charger.meters(number, 600, Utc::now()).await;
    charger.ends(number, 800, Utc::now(), json!({"reason": "EVDisconnected"})).await;
    scene.until_settled(&order, 80, &[OrderFlag::UnknownRecord]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_of_the_chargers_own_ends_what_it_can_have_metered() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    charger.meters(number, 300, Utc::now()).await;
    charger.ends(555, 400, Utc::now(), json!({"reason": "Local"})).await;
    scene.until_settled(&order, 40, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_without_a_reason_is_the_one_that_was_asked_for() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    assert_eq!(scene.driver_ends(&order).await["state"], "stopping");
    assert_eq!(charger.obeys("RemoteStopTransaction").await["transactionId"], number);
    charger.ends(number, 500, Utc::now(), json!({})).await;
    scene.until_settled(&order, 50, &[]).await;
    assert_eq!(scene.reason(&order).await, Some(EndReason::Driver));

    // What nobody asked for has ended at the charger, as the protocol has it.
    let (order, number) = scene.running(&mut charger).await;
    charger.ends(number, 500, Utc::now(), json!({})).await;
    scene.until(&order, OrderState::Completed).await;
    assert_eq!(scene.reason(&order).await, Some(EndReason::Local));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_charger_missed_while_it_was_away_it_is_told_at_once() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    scene.gone(charger).await;
    assert_eq!(scene.driver_ends(&order).await["state"], "stopping");
    scene.commands_expire(&order).await;
    // Before it has said anything.
    let mut charger = scene.connected().await;
    assert_eq!(charger.obeys("RemoteStopTransaction").await["transactionId"], number);
    scene.gone(charger).await;

    // So it is when the order was given up meanwhile.
    scene.watch(&order, 600).await;
    assert_eq!(scene.state(&order).await, OrderState::Suspended);
    let mut charger = scene.connected().await;
    assert_eq!(charger.obeys("RemoteStopTransaction").await["transactionId"], number);
    assert_eq!(scene.state(&order).await, OrderState::Stopping);
    assert_eq!(scene.timeline(&order).await.last(), Some(&OrderStep::StopRepeated));
    charger.ends(number, 500, Utc::now(), json!({"reason": "Remote"})).await;
    scene.until_settled(&order, 50, &[]).await;
    assert_eq!(scene.reason(&order).await, Some(EndReason::Driver));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_started_anew_without_a_record_holds_nobody_up() {
    let scene = Scene::with(|it| it.charging.lost_seconds = 1).await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    charger.meters(number, 300, Utc::now()).await;
    scene.gone(charger).await;
    let mut charger = scene.connected().await;
    charger.boot().await;
    scene.until_settled(&order, 30, &[OrderFlag::NoRecord]).await;
    assert_eq!(scene.reason(&order).await, Some(EndReason::NoRecord));
    assert_eq!(scene.timeline(&order).await.last(), Some(&OrderStep::NoRecord));

    // The connector is free for the next one.
    scene.create(5000).await;
    // The record comes after all. It is evidence; the rest of the money has gone back.
    charger.ends(number, 450, Utc::now(), json!({"reason": "PowerLoss"})).await;
    scene.until_settled(&order, 30, &[OrderFlag::NoRecord, OrderFlag::Uncollected]).await;
    let told = scene.told(&order, OrderStep::LateRecord).await;
    assert_eq!(told.uncollected_fen, Some(Fen(15)));
    assert_eq!((told.kwh, told.billed_kwh), (Some("0.45".parse().unwrap()), Some("0.3".parse().unwrap())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_record_that_cannot_be_differs() {
    let scene = Scene::with(|it| it.charging.lost_seconds = 0).await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    charger.meters(number, 300, Utc::now()).await;
    charger.tell_status("Available").await;
    scene.until_settled(&order, 30, &[OrderFlag::NoRecord]).await;
    charger.ends(number, 90_000, Utc::now(), json!({})).await;
    scene.until_settled(&order, 30, &[OrderFlag::NoRecord, OrderFlag::Discrepancy]).await;
    assert_eq!(scene.told(&order, OrderStep::LateRecord).await.uncollected_fen, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_takes_its_charge_up_again_has_not_lost_it() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let order = scene.paid(5000).await;
    charger.obeys("RemoteStartTransaction").await;
    let number = charger.begins(&order.no, ago(100)).await;
    charger.meters(number, 300, ago(80)).await;
    charger.boot().await;
    assert!(scene.seems_lost(&order).await);
    charger.tell_status("Charging").await;
    assert!(!scene.seems_lost(&order).await);
    // So does one that goes on reporting.
    charger.boot().await;
    assert!(scene.seems_lost(&order).await);
    charger.meters(number, 400, ago(60)).await;
    assert!(scene.seems_lost(&order).await, "that was read before");
    charger.meters(number, 500, Utc::now() + TimeDelta::seconds(2)).await;
    assert!(!scene.seems_lost(&order).await);

    // A free connector contradicts what is reported, until there is silence.
    charger.tell_status("Available").await;
    charger.meters(number, 600, Utc::now() + TimeDelta::seconds(4)).await;
    assert!(scene.seems_lost(&order).await);
    let quiet = (Utc::now() - scene.now).num_seconds();
    scene.watch(&order, quiet + 50).await;
    assert_eq!(scene.state(&order).await, OrderState::Charging, "its queue has a minute");
    // The record was in the queue: there is nothing to look at.
    charger.ends(number, 700, Utc::now() + TimeDelta::seconds(5), json!({"reason": "PowerLoss"})).await;
    scene.until_settled(&order, 70, &[]).await;
    assert_eq!(scene.reason(&order).await, Some(EndReason::PowerLoss));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_has_a_minute_of_silence_while_it_is_there() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    charger.meters(number, 300, Utc::now()).await;
    charger.boot().await;
    scene.gone(charger).await;
    let passed = (Utc::now() - scene.now).num_seconds();
    // Away it can bring nothing.
    scene.watch(&order, passed + 100).await;
    assert_eq!(scene.state(&order).await, OrderState::Charging);
    let _charger = scene.connected().await;
    eventually(true, async || is_online(&scene.app, scene.site.charger).await).await;
    let passed = (Utc::now() - scene.now).num_seconds();
    scene.watch(&order, passed + 62).await;
    scene.until_settled(&order, 30, &[OrderFlag::NoRecord]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_waits_for_the_record_of_a_charger_that_is_there() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    charger.meters(number, 300, Utc::now()).await;
    let ended = scene.end(&order).await.ok();
    assert_eq!((&ended["state"], &ended["end_note"]), (&json!("stopping"), &json!("车主来电")));
    assert_eq!(charger.obeys("RemoteStopTransaction").await["transactionId"], number);
    charger.ends(number, 500, Utc::now(), json!({"reason": "Remote"})).await;
    scene.until_settled(&order, 50, &[]).await;
    assert_eq!(scene.reason(&order).await, Some(EndReason::Staff));
    let shown = scene.tenant.boss.get(&format!("/api/v1/orders/car/{}", order.id)).await.ok();
    assert_eq!(shown["end_note"], "车主来电", "what staff wrote is not the charger's word");
    assert!(scene.timeline(&order).await.ends_with(&[OrderStep::EndedByStaff, OrderStep::Ended]));
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_does_not_wait_for_long() {
    let scene = Scene::with(|it| it.charging.stop_seconds = 1).await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    charger.meters(number, 300, Utc::now()).await;
    charger.tell_status("Charging").await;
    assert_eq!(scene.end(&order).await.ok()["state"], "stopping");
    let (id, action, _) = charger.asked().await;
    assert_eq!(action, "RemoteStopTransaction");
    scene.until_settled(&order, 30, &[OrderFlag::NoRecord]).await;
    assert_eq!(scene.reason(&order).await, Some(EndReason::Staff));

    // It does not stop, and goes on charging. It is told again, but not all the time.
    charger.answer(&id, json!({"status": "Rejected"})).await;
    charger.meters(number, 400, Utc::now() + TimeDelta::seconds(1)).await;
    assert_eq!(charger.obeys("RemoteStopTransaction").await["transactionId"], number);
    charger.meters(number, 500, Utc::now() + TimeDelta::seconds(2)).await;
    charger.is_left_alone().await;
    scene.until_settled(&order, 30, &[OrderFlag::NoRecord, OrderFlag::GoesOn]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_agreed_to_stop_and_tells_nothing_has_stopped() {
    let scene = Scene::with(|it| it.charging.stop_seconds = 1).await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    charger.meters(number, 300, Utc::now()).await;
    charger.tell_status("Finishing").await;
    scene.driver_ends(&order).await;
    charger.obeys("RemoteStopTransaction").await;
    scene.until_settled(&order, 30, &[OrderFlag::NoRecord]).await;
    assert_eq!(scene.reason(&order).await, Some(EndReason::Driver));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_car_that_goes_on_is_billed_whatever_the_driver_wants() {
    let scene = Scene::with(|it| it.charging.stop_seconds = 1).await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    charger.tell_status("Charging").await;
    charger.meters(number, 300, Utc::now()).await;
    scene.driver_ends(&order).await;
    charger.obeys("RemoteStopTransaction").await;
    // Long after it agreed it still says that it charges.
    let passed = (Utc::now() - scene.now).num_seconds();
    scene.watch(&order, passed + 30).await;
    assert_eq!(scene.state(&order).await, OrderState::Stopping);
    charger.meters(number, 600, Utc::now()).await;
    charger.ends(number, 700, Utc::now(), json!({"reason": "Remote"})).await;
    scene.until_settled(&order, 70, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_goes_on_after_a_false_record_is_told_to_stop() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let order = scene.paid(5000).await;
    charger.obeys("RemoteStartTransaction").await;
    let number = charger.begins(&order.no, ago(120)).await;
    charger.meters(number, 300, ago(100)).await;
    // Whoever told this was not the charger.
    charger.ends(number, 300, ago(90), json!({})).await;
    scene.until_settled(&order, 30, &[]).await;
    // What is left of the charger's queue says nothing.
    charger.meters(number, 300, ago(95)).await;
    charger.is_left_alone().await;
    charger.meters(number, 900, ago(1)).await;
    assert_eq!(charger.obeys("RemoteStopTransaction").await["transactionId"], number);
    scene.until_settled(&order, 30, &[OrderFlag::GoesOn]).await;
    assert_eq!(scene.timeline(&order).await.last(), Some(&OrderStep::GoesOn));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_was_settled_while_its_charger_was_away_is_ended_there_too() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let (order, number) = scene.running(&mut charger).await;
    charger.meters(number, 300, Utc::now()).await;
    scene.gone(charger).await;
    assert_eq!(scene.end(&order).await.ok()["state"], "completed");
    scene.commands_expire(&order).await;
    let mut charger = scene.connected().await;
    assert_eq!(charger.obeys("RemoteStopTransaction").await["transactionId"], number);
    scene.until_settled(&order, 30, &[]).await;
}
