//! Whatever is sent, nothing panics; whatever is written can be read.

use chrono::{DateTime, Utc};
use ocpp::message::*;
use ocpp::{Command, ErrorCode, Frame, IdTag, Malformed, Payload, Request};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

fn json(depth: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|it| Value::from(f64::from(it) / 8.0)),
        "[^\\x00]{0,8}".prop_map(Value::from),
        "(Accepted|Wh|kWh|SoC|L1|2026-11-22T01:30:05Z|12|12,5)".prop_map(Value::from),
    ];
    leaf.prop_recursive(depth, 32, 6, |inner| {
        let field = prop_oneof![
            "[a-zA-Z]{0,6}",
            "(status|idTag|connectorId|timestamp|value|unit|sampledValue|meterValue|meterStart|transactionId)",
        ];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            vec((field, inner), 0..6).prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

fn payload() -> impl Strategy<Value = Payload> {
    vec(("[a-zA-Z]{1,12}", json(3)), 0..5).prop_map(|it| it.into_iter().collect())
}

fn id() -> impl Strategy<Value = String> {
    "[^\\p{Cc}]{0,40}"
}

fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        (id(), "[^\\x00]{0,20}", payload()).prop_map(|(id, action, payload)| Frame::Call { id, action, payload }),
        (id(), payload()).prop_map(|(id, payload)| Frame::Result { id, payload }),
        (id(), "[^\\x00]{0,20}", "[^\\x00]{0,20}", payload()).prop_map(|(id, code, description, details)| {
            Frame::Error { id, code: ErrorCode::from(code.as_str()), description, details }
        }),
    ]
}

fn moment() -> impl Strategy<Value = Option<DateTime<Utc>>> {
    (0_i64..253_402_300_800).prop_map(|it| DateTime::from_timestamp(it, 0))
}

fn tag() -> impl Strategy<Value = IdTag> {
    "[!-~]{1,20}".prop_map(|it| IdTag::new(it).unwrap())
}

fn sampled_value() -> impl Strategy<Value = SampledValue> {
    (
        "[^\\x00]{0,12}",
        option::of("[A-Za-z.]{1,9}"),
        option::of("(Voltage|SoC|Power\\.Active\\.Import|X)"),
        option::of("k?Wh"),
    )
        .prop_map(|(value, context, measurand, unit)| SampledValue {
            value,
            context: context.as_deref().map(ReadingContext::from),
            measurand: measurand.as_deref().map(Measurand::from),
            unit: unit.as_deref().map(UnitOfMeasure::from),
            ..SampledValue::new("")
        })
}

fn meter_values() -> impl Strategy<Value = Vec<MeterValue>> {
    vec(
        (moment(), vec(sampled_value(), 0..4))
            .prop_map(|(timestamp, sampled_value)| MeterValue { timestamp, sampled_value }),
        0..4,
    )
}

fn start() -> impl Strategy<Value = StartTransaction> {
    (any::<i32>(), tag(), any::<i64>(), moment(), any::<Option<i32>>()).prop_map(
        |(connector_id, id_tag, meter_start, timestamp, reservation_id)| StartTransaction {
            connector_id,
            id_tag,
            meter_start,
            timestamp,
            reservation_id,
        },
    )
}

fn stop() -> impl Strategy<Value = StopTransaction> {
    (any::<i64>(), any::<i64>(), moment(), option::of(tag()), option::of("[A-Za-z]{0,9}"), meter_values()).prop_map(
        |(transaction_id, meter_stop, timestamp, id_tag, reason, transaction_data)| StopTransaction {
            transaction_id,
            meter_stop,
            timestamp,
            id_tag,
            reason: reason.as_deref().map(StopReason::from),
            transaction_data,
        },
    )
}

fn profile() -> impl Strategy<Value = ChargingProfile> {
    let periods = vec((0_i32..=i32::MAX, option::of(1..=3)), 1..6).prop_map(|limits| {
        let period = |(start, (tenths, number_phases))| ChargingSchedulePeriod {
            start_period: start,
            limit: Tenths(tenths),
            number_phases,
        };
        (0..).zip(limits).map(period).collect::<Vec<_>>()
    });
    let times = (moment(), option::of(0_i32..=i32::MAX), option::of((0_i32..=i32::MAX).prop_map(Tenths)));
    (any::<i32>(), 0_i32..=i32::MAX, periods, times).prop_map(|(id, stack_level, periods, (start, duration, least))| {
        ChargingProfile {
            charging_profile_id: id,
            transaction_id: None,
            stack_level,
            charging_profile_purpose: ChargingProfilePurpose::TxDefaultProfile,
            charging_profile_kind: ChargingProfileKind::Recurring,
            recurrency_kind: Some(Recurrency::Weekly),
            valid_from: start,
            valid_to: None,
            charging_schedule: ChargingSchedule {
                duration,
                start_schedule: start,
                charging_rate_unit: ChargingRateUnit::A,
                charging_schedule_period: periods,
                min_charging_rate: least,
            },
        }
    })
}

/// What the other side reads.
fn received(frame: &Frame) -> (String, Payload) {
    match Frame::parse(&frame.to_string()).unwrap() {
        Frame::Call { id: _, action, payload } => (action, payload),
        other => panic!("{other:?}"),
    }
}

fn read_by_all(action: &str, payload: &Payload) {
    let _ = Request::read(action, payload.clone());
    let _ = Command::read(action, payload.clone());
}

proptest! {
    #[test]
    fn any_text_is_survived(text in "\\PC*") {
        let _ = Frame::parse(&text);
    }

    #[test]
    fn any_bytes_are_survived(bytes in vec(any::<u8>(), 0..300)) {
        let _ = Frame::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_json_is_survived(value in json(6)) {
        let _ = Frame::parse(&value.to_string());
    }

    #[test]
    fn any_array_is_survived_and_answered_in_kind(
        kind in prop_oneof![json(0), (1_i64..6).prop_map(Value::from)], elements in vec(json(2), 0..6),
    ) {
        let array = Value::from_iter(std::iter::once(kind).chain(elements));
        if let Err(Malformed::Refused { why: _, answer }) = Frame::parse(&array.to_string()) {
            let answer: Value = serde_json::from_str(&answer).unwrap();
            prop_assert_eq!(&answer[0], &Value::from(4));
            prop_assert_eq!(answer.get(1), array.get(1));
        }
    }

    #[test]
    fn torn_frames_are_survived(frame in frame(), at in any::<prop::sample::Index>()) {
        let text = frame.to_string();
        let cut = text.char_indices().map(|(it, _)| it).collect::<Vec<_>>();
        let _ = Frame::parse(&text[..cut[at.index(cut.len())]]);
    }

    #[test]
    fn any_payload_is_survived_by_every_message(payload in payload(), fields in json(4)) {
        for action in Request::ACTIONS.iter().chain(Command::ACTIONS) {
            read_by_all(action, &payload);
            if let Value::Object(fields) = &fields {
                read_by_all(action, fields);
            }
        }
    }

    #[test]
    fn frames_come_back(frame in frame()) {
        prop_assert_eq!(Frame::parse(&frame.to_string()), Ok(frame));
    }

    #[test]
    fn starts_come_back(start in start()) {
        let (action, payload) = received(&Frame::call("1", &start).unwrap());
        prop_assert_eq!(Request::read(&action, payload), Ok(Request::StartTransaction(start)));
    }

    #[test]
    fn stops_come_back(stop in stop()) {
        let (action, payload) = received(&Frame::call("1", &stop).unwrap());
        for value in &stop.transaction_data {
            let _ = (value.energy_wh(), value.power_w(), value.current_ma(), value.voltage_mv(), value.soc_percent());
        }
        prop_assert_eq!(Request::read(&action, payload), Ok(Request::StopTransaction(stop)));
    }

    #[test]
    fn profiles_come_back(connector_id in 0..=i32::MAX, profile in profile()) {
        let set = SetChargingProfile { connector_id, cs_charging_profiles: profile };
        let (action, payload) = received(&Frame::call("1", &set).unwrap());
        prop_assert_eq!(Command::read(&action, payload), Ok(Command::SetChargingProfile(set)));
    }
}
