//! How charges begin, or do not: chargers that answer late, go away, tell the end first, or spell tags otherwise.

use chrono::Utc;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::device_transactions;
use serde_json::json;
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep};

use crate::charging::{Placed, Scene};
use crate::gateway::{eventually, is_online};
use crate::plugged::nobody;

impl Scene {
    /// The charges that the charger has told of, those that nobody knew included.
    async fn records(&self) -> i64 {
        device_transactions::table.count().get_result(&mut self.conn().await).await.unwrap()
    }

    /// The start was not heard of again.
    async fn start_ends(&self, order: &Placed, outcome: &str) {
        let expected = ("timed_out".to_owned(), Some(outcome.to_owned()));
        eventually(expected, async || self.command(order, "start").await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_in_other_letters_is_the_same_tag() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let order = scene.paid(5000).await;
    charger.obeys("RemoteStartTransaction").await;
    let small = order.no.to_lowercase();
    assert_ne!(small, order.no);
    let answer = charger.call("Authorize", json!({"idTag": small})).await;
    assert_eq!(answer["idTagInfo"]["status"], "Accepted");
    let at = Utc::now();
    let number = charger.begins(&small, at).await;
    // Told again in yet other letters it is the same start.
    assert_eq!(charger.begins(&order.no, at).await, number);
    assert_eq!(scene.records().await, 1);
    assert_eq!((scene.state(&order).await, scene.seen(&order).await.flags), (OrderState::Charging, vec![]));
    // The tag tells which charge has ended when the number does not.
    charger.ends(-1, 500, Utc::now(), json!({"idTag": small, "reason": "EVDisconnected"})).await;
    scene.until_settled(&order, 50, &[]).await;
    assert_eq!(scene.commands(&order).await, ["start"], "it was never told to stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_whose_answer_got_lost_is_waited_for() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let order = scene.paid(5000).await;
    assert_eq!(charger.asked().await.1, "RemoteStartTransaction");
    scene.gone(charger).await;
    scene.start_ends(&order, "disconnected").await;
    assert_eq!(scene.state(&order).await, OrderState::Starting);
    let mut charger = scene.connected().await;
    charger.begins(&order.no, Utc::now()).await;
    assert_eq!(scene.state(&order).await, OrderState::Charging);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_answered_late_has_all_of_its_time() {
    let scene = Scene::with(|it| it.gateway.call_seconds = 1).await;
    let mut charger = scene.plugged().await;
    let order = scene.paid(5000).await;
    let (id, ..) = charger.asked().await;
    scene.start_ends(&order, "no_answer").await;
    assert_eq!(scene.state(&order).await, OrderState::Starting);
    charger.answer(&id, json!({"status": "Accepted"})).await;
    charger.begins(&order.no, Utc::now()).await;
    assert_eq!(scene.state(&order).await, OrderState::Charging);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_goes_away_before_it_begins_is_waited_for() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let order = scene.paid(5000).await;
    charger.obeys("RemoteStartTransaction").await;
    eventually(Some(OrderStep::StartAccepted), async || scene.timeline(&order).await.pop()).await;
    let path = format!("/api/app/v1/orders/{}/live", order.id);
    let driver = scene.at_hand().await;
    let live = driver.get(&path).await.ok();
    assert_eq!((&live["charger_online"], live["start_until"].as_str().is_some()), (&json!(true), true));
    scene.gone(charger).await;

    // The minute passes, and the driver is told what the order waits for.
    scene.watch(&order, 61).await;
    assert_eq!(scene.state(&order).await, OrderState::Starting);
    let live = driver.get(&path).await.ok();
    let until: chrono::DateTime<Utc> = live["start_until"].as_str().unwrap().parse().unwrap();
    assert_eq!((&live["charger_online"], until), (&json!(false), scene.after(600)));

    // It is back within ten minutes, and has begun long ago.
    let mut charger = scene.connected().await;
    charger.begins(&order.no, scene.after(1)).await;
    assert_eq!(scene.state(&order).await, OrderState::Charging);
    let live = driver.get(&path).await.ok();
    assert_eq!((&live["charger_online"], &live["start_until"]), (&json!(true), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charger_that_is_back_and_has_not_begun_has_a_minute_to_tell() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let order = scene.paid(5000).await;
    charger.obeys("RemoteStartTransaction").await;
    scene.gone(charger).await;
    let before = Utc::now();
    let charger = scene.connected().await;
    eventually(true, async || is_online(&scene.app, scene.site.charger).await).await;
    // Sixty seconds after it is back, which is later than sixty seconds after the start.
    let passed = (before - scene.now).num_seconds();
    scene.watch(&order, passed + 59).await;
    assert_eq!(scene.state(&order).await, OrderState::Starting);
    let passed = (Utc::now() - scene.now).num_seconds() + 61;
    scene.heard(passed).await;
    scene.watch(&order, passed).await;
    scene.all_goes_back(&order, OrderState::Failed, EndReason::StartTimeout).await;
    drop(charger);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_died_without_a_word_is_no_reason_to_give_a_start_up() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    scene.heard(5).await;
    scene.watch(&order, 61).await;
    assert_eq!(scene.state(&order).await, OrderState::Starting);
    // It was only slow.
    scene.heard(70).await;
    scene.watch(&order, 71).await;
    scene.all_goes_back(&order, OrderState::Failed, EndReason::StartTimeout).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_start_for_ever() {
    let scene = Scene::with(|it| (it.charging.start_seconds, it.charging.start_away_seconds) = (1, 2)).await;
    let mut charger = scene.plugged().await;
    let order = scene.paid(5000).await;
    charger.obeys("RemoteStartTransaction").await;
    scene.gone(charger).await;
    scene.until(&order, OrderState::Failed).await;
    scene.all_goes_back(&order, OrderState::Failed, EndReason::StartTimeout).await;
    // It comes with a start that nobody waits for any more.
    let mut charger = scene.connected().await;
    let answer = charger.tries(&order.no, Utc::now()).await;
    assert_eq!(answer["idTagInfo"]["status"], "Invalid");
    let stop = charger.obeys("RemoteStopTransaction").await;
    assert_eq!(stop["transactionId"], answer["transactionId"]);
    assert_eq!(scene.seen(&order).await.flags, [OrderFlag::LateStart]);
    // It goes on all the same, and was told just now.
    charger.meters(answer["transactionId"].as_i64().unwrap(), 300, Utc::now()).await;
    charger.is_left_alone().await;
    scene.all_goes_back(&order, OrderState::Failed, EndReason::StartTimeout).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_need_not_wait_for_a_start() {
    let scene = Scene::new().await;
    let charger = scene.plugged().await;
    scene.gone(charger).await;
    scene.online(true).await;
    // The charger goes away just as the driver has paid, and was not told anything.
    let order = scene.paid(5000).await;
    scene.online(false).await;
    let live = scene.driver_ends(&order).await;
    assert_eq!((&live["state"], &live["start_until"]), (&json!("completed"), &json!(null)));
    scene.all_goes_back(&order, OrderState::Completed, EndReason::StartCancelled).await;
    scene.start_ends(&order, "withdrawn").await;
    // When it is back it is not told to start what nobody wants.
    let mut charger = scene.plugged().await;
    charger.is_left_alone().await;
    let next = scene.paid(5000).await;
    assert_eq!(charger.obeys("RemoteStartTransaction").await["idTag"], next.no.as_str(), "the connector is free");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_an_end_that_is_faster_than_its_start_is_kept_for_it() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let order = scene.paid(5000).await;
    charger.obeys("RemoteStartTransaction").await;
    let at = Utc::now();
    let end = json!({"reason": "EVDisconnected"});
    for _ in 0..2 {
        charger.ends(-1, 500, at, end.clone()).await;
    }
    assert_eq!((scene.state(&order).await, scene.records().await), (OrderState::Starting, 1));
    // Another record, of a charge that ended before this one began, has nothing to do with it.
    charger.ends(4711, 900, scene.after(-60), json!({})).await;
    charger.begins(&order.no, scene.now).await;
    scene.until_settled(&order, 50, &[]).await;
    assert_eq!(scene.seen(&order).await.end_reason, Some(EndReason::Unplugged));
    assert_eq!(scene.records().await, 2);
    // The charger tells it once more.
    charger.ends(-1, 500, at, end).await;
    assert_eq!((scene.records().await, scene.seen(&order).await.flags), (2, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_a_charge_tells_nothing_about_others() {
    let scene = Scene::new().await;
    let mut charger = scene.plugged().await;
    let mut numbers = vec![];
    for _ in 0..4 {
        let answer = charger.tries(&nobody(), Utc::now()).await;
        numbers.push(i32::try_from(answer["transactionId"].as_i64().unwrap()).unwrap());
    }
    assert!(numbers.iter().all(|it| *it > 0), "{numbers:?}");
    assert!(numbers.windows(2).all(|it| it[0].abs_diff(it[1]) > 1), "{numbers:?}");
    assert!(numbers.iter().any(|it| *it > 1_000_000), "{numbers:?}");
}
