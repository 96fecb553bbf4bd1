//! Bytes that no well-behaved device sends.

use backend::config::Part;
use serde_json::json;

use super::{Charger, OCPP, eventually, is_online, one_charger};
use crate::app::TestApp;
use crate::process::Alone;

/// The header of a masked text frame that claims this size.
fn claims(size: u64) -> Vec<u8> {
    [&[0x81, 0xff][..], &size.to_be_bytes(), &[0; 4]].concat()
}

#[tokio::test]
async fn a_frame_that_claims_too_much_is_refused_by_its_header() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    for size in [(2 << 20) + 1, u64::MAX >> 1, u64::MAX] {
        let mut charger = Charger::connect(&app, &site.serial_no).await;
        charger.boot().await;
        charger.send_raw(&claims(size)).await.unwrap();
        assert_eq!(charger.closed().await, 1009, "{size}");
        eventually(false, async || is_online(&app, site.charger).await).await;
    }
}

#[tokio::test]
async fn a_frame_that_claims_too_much_costs_no_memory() {
    let app = TestApp::with(|it| it.process.parts = vec![Part::Api]).await;
    let site = app.site(&app.tenant().await).await;
    let gateway = Alone::start("gateway", &app.app.database_url).await;
    let mut charger = Charger::try_connect_to(&gateway.url, &site.serial_no, &[OCPP]).await.unwrap();
    charger.call("Heartbeat", json!({})).await;
    let before = gateway.peak_kib();
    charger.send_raw(&claims(u64::MAX >> 1)).await.unwrap();
    let much = vec![b' '; 1 << 20];
    for _ in 0..100 {
        // The server hangs up some time.
        if charger.send_raw(&much).await.is_err() {
            break;
        }
    }
    assert_eq!(charger.closed().await, 1009);
    let grown = gateway.peak_kib() - before;
    assert!(grown < 20 << 10, "{grown} KiB");
}

#[tokio::test]
async fn offences_against_the_websocket_protocol_are_named() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let long_ping = [&[0x89, 0xfe, 0, 126, 0, 0, 0, 0][..], &[b' '; 126]].concat();
    for (what, bytes, code) in [
        ("unmasked", &[0x81, 0x02, b'h', b'i'][..], 1002),
        ("an unknown opcode", &[0x83, 0x80, 0, 0, 0, 0], 1002),
        ("a fragmented ping", &[0x09, 0x80, 0, 0, 0, 0], 1002),
        ("a long ping", &long_ping, 1002),
        ("a stray continuation", &[0x80, 0x80, 0, 0, 0, 0], 1002),
        ("a reserved bit", &[0xc1, 0x80, 0, 0, 0, 0], 1007),
        ("bad UTF-8", &[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe], 1007),
    ] {
        let mut charger = Charger::connect(&app, &site.serial_no).await;
        charger.boot().await;
        charger.send_raw(bytes).await.unwrap();
        assert_eq!(charger.closed().await, code, "{what}");
        eventually(false, async || is_online(&app, site.charger).await).await;
    }
}
