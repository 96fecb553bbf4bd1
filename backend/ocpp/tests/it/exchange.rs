//! A whole charge, as it goes over the socket.

use chrono::{DateTime, TimeZone, Utc};
use ocpp::message::*;
use ocpp::{Command, Frame, IdTag, Message, Payload, Request, read};

fn at(hour: u32, minute: u32, second: u32) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, hour, minute, second).unwrap()
}

/// Reads a charger's call.
fn call(text: &str) -> (String, Request) {
    match Frame::parse(text).unwrap() {
        Frame::Call { id, action, payload } => (id, Request::read(&action, payload).unwrap()),
        other => panic!("{other:?}"),
    }
}

/// Reads a charger's answer.
fn answer<M: Message>(text: &str) -> (String, M::Confirmation) {
    match Frame::parse(text).unwrap() {
        Frame::Result { id, payload } => (id, read(payload).unwrap()),
        other => panic!("{other:?}"),
    }
}

/// What a charger makes of a command.
fn command(frame: &Frame) -> Command {
    match Frame::parse(&frame.to_string()).unwrap() {
        Frame::Call { id: _, action, payload } => Command::read(&action, payload).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn same_json(frame: &Frame, text: &str) {
    let parse = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(parse(&frame.to_string()), parse(text));
}

#[test]
fn a_charge_from_boot_to_stop() {
    let (id, boot) = call(
        r#"[2,"1","BootNotification",{"chargePointVendor":"ACME","chargePointModel":"DC120","firmwareVersion":"1.2.3"}]"#,
    );
    let Request::BootNotification(boot) = boot else { panic!("{boot:?}") };
    assert_eq!((boot.charge_point_vendor.as_str(), boot.firmware_version.as_deref()), ("ACME", Some("1.2.3")));
    let accepted = BootNotificationConfirmation {
        status: RegistrationStatus::Accepted,
        current_time: at(1, 30, 0),
        interval: 120,
    };
    same_json(
        &Frame::result(id, &accepted),
        r#"[3,"1",{"status":"Accepted","currentTime":"2026-11-22T01:30:00Z","interval":120}]"#,
    );

    let (id, status) = call(
        r#"[2,"2","StatusNotification",
            {"connectorId":1,"errorCode":"NoError","status":"Preparing","timestamp":"2026-11-22T01:30:02Z"}]"#,
    );
    let Request::StatusNotification(status) = status else { panic!("{status:?}") };
    assert_eq!(status.status, ChargePointStatus::Preparing);
    assert_eq!(status.error_code, ChargePointErrorCode::NoError);
    assert_eq!(status.timestamp, Some(at(1, 30, 2)));
    same_json(&Frame::result(id, &Empty {}), r#"[3,"2",{}]"#);

    let tag = IdTag::new("O00000K3X9").unwrap();
    let start = RemoteStartTransaction { id_tag: tag.clone(), connector_id: Some(1), charging_profile: None };
    let start_frame = Frame::call("a1", &start).unwrap();
    same_json(&start_frame, r#"[2,"a1","RemoteStartTransaction",{"connectorId":1,"idTag":"O00000K3X9"}]"#);
    assert_eq!(command(&start_frame), Command::RemoteStartTransaction(start));
    let (id, outcome) = answer::<RemoteStartTransaction>(r#"[3,"a1",{"status":"Accepted"}]"#);
    assert_eq!((id.as_str(), outcome.status), ("a1", Acceptance::Accepted));

    let (id, start) = call(
        r#"[2,"3","StartTransaction",
            {"connectorId":1,"idTag":"O00000K3X9","meterStart":1234567,"timestamp":"2026-11-22T01:30:05Z"}]"#,
    );
    let Request::StartTransaction(start) = start else { panic!("{start:?}") };
    let expected = StartTransaction {
        connector_id: 1,
        id_tag: tag,
        meter_start: 1_234_567,
        timestamp: Some(at(1, 30, 5)),
        reservation_id: None,
    };
    assert_eq!(start, expected);
    let numbered = StartTransactionConfirmation {
        transaction_id: 1001,
        id_tag_info: IdTagInfo::new(AuthorizationStatus::Accepted),
    };
    same_json(&Frame::result(id, &numbered), r#"[3,"3",{"transactionId":1001,"idTagInfo":{"status":"Accepted"}}]"#);

    let (id, values) = call(
        r#"[2,"4","MeterValues",{"connectorId":1,"transactionId":1001,"meterValue":[
            {"timestamp":"2026-11-22T01:30:35Z","sampledValue":[
                {"value":"1234900","unit":"Wh"},
                {"value":"40.0","measurand":"Power.Active.Import","unit":"kW"},
                {"value":"56","measurand":"SoC","unit":"Percent","location":"EV"}]}]}]"#,
    );
    let Request::MeterValues(values) = values else { panic!("{values:?}") };
    let [value] = values.meter_value.as_slice() else { panic!("{values:?}") };
    assert_eq!((values.transaction_id, value.timestamp), (Some(1001), Some(at(1, 30, 35))));
    assert_eq!((value.energy_wh(), value.power_w(), value.soc_percent()), (Some(1_234_900), Some(40_000), Some(56)));
    assert_eq!((value.current_ma(), value.voltage_mv()), (None, None));
    same_json(&Frame::result(id, &Empty {}), r#"[3,"4",{}]"#);

    let stop_frame = Frame::call("a2", &RemoteStopTransaction { transaction_id: 1001 }).unwrap();
    same_json(&stop_frame, r#"[2,"a2","RemoteStopTransaction",{"transactionId":1001}]"#);
    let (_, outcome) = answer::<RemoteStopTransaction>(r#"[3,"a2",{"status":"Accepted"}]"#);
    assert_eq!(outcome.status, Acceptance::Accepted);

    let (id, stop) = call(
        r#"[2,"5","StopTransaction",
            {"transactionId":1001,"meterStop":1254802,"timestamp":"2026-11-22T02:12:47Z","reason":"Remote"}]"#,
    );
    let Request::StopTransaction(stop) = stop else { panic!("{stop:?}") };
    assert_eq!((stop.transaction_id, stop.meter_stop, stop.reason()), (1001, 1_254_802, &StopReason::Remote));
    assert_eq!(stop.timestamp, Some(at(2, 12, 47)));
    same_json(&Frame::result(id, &StopTransactionConfirmation::default()), r#"[3,"5",{}]"#);
}

#[test]
fn a_simulated_charger_speaks_with_the_same_types() {
    let heartbeat = Frame::call("m1", &Heartbeat {}).unwrap();
    assert_eq!(heartbeat.to_string(), r#"[2,"m1","Heartbeat",{}]"#);
    assert_eq!(
        Frame::parse(&heartbeat.to_string()),
        Ok(Frame::Call { id: "m1".into(), action: "Heartbeat".into(), payload: Payload::new() })
    );
    let (_, confirmation) = answer::<Heartbeat>(r#"[3,"m1",{"currentTime":"2026-11-22T01:30:00.250Z"}]"#);
    assert_eq!(confirmation.current_time.timestamp_millis(), at(1, 30, 0).timestamp_millis() + 250);
}
