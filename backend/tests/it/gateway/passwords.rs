//! New passwords, told to chargers that are there.

use backend::gateway::credentials::password_hashes;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{charger_states, device_commands, device_frames};
use serde_json::{Value, json};

use super::{Charger, eventually, is_online};
use crate::app::{Site, Tenant, TestApp};

/// A server with a charger of a tenant.
async fn hall() -> (TestApp, Tenant, Site) {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    (app, tenant, site)
}

async fn set(tenant: &Tenant, site: &Site, body: Value) -> Value {
    tenant.boss.post(&format!("/api/v1/car/chargers/{}/set-password", site.charger), body).await.ok()
}

/// State and outcome of the newest command, and what of it nobody may read.
async fn newest(app: &TestApp) -> (String, Option<String>, Option<String>) {
    let columns = (device_commands::state, device_commands::outcome, device_commands::secret);
    let newest = device_commands::table.order(device_commands::id.desc()).select(columns);
    newest.first(&mut app.conn().await).await.unwrap()
}

async fn ends(app: &TestApp, state: &str, outcome: &str) {
    eventually((state.to_owned(), Some(outcome.to_owned()), None), async || newest(app).await).await;
}

#[tokio::test]
async fn a_charger_takes_a_new_password_and_logs_in_anew() {
    let (app, tenant, site) = hall().await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    charger.call("Heartbeat", json!({})).await;
    let answer = set(&tenant, &site, json!({})).await;
    let password = answer["initial_password"].as_str().unwrap().to_owned();
    assert_eq!((&answer["access"], &answer["pending"]), (&json!("password"), &json!(["set_password"])));
    let (id, action, payload) = charger.asked().await;
    assert_eq!(action, "ChangeConfiguration");
    assert_eq!(payload, json!({"key": "AuthorizationKey", "value": password}));
    assert_eq!(newest(&app).await.0, "sent");
    charger.answer(&id, json!({"status": "Accepted"})).await;
    assert_eq!(charger.closed().await, 1000);
    ends(&app, "acknowledged", "accepted").await;
    assert_eq!(Charger::try_connect(&app, &site.serial_no, &[super::OCPP]).await.err(), Some(401));
    Charger::connect_with(&app, &site.serial_no, &password).await.boot().await;

    let path = format!("/api/v1/car/chargers/{}", site.charger);
    let told = tenant.boss.get(&format!("{path}/commands")).await.ok();
    assert_eq!(told["items"][0]["payload"], json!({"kind": "set_password"}));
    let sent = async || {
        let sent = device_frames::table.filter(device_frames::inbound.eq(false)).select(device_frames::body);
        let sent: Vec<String> = sent.load(&mut app.conn().await).await.unwrap();
        sent.into_iter().find(|it| it.contains("AuthorizationKey"))
    };
    eventually(true, async || sent().await.is_some()).await;
    let kept = sent().await.unwrap();
    assert!(!kept.contains(&password) && kept.contains("***"), "{kept}");
    let detail = tenant.boss.get(&path).await;
    assert_eq!(detail.json["initial_password"], Value::Null);
    assert!(!String::from_utf8(detail.bytes).unwrap().contains(&password));
}

#[tokio::test]
async fn a_charger_that_cannot_take_a_password_stays_until_it_is_set_by_hand() {
    let (app, tenant, site) = hall().await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    charger.call("Heartbeat", json!({})).await;
    for (answer, state, outcome) in [
        ("NotSupported", "refused", "not_supported"),
        ("Rejected", "refused", "rejected"),
        ("RebootRequired", "acknowledged", "after_reboot"),
    ] {
        set(&tenant, &site, json!({"password": "by hand 123"})).await;
        let (id, _, payload) = charger.asked().await;
        assert_eq!(payload["value"], "by hand 123");
        charger.answer(&id, json!({"status": answer})).await;
        ends(&app, state, outcome).await;
        charger.call("Heartbeat", json!({})).await;
    }
    charger.leave().await;
    assert_eq!(Charger::try_connect(&app, &site.serial_no, &[super::OCPP]).await.err(), Some(401));
    Charger::connect_with(&app, &site.serial_no, "by hand 123").await.boot().await;
}

#[tokio::test]
async fn a_charger_that_is_away_is_told_no_password() {
    let (app, tenant, site) = hall().await;
    let answer = set(&tenant, &site, json!({"password": "0123456789abcdef"})).await;
    assert_eq!((&answer["pending"], &answer["initial_password"]), (&json!([]), &Value::Null));
    let commands: i64 = device_commands::table.count().get_result(&mut app.conn().await).await.unwrap();
    assert_eq!(commands, 0);
    let mut charger = Charger::connect_with(&app, &site.serial_no, "0123456789abcdef").await;
    charger.boot().await;
    // To let it in without one needs no new login.
    let answer = set(&tenant, &site, json!({"open": true})).await;
    assert_eq!((&answer["access"], &answer["pending"]), (&json!("open"), &json!([])));
    charger.call("Heartbeat", json!({})).await;
    charger.leave().await;
    eventually(false, async || is_online(&app, site.charger).await).await;
    Charger::connect(&app, &site.serial_no).await.boot().await;
}

#[tokio::test]
async fn a_repeat_sets_no_other_password() {
    let (app, tenant, site) = hall().await;
    let path = format!("/api/v1/car/chargers/{}/set-password", site.charger);
    let set = async || tenant.boss.post_keyed(&path, &json!({}), "once").await.ok();
    let hashes = async || {
        let hashes = charger_states::table.select(charger_states::password_hashes);
        hashes.first::<Vec<String>>(&mut app.conn().await).await.unwrap()
    };
    let password = set().await["initial_password"].as_str().unwrap().to_owned();
    let kept = hashes().await;
    assert_eq!(kept, password_hashes(&password));
    assert_eq!((&set().await["initial_password"], hashes().await), (&Value::Null, kept));
}
