//! Commands on their way to a charger and back.

use backend::auth::scope::Owner;
use backend::command::{self, Command, Request, Sweep};
use backend::error::Error;
use backend::jobs::Job;
use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{chargers, device_commands};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Charger, eventually, one_charger, protect};
use crate::app::TestApp;

async fn owner(app: &TestApp, charger: Uuid) -> Owner {
    let columns = (chargers::provider_id, chargers::property_id, chargers::station_id);
    let (provider_id, property_id, station_id) =
        chargers::table.find(charger).select(columns).first(&mut app.conn().await).await.unwrap();
    Owner { provider_id, property_id, station_id }
}

/// Asks for a command as the API does.
async fn order(app: &TestApp, charger: Uuid, command: Command) -> Result<Uuid, Error> {
    let owner = owner(app, charger).await;
    command::to_charger(&mut *app.conn().await, charger, owner, command, "admin", Utc::now()).await
}

/// State and outcome of a command.
async fn outcome(app: &TestApp, id: Uuid) -> (String, Option<String>) {
    let columns = (device_commands::state, device_commands::outcome);
    device_commands::table.find(id).select(columns).first(&mut app.conn().await).await.unwrap()
}

async fn ends(app: &TestApp, id: Uuid, state: &str, why: &str) {
    eventually((state.to_owned(), Some(why.to_owned())), async || outcome(app, id).await).await;
}

#[tokio::test]
async fn commands_reach_the_charger_one_by_one_and_end_by_its_answers() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    let offline = order(&app, site.charger, Command::Refresh).await.unwrap_err();
    assert!(matches!(offline, Error::Unavailable("device_offline", _)), "{offline:?}");

    let mut charger = Charger::connect(&app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    let reboot = order(&app, site.charger, Command::Reboot { hard: false }).await.unwrap();
    let unlock = order(&app, site.charger, Command::Unlock { connector: 1 }).await.unwrap();
    let (id, action, payload) = charger.asked().await;
    assert_eq!((id.as_str(), action.as_str(), payload), (&*reboot.to_string(), "Reset", json!({"type": "Soft"})));
    assert_eq!(outcome(&app, reboot).await.0, "sent");
    // While it has not answered, it is told nothing more, but may itself say what it wants.
    charger.call("Heartbeat", json!({})).await;
    assert_eq!(outcome(&app, unlock).await.0, "pending");
    charger.answer(&id, json!({"status": "Accepted"})).await;
    let (id, action, _) = charger.asked().await;
    assert_eq!(action, "UnlockConnector");
    ends(&app, reboot, "acknowledged", "accepted").await;
    charger.answer(&id, json!({"status": "UnlockFailed"})).await;
    ends(&app, unlock, "refused", "unlock_failed").await;

    let clock = order(&app, site.charger, Command::SyncClock).await.unwrap();
    let (id, _, payload) = charger.asked().await;
    assert_eq!(payload, json!({"requestedMessage": "Heartbeat"}));
    charger.say(&json!([4, id, "NotSupported", "", {}]).to_string()).await;
    ends(&app, clock, "acknowledged", "next_heartbeat").await;

    let off = order(&app, site.charger, Command::Availability { connector: 2, available: false }).await.unwrap();
    let (id, ..) = charger.asked().await;
    charger.say(&json!([4, id, "InternalError", "fuse", {}]).to_string()).await;
    ends(&app, off, "refused", "failed: InternalError: fuse").await;

    // A refreshed charger is asked for its meters too.
    let refresh = order(&app, site.charger, Command::Refresh).await.unwrap();
    let (id, _, payload) = charger.asked().await;
    assert_eq!(payload, json!({"requestedMessage": "StatusNotification"}));
    charger.answer(&id, json!({"status": "Accepted"})).await;
    ends(&app, refresh, "acknowledged", "accepted").await;
    let (id, _, payload) = charger.asked().await;
    assert_eq!(payload, json!({"requestedMessage": "MeterValues"}));
    charger.answer(&id, json!({"status": "Rejected"})).await;

    let bad = order(&app, site.charger, Command::Unlock { connector: 0 }).await.unwrap();
    eventually("refused".to_owned(), async || outcome(&app, bad).await.0).await;
    assert!(outcome(&app, bad).await.1.unwrap().starts_with("unsendable: connectorId"));
}

#[tokio::test]
async fn an_answer_that_comes_too_late_changes_nothing() {
    let app = TestApp::with(|it| it.gateway.call_seconds = 1).await;
    let (site, mut happenings) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    let first = order(&app, site.charger, Command::Reboot { hard: true }).await.unwrap();
    let (id, ..) = charger.asked().await;
    ends(&app, first, "timed_out", "no_answer").await;
    charger.answer(&id, json!({"status": "Accepted"})).await;
    let second = order(&app, site.charger, Command::Reboot { hard: true }).await.unwrap();
    let (id, ..) = charger.asked().await;
    charger.answer(&id, json!({"status": "Accepted"})).await;
    ends(&app, second, "acknowledged", "accepted").await;
    assert_eq!(outcome(&app, first).await.0, "timed_out");
}

#[tokio::test]
async fn an_open_command_fails_when_the_connection_does() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    protect(&app, site.charger, "a password").await;
    let mut charger = Charger::connect_with(&app, &site.serial_no, "a password").await;
    happenings.wait("charger", site.charger).await;
    let open = order(&app, site.charger, Command::Refresh).await.unwrap();
    let waiting = order(&app, site.charger, Command::SyncClock).await.unwrap();
    charger.asked().await;
    // The newer connection is told what the older one was not told yet.
    let mut newer = Charger::connect_with(&app, &site.serial_no, "a password").await;
    ends(&app, open, "timed_out", "disconnected").await;
    let (id, action, payload) = newer.asked().await;
    assert_eq!((action.as_str(), payload), ("TriggerMessage", json!({"requestedMessage": "Heartbeat"})));
    newer.answer(&id, json!({"status": "Accepted"})).await;
    ends(&app, waiting, "acknowledged", "accepted").await;
}

#[tokio::test]
async fn what_waited_for_the_charger_is_told_when_it_comes_unless_too_late() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let owner = owner(&app, site.charger).await;
    let now = Utc::now();
    let ask = async |connector, deadline| {
        let request = Request {
            device_id: site.charger,
            owner,
            command: Command::Unlock { connector },
            order_id: None,
            requested_by: "system".to_owned(),
            deadline,
        };
        command::request(&mut *app.conn().await, request, now).await.unwrap()
    };
    let late = ask(1, now - TimeDelta::seconds(1)).await;
    let timely = ask(2, now + TimeDelta::minutes(1)).await;
    Sweep {}.run(&app.app).await.unwrap();
    ends(&app, late, "timed_out", "not_delivered").await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    let (id, _, payload): (String, String, Value) = charger.asked().await;
    assert_eq!(payload, json!({"connectorId": 2}));
    charger.answer(&id, json!({"status": "Unlocked"})).await;
    ends(&app, timely, "acknowledged", "accepted").await;
}

#[tokio::test]
async fn a_command_whose_gateway_died_is_swept_up() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let owner = owner(&app, site.charger).await;
    let now = Utc::now();
    let (device_id, command) = (site.charger, Command::Refresh);
    let deadline = now + TimeDelta::minutes(1);
    let request = Request { device_id, owner, command, order_id: None, requested_by: "system".to_owned(), deadline };
    let mut conn = app.conn().await;
    let id = command::request(&mut conn, request, now).await.unwrap();
    let taken = command::take(&mut conn, site.charger, now).await.unwrap();
    assert_eq!(taken.map(|it| it.id), Some(id));
    assert!(command::take(&mut conn, site.charger, now).await.unwrap().is_none());
    diesel::update(device_commands::table.find(id))
        .set(device_commands::deadline.eq(now - TimeDelta::minutes(1)))
        .execute(&mut conn)
        .await
        .unwrap();
    drop(conn);
    Sweep {}.run(&app.app).await.unwrap();
    ends(&app, id, "timed_out", "no_answer").await;
}
