//! Frames, and the texts that are none.

use ocpp::{CallError, ErrorCode, Frame, MAX_BYTES, MAX_ORDINARY_BYTES, Malformed, Payload, Request};
use serde_json::{Value, json};

fn payload(value: Value) -> Payload {
    value.as_object().unwrap().clone()
}

fn call(id: &str, action: &str, fields: Value) -> Frame {
    Frame::Call { id: id.into(), action: action.into(), payload: payload(fields) }
}

fn result(id: &str, fields: Value) -> Frame {
    Frame::Result { id: id.into(), payload: payload(fields) }
}

fn error(id: &str, code: ErrorCode, description: &str) -> Frame {
    Frame::Error { id: id.into(), code, description: description.into(), details: Payload::new() }
}

#[test]
fn frames_are_read() {
    let cases = [
        (r#"[2,"1","Heartbeat",{}]"#, call("1", "Heartbeat", json!({}))),
        (r#"[2,"1","Heartbeat",null]"#, call("1", "Heartbeat", json!({}))),
        (r#"[2,"1","Heartbeat",{"a":null,"b":[1]}]"#, call("1", "Heartbeat", json!({"a": null, "b": [1]}))),
        (r#"[2,"1","Heartbeat",{},"more",[],{}]"#, call("1", "Heartbeat", json!({}))),
        (" [ 2.0 , \"1\" , \"Heartbeat\" , { } ] \r\n", call("1", "Heartbeat", json!({}))),
        (r#"["2","1","Heartbeat",{}]"#, call("1", "Heartbeat", json!({}))),
        (r#"[2,"","Nonsense",{}]"#, call("", "Nonsense", json!({}))),
        (r#"[2,"桩","Heartbeat",{"k":"值"}]"#, call("桩", "Heartbeat", json!({"k": "值"}))),
        (r#"[2,"1","Heart\u0000beat",{"k\u0000":["a\u0000b"]}]"#, call("1", "Heartbeat", json!({"k": ["ab"]}))),
        (r#"[3,"1",{"status":"Accepted"}]"#, result("1", json!({"status": "Accepted"}))),
        (r#"[3,"1",null]"#, result("1", json!({}))),
        (r#"[3,"1"]"#, result("1", json!({}))),
        (r#"[3,7,{}]"#, result("7", json!({}))),
        (r#"[4,"1","InternalError","down",{}]"#, error("1", ErrorCode::InternalError, "down")),
        (r#"[4,"1","FormatViolation",""]"#, error("1", ErrorCode::FormationViolation, "")),
        (r#"[4,"1","OccurrenceConstraintViolation"]"#, error("1", ErrorCode::OccurenceConstraintViolation, "")),
        (r#"[4,"1","MessageTypeNotSupported","",{}]"#, error("1", ErrorCode::ProtocolError, "")),
        (r#"[4,"1","RpcFrameworkError","",{}]"#, error("1", ErrorCode::ProtocolError, "")),
        (r#"[4,"1","TooHot",null,null]"#, error("1", ErrorCode::Other("TooHot".into()), "")),
        (r#"[4,"1"]"#, error("1", ErrorCode::GenericError, "")),
        (
            r#"[4,"1","GenericError","no",{"why":1}]"#,
            Frame::Error {
                id: "1".into(),
                code: ErrorCode::GenericError,
                description: "no".into(),
                details: payload(json!({"why": 1})),
            },
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(Frame::parse(text), Ok(expected), "{text}");
    }
}

#[test]
fn a_broken_answer_ends_the_call_that_waits_for_it() {
    for text in [r#"[3,"1","text"]"#.to_owned(), r#"[3,"1",[]]"#.to_owned(), format!(r#"[3,"1",{}]"#, nested(500))] {
        match Frame::parse(&text).unwrap() {
            Frame::Error { id, code, description: _, details: _ } => {
                assert_eq!((id.as_str(), code), ("1", ErrorCode::FormationViolation));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn nobody_answers_what_nobody_can_read() {
    let texts = [
        "",
        " ",
        "}{not json at all!!",
        "null",
        "2",
        "\"text\"",
        "{}",
        "[]",
        "[2]",
        "[3]",
        "[4]",
        "[99]",
        "[[]]",
        r#"{"2":"1"}"#,
        r#"[2,null,"Heartbeat",{}]"#,
        r#"[2,{},"Heartbeat",{}]"#,
        r#"[2,["1"],"Heartbeat",{}]"#,
        r#"[3,null,{}]"#,
        r#"[4,true,"InternalError"]"#,
        r#"[2,"1","Heartbeat",{}"#,
        r#"[2,"1","Heartbeat",{}]x"#,
        r#"[2,"1","Heartbeat",{}][2,"2","Heartbeat",{}]"#,
        "[2,\"1\",\"Heart\0beat\",{}]",
        "\0",
        "[2,1e999]",
        r#"[2,"\ud800","Heartbeat",{}]"#,
    ];
    for text in texts {
        assert!(matches!(Frame::parse(text), Err(Malformed::Unreadable(_))), "{text:?}: {:?}", Frame::parse(text));
    }
    for text in ["[".repeat(100_000), format!("[{}]", "[],".repeat(10_000)), "[2,".repeat(1000)] {
        assert!(matches!(Frame::parse(&text), Err(Malformed::Unreadable(_))));
    }
}

#[test]
fn broken_calls_are_answered_with_their_id_as_it_came() {
    use ErrorCode::{FormationViolation, ProtocolError};

    let deep = format!(r#"[2,"a","Heartbeat",{}]"#, nested(500));
    let cases = [
        (r#"[2,12345,"Heartbeat",{}]"#, json!(12345), ProtocolError),
        (r#"[2,1.5,"Heartbeat",{}]"#, json!(1.5), ProtocolError),
        (r#"[2,"a\nb","Heartbeat",{}]"#, json!("a\nb"), ProtocolError),
        (r#"[2,"a\u0000b","Heartbeat",{}]"#, json!("a\0b"), ProtocolError),
        (r#"[2,"a"]"#, json!("a"), ProtocolError),
        (r#"[2,"a","Heartbeat"]"#, json!("a"), ProtocolError),
        (r#"[2,"a",5,{}]"#, json!("a"), ProtocolError),
        (r#"[2,"a",null,{}]"#, json!("a"), ProtocolError),
        (r#"[2,"a","Heartbeat","NotAnObject"]"#, json!("a"), ProtocolError),
        (r#"[2,"a","Heartbeat",[]]"#, json!("a"), ProtocolError),
        (r#"[2,"a","Heartbeat",0]"#, json!("a"), ProtocolError),
        (r#"[2,"a","Heartbeat",{"n":1e999}]"#, json!("a"), FormationViolation),
        (r#"[2,"a","Heartbeat",{"s":"\ud800"}]"#, json!("a"), FormationViolation),
        (deep.as_str(), json!("a"), FormationViolation),
        (r#"[99,"a","Foo",{}]"#, json!("a"), ProtocolError),
        (r#"[5,"a",{}]"#, json!("a"), ProtocolError),
        (r#"[-2,"a",{}]"#, json!("a"), ProtocolError),
        (r#"[null,"a",{}]"#, json!("a"), ProtocolError),
        (r#"["CALL","a",{}]"#, json!("a"), ProtocolError),
        (r#"[2.5,"a"]"#, json!("a"), ProtocolError),
    ];
    for (text, id, code) in cases {
        let Err(Malformed::Refused { why, answer }) = Frame::parse(text) else {
            panic!("{text}: {:?}", Frame::parse(text));
        };
        let expected = json!([4, id, code.as_str(), why, {}]);
        assert_eq!(serde_json::from_str::<Value>(&answer).unwrap(), expected, "{text}");
    }
    let Err(Malformed::Refused { answer, .. }) = Frame::parse(r#"[2,1234567890123456789012345,"Heartbeat",{}]"#) else {
        panic!();
    };
    assert!(answer.starts_with("[4,1234567890123456789012345,"), "{answer}");
}

#[test]
fn only_samples_may_make_a_frame_large() {
    let large = |action: &str, size: usize| {
        let text = format!(r#"[2,"a","{action}",{{"data":""}}]"#);
        text.replace(r#""""#, &format!(r#""{}""#, "x".repeat(size - text.len())))
    };
    assert!(Frame::parse(&large("DataTransfer", MAX_ORDINARY_BYTES)).is_ok());
    assert_eq!(Frame::parse(&large("DataTransfer", MAX_ORDINARY_BYTES + 1)), Err(Malformed::TooLarge));
    for action in ["StopTransaction", "MeterValues"] {
        assert!(Frame::parse(&large(action, MAX_BYTES)).is_ok());
        assert_eq!(Frame::parse(&large(action, MAX_BYTES + 1)), Err(Malformed::TooLarge));
    }
    let answer = format!(r#"[3,"a",{{"data":"{}"}}]"#, "x".repeat(MAX_ORDINARY_BYTES));
    assert_eq!(Frame::parse(&answer), Err(Malformed::TooLarge));
    let array = format!(r#"[2,"a","Heartbeat",{{"data":[{}""]}}]"#, r#""","#.repeat(100_000));
    assert_eq!(Frame::parse(&array), Err(Malformed::TooLarge));
}

#[test]
fn frames_are_written_in_the_words_of_1_6() {
    let cases = [
        (call("1", "Heartbeat", json!({})), r#"[2,"1","Heartbeat",{}]"#),
        (result("1", json!({"status": "Accepted"})), r#"[3,"1",{"status":"Accepted"}]"#),
        (
            Frame::error("1", CallError::new(ErrorCode::OccurenceConstraintViolation, "idTag: required")),
            r#"[4,"1","OccurenceConstraintViolation","idTag: required",{}]"#,
        ),
        (error("1", ErrorCode::from("FormatViolation"), ""), r#"[4,"1","FormationViolation","",{}]"#),
    ];
    for (frame, text) in cases {
        assert_eq!(frame.to_string(), text);
        assert_eq!(Frame::parse(text), Ok(frame.clone()));
        assert_eq!(frame.id(), "1");
    }
    assert_eq!(CallError::new(ErrorCode::GenericError, "长".repeat(300)).description, "长".repeat(255));
}

#[test]
fn unknown_actions_are_not_implemented() {
    let code = |action: &str| Request::read(action, Payload::new()).unwrap_err().code;
    assert_eq!(code("ThisActionDoesNotExist"), ErrorCode::NotImplemented);
    assert_eq!(code(""), ErrorCode::NotImplemented);
    assert_eq!(code("heartbeat"), ErrorCode::NotImplemented);
    assert_eq!(code("Reset"), ErrorCode::NotSupported);
}

/// `{"a":{"a":…{}…}}` with this many levels.
fn nested(levels: usize) -> String {
    format!("{}{{}}{}", r#"{"a":"#.repeat(levels), "}".repeat(levels))
}
