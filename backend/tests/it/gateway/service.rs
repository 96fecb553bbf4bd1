//! In service or out of it: chargers are brought to what staff want, when they come back and when they forget.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{connectors, device_commands};
use serde_json::{Value, json};

use super::{Charger, eventually, is_online};
use crate::app::{Site, Tenant, TestApp};

async fn hall() -> (TestApp, Tenant, Site) {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    (app, tenant, site)
}

/// Switches the first connector.
async fn switch(tenant: &Tenant, site: &Site, verb: &str) -> Value {
    tenant.boss.post(&format!("/api/v1/car/connectors/{}/{verb}", site.connectors[0]), json!({})).await.ok()
}

/// State, outcome and particulars of all commands, the oldest first.
async fn commands(app: &TestApp) -> Vec<(String, Option<String>, Value)> {
    let columns = (device_commands::state, device_commands::outcome, device_commands::payload);
    let all = device_commands::table.order(device_commands::id).select(columns);
    all.load(&mut app.conn().await).await.unwrap()
}

/// Tells what a connector does; gives what the server asks next, before it answers a heartbeat, if anything.
async fn tells(charger: &mut Charger, connector: i32, status: &str) -> Option<(String, Value)> {
    charger
        .call("StatusNotification", json!({"connectorId": connector, "errorCode": "NoError", "status": status}))
        .await;
    // What a message leads to is asked before the next one is taken, or by a call that takes a moment.
    for _ in 0..10 {
        charger.call("Heartbeat", json!({})).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        if let Some(frame) = charger.asked.pop_front() {
            let (id, action) = (frame[1].as_str().unwrap().to_owned(), frame[2].as_str().unwrap().to_owned());
            charger.answer(&id, json!({"status": "Accepted"})).await;
            return Some((action, frame[3].clone()));
        }
    }
    None
}

fn availability(connector: i32, kind: &str) -> Option<(String, Value)> {
    Some(("ChangeAvailability".to_owned(), json!({"connectorId": connector, "type": kind})))
}

#[tokio::test]
async fn a_charger_that_was_away_is_told_what_was_wanted_last() {
    let (app, tenant, site) = hall().await;
    let answer = switch(&tenant, &site, "disable").await;
    assert_eq!((&answer["enabled"], &answer["pending"]), (&json!(false), &json!(["availability"])));
    switch(&tenant, &site, "enable").await;
    let answer = switch(&tenant, &site, "disable").await;
    assert_eq!(answer["pending"], json!(["availability"]));
    let detail = tenant.boss.get(&format!("/api/v1/car/chargers/{}", site.charger)).await.ok();
    assert_eq!(detail["pending"], json!(["availability"]));
    let off = json!({"kind": "availability", "connector": 1, "available": false});
    let states: Vec<_> = commands(&app).await.into_iter().map(|(state, outcome, _)| (state, outcome)).collect();
    let void = ("cancelled".to_owned(), Some("superseded".to_owned()));
    assert_eq!(states, [void.clone(), void, ("pending".to_owned(), None)]);
    backend::jobs::Job::run(backend::command::Sweep {}, &app.app).await.unwrap();

    let mut charger = Charger::connect(&app, &site.serial_no).await;
    let (id, action, payload) = charger.asked().await;
    assert_eq!(Some((action, payload)), availability(1, "Inoperative"));
    charger.answer(&id, json!({"status": "Accepted"})).await;
    let last = ("acknowledged".to_owned(), Some("accepted".to_owned()), off);
    eventually(Some(last), async || commands(&app).await.pop()).await;
    let answer = tenant.boss.get(&format!("/api/v1/car/connectors/{}", site.connectors[0])).await.ok();
    assert_eq!(answer["pending"], json!([]));
}

#[tokio::test]
async fn a_connector_that_is_not_as_it_should_be_is_corrected_once() {
    let (app, _, site) = hall().await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    assert_eq!(tells(&mut charger, 1, "Available").await, None);
    assert_eq!(tells(&mut charger, 1, "Unavailable").await, availability(1, "Operative"));
    // It accepted, and did not do it: it is not asked for ever.
    assert_eq!(tells(&mut charger, 1, "Unavailable").await, None);
    assert_eq!(tells(&mut charger, 0, "Unavailable").await, availability(0, "Operative"));
    assert_eq!(tells(&mut charger, 7, "Unavailable").await, None, "a connector that nobody has entered");
    let requested = device_commands::table.select(device_commands::requested_by);
    let requested: Vec<String> = requested.load(&mut app.conn().await).await.unwrap();
    assert_eq!(requested, ["system", "system"], "staff sees what was done");
    charger.leave().await;
    eventually(false, async || is_online(&app, site.charger).await).await;

    // Taken out of service while it was away, by somebody whose command it never got.
    diesel::update(connectors::table.find(site.connectors[0]))
        .set(connectors::enabled.eq(false))
        .execute(&mut app.conn().await)
        .await
        .unwrap();
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    assert_eq!(tells(&mut charger, 1, "Charging").await, None, "what runs goes on");
    assert_eq!(tells(&mut charger, 1, "Finishing").await, availability(1, "Inoperative"));
    assert_eq!(tells(&mut charger, 1, "Unavailable").await, None);
    assert_eq!(tells(&mut charger, 2, "Available").await, None);
}
