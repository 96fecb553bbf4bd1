//! Chargers with wrong clocks, bad lines and odd meters, over real sockets: what flowed is billed once and exactly.

use backend::charging::event::{Event, Reply};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use schema::{charge_sessions, connectors};
use serde_json::{Value, json};
use shared::fixed::{Fen, Kwh};
use shared::order::{OrderFlag, OrderState};

use crate::charging::{Placed, Scene};
use crate::gateway::Charger;

/// How a charger writes the time.
#[derive(Clone, Copy, Debug)]
enum Clock {
    /// Exactly, so many seconds ahead.
    Ahead(i64),
    /// In whole seconds, so many seconds ahead.
    Whole(i64),
    /// The time of the day here, without saying so.
    Local,
}

impl Clock {
    fn tells(self, at: DateTime<Utc>) -> String {
        match self {
            Self::Ahead(seconds) => (at + TimeDelta::seconds(seconds)).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            Self::Whole(seconds) => (at + TimeDelta::seconds(seconds)).format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Self::Local => (at + TimeDelta::hours(8)).format("%Y-%m-%dT%H:%M:%S%.3f").to_string(),
        }
    }

    /// Never set: it counts from 1970.
    fn never_set() -> Self {
        Self::Ahead(86_400 - Utc::now().timestamp())
    }
}

fn value(timestamp: &str, wh: i64) -> Value {
    json!({"timestamp": timestamp, "sampledValue": [{"value": wh.to_string()}]})
}

/// A charge at the charger of a scene, as the charger sees it.
struct Course {
    charger: Charger,
    order: Placed,
    transaction: i64,
}

impl Scene {
    /// A scene in which charges may have begun long ago, at a charger of 120 kW.
    async fn patient() -> Self {
        let mut scene =
            Self::with(|it| (it.charging.start_seconds, it.charging.silent_seconds) = (100_000, 100_000)).await;
        diesel::sql_query("update chargers set output_power_w = 120000")
            .execute(&mut scene.conn().await)
            .await
            .unwrap();
        scene.now = DateTime::from_timestamp_micros(Utc::now().timestamp_micros()).unwrap();
        scene
    }

    /// The charger connects. An older connection of it that ends says nothing any more.
    async fn line(&self) -> Charger {
        let mut charger = Charger::connect(&self.app, &self.site.serial_no).await;
        charger.boot().await;
        charger
    }

    /// A paid order that the charger was asked to begin so many seconds ago.
    async fn asked(&self, seconds_ago: i64) -> Placed {
        let mut conn = self.conn().await;
        diesel::update(connectors::table).set(connectors::status.eq("preparing")).execute(&mut conn).await.unwrap();
        let order = self.paid(50_000).await;
        diesel::update(charge_sessions::table.find(order.id))
            .set(charge_sessions::start_sent_at.eq(Utc::now() - TimeDelta::seconds(seconds_ago)))
            .execute(&mut conn)
            .await
            .unwrap();
        order
    }

    /// The charger began so many seconds ago, and tells so now.
    async fn starts(&self, seconds_ago: i64, clock: Clock, meter: i64) -> Course {
        let mut charger = self.line().await;
        let order = self.asked(seconds_ago + 5).await;
        let at = Utc::now() - TimeDelta::seconds(seconds_ago);
        let start = json!({"connectorId": 1, "idTag": order.no, "meterStart": meter, "timestamp": clock.tells(at)});
        let answer = charger.call("StartTransaction", start).await;
        assert_eq!(answer["idTagInfo"]["status"], "Accepted");
        Course { charger, order, transaction: answer["transactionId"].as_i64().unwrap() }
    }

    /// The charger began so many seconds ago and told so then; now it comes back.
    async fn started(&self, seconds_ago: i64, clock: Clock, meter_wh: i64) -> Course {
        let charger = self.line().await;
        let order = self.asked(seconds_ago + 5).await;
        let then = Utc::now() - TimeDelta::seconds(seconds_ago);
        let told = clock.tells(then);
        let told = told.parse().or_else(|_| format!("{told}Z").parse::<DateTime<Utc>>()).unwrap();
        let event = Event::Started { connector: 1, tag: order.no.clone(), meter_wh, at: Some(told) };
        let Reply::Started { transaction_id, accepted: true } = self.tell(event, then).await else { panic!("refused") };
        Course { charger, order, transaction: transaction_id.into() }
    }

    /// The order was settled at this, and something may be odd about it.
    async fn billed(&self, order: &Placed, kwh: &str, flags: &[OrderFlag]) {
        let seen = self.seen(order).await;
        let kwh: Kwh = kwh.parse().unwrap();
        assert_eq!((seen.state, seen.kwh, seen.flags.as_slice()), (OrderState::Completed, kwh, flags));
        // 0.60 yuan for energy and 0.40 for service.
        let fees = [seen.elec_fen, seen.service_fen];
        assert_eq!(fees, [60, 40].map(|fen| Fen((kwh.units() * fen + 5000) / 10_000)));
        let back = 50_000 - fees[0].0 - fees[1].0;
        assert_eq!((self.refunds(order).await, self.books(order).await), (vec![back], [0, -back]));
    }
}

impl Course {
    async fn meter(&mut self, values: &[Value]) {
        let values = json!({"connectorId": 1, "transactionId": self.transaction, "meterValue": values});
        assert_eq!(self.charger.call("MeterValues", values).await, json!({}));
    }

    async fn stop(&mut self, timestamp: &str, meter: i64, data: &[Value]) {
        let stop = json!({
            "transactionId": self.transaction, "meterStop": meter, "timestamp": timestamp, "transactionData": data,
        });
        self.charger.call("StopTransaction", stop).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_before_the_start_is_no_wrong_clock() {
    let scene = Scene::patient().await;
    let ahead = |seconds| Clock::Ahead(0).tells(Utc::now() + TimeDelta::seconds(seconds));

    // Whole seconds in the samples, and an end that is a little ahead.
    let mut it = scene.starts(240, Clock::Ahead(0), 100_000).await;
    let begin = Clock::Whole(-1).tells(Utc::now() - TimeDelta::seconds(240));
    it.stop(&ahead(3), 105_000, &[value(&begin, 100_000), value(&ahead(3), 105_000)]).await;
    scene.billed(&it.order, "5", &[]).await;
    it.charger.leave().await;

    let mut it = scene.starts(240, Clock::Ahead(0), 100_000).await;
    it.meter(&[value(&begin, 100_000), value(&ahead(-100), 101_400)]).await;
    it.meter(&[value(&ahead(-50), 103_600)]).await;
    it.stop(&ahead(3), 105_000, &[value(&begin, 100_000), value(&ahead(3), 105_000)]).await;
    scene.billed(&it.order, "5", &[]).await;
    it.charger.leave().await;

    // Samples that come late are not more than the start, and the end is two seconds ahead.
    let mut it = scene.started(240, Clock::Whole(0), 100_000).await;
    it.meter(&[value(&Clock::Whole(-1).tells(Utc::now() - TimeDelta::seconds(240)), 101_400)]).await;
    it.stop(&ahead(2), 105_000, &[]).await;
    scene.billed(&it.order, "5", &[]).await;
    it.charger.leave().await;

    // A clock that is behind, and one that is exact.
    for clock in [Clock::Ahead(-100), Clock::Whole(0), Clock::Ahead(0)] {
        let mut it = scene.starts(100, clock, 100_000).await;
        it.meter(&[value(&clock.tells(Utc::now() - TimeDelta::seconds(101)), 100_000)]).await;
        it.stop(&clock.tells(Utc::now()), 103_001, &[]).await;
        scene.billed(&it.order, "3.001", &[]).await;
    }
    scene.sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_clock_costs_nothing_after_an_outage() {
    let scene = Scene::patient().await;
    for clock in [Clock::Ahead(-600), Clock::Ahead(600), Clock::never_set(), Clock::Local, Clock::Whole(4_000_000_000)]
    {
        // Two samples and the end are told at once: 113 kW for 165 seconds, and for 75.
        for (seconds, wh, kwh) in [(165, 5200, "5.2"), (75, 2400, "2.4")] {
            let mut it = scene.started(seconds, clock, 100_000).await;
            let told = |third: i64| clock.tells(Utc::now() - TimeDelta::seconds(seconds * (3 - third) / 3));
            it.meter(&[value(&told(1), 100_000 + wh / 3)]).await;
            it.meter(&[value(&told(2), 100_000 + wh * 2 / 3)]).await;
            it.stop(&told(3), 100_000 + wh, &[]).await;
            scene.billed(&it.order, kwh, &[OrderFlag::ClockSuspect]).await;
            let order = scene.tenant.boss.get(&format!("/api/v1/orders/car/{}", it.order.id)).await.ok();
            let seconds_charged = order["charge_seconds"].as_i64().unwrap();
            assert!(
                (seconds - 2..seconds + 30).contains(&seconds_charged),
                "{clock:?}: {seconds_charged} of {seconds}"
            );
        }
    }
    scene.sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_changes_hides_no_energy() {
    let scene = Scene::patient().await;
    let ago = |clock: Clock, seconds| clock.tells(Utc::now() - TimeDelta::seconds(seconds));
    for (first, then) in [
        (Clock::Ahead(0), Clock::never_set()),
        (Clock::never_set(), Clock::Ahead(0)),
        (Clock::Local, Clock::Ahead(0)),
        (Clock::Ahead(0), Clock::Ahead(-420)),
    ] {
        let mut it = scene.started(800, first, 1_000_000).await;
        it.meter(&[value(&ago(first, 300), 1_004_000)]).await;
        it.meter(&[value(&ago(then, 30), 1_010_000)]).await;
        it.stop(&ago(then, 0), 1_010_900, &[]).await;
        scene.billed(&it.order, "10.9", &[OrderFlag::ClockSuspect]).await;
    }
    scene.sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_time_is_taken_when_it_comes() {
    let scene = Scene::patient().await;
    for junk in [Value::Null, json!("soon"), json!(1_795_311_005), json!("0000-00-00T00:00:00Z"), json!({})] {
        let mut charger = scene.line().await;
        let order = scene.asked(60).await;
        let start = json!({"connectorId": 1, "idTag": order.no, "meterStart": 100_000, "timestamp": junk});
        let answer = charger.call("StartTransaction", start.clone()).await;
        assert_eq!(answer["idTagInfo"]["status"], "Accepted");
        assert_eq!(charger.call("StartTransaction", start).await, answer, "told again it is the same");
        let mut it = Course { charger, order, transaction: answer["transactionId"].as_i64().unwrap() };
        it.meter(&[json!({"timestamp": junk, "sampledValue": [{"value": "100500"}]})]).await;
        let stop = json!({"transactionId": it.transaction, "meterStop": 100_900, "timestamp": junk});
        for _ in 0..2 {
            it.charger.call("StopTransaction", stop.clone()).await;
        }
        scene.billed(&it.order, "0.9", &[OrderFlag::ClockSuspect]).await;
    }
    scene.sound().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_may_count_from_the_beginning_of_the_charge() {
    let scene = Scene::patient().await;
    let ago = |seconds| Clock::Ahead(0).tells(Utc::now() - TimeDelta::seconds(seconds));
    let path = format!("/api/v1/car/chargers/{}", scene.site.charger);
    let noted = async || scene.tenant.boss.get(&path).await.ok()["device"]["relative_meter_since"].clone();
    let mut it = scene.started(600, Clock::Ahead(0), 7_654_321).await;
    it.meter(&[value(&ago(500), 7_655_000)]).await;
    it.stop(&ago(0), 7_660_321, &[]).await;
    scene.billed(&it.order, "6", &[]).await;
    assert_eq!(noted().await, Value::Null);
    it.charger.leave().await;
    for end in [9000, 7_663_321] {
        let mut it = scene.started(600, Clock::Ahead(0), 7_654_321).await;
        for (seconds, wh) in [(550, 0), (500, 700), (200, 4321)] {
            it.meter(&[value(&ago(seconds), wh)]).await;
        }
        assert_eq!(scene.seen(&it.order).await.kwh, "4.321".parse().unwrap(), "it runs along");
        assert!(noted().await.is_string());
        it.stop(&ago(0), end, &[]).await;
        scene.billed(&it.order, "9", &[]).await;
    }
    scene.sound().await;
}

/// Thirty random charges, each at a charger of another kind.
#[tokio::test(flavor = "multi_thread")]
async fn what_flowed_is_billed_whatever_comes_between() {
    let scene = Scene::patient().await;
    for seed in 0..30 {
        let random = &mut StdRng::seed_from_u64(seed);
        let clocks = [
            Clock::Ahead(random.random_range(-240..240)),
            Clock::Whole(random.random_range(-240..240)),
            Clock::Ahead(600),
            Clock::Whole(-600),
            Clock::never_set(),
            Clock::Local,
        ];
        let clock = clocks[random.random_range(0..clocks.len())];
        let changed = random.random_bool(0.3);
        let later = if changed { clocks[random.random_range(0..clocks.len())] } else { clock };
        let seconds = random.random_range(60..540);
        let meter = random.random_range(0..1_000_000_000);
        let relative = meter > 100_000 && random.random_bool(0.2);
        let mut wh = meter;
        let mut samples = vec![];
        for ago in (1..seconds).rev().step_by(20) {
            wh += random.random_range(0..600);
            let shown = wh - if relative { meter } else { 0 };
            let clock = if ago > seconds / 2 { clock } else { later };
            samples.push(value(&clock.tells(Utc::now() - TimeDelta::seconds(ago)), shown));
        }
        let mut it = if random.random_bool(0.5) {
            scene.started(seconds, clock, meter).await
        } else {
            scene.starts(seconds, clock, meter).await
        };
        let all = samples.clone();
        let half = samples.len() / 2;
        if random.random_bool(0.3) {
            samples[..half].shuffle(random);
            samples[half..].shuffle(random);
        }
        if random.random_bool(0.3) {
            samples.extend_from_slice(&all[..half]);
        }
        for some in samples.chunks(random.random_range(1..10)) {
            it.meter(some).await;
            if random.random_bool(0.1) {
                // The line breaks, and what was told last is told again.
                it.charger.leave().await;
                it.charger = scene.line().await;
                it.meter(some).await;
            }
        }
        wh += 77;
        let data = if random.random_bool(0.3) { all } else { vec![] };
        let end = if relative && random.random_bool(0.5) { wh - meter } else { wh };
        for _ in 0..random.random_range(1..3) {
            it.stop(&later.tells(Utc::now()), end, &data).await;
        }
        let seen = scene.seen(&it.order).await;
        let what = format!("seed {seed}: {clock:?}, {later:?}, {seconds} seconds, relative {relative}: {seen:?}");
        assert_eq!((seen.state, seen.kwh), (OrderState::Completed, Kwh::from_wh(wh - meter).unwrap()), "{what}");
        let wrong = |it| !matches!(it, Clock::Ahead(-240..240) | Clock::Whole(-240..240));
        let suspect = seen.flags.contains(&OrderFlag::ClockSuspect);
        assert!(suspect || !wrong(clock) && !wrong(later), "{what}");
        assert!(!suspect || wrong(clock) || wrong(later) || changed, "{what}");
    }
    scene.sound().await;
}
