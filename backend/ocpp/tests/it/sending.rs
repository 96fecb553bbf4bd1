//! What the server may send, and what is refused before it is sent.

use chrono::{DateTime, TimeZone, Utc};
use ocpp::message::*;
use ocpp::{Frame, IdTag, Message, Refused, Why, read};
use serde_json::json;

use crate::samples::object;

fn at() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 22, 1, 30, 5).unwrap()
}

fn tag(text: &str) -> IdTag {
    serde_json::from_value(json!(text)).unwrap()
}

#[track_caller]
fn refuses(request: &impl Message, field: &str, why: Why) {
    let Err(refused) = Frame::call("a1", request) else { panic!("it was accepted") };
    assert_eq!((refused.field, refused.why), (field, why));
}

#[track_caller]
fn refuses_by_rule(request: &impl Message, field: &str) {
    let Err(refused) = Frame::call("a1", request) else { panic!("it was accepted") };
    assert_eq!(refused.field, field);
    assert!(matches!(refused.why, Why::Against(_)), "{refused}");
}

#[test]
fn ids_have_1_to_36_characters() {
    assert!(Frame::call("x".repeat(36), &Reset { kind: ResetType::Soft }).is_ok());
    for id in [String::new(), "x".repeat(37)] {
        assert_eq!(Frame::call(id, &ClearCache {}).unwrap_err().field, "messageId");
    }
}

#[test]
fn texts_have_their_limits() {
    let change = |key: usize, value: usize| ChangeConfiguration { key: "k".repeat(key), value: "值".repeat(value) };
    assert!(Frame::call("a1", &change(50, 500)).is_ok());
    assert!(Frame::call("a1", &change(1, 0)).is_ok());
    refuses(&change(0, 1), "key", Why::Empty);
    refuses(&change(51, 1), "key", Why::TooLong(50));
    refuses(&change(1, 501), "value", Why::TooLong(500));
    refuses(&GetConfiguration { key: vec!["a".into(), "k".repeat(51)] }, "key", Why::TooLong(50));
    let transfer = |vendor: usize, message: usize| DataTransfer {
        vendor_id: "v".repeat(vendor),
        message_id: Some("m".repeat(message)),
        data: None,
    };
    assert!(Frame::call("a1", &transfer(255, 50)).is_ok());
    refuses(&transfer(256, 1), "vendorId", Why::TooLong(255));
    refuses(&transfer(1, 51), "messageId", Why::TooLong(50));
    refuses(&CertificateSigned { certificate_chain: "x".repeat(10_001) }, "certificateChain", Why::TooLong(10_000));
    let install = |length| InstallCertificate {
        certificate_type: CertificateUse::ManufacturerRootCertificate,
        certificate: "x".repeat(length),
    };
    assert!(Frame::call("a1", &install(5500)).is_ok());
    refuses(&install(5501), "certificate", Why::TooLong(5500));
    let delete = |length| DeleteCertificate {
        certificate_hash_data: CertificateHashData {
            hash_algorithm: HashAlgorithm::SHA512,
            issuer_name_hash: "x".repeat(128),
            issuer_key_hash: "x".repeat(128),
            serial_number: "x".repeat(length),
        },
    };
    assert!(Frame::call("a1", &delete(40)).is_ok());
    refuses(&delete(41), "serialNumber", Why::TooLong(40));
}

#[test]
fn numbers_have_their_bounds() {
    refuses(&UnlockConnector { connector_id: 0 }, "connectorId", Why::OutOfRange(1, i32::MAX));
    refuses(&RemoteStopTransaction { transaction_id: 0 }, "transactionId", Why::OutOfRange(1, i32::MAX));
    let availability = |connector_id| ChangeAvailability { connector_id, kind: AvailabilityType::Operative };
    assert!(Frame::call("a1", &availability(0)).is_ok());
    refuses(&availability(-1), "connectorId", Why::OutOfRange(0, i32::MAX));
    let trigger = |connector| TriggerMessage { requested_message: MessageTrigger::Heartbeat, connector_id: connector };
    assert!(Frame::call("a1", &trigger(None)).is_ok());
    refuses(&trigger(Some(0)), "connectorId", Why::OutOfRange(1, i32::MAX));
    let composite = GetCompositeSchedule { connector_id: 0, duration: 0, charging_rate_unit: None };
    refuses(&composite, "duration", Why::OutOfRange(1, i32::MAX));
}

#[test]
fn tags_must_be_storable() {
    let start = |text: &str| RemoteStartTransaction { id_tag: tag(text), connector_id: None, charging_profile: None };
    assert!(Frame::call("a1", &start(IdTag::of_order(u64::MAX).as_str())).is_ok());
    refuses(&start(""), "idTag", Why::Empty);
    refuses(&start(&"1".repeat(21)), "idTag", Why::TooLong(20));
    refuses_by_rule(&start("卡"), "idTag");
    let reserve = |parent: &str, expiry_date| ReserveNow {
        connector_id: 0,
        expiry_date,
        id_tag: tag("A"),
        parent_id_tag: Some(tag(parent)),
        reservation_id: 1,
    };
    assert!(Frame::call("a1", &reserve("B", at())).is_ok());
    refuses(&reserve(&"1".repeat(21), at()), "parentIdTag", Why::TooLong(20));
    refuses_by_rule(&reserve("B", DateTime::<Utc>::MAX_UTC), "expiryDate");
}

#[test]
fn addresses_are_absolute() {
    let diagnostics = |location: &str, start: Option<DateTime<Utc>>, retries| GetDiagnostics {
        location: location.into(),
        retries,
        retry_interval: None,
        start_time: start,
        stop_time: Some(at()),
    };
    for location in ["ftp://user:secret@host:21/folder/", "https://host"] {
        assert!(Frame::call("a1", &diagnostics(location, Some(at()), Some(0))).is_ok());
    }
    for location in ["/folder", "host/folder", "://host", "ftp://", "ftp://host/a b", "ftp://host/日志"] {
        refuses_by_rule(&diagnostics(location, None, None), "location");
    }
    refuses(&diagnostics("ftp://h", None, Some(-1)), "retries", Why::OutOfRange(0, i32::MAX));
    refuses_by_rule(&diagnostics("ftp://h", Some(at() + chrono::Duration::seconds(1)), None), "stopTime");
}

#[test]
fn local_lists_make_sense() {
    let entry = |text: &str, known: bool| AuthorizationData {
        id_tag: tag(text),
        id_tag_info: known.then(|| IdTagInfo::new(AuthorizationStatus::Accepted)),
    };
    let list = |version, update_type, entries| SendLocalList {
        list_version: version,
        local_authorization_list: entries,
        update_type,
    };
    let removal = vec![entry("A", true), entry("B", false)];
    assert!(Frame::call("a1", &list(1, UpdateType::Differential, removal.clone())).is_ok());
    refuses_by_rule(&list(1, UpdateType::Full, removal), "idTagInfo");
    refuses_by_rule(&list(1, UpdateType::Full, vec![entry("a", true), entry("A", true)]), "idTag");
    refuses(&list(0, UpdateType::Full, vec![]), "listVersion", Why::OutOfRange(1, i32::MAX));
}

fn period(start_period: i32, tenths: i32) -> ChargingSchedulePeriod {
    ChargingSchedulePeriod { start_period, limit: Tenths(tenths), number_phases: None }
}

fn profile(purpose: ChargingProfilePurpose, periods: Vec<ChargingSchedulePeriod>) -> ChargingProfile {
    ChargingProfile {
        charging_profile_id: 1,
        transaction_id: None,
        stack_level: 0,
        charging_profile_purpose: purpose,
        charging_profile_kind: ChargingProfileKind::Absolute,
        recurrency_kind: None,
        valid_from: None,
        valid_to: None,
        charging_schedule: ChargingSchedule {
            duration: None,
            start_schedule: Some(at()),
            charging_rate_unit: ChargingRateUnit::W,
            charging_schedule_period: periods,
            min_charging_rate: None,
        },
    }
}

#[test]
fn charging_profiles_make_sense() {
    use ChargingProfilePurpose::{ChargePointMaxProfile, TxDefaultProfile, TxProfile};

    let set =
        |connector_id, it: &ChargingProfile| SetChargingProfile { connector_id, cs_charging_profiles: it.clone() };
    let max = profile(ChargePointMaxProfile, vec![period(0, 600_005), period(60, 0)]);
    let frame = Frame::call("a1", &set(0, &max)).unwrap();
    assert_eq!(
        frame.to_string(),
        concat!(
            r#"[2,"a1","SetChargingProfile",{"connectorId":0,"csChargingProfiles":{"chargingProfileId":1,"#,
            r#""chargingProfileKind":"Absolute","chargingProfilePurpose":"ChargePointMaxProfile","#,
            r#""chargingSchedule":{"chargingRateUnit":"W","chargingSchedulePeriod":[{"limit":60000.5,"startPeriod":0},"#,
            r#"{"limit":0.0,"startPeriod":60}],"startSchedule":"2026-11-22T01:30:05Z"},"stackLevel":0}}]"#,
        )
    );
    refuses_by_rule(&set(1, &max), "connectorId");
    assert!(Frame::call("a1", &set(0, &profile(TxDefaultProfile, vec![period(0, 1)]))).is_ok());
    assert!(Frame::call("a1", &set(1, &profile(TxProfile, vec![period(0, 1)]))).is_ok());
    refuses_by_rule(&set(0, &profile(TxProfile, vec![period(0, 1)])), "connectorId");
    refuses_by_rule(&set(0, &profile(ChargePointMaxProfile, vec![])), "chargingSchedulePeriod");
    refuses_by_rule(&set(0, &profile(ChargePointMaxProfile, vec![period(1, 1)])), "chargingSchedulePeriod");
    let doubled = vec![period(0, 1), period(5, 1), period(5, 2)];
    refuses_by_rule(&set(0, &profile(ChargePointMaxProfile, doubled)), "startPeriod");
    let negative = profile(ChargePointMaxProfile, vec![period(0, -1)]);
    refuses(&set(0, &negative), "limit", Why::OutOfRange(0, i32::MAX));
    let recurring = ChargingProfile { charging_profile_kind: ChargingProfileKind::Recurring, ..max.clone() };
    refuses_by_rule(&set(0, &recurring), "recurrencyKind");
    refuses_by_rule(&set(0, &ChargingProfile { transaction_id: Some(1), ..max.clone() }), "transactionId");
    let start = |it| RemoteStartTransaction { id_tag: tag("A"), connector_id: Some(1), charging_profile: Some(it) };
    assert!(Frame::call("a1", &start(profile(TxProfile, vec![period(0, 1)]))).is_ok());
    refuses_by_rule(&start(max), "chargingProfilePurpose");
    let begun = ChargingProfile { transaction_id: Some(1), ..profile(TxProfile, vec![period(0, 1)]) };
    refuses_by_rule(&start(begun), "transactionId");
}

#[test]
fn confirmations_are_written_strictly() {
    let boot = BootNotificationConfirmation {
        status: RegistrationStatus::Accepted,
        current_time: at() + chrono::Duration::nanoseconds(999_999_999),
        interval: 300,
    };
    assert_eq!(
        Frame::result("1", &boot).to_string(),
        r#"[3,"1",{"currentTime":"2026-11-22T01:30:05Z","interval":300,"status":"Accepted"}]"#
    );
    let info = |parent: &str| IdTagInfo {
        status: AuthorizationStatus::Blocked,
        expiry_date: None,
        parent_id_tag: Some(tag(parent)),
    };
    let written = |parent: &str| serde_json::to_value(AuthorizeConfirmation { id_tag_info: info(parent) }).unwrap();
    assert_eq!(written("GROUP"), json!({"idTagInfo": {"status": "Blocked", "parentIdTag": "GROUP"}}));
    assert_eq!(written(&"G".repeat(21)), json!({"idTagInfo": {"status": "Blocked"}}));
}

#[test]
fn refusals_are_sentences() {
    let long = Refused { field: "key", why: Why::TooLong(50) };
    assert_eq!(long.to_string(), "key has more than 50 characters");
    let unknown = read::<Outcome<Acceptance>>(object(&json!({}))).unwrap_err();
    assert_eq!(unknown.to_string(), "OccurenceConstraintViolation: status: required");
}
