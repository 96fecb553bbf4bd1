//! One sample of every message with all of its fields, and what is required of them.

use ocpp::message::*;
use ocpp::{CallError, Command, ErrorCode, Message, Payload, Refused, Request, read};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

type ReadAndWrite = fn(Payload) -> Result<Value, CallError>;

pub struct Sample {
    pub action: &'static str,
    pub request: Value,
    pub confirmation: Value,
    pub request_again: ReadAndWrite,
    pub confirmation_again: ReadAndWrite,
    check: fn(Payload) -> Result<(), Refused>,
}

fn again<T: Serialize + DeserializeOwned>(payload: Payload) -> Result<Value, CallError> {
    Ok(serde_json::to_value(read::<T>(payload)?).unwrap())
}

fn sample<M: Message>(request: Value, confirmation: Value) -> Sample {
    Sample {
        action: M::ACTION,
        request,
        confirmation,
        request_again: again::<M>,
        confirmation_again: again::<M::Confirmation>,
        check: |payload| read::<M>(payload).unwrap().check(),
    }
}

pub fn object(value: &Value) -> Payload {
    value.as_object().unwrap().clone()
}

const AT: &str = "2026-11-22T01:30:05Z";

fn id_tag_info() -> Value {
    json!({"status": "Accepted", "expiryDate": AT, "parentIdTag": "GROUP7"})
}

fn meter_value() -> Value {
    json!({"timestamp": AT, "sampledValue": [{
        "value": "12.5", "context": "Sample.Clock", "format": "Raw", "measurand": "Voltage", "phase": "L1-N",
        "location": "Inlet", "unit": "V",
    }]})
}

fn schedule() -> Value {
    json!({
        "duration": 3600, "startSchedule": AT, "chargingRateUnit": "A", "minChargingRate": 6.5,
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.1, "numberPhases": 3}],
    })
}

fn profile() -> Value {
    json!({
        "chargingProfileId": 7, "stackLevel": 0, "chargingProfilePurpose": "TxProfile", "transactionId": 1001,
        "chargingProfileKind": "Recurring", "recurrencyKind": "Daily", "validFrom": AT, "validTo": AT,
        "chargingSchedule": schedule(),
    })
}

fn certificate_hash() -> Value {
    json!({"hashAlgorithm": "SHA256", "issuerNameHash": "ab", "issuerKeyHash": "cd", "serialNumber": "01"})
}

pub fn from_chargers() -> Vec<Sample> {
    let accepted = || json!({"status": "Accepted"});
    vec![
        sample::<Authorize>(json!({"idTag": "04A1B2C3"}), json!({"idTagInfo": id_tag_info()})),
        sample::<BootNotification>(
            json!({
                "chargePointVendor": "ACME", "chargePointModel": "DC120", "chargePointSerialNumber": "SN1",
                "chargeBoxSerialNumber": "SN2", "firmwareVersion": "1.2.3", "iccid": "8986", "imsi": "460",
                "meterType": "M1", "meterSerialNumber": "MS1",
            }),
            json!({"status": "Pending", "currentTime": AT, "interval": 120}),
        ),
        sample::<DataTransfer>(
            json!({"vendorId": "acme", "messageId": "price", "data": "{}"}),
            json!({"status": "UnknownVendorId", "data": "no"}),
        ),
        sample::<DiagnosticsStatusNotification>(json!({"status": "UploadFailed"}), json!({})),
        sample::<FirmwareStatusNotification>(json!({"status": "Installed"}), json!({})),
        sample::<Heartbeat>(json!({}), json!({"currentTime": AT})),
        sample::<LogStatusNotification>(json!({"status": "BadMessage", "requestId": 5}), json!({})),
        sample::<MeterValues>(
            json!({"connectorId": 1, "transactionId": 1001, "meterValue": [meter_value()]}),
            json!({}),
        ),
        sample::<SecurityEventNotification>(
            json!({"type": "TamperDetectionActivated", "timestamp": AT, "techInfo": "lid"}),
            json!({}),
        ),
        sample::<SignCertificate>(json!({"csr": "-----BEGIN CERTIFICATE REQUEST-----"}), accepted()),
        sample::<SignedFirmwareStatusNotification>(json!({"status": "SignatureVerified", "requestId": 5}), json!({})),
        sample::<StartTransaction>(
            json!({
                "connectorId": 1, "idTag": "O00000K3X9", "meterStart": 1_234_567, "timestamp": AT, "reservationId": 3,
            }),
            json!({"transactionId": 1001, "idTagInfo": id_tag_info()}),
        ),
        sample::<StatusNotification>(
            json!({
                "connectorId": 1, "errorCode": "WeakSignal", "status": "SuspendedEV", "info": "i", "timestamp": AT,
                "vendorId": "acme", "vendorErrorCode": "E1",
            }),
            json!({}),
        ),
        sample::<StopTransaction>(
            json!({
                "transactionId": 1001, "meterStop": 1_254_802, "timestamp": AT, "idTag": "O00000K3X9",
                "reason": "Remote", "transactionData": [meter_value()],
            }),
            json!({"idTagInfo": id_tag_info()}),
        ),
    ]
}

pub fn from_the_server() -> Vec<Sample> {
    let accepted = || json!({"status": "Accepted"});
    vec![
        sample::<CancelReservation>(json!({"reservationId": 3}), accepted()),
        sample::<CertificateSigned>(json!({"certificateChain": "-----BEGIN CERTIFICATE-----"}), accepted()),
        sample::<ChangeAvailability>(json!({"connectorId": 0, "type": "Inoperative"}), json!({"status": "Scheduled"})),
        sample::<ChangeConfiguration>(
            json!({"key": "HeartbeatInterval", "value": "120"}),
            json!({"status": "RebootRequired"}),
        ),
        sample::<ClearCache>(json!({}), accepted()),
        sample::<ClearChargingProfile>(
            json!({"id": 7, "connectorId": 1, "chargingProfilePurpose": "TxProfile", "stackLevel": 0}),
            json!({"status": "Unknown"}),
        ),
        sample::<DataTransfer>(
            json!({"vendorId": "acme", "messageId": "price", "data": "0.65"}),
            json!({"status": "Accepted", "data": "ok"}),
        ),
        sample::<DeleteCertificate>(json!({"certificateHashData": certificate_hash()}), json!({"status": "NotFound"})),
        sample::<ExtendedTriggerMessage>(
            json!({"requestedMessage": "SignChargePointCertificate", "connectorId": 1}),
            json!({"status": "NotImplemented"}),
        ),
        sample::<GetCompositeSchedule>(
            json!({"connectorId": 1, "duration": 3600, "chargingRateUnit": "W"}),
            json!({"status": "Accepted", "connectorId": 1, "scheduleStart": AT, "chargingSchedule": schedule()}),
        ),
        sample::<GetConfiguration>(
            json!({"key": ["HeartbeatInterval", "Nonsense"]}),
            json!({
                "configurationKey": [{"key": "HeartbeatInterval", "readonly": false, "value": "120"}],
                "unknownKey": ["Nonsense"],
            }),
        ),
        sample::<GetDiagnostics>(
            json!({"location": "ftp://h/d", "retries": 3, "retryInterval": 60, "startTime": AT, "stopTime": AT}),
            json!({"fileName": "diag.zip"}),
        ),
        sample::<GetInstalledCertificateIds>(
            json!({"certificateType": "CentralSystemRootCertificate"}),
            json!({"status": "Accepted", "certificateHashData": [certificate_hash()]}),
        ),
        sample::<GetLocalListVersion>(json!({}), json!({"listVersion": -1})),
        sample::<GetLog>(
            json!({
                "log": {"remoteLocation": "https://h/l", "oldestTimestamp": AT, "latestTimestamp": AT},
                "logType": "SecurityLog", "requestId": 5, "retries": 3, "retryInterval": 60,
            }),
            json!({"status": "AcceptedCanceled", "filename": "log.txt"}),
        ),
        sample::<InstallCertificate>(
            json!({"certificateType": "ManufacturerRootCertificate", "certificate": "-----BEGIN CERTIFICATE-----"}),
            json!({"status": "Failed"}),
        ),
        sample::<RemoteStartTransaction>(
            json!({"idTag": "O00000K3X9", "connectorId": 1, "chargingProfile": {
                "chargingProfileId": 7, "stackLevel": 0, "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Absolute", "chargingSchedule": schedule(),
            }}),
            accepted(),
        ),
        sample::<RemoteStopTransaction>(json!({"transactionId": 1001}), json!({"status": "Rejected"})),
        sample::<ReserveNow>(
            json!({
                "connectorId": 0, "expiryDate": AT, "idTag": "O00000K3X9", "parentIdTag": "GROUP7", "reservationId": 3,
            }),
            json!({"status": "Occupied"}),
        ),
        sample::<Reset>(json!({"type": "Soft"}), accepted()),
        sample::<SendLocalList>(
            json!({
                "listVersion": 2, "updateType": "Differential",
                "localAuthorizationList": [{"idTag": "A", "idTagInfo": id_tag_info()}, {"idTag": "B"}],
            }),
            json!({"status": "VersionMismatch"}),
        ),
        sample::<SetChargingProfile>(
            json!({"connectorId": 1, "csChargingProfiles": profile()}),
            json!({"status": "NotSupported"}),
        ),
        sample::<SignedUpdateFirmware>(
            json!({
                "requestId": 5, "retries": 3, "retryInterval": 60,
                "firmware": {
                    "location": "https://h/f", "retrieveDateTime": AT, "installDateTime": AT,
                    "signingCertificate": "-----BEGIN CERTIFICATE-----", "signature": "c2ln",
                },
            }),
            json!({"status": "InvalidCertificate"}),
        ),
        sample::<TriggerMessage>(
            json!({"requestedMessage": "StatusNotification", "connectorId": 1}),
            json!({"status": "NotImplemented"}),
        ),
        sample::<UnlockConnector>(json!({"connectorId": 1}), json!({"status": "UnlockFailed"})),
        sample::<UpdateFirmware>(
            json!({"location": "ftp://h/f", "retrieveDate": AT, "retries": 3, "retryInterval": 60}),
            json!({}),
        ),
    ]
}

fn all() -> Vec<Sample> {
    from_chargers().into_iter().chain(from_the_server()).collect()
}

#[test]
fn every_message_has_a_sample() {
    let actions = |samples: Vec<Sample>| samples.iter().map(|it| it.action).collect::<Vec<_>>();
    assert_eq!(actions(from_chargers()), Request::ACTIONS);
    assert_eq!(actions(from_the_server()), Command::ACTIONS);
}

#[test]
fn what_is_read_is_written_again() {
    for it in all() {
        assert_eq!((it.request_again)(object(&it.request)).as_ref(), Ok(&it.request), "{}", it.action);
        let confirmation = (it.confirmation_again)(object(&it.confirmation));
        assert_eq!(confirmation.as_ref(), Ok(&it.confirmation), "answer to {}", it.action);
        assert_eq!((it.check)(object(&it.request)), Ok(()), "{}", it.action);
    }
}

#[test]
fn the_enums_read_what_the_types_read() {
    for it in from_chargers() {
        assert_eq!(Request::read(it.action, object(&it.request)).unwrap().action(), it.action);
    }
    for it in from_the_server() {
        assert_eq!(Command::read(it.action, object(&it.request)).unwrap().action(), it.action);
    }
}

/// The fields without which a message cannot be read; all others can be left out one by one.
#[test]
fn required_fields_are_missed() {
    let required: &[(&str, &[&str], &[&str])] = &[
        ("Authorize", &["idTag"], &["idTagInfo"]),
        ("BootNotification", &["chargePointModel", "chargePointVendor"], &["currentTime", "interval", "status"]),
        ("DataTransfer", &["vendorId"], &["status"]),
        ("DiagnosticsStatusNotification", &["status"], &[]),
        ("FirmwareStatusNotification", &["status"], &[]),
        ("Heartbeat", &[], &["currentTime"]),
        ("LogStatusNotification", &["status"], &[]),
        ("MeterValues", &["connectorId", "meterValue"], &[]),
        ("SecurityEventNotification", &["timestamp", "type"], &[]),
        ("SignCertificate", &["csr"], &["status"]),
        ("SignedFirmwareStatusNotification", &["status"], &[]),
        ("StartTransaction", &["connectorId", "idTag", "meterStart"], &["idTagInfo", "transactionId"]),
        ("StatusNotification", &["connectorId", "errorCode", "status"], &[]),
        ("StopTransaction", &["meterStop", "transactionId"], &[]),
        ("CancelReservation", &["reservationId"], &["status"]),
        ("CertificateSigned", &["certificateChain"], &["status"]),
        ("ChangeAvailability", &["connectorId", "type"], &["status"]),
        ("ChangeConfiguration", &["key", "value"], &["status"]),
        ("ClearCache", &[], &["status"]),
        ("ClearChargingProfile", &[], &["status"]),
        ("DataTransfer", &["vendorId"], &["status"]),
        ("DeleteCertificate", &["certificateHashData"], &["status"]),
        ("ExtendedTriggerMessage", &["requestedMessage"], &["status"]),
        ("GetCompositeSchedule", &["connectorId", "duration"], &["status"]),
        ("GetConfiguration", &[], &[]),
        ("GetDiagnostics", &["location"], &[]),
        ("GetInstalledCertificateIds", &["certificateType"], &["status"]),
        ("GetLocalListVersion", &[], &["listVersion"]),
        ("GetLog", &["log", "logType", "requestId"], &["status"]),
        ("InstallCertificate", &["certificate", "certificateType"], &["status"]),
        ("RemoteStartTransaction", &["idTag"], &["status"]),
        ("RemoteStopTransaction", &["transactionId"], &["status"]),
        ("ReserveNow", &["connectorId", "expiryDate", "idTag", "reservationId"], &["status"]),
        ("Reset", &["type"], &["status"]),
        ("SendLocalList", &["listVersion", "updateType"], &["status"]),
        ("SetChargingProfile", &["connectorId", "csChargingProfiles"], &["status"]),
        ("SignedUpdateFirmware", &["firmware", "requestId"], &["status"]),
        ("TriggerMessage", &["requestedMessage"], &["status"]),
        ("UnlockConnector", &["connectorId"], &["status"]),
        ("UpdateFirmware", &["location", "retrieveDate"], &[]),
    ];
    let samples = all();
    assert_eq!(samples.len(), required.len());
    for (it, (action, of_request, of_confirmation)) in samples.iter().zip(required) {
        assert_eq!(it.action, *action);
        assert_eq!(missed(it.request_again, &it.request), *of_request, "{action}");
        assert_eq!(missed(it.confirmation_again, &it.confirmation), *of_confirmation, "answer to {action}");
    }
}

/// The fields whose absence, and equally whose `null`, is an occurrence violation.
fn missed(again: ReadAndWrite, sample: &Value) -> Vec<String> {
    let mut missed = Vec::new();
    for name in object(sample).keys() {
        let mut without = object(sample);
        without.remove(name);
        let mut with_null = object(sample);
        with_null.insert(name.clone(), Value::Null);
        let found = again(without);
        assert_eq!(found, again(with_null), "null is absent: {name}");
        if let Err(CallError { code, description }) = found {
            assert_eq!(code, ErrorCode::OccurenceConstraintViolation, "{name}");
            assert_eq!(description, format!("{name}: required"));
            missed.push(name.clone());
        }
    }
    missed
}
