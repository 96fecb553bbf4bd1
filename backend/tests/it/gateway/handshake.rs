//! Who is let in, and what becomes of the others.

use super::{Charger, OCPP, basic, comings_and_goings, eventually, is_online, one_charger, protect, turned_away};
use crate::app::TestApp;

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
    assert_eq!(turned_away(&app).await, [row("NOBODY-1", "ocpp1.6", 2), row("NOBODY-2", "ocpp2.0.1", 1)]);
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
    let row = (path.to_owned(), "ocpp2.0.1, mqtt".to_owned(), "unsupported_protocol".to_owned(), 2);
    assert_eq!(turned_away(&app).await, [row], "whoever installs it sees why");
    let several = [("sec-websocket-protocol", "ocpp2.1, ocpp2.0.1,ocpp1.6, ocpp1.5")];
    Charger::try_connect(&app, path, &several).await.unwrap().boot().await;
    assert!(turned_away(&app).await.is_empty());
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
    protect(&app, site.charger, key).await;
    let bytes: Vec<u8> =
        (0..key.len()).step_by(2).map(|at| u8::from_str_radix(&key[at..at + 2], 16).unwrap()).collect();
    let serial = site.serial_no.as_str();
    assert_eq!(refused(&app, serial, &[OCPP]).await, Some(401));
    let wrong = [basic(serial, b"nope"), basic("somebody", key.as_bytes()), "Basic ???".into(), "Bearer x".into()];
    for authorization in wrong {
        assert_eq!(refused(&app, serial, &[OCPP, ("authorization", &authorization)]).await, Some(401));
    }
    let row = (serial.to_owned(), "ocpp1.6".to_owned(), "no_password".to_owned(), 5);
    assert_eq!(turned_away(&app).await, [row]);
    assert!(!is_online(&app, site.charger).await);
    let right = [basic(serial, key.as_bytes()), basic(&serial.to_lowercase(), key.as_bytes()), basic(serial, &bytes)];
    for authorization in right {
        let charger = Charger::try_connect(&app, serial, &[OCPP, ("authorization", &authorization)]).await.unwrap();
        happenings.wait("charger", site.charger).await;
        charger.leave().await;
        happenings.wait("charger", site.charger).await;
    }
    assert!(turned_away(&app).await.is_empty(), "who got in is no stranger any more");
}

#[tokio::test]
async fn a_newer_connection_replaces_the_older_one() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    protect(&app, site.charger, "a password").await;
    let connect = || Charger::connect_with(&app, &site.serial_no, "a password");
    let mut old = connect().await;
    happenings.wait("charger", site.charger).await;
    let mut new = connect().await;
    assert_eq!(old.closed().await, 1000);
    new.boot().await;
    assert!(is_online(&app, site.charger).await);
    new.leave().await;
    let expected =
        [(true, "connected"), (false, "closed"), (true, "connected"), (true, "reconnected"), (false, "closed")];
    let expected = expected.map(|(online, why)| (online, why.to_owned())).to_vec();
    eventually(expected, async || comings_and_goings(&app, site.charger).await).await;
    assert!(!is_online(&app, site.charger).await);
}

#[tokio::test]
async fn only_so_many_are_let_in() {
    let app = TestApp::with(|it| it.gateway.max_connections = 1).await;
    let tenant = app.tenant().await;
    let (first, second) = (app.site(&tenant).await, app.site(&tenant).await);
    protect(&app, first.charger, "a password").await;
    let mut one = Charger::connect_with(&app, &first.serial_no, "a password").await;
    one.boot().await;
    assert_eq!(refused(&app, &second.serial_no, &[OCPP]).await, Some(503));
    // Who is there already may come again.
    let mut again = Charger::connect_with(&app, &first.serial_no, "a password").await;
    again.boot().await;
}

#[tokio::test]
async fn a_slash_too_many_does_no_harm() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    for path in [format!("{}/", site.serial_no), format!("/{}", site.serial_no), format!("//{}//", site.serial_no)] {
        let mut charger = Charger::connect(&app, &path).await;
        charger.boot().await;
        charger.leave().await;
        eventually(false, async || is_online(&app, site.charger).await).await;
    }
    assert!(turned_away(&app).await.is_empty());
}

#[tokio::test]
async fn a_device_at_a_wrong_address_is_shown() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let serial = site.serial_no.as_str();
    let row = |name: &str, knocks| (name.to_owned(), "ocpp1.6".to_owned(), "wrong_path".to_owned(), knocks);
    for path in [format!("1.6/{serial}"), format!("{serial}/ws"), "1.6/STRANGER".to_owned()] {
        assert_eq!(refused(&app, &path, &[OCPP]).await, Some(404), "{path}");
    }
    assert_eq!(turned_away(&app).await, [row(serial, 2), row("STRANGER", 1)]);
    // What cannot be an identity is not worth remembering.
    for path in ["", "/", "%3Ca/%3Cb"] {
        assert_eq!(refused(&app, path, &[OCPP]).await, Some(404), "{path}");
    }
    assert_eq!(turned_away(&app).await.len(), 2);
    Charger::connect(&app, serial).await.boot().await;
    assert_eq!(turned_away(&app).await, [row("STRANGER", 1)]);
}
