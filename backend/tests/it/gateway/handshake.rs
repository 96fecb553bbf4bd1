//! Who is let in, and what becomes of the others.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{charger_states, unknown_devices};

use super::{Charger, comings_and_goings, is_online, one_charger};
use crate::app::TestApp;

const OCPP: (&str, &str) = ("sec-websocket-protocol", "ocpp1.6");

/// Serial number, offered protocols, reason and knocks of all strangers.
async fn strangers(app: &TestApp) -> Vec<(String, String, String, i64)> {
    let columns =
        (unknown_devices::serial_no, unknown_devices::protocol, unknown_devices::reason, unknown_devices::knocks);
    let found = unknown_devices::table.select(columns).order(unknown_devices::serial_no);
    found.load(&mut app.conn().await).await.unwrap()
}

async fn refused(app: &TestApp, path: &str, headers: &[(&'static str, &str)]) -> Option<u16> {
    Charger::try_connect(app, path, headers).await.err()
}

#[tokio::test]
async fn strangers_are_turned_away_and_remembered() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    for _ in 0..2 {
        assert_eq!(refused(&app, "NOBODY-1", &[OCPP]).await, Some(404));
    }
    assert_eq!(refused(&app, "NOBODY-2", &[("sec-websocket-protocol", "ocpp2.0.1")]).await, Some(404));
    // What cannot be an identity is not even remembered.
    assert_eq!(refused(&app, "%3Cscript%3E", &[OCPP]).await, Some(404));
    assert_eq!(refused(&app, &"9".repeat(60), &[OCPP]).await, Some(404));
    let row = |name: &str, protocol: &str, knocks| {
        (name.to_owned(), protocol.to_owned(), "unknown_serial_no".to_owned(), knocks)
    };
    assert_eq!(strangers(&app).await, [row("NOBODY-1", "ocpp1.6", 2), row("NOBODY-2", "ocpp2.0.1", 1)]);
    assert!(!is_online(&app, site.charger).await);
}

#[tokio::test]
async fn only_a_handshake_for_a_protocol_of_ours_is_taken() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let path = site.serial_no.as_str();
    assert_eq!(app.guest().get(&format!("/ocpp/{path}")).await.status, 400);
    assert_eq!(refused(&app, path, &[]).await, Some(400));
    assert_eq!(refused(&app, path, &[("sec-websocket-protocol", "ocpp2.0.1, mqtt")]).await, Some(400));
    assert!(strangers(&app).await.is_empty());
    let several = [("sec-websocket-protocol", "ocpp2.1, ocpp2.0.1,ocpp1.6, ocpp1.5")];
    Charger::try_connect(&app, path, &several).await.unwrap();
    // Its spelling of its name does not matter.
    Charger::connect(&app, &path.to_lowercase()).await;
    let encoded: String = path.bytes().map(|it| format!("%{it:02x}")).collect();
    Charger::connect(&app, &encoded).await;
}

#[tokio::test]
async fn a_password_must_be_right_in_one_of_its_forms() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    let key = "00ff10abcd00112233445566778899aa";
    let hashes = backend::gateway::handshake::password_hashes(key);
    diesel::update(charger_states::table.find(site.charger))
        .set(charger_states::password_hashes.eq(hashes))
        .execute(&mut app.conn().await)
        .await
        .unwrap();
    let bytes: Vec<u8> =
        (0..key.len()).step_by(2).map(|at| u8::from_str_radix(&key[at..at + 2], 16).unwrap()).collect();
    let basic =
        |name: &str, password: &[u8]| format!("Basic {}", STANDARD.encode([name.as_bytes(), b":", password].concat()));
    let serial = site.serial_no.as_str();
    assert_eq!(refused(&app, serial, &[OCPP]).await, Some(401));
    let wrong = [basic(serial, b"nope"), basic("somebody", key.as_bytes()), "Basic ???".into(), "Bearer x".into()];
    for authorization in wrong {
        assert_eq!(refused(&app, serial, &[OCPP, ("authorization", &authorization)]).await, Some(401));
    }
    let row = (serial.to_owned(), "ocpp1.6".to_owned(), "no_password".to_owned(), 5);
    assert_eq!(strangers(&app).await, [row]);
    assert!(!is_online(&app, site.charger).await);
    let right = [basic(serial, key.as_bytes()), basic(&serial.to_lowercase(), key.as_bytes()), basic(serial, &bytes)];
    for authorization in right {
        let charger = Charger::try_connect(&app, serial, &[OCPP, ("authorization", &authorization)]).await.unwrap();
        happenings.wait("charger", site.charger).await;
        charger.leave().await;
        happenings.wait("charger", site.charger).await;
    }
    assert!(strangers(&app).await.is_empty(), "who got in is no stranger any more");
}

#[tokio::test]
async fn a_newer_connection_replaces_the_older_one() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    let mut old = Charger::connect(&app, &site.serial_no).await;
    happenings.wait("charger", site.charger).await;
    let mut new = Charger::connect(&app, &site.serial_no).await;
    assert_eq!(old.closed().await, 1000);
    new.boot().await;
    assert!(is_online(&app, site.charger).await);
    new.leave().await;
    let expected =
        [(true, "connected"), (false, "closed"), (true, "connected"), (true, "reconnected"), (false, "closed")];
    let expected = expected.map(|(online, why)| (online, why.to_owned())).to_vec();
    super::eventually(expected, async || comings_and_goings(&app, site.charger).await).await;
    assert!(!is_online(&app, site.charger).await);
}

#[tokio::test]
async fn only_so_many_are_let_in() {
    let app = TestApp::with(|it| it.gateway.max_connections = 1).await;
    let tenant = app.tenant().await;
    let (first, second) = (app.site(&tenant).await, app.site(&tenant).await);
    let _one = Charger::connect(&app, &first.serial_no).await;
    assert_eq!(refused(&app, &second.serial_no, &[OCPP]).await, Some(503));
    // Who is there already may come again.
    let mut again = Charger::connect(&app, &first.serial_no).await;
    again.boot().await;
}
