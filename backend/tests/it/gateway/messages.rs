//! What chargers say, right and wrong.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{charger_states, device_frames};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{Charger, doing, eventually, one_charger};
use crate::app::TestApp;

#[tokio::test]
async fn faulty_calls_are_answered_by_their_fault() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    let cases = [
        (json!([2, "a", "Heartbeat"]), "ProtocolError"),
        (json!([2, "a", "Heartbeat", []]), "ProtocolError"),
        (json!([2, 7, "Heartbeat", {}]), "ProtocolError"),
        (json!([9, "a", "Heartbeat", {}]), "ProtocolError"),
        (json!([2, "a", "Levitate", {}]), "NotImplemented"),
        (json!([2, "a", "Reset", {"type": "Soft"}]), "NotSupported"),
        (json!([2, "a", "Authorize", {}]), "OccurenceConstraintViolation"),
        (json!([2, "a", "Authorize", {"idTag": 5}]), "TypeConstraintViolation"),
        (json!([2, "a", "FirmwareStatusNotification", {"status": "Melted"}]), "PropertyConstraintViolation"),
    ];
    for (call, code) in cases {
        charger.say(&call.to_string()).await;
        let answer = charger.hear().await.unwrap();
        assert_eq!((&answer[0], &answer[1], &answer[2]), (&json!(4), &call[1], &json!(code)), "{call}");
    }
    // Nobody can be answered; the connection stays up.
    for text in ["", "hello", "{}", "[]", "[2]", "[3,\"nobody\",{}]", "[4,\"nobody\",\"X\",\"\",{}]", "[5,null]"] {
        charger.say(text).await;
    }
    // `null` is no payload, and unknown fields do no harm.
    charger.say(r#"[2,"n","Heartbeat",null]"#).await;
    assert_eq!(charger.hear().await.unwrap()[1], "n");
    charger.call("Heartbeat", json!({"mood": "fine"})).await;
}

#[tokio::test]
async fn messages_that_need_no_more_are_answered() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    let cases = [
        ("DataTransfer", json!({"vendorId": "ACME", "data": "x"}), json!({"status": "UnknownVendorId"})),
        ("FirmwareStatusNotification", json!({"status": "Idle"}), json!({})),
        ("DiagnosticsStatusNotification", json!({"status": "Uploaded"}), json!({})),
        ("LogStatusNotification", json!({"status": "Uploaded", "requestId": 1}), json!({})),
        ("SignedFirmwareStatusNotification", json!({"status": "Installed"}), json!({})),
        ("SecurityEventNotification", json!({"type": "Tamper", "timestamp": "2026-11-22T01:30:05Z"}), json!({})),
        ("SignCertificate", json!({"csr": "PEM"}), json!({"status": "Rejected"})),
    ];
    for (action, payload, answer) in cases {
        assert_eq!(charger.call(action, payload).await, answer, "{action}");
    }
}

#[tokio::test]
async fn too_much_nonsense_ends_the_connection() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    for _ in 0..9 {
        charger.say("nonsense").await;
    }
    charger.call("Heartbeat", json!({})).await;
    for _ in 0..9 {
        charger.say("nonsense").await;
    }
    charger.send(Message::binary(b"\xff\xfe".as_slice())).await;
    assert_eq!(charger.closed().await, 1008);
}

fn padded(action: &str, payload: &Value, size: usize) -> String {
    let mut text = json!([2, "big", action, payload]).to_string();
    text.insert_str(1, &" ".repeat(size - text.len()));
    text
}

#[tokio::test]
async fn only_what_may_be_large_is_taken_when_it_is() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let payload = json!({"vendorId": "ACME"});
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    charger.say(&padded("DataTransfer", &payload, 128 << 10)).await;
    assert_eq!(charger.answer_to("big").await[0], 3);
    charger.say(&padded("DataTransfer", &payload, (128 << 10) + 1)).await;
    assert_eq!(charger.closed().await, 1009);

    let mut charger = Charger::connect(&app, &site.serial_no).await;
    let samples = json!({"connectorId": 1, "meterValue": []});
    charger.say(&padded("MeterValues", &samples, 2 << 20)).await;
    assert_eq!(charger.answer_to("big").await[0], 3);
    charger.say(&padded("MeterValues", &samples, (2 << 20) + 1)).await;
    assert_eq!(charger.closed().await, 1009);
}

#[tokio::test]
async fn a_message_may_come_in_parts_but_not_without_end() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    let part = |bytes: &[u8], kind, last| Message::Frame(Frame::message(bytes.to_vec(), OpCode::Data(kind), last));
    charger.send(part(br#"[2,"p","Heart"#, Data::Text, false)).await;
    charger.send(Message::Ping(vec![1].into())).await;
    charger.send(part(b"", Data::Continue, false)).await;
    charger.send(part(br#"beat",{}]"#, Data::Continue, true)).await;
    assert_eq!(charger.answer_to("p").await[0], 3);
    let much = vec![b' '; 1 << 20];
    charger.send(part(&much, Data::Text, false)).await;
    charger.send(part(&much, Data::Continue, false)).await;
    charger.send(part(b"  ", Data::Continue, true)).await;
    assert_eq!(charger.closed().await, 1009);
}

#[tokio::test]
async fn a_boot_is_noted_and_the_settings_are_put_right() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    let boot = json!({
        "chargePointVendor": "ACME", "chargePointModel": "DC120", "chargePointSerialNumber": "x".repeat(300),
        "firmwareVersion": "1.2.3", "iccid": 8986,
    });
    let answer = charger.call("BootNotification", boot).await;
    assert_eq!((&answer["status"], &answer["interval"]), (&json!("Accepted"), &json!(60)));
    let time: chrono::DateTime<chrono::Utc> = answer["currentTime"].as_str().unwrap().parse().unwrap();
    assert!((chrono::Utc::now() - time).num_seconds() < 10);
    let columns = (charger_states::vendor, charger_states::firmware, charger_states::iccid);
    let told: (Option<String>, Option<String>, Option<String>) =
        charger_states::table.find(site.charger).select(columns).first(&mut app.conn().await).await.unwrap();
    assert_eq!(told, (Some("ACME".into()), Some("1.2.3".into()), Some("8986".into())));

    let (id, action, payload) = charger.asked().await;
    assert_eq!((action.as_str(), payload), ("GetConfiguration", json!({})));
    let keys = json!([
        {"key": "HeartbeatInterval", "readonly": false, "value": "900"},
        {"key": "NumberOfConnectors", "readonly": true, "value": "2"},
        {"key": "MeterValuesSampledData", "readonly": false, "value": "SoC"},
        {"key": "AuthorizationKey", "readonly": false, "value": "hush"},
    ]);
    charger.answer(&id, json!({"configurationKey": keys})).await;
    let (id, action, payload) = charger.asked().await;
    assert_eq!((action.as_str(), payload), ("ChangeConfiguration", json!({"key": "HeartbeatInterval", "value": "60"})));
    charger.answer(&id, json!({"status": "Accepted"})).await;
    // What the charger cannot sample is left out, the least important first.
    let samples = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC";
    for (value, status) in [(samples, "Rejected"), (samples.strip_suffix(",SoC").unwrap(), "Accepted")] {
        let (id, _, payload) = charger.asked().await;
        assert_eq!(payload, json!({"key": "MeterValuesSampledData", "value": value}));
        charger.answer(&id, json!({"status": status})).await;
    }
    charger.call("Heartbeat", json!({})).await;
    let stored: Option<Value> = charger_states::table
        .find(site.charger)
        .select(charger_states::configuration)
        .first(&mut app.conn().await)
        .await
        .unwrap();
    let keys = &stored.unwrap()["keys"];
    assert_eq!(keys["NumberOfConnectors"], json!({"value": "2", "readonly": true}));
    assert!(keys.get("AuthorizationKey").is_none());
    // Neither is it readable in what was said.
    let about = async |part: &str| {
        let bodies = device_frames::table.filter(device_frames::body.like(format!("%{part}%")));
        bodies.count().get_result::<i64>(&mut app.conn().await).await.unwrap()
    };
    eventually(1, async || about("AuthorizationKey").await).await;
    assert_eq!(about("hush").await, 0);
}

#[tokio::test]
async fn a_charger_that_does_not_tell_its_states_is_asked() {
    let app = TestApp::with(|it| it.gateway.report_seconds = 0).await;
    let (site, _) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    let (_, action, payload) = charger.asked().await;
    assert_eq!((action.as_str(), payload), ("TriggerMessage", json!({"requestedMessage": "StatusNotification"})));
}

#[tokio::test]
async fn states_are_taken_as_they_are_told() {
    let app = TestApp::new().await;
    let (site, mut happenings) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    let status = |connector: i32, status: &str, error: &str| json!({"connectorId": connector, "status": status, "errorCode": error});
    let first = site.connectors[0];
    for (told, stored) in [
        ("Preparing", "preparing"),
        ("Charging", "charging"),
        ("SuspendedEV", "suspended_ev"),
        ("SuspendedEVSE", "suspended_evse"),
        ("Finishing", "finishing"),
        ("Reserved", "reserved"),
        ("Unavailable", "unavailable"),
        ("Dancing", "unknown"),
        ("Available", "available"),
    ] {
        assert_eq!(charger.call("StatusNotification", status(1, told, "NoError")).await, json!({}));
        happenings.wait("connector", first).await;
        let (status, error, info, at) = doing(&app, first).await;
        assert_eq!((status.as_str(), error, info), (stored, None, None));
        assert!(at.is_some());
    }
    let now = chrono::Utc::now();
    let fault = json!({
        "connectorId": 1, "status": "Faulted", "errorCode": "GroundFailure", "info": "relay", "vendorErrorCode": "E7",
        "timestamp": (now - chrono::TimeDelta::minutes(1)).to_rfc3339(),
    });
    charger.call("StatusNotification", fault).await;
    let (status_, error, info, at) = doing(&app, first).await;
    assert_eq!(
        (status_.as_str(), error.as_deref(), info.as_deref()),
        ("faulted", Some("GroundFailure"), Some("relay / E7"))
    );
    assert!(at.unwrap() < now);
    assert_eq!(doing(&app, site.connectors[1]).await.0, "unknown");
    // Connector 0 is the charger itself; one that nobody has entered does no harm.
    charger.call("StatusNotification", status(0, "Available", "NoError")).await;
    charger.call("StatusNotification", status(7, "Available", "NoError")).await;
    let own: String = charger_states::table
        .find(site.charger)
        .select(charger_states::status)
        .first(&mut app.conn().await)
        .await
        .unwrap();
    assert_eq!(own, "available");
}

#[tokio::test]
async fn frames_are_kept_in_order() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    charger.say("nonsense with a \0 in it").await;
    charger.call("Heartbeat", json!({})).await;
    // The next one comes so soon that it is not kept.
    charger.call("Heartbeat", json!({})).await;
    charger.call_frame("Levitate", json!({})).await;
    let kept = async || {
        let frames = device_frames::table
            .filter(device_frames::device_id.eq(site.charger))
            .order(device_frames::id)
            .select((device_frames::inbound, device_frames::body));
        let frames: Vec<(bool, String)> = frames.load(&mut app.conn().await).await.unwrap();
        frames.into_iter().map(|(inbound, body)| (inbound, body.chars().take(10).collect())).collect::<Vec<_>>()
    };
    let expected = [
        (true, "nonsense w"),
        (true, "[2,\"c1\",\"H"),
        (false, "[3,\"c1\",{\""),
        (true, "[2,\"c3\",\"L"),
        (false, "[4,\"c3\",\"N"),
    ];
    eventually(expected.map(|(inbound, body)| (inbound, body.to_owned())).to_vec(), kept).await;
}

#[tokio::test]
async fn heartbeats_do_not_wait_for_the_database() {
    let app = TestApp::new().await;
    let (site, _) = one_charger(&app).await;
    let mut charger = Charger::connect(&app, &site.serial_no).await;
    charger.boot().await;
    let mut conn = app.conn().await;
    for statement in ["begin", "lock table charger_states, device_frames, connectors in access exclusive mode"] {
        diesel::sql_query(statement).execute(&mut conn).await.unwrap();
    }
    for _ in 0..50 {
        charger.call("Heartbeat", json!({})).await;
    }
    diesel::sql_query("rollback").execute(&mut conn).await.unwrap();
}
