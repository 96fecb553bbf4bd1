//! Who is there, who is not any more, and who says so.

use std::time::Duration;

use backend::app::new_id;
use backend::jobs::{Job, Outcome};
use backend::presence::{self, Arrival, Claim, Held, Watch};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::charger_states;
use shared::device::ConnectionReason;
use uuid::Uuid;

use super::{Charger, comings_and_goings, eventually, is_online, one_charger, protect};
use crate::app::TestApp;

async fn last_reason(app: &TestApp, charger: Uuid) -> (bool, String) {
    comings_and_goings(app, charger).await.pop().unwrap()
}

#[tokio::test]
async fn comings_and_goings_are_written_down() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    let expected = [(true, "connected"), (false, "closed")].map(|(online, why)| (online, why.to_owned()));
    assert_eq!(comings_and_goings(&app, site.charger).await, expected);
    let charger = Charger::connect(&app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    assert!(is_online(&app, site.charger).await);
    // The line is cut without a word.
    drop(charger);
    happenings.wait("charger", site.charger).await;
    assert_eq!(last_reason(&app, site.charger).await, (false, "broken".to_owned()));
    assert!(!is_online(&app, site.charger).await);
}

#[tokio::test]
async fn a_silent_line_is_given_up() {
    let app = TestApp::with(|it| (it.gateway.ping_seconds, it.gateway.idle_seconds) = (1, 2)).await;
    let (site, mut happenings) = one_charger(&app).await;
    // Answering pings is a sign of life.
    let mut alive = Charger::connect(&app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    assert!(tokio::time::timeout(Duration::from_secs(3), alive.hear()).await.is_err(), "nothing was said");
    assert!(is_online(&app, site.charger).await);
    // Nobody reads on this side, so nobody answers pings.
    happenings.wait("charger", site.charger).await;
    assert_eq!(last_reason(&app, site.charger).await, (false, "silent".to_owned()));
    assert_eq!(alive.closed().await, 1001);
}

#[tokio::test]
async fn a_stopping_server_says_goodbye() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    app.app.stopping.cancel();
    assert_eq!(charger.closed().await, 1001);
    drop(charger);
    eventually((false, "stopping".to_owned()), async || last_reason(&app, site.charger).await).await;
    assert!(!is_online(&app, site.charger).await);
    assert_eq!(Charger::try_connect(&app, &site.serial_no, &[]).await.err(), Some(503));
}

#[tokio::test]
async fn a_connection_in_another_process_takes_over() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    protect(&app, site.charger, "a password").await;
    let mut charger = Charger::connect_with(&app, &site.serial_no, "a password").await;
    happenings.wait("charger", site.charger).await;
    let elsewhere = TestApp::start(app.app.config.clone(), app.app.database_url.clone()).await;
    let mut newer = Charger::connect_with(&elsewhere, &site.serial_no, "a password").await;
    assert_eq!(charger.closed().await, 1000);
    newer.boot().await;
    assert!(is_online(&app, site.charger).await);
    assert_eq!(last_reason(&app, site.charger).await, (true, "reconnected".to_owned()));
}

#[tokio::test]
async fn only_the_holding_connection_may_speak_for_a_charger() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    let _charger = Charger::connect(&app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    let mut conn = app.conn().await;
    let holder: Option<Uuid> =
        charger_states::table.find(site.charger).select(charger_states::connection).first(&mut conn).await.unwrap();
    let seen_at = Utc::now() + TimeDelta::seconds(5);
    let stranger = Held { charger_id: site.charger, connection: Uuid::now_v7(), seen_at };
    let held = Held { connection: holder.unwrap(), ..stranger };
    assert!(presence::seen(&mut conn, &[stranger]).await.unwrap().is_empty());
    assert_eq!(presence::seen(&mut conn, &[held]).await.unwrap(), [site.charger]);
    let seen: Option<DateTime<Utc>> =
        charger_states::table.find(site.charger).select(charger_states::last_seen_at).first(&mut conn).await.unwrap();
    assert_eq!(seen.unwrap().timestamp_millis(), seen_at.timestamp_millis());
    let gone = presence::offline(&mut conn, &[stranger], ConnectionReason::Lost).await;
    assert_eq!(gone.unwrap(), 0);
    assert!(is_online(&app, site.charger).await);
}

#[tokio::test]
async fn the_latest_connection_holds_whoever_writes_first() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let now = Utc::now();
    let [first, second, third] = [0, 1, 2].map(|later| {
        let connection = new_id(now + TimeDelta::seconds(later));
        let (called, remote_address) = (site.serial_no.clone(), "10.8.0.17".to_owned());
        let arrival = Arrival { connection, called, remote_address, claim: Claim::Proved };
        (arrival, Held { charger_id: site.charger, connection, seen_at: now })
    });
    let mut conn = app.conn().await;
    let before = comings_and_goings(&app, site.charger).await.len();
    let mut comes =
        async |(arrival, _): &(Arrival, Held)| presence::online(&mut conn, site.charger, arrival).await.unwrap();
    assert!(comes(&first).await);
    assert!(comes(&third).await);
    // It came before the third, but was slower in saying so.
    assert!(!comes(&second).await);
    for (_, gone) in [&first, &second] {
        let count = presence::offline(&mut conn, &[*gone], ConnectionReason::Reconnected).await;
        assert_eq!(count.unwrap(), 0);
    }
    assert!(presence::holds(&mut conn, site.charger, third.1.connection).await.unwrap());
    assert_eq!(presence::offline(&mut conn, &[third.1], ConnectionReason::Closed).await.unwrap(), 1);
    // Nobody holds it, so that even an older one may.
    assert!(presence::online(&mut conn, site.charger, &second.0).await.unwrap());
    let records = comings_and_goings(&app, site.charger).await.split_off(before);
    let expected = [(true, "connected"), (true, "reconnected"), (false, "closed"), (true, "connected")];
    assert_eq!(records, expected.map(|(online, why)| (online, why.to_owned())));
}

#[tokio::test]
async fn a_charger_that_reconnects_in_a_hurry_is_never_written_offline() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    let before = comings_and_goings(&app, site.charger).await.len();
    protect(&app, site.charger, "a password").await;
    let mut lines = vec![Charger::connect_with(&app, &site.serial_no, "a password").await];
    happenings.wait("charger", site.charger).await;
    for _ in 0..20 {
        lines.push(Charger::connect_with(&app, &site.serial_no, "a password").await);
    }
    let mut last = lines.pop().unwrap();
    for line in &mut lines {
        assert_eq!(line.closed().await, 1000);
    }
    last.boot().await;
    assert!(is_online(&app, site.charger).await);
    let records = comings_and_goings(&app, site.charger).await.split_off(before);
    let (first, rest) = records.split_first().unwrap();
    assert_eq!(*first, (true, "connected".to_owned()));
    // One that was overtaken before it was written down may be missing.
    assert!(!rest.is_empty() && rest.iter().all(|it| *it == (true, "reconnected".to_owned())), "{records:?}");
}

#[tokio::test]
async fn what_a_dead_process_left_online_is_found() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let left = async |silent: TimeDelta| {
        diesel::update(charger_states::table.find(site.charger))
            .set((
                charger_states::online.eq(true),
                charger_states::connection.eq(Uuid::now_v7()),
                charger_states::last_seen_at.eq(Utc::now() - silent),
            ))
            .execute(&mut app.conn().await)
            .await
            .unwrap();
        let outcome = Watch {}.run(&app.app).await.unwrap();
        assert!(matches!(outcome, Outcome::Again(_)));
        is_online(&app, site.charger).await
    };
    assert!(left(TimeDelta::seconds(100)).await, "its process may be alive");
    assert!(!left(TimeDelta::seconds(181)).await);
    assert_eq!(last_reason(&app, site.charger).await, (false, "lost".to_owned()));
}
