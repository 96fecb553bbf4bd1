//! What chargers get wrong, and what the server makes of it.

use chrono::{TimeZone, Utc};
use ocpp::ErrorCode::{OccurenceConstraintViolation, PropertyConstraintViolation, TypeConstraintViolation};
use ocpp::message::*;
use ocpp::{CallError, ErrorCode, IdTag, Request, read};
use serde_json::{Value, json};

use crate::samples::{from_chargers, object};

/// The request of this name with one field changed.
fn with(action: &str, field: &str, value: Value) -> Result<Request, CallError> {
    let sample = from_chargers().into_iter().find(|it| it.action == action).unwrap();
    let mut payload = object(&sample.request);
    payload.insert(field.to_owned(), value);
    Request::read(action, payload)
}

fn start(field: &str, value: Value) -> Result<StartTransaction, CallError> {
    match with("StartTransaction", field, value)? {
        Request::StartTransaction(it) => Ok(it),
        other => panic!("{other:?}"),
    }
}

fn stop(field: &str, value: Value) -> Result<StopTransaction, CallError> {
    match with("StopTransaction", field, value)? {
        Request::StopTransaction(it) => Ok(it),
        other => panic!("{other:?}"),
    }
}

fn status(field: &str, value: Value) -> StatusNotification {
    match with("StatusNotification", field, value).unwrap() {
        Request::StatusNotification(it) => it,
        other => panic!("{other:?}"),
    }
}

#[test]
fn integers_in_other_clothes() {
    for value in [json!(12), json!(12.0), json!("12"), json!("12.0"), json!(" 12 "), json!("1.2e1"), json!(1.2e1)] {
        assert_eq!(start("connectorId", value.clone()).unwrap().connector_id, 12, "{value}");
        assert_eq!(start("meterStart", value.clone()).unwrap().meter_start, 12, "{value}");
        assert_eq!(start("reservationId", value.clone()).unwrap().reservation_id, Some(12), "{value}");
        assert_eq!(stop("transactionId", value.clone()).unwrap().transaction_id, 12, "{value}");
    }
    assert_eq!(start("connectorId", json!("-1")).unwrap().connector_id, -1);
    assert_eq!(stop("transactionId", json!(-1)).unwrap().transaction_id, -1);
    assert_eq!(stop("transactionId", json!(8_589_934_592_i64)).unwrap().transaction_id, 8_589_934_592);
}

#[test]
fn what_is_no_integer_is_told_so() {
    let wrong_type = [json!("one"), json!(""), json!(1.5), json!("1.5"), json!(true), json!([1]), json!({"n": 1})];
    for value in wrong_type {
        assert_eq!(start("connectorId", value.clone()).unwrap_err().code, TypeConstraintViolation, "{value}");
        assert_eq!(stop("transactionId", value.clone()).unwrap_err().code, TypeConstraintViolation, "{value}");
    }
    for value in [json!(2_147_483_648_i64), json!(1e300), json!(-1e300), json!(u64::MAX), json!("9".repeat(30))] {
        assert_eq!(start("connectorId", value.clone()).unwrap_err().code, PropertyConstraintViolation, "{value}");
    }
    for value in [json!(1e300), json!(u64::MAX), json!("9".repeat(30))] {
        assert_eq!(stop("transactionId", value.clone()).unwrap_err().code, PropertyConstraintViolation, "{value}");
        assert_eq!(stop("meterStop", value.clone()).unwrap_err().code, PropertyConstraintViolation, "{value}");
    }
}

#[test]
fn a_reading_with_a_fraction_is_rounded() {
    assert_eq!(stop("meterStop", json!(1_254_802.5)).unwrap().meter_stop, 1_254_803);
    assert_eq!(stop("meterStop", json!("1254802,4")).unwrap().meter_stop, 1_254_802);
    assert_eq!(start("meterStart", json!(-0.5)).unwrap().meter_start, -1);
    assert_eq!(start("meterStart", json!("full")).unwrap_err().code, TypeConstraintViolation);
    assert_eq!(start("meterStart", json!([])).unwrap_err().code, TypeConstraintViolation);
}

#[test]
fn wrong_types_and_missing_fields_name_the_field() {
    let refused = |action: &str, payload: Value| {
        let CallError { code, description } = Request::read(action, object(&payload)).unwrap_err();
        (code, description)
    };
    let cases = [
        ("Authorize", json!({}), OccurenceConstraintViolation, "idTag: required"),
        ("Authorize", json!({"idTag": null}), OccurenceConstraintViolation, "idTag: required"),
        ("Authorize", json!({"IDTAG": "x"}), OccurenceConstraintViolation, "idTag: required"),
        ("Authorize", json!({"idTag": {}}), TypeConstraintViolation, "idTag: expected a string, found map"),
        (
            "MeterValues",
            json!({"connectorId": 1, "meterValue": "none"}),
            TypeConstraintViolation,
            "meterValue: expected a sequence, found string \"none\"",
        ),
        (
            "StatusNotification",
            json!({"connectorId": [], "status": "Available", "errorCode": "NoError"}),
            TypeConstraintViolation,
            "connectorId: expected an integer, found an array",
        ),
        (
            "DiagnosticsStatusNotification",
            json!({"status": "Uploadet"}),
            PropertyConstraintViolation,
            "status: unknown variant `Uploadet`, expected one of `Idle`, `Uploaded`, `UploadFailed`, `Uploading`",
        ),
        (
            "DiagnosticsStatusNotification",
            json!({"status": 5}),
            TypeConstraintViolation,
            "status: expected a string, found integer `5`",
        ),
    ];
    for (action, payload, code, description) in cases {
        assert_eq!(refused(action, payload), (code, description.to_owned()));
    }
    let (_, text) = refused("Authorize", json!({"idTag": ["x".repeat(10_000)]}));
    assert!(text.chars().count() <= 255);
    let (code, text) = refused("DiagnosticsStatusNotification", json!({"status": "长".repeat(10_000)}));
    assert_eq!((code, text.chars().count()), (PropertyConstraintViolation, 255));
}

#[test]
fn nested_mistakes_have_a_path() {
    let answer = json!({"status": "Accepted", "chargingSchedule": {
        "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 1}, {"startPeriod": 5}],
    }});
    let CallError { code, description } = read::<GetCompositeScheduleConfirmation>(object(&answer)).unwrap_err();
    assert_eq!(code, OccurenceConstraintViolation);
    assert_eq!(description, "chargingSchedule.chargingSchedulePeriod[1].limit: required");
    let answer = json!({"status": "Accepted", "chargingSchedule": ["A", []]});
    let CallError { code, description } = read::<GetCompositeScheduleConfirmation>(object(&answer)).unwrap_err();
    assert_eq!(
        (code, description.as_str()),
        (TypeConstraintViolation, "chargingSchedule: expected an object, found an array")
    );
}

#[test]
fn unknown_fields_and_long_texts_are_accepted() {
    let long = "8".repeat(500);
    let boot = json!({
        "chargePointVendor": long, "chargePointModel": "", "iccid": 8986_0000_0000_u64, "firmwareVersion": 1.2,
        "meterType": null, "chargePointSerialNumber": true, "customData": {"vendorId": "x"}, "x": [[[]]],
    });
    let boot: BootNotification = read(object(&boot)).unwrap();
    assert_eq!(boot.charge_point_vendor, long);
    assert_eq!(boot.iccid.as_deref(), Some("898600000000"));
    assert_eq!(boot.firmware_version.as_deref(), Some("1.2"));
    assert_eq!(boot.charge_point_serial_number.as_deref(), Some("true"));
    assert_eq!(boot.meter_type, None);
    assert_eq!(start("idTag", json!(long)).unwrap().id_tag.as_str(), long);
}

#[test]
fn unknown_words_are_kept() {
    assert_eq!(status("status", json!("Faulted")).status, ChargePointStatus::Faulted);
    assert_eq!(status("status", json!("suspendedev")).status, ChargePointStatus::SuspendedEV);
    assert_eq!(status("status", json!("Parked")).status, ChargePointStatus::Other("Parked".into()));
    assert_eq!(status("errorCode", json!("NoError")).error_code, ChargePointErrorCode::NoError);
    assert_eq!(status("errorCode", json!("桩坏了")).error_code, ChargePointErrorCode::Other("桩坏了".into()));
    assert_eq!(status("errorCode", json!("桩坏了")).error_code.to_string(), "桩坏了");
    assert_eq!(status("vendorErrorCode", json!(17)).vendor_error_code.as_deref(), Some("17"));
    assert_eq!(stop("reason", json!("PowerLoss")).unwrap().reason(), &StopReason::PowerLoss);
    assert_eq!(stop("reason", json!("Other")).unwrap().reason(), &StopReason::Other("Other".into()));
    assert_eq!(stop("reason", json!("Lightning")).unwrap().reason(), &StopReason::Other("Lightning".into()));
    assert_eq!(stop("reason", Value::Null).unwrap().reason(), &StopReason::Local);
}

#[test]
fn optional_parts_never_cost_a_transaction() {
    for junk in [json!([]), json!({}), json!(true), json!(5.5)] {
        assert_eq!(start("timestamp", junk.clone()).unwrap().timestamp, None, "{junk}");
        assert_eq!(start("reservationId", junk.clone()).unwrap().reservation_id, None, "{junk}");
        assert_eq!(stop("timestamp", junk.clone()).unwrap().timestamp, None, "{junk}");
        assert_eq!(stop("idTag", junk.clone()).unwrap().id_tag, None, "{junk}");
        assert_eq!(stop("reason", junk.clone()).unwrap().reason, None, "{junk}");
        assert_eq!(stop("transactionData", junk.clone()).unwrap().transaction_data, [], "{junk}");
    }
    assert_eq!(start("timestamp", json!("0000-00-00T00:00:00Z")).unwrap().timestamp, None);
    assert_eq!(start("timestamp", Value::Null).unwrap().timestamp, None);
    assert_eq!(stop("timestamp", Value::Null).unwrap().timestamp, None);
    let at = Utc.with_ymd_and_hms(2026, 11, 22, 1, 30, 5).unwrap();
    assert_eq!(start("timestamp", json!("2026-11-22T09:30:05+08:00")).unwrap().timestamp, Some(at));
    assert_eq!(start("timestamp", json!("2026-11-22T01:30:05")).unwrap().timestamp, Some(at));
}

#[test]
fn sound_samples_survive_broken_neighbours() {
    let data = json!([
        null, 5, "text", {"timestamp": "2026-11-22T01:30:35Z"},
        {"sampledValue": [{"value": "1"}]},
        {"timestamp": "soon", "sampledValue": [
            {"value": 1_234_900}, {"unit": "Wh"}, {"value": null}, {"value": {}}, [], null,
            {"value": "7", "measurand": 3}, {"value": "56", "measurand": "SoC", "unit": "%"},
        ]},
    ]);
    let stop = stop("transactionData", data.clone()).unwrap();
    let [undated, value] = stop.transaction_data.as_slice() else { panic!("{stop:?}") };
    assert_eq!((undated.timestamp, undated.energy_wh()), (None, Some(1)));
    assert_eq!(value.timestamp, None);
    assert_eq!(value.sampled_value.len(), 2);
    assert_eq!((value.energy_wh(), value.soc_percent()), (Some(1_234_900), Some(56)));
    let Ok(Request::MeterValues(values)) = with("MeterValues", "meterValue", data) else { panic!() };
    assert_eq!(values.meter_value, stop.transaction_data);
    let Ok(Request::MeterValues(values)) = with("MeterValues", "transactionId", json!("none")) else { panic!() };
    assert_eq!(values.transaction_id, None);
}

#[test]
fn free_data_may_be_anything() {
    let cases = [
        (json!("text"), Some("text")),
        (json!({"a": [1, 2.5]}), Some(r#"{"a":[1,2.5]}"#)),
        (json!(7), Some("7")),
        (Value::Null, None),
    ];
    for (data, expected) in cases {
        let Ok(Request::DataTransfer(it)) = with("DataTransfer", "data", data) else { panic!() };
        assert_eq!(it.data.as_deref(), expected);
    }
}

#[test]
fn answers_are_read_as_forgivingly() {
    let answer = json!({
        "configurationKey": [
            {"key": "A", "readonly": "True", "value": 60},
            {"key": "B", "readonly": 0, "value": null},
            {"key": "C"},
            {"readonly": true},
            {"key": "D", "readonly": "perhaps"},
        ],
        "unknownKey": null,
    });
    let answer: GetConfigurationConfirmation = read(object(&answer)).unwrap();
    let keys: Vec<_> =
        answer.configuration_key.iter().map(|it| (it.key.as_str(), it.readonly, it.value.as_deref())).collect();
    assert_eq!(keys, [("A", true, Some("60")), ("B", false, None), ("C", false, None)]);
    assert_eq!(answer.unknown_key, [""; 0]);

    let outcome: Outcome<Acceptance> = read(object(&json!({"status": "accepted", "info": "ok"}))).unwrap();
    assert_eq!(outcome.status, Acceptance::Accepted);
    let unknown = read::<Outcome<Acceptance>>(object(&json!({"status": "Perhaps"}))).unwrap_err();
    assert_eq!(unknown.code, PropertyConstraintViolation);
    let version: GetLocalListVersionConfirmation = read(object(&json!({"listVersion": "-1"}))).unwrap();
    assert_eq!(version.list_version, -1);
    let composite = json!({"status": "Accepted", "scheduleStart": "?", "chargingSchedule": {
        "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": "0", "limit": "7000.04"}],
    }});
    let composite: GetCompositeScheduleConfirmation = read(object(&composite)).unwrap();
    let periods = composite.charging_schedule.unwrap().charging_schedule_period;
    assert_eq!(periods, [ChargingSchedulePeriod { start_period: 0, limit: Tenths(70_000), number_phases: None }]);
    assert_eq!(read::<Empty>(object(&json!({"status": "Accepted"}))), Ok(Empty {}));
}

#[test]
fn every_field_bears_every_kind_of_junk() {
    let junk = [json!(null), json!(true), json!(-1), json!(1e308), json!("\u{0}"), json!([]), json!([[]]), json!({})];
    for sample in from_chargers() {
        for name in object(&sample.request).keys() {
            for value in &junk {
                if let Err(CallError { code, description }) = with(sample.action, name, value.clone()) {
                    assert!(
                        matches!(
                            code,
                            OccurenceConstraintViolation | TypeConstraintViolation | PropertyConstraintViolation
                        ),
                        "{code}"
                    );
                    assert!(description.starts_with(name.as_str()), "{description}");
                }
            }
        }
    }
}

#[test]
fn error_codes_have_one_spelling_when_written() {
    assert_eq!(ErrorCode::from("occurrenceconstraintviolation").as_str(), "OccurenceConstraintViolation");
    assert_eq!(ErrorCode::from("Strange").as_str(), "Strange");
}

#[test]
fn tags_are_compared_without_letter_case() {
    assert_eq!(start("idTag", json!("o00000k3x9")).unwrap().id_tag, IdTag::new("O00000K3X9").unwrap());
}
