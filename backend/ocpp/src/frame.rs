//! The JSON arrays that travel over the socket: a call, its result, its error.

use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::call_error::{CallError, ErrorCode};
use crate::lenient;
use crate::limit::{self, Refused, Why};
use crate::message::{Message, MeterValues, StopTransaction};

/// No frame may be larger.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Only `StopTransaction` and `MeterValues`, whose samples pile up over a long charge, may be larger than this.
pub const MAX_ORDINARY_BYTES: usize = 128 * 1024;

/// The longest message id that 1.6 knows.
const MAX_ID: usize = 36;

const CALL: i64 = 2;
const RESULT: i64 = 3;
const ERROR: i64 = 4;

/// The fields of a message.
pub type Payload = Map<String, Value>;

/// One frame. `Display` writes it as the text that goes over the socket.
#[derive(Clone, Debug, PartialEq)]
pub enum Frame {
    /// A request, `[2, id, action, payload]`.
    Call {
        /// What the answer will repeat.
        id: String,
        /// The name of the message.
        action: String,
        /// The request's fields.
        payload: Payload,
    },
    /// The confirmation of a request, `[3, id, payload]`.
    Result {
        /// The id of the call that is answered.
        id: String,
        /// The confirmation's fields.
        payload: Payload,
    },
    /// The refusal of a request, `[4, id, code, description, details]`.
    Error {
        /// The id of the call that is answered.
        id: String,
        /// Why it is refused.
        code: ErrorCode,
        /// What is wrong, for people.
        description: String,
        /// Whatever the sender adds.
        details: Payload,
    },
}

/// A text that is no frame, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It is larger than its kind may be: close the connection with the WebSocket code 1009.
    TooLarge,
    /// Nobody can be answered: log it, and close the connection after some in a row.
    Unreadable(&'static str),
    /// It is a broken call: send the answer.
    Refused {
        /// What is wrong.
        why: &'static str,
        /// A CALLERROR that repeats the id just as it came, ready to be sent.
        answer: String,
    },
}

impl Frame {
    /// Reads one text message of the socket.
    ///
    /// The depth of the payload is bounded by serde_json's limit of 128 levels. A NUL character is taken out of every
    /// string, because no database stores it. A broken answer to a call of ours becomes an `Error`, so that the call
    /// ends at once.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() > MAX_BYTES {
            return Err(Malformed::TooLarge);
        }
        let Elements(elements) =
            serde_json::from_str(text).map_err(|_| Malformed::Unreadable("the text is not a JSON array"))?;
        let mut elements = elements.into_iter();
        let kind = elements.next().and_then(value).as_ref().and_then(lenient::integer);
        let id = elements.next();
        match kind {
            Some(CALL) => {
                let action = elements.next();
                read_call(text.len(), id, action, elements.next())
            }
            _ if text.len() > MAX_ORDINARY_BYTES => Err(Malformed::TooLarge),
            Some(RESULT) => Ok(read_result(answered(id)?, elements.next())),
            Some(ERROR) => {
                let (code, description) = (elements.next(), elements.next());
                Ok(read_error(answered(id)?, code, description, elements.next()))
            }
            Some(_) | None => Err(refuse(id, ErrorCode::ProtocolError, "the message type is not 2, 3 or 4")),
        }
    }

    /// A request as a frame, if it keeps to the specification. The id has 1 to 36 characters.
    pub fn call<M: Message>(id: impl Into<String>, request: &M) -> Result<Self, Refused> {
        let id = id.into();
        limit::text("messageId", &id, MAX_ID)?;
        request.check()?;
        match fields(request) {
            Some(payload) => Ok(Self::Call { id, action: M::ACTION.to_owned(), payload }),
            None => Err(Refused { field: "payload", why: Why::Against("a message is a JSON object") }),
        }
    }

    /// The confirmation of the call with this id.
    pub fn result(id: impl Into<String>, confirmation: &impl Serialize) -> Self {
        let id = id.into();
        match fields(confirmation) {
            Some(payload) => Self::Result { id, payload },
            None => Self::error(id, CallError::new(ErrorCode::InternalError, "the answer is not a JSON object")),
        }
    }

    /// The refusal of the call with this id.
    pub fn error(id: impl Into<String>, CallError { code, description }: CallError) -> Self {
        Self::Error { id: id.into(), code, description, details: Payload::new() }
    }

    /// The id that a call and its answer share.
    pub fn id(&self) -> &str {
        match self {
            Self::Call { id, action: _, payload: _ } => id,
            Self::Result { id, payload: _ } => id,
            Self::Error { id, code: _, description: _, details: _ } => id,
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Call { id, action, payload } => serde_json::to_string(&(CALL, id, action, payload)),
            Self::Result { id, payload } => serde_json::to_string(&(RESULT, id, payload)),
            Self::Error { id, code, description, details } => {
                serde_json::to_string(&(ERROR, id, code, description, details))
            }
        };
        f.write_str(&text.map_err(|_| fmt::Error)?)
    }
}

fn fields(message: &impl Serialize) -> Option<Payload> {
    match serde_json::to_value(message) {
        Ok(Value::Object(payload)) => Some(payload),
        Ok(_) | Err(_) => None,
    }
}

fn read_call(
    size: usize,
    id: Option<&RawValue>,
    action: Option<&RawValue>,
    payload: Option<&RawValue>,
) -> Result<Frame, Malformed> {
    use ErrorCode::{FormationViolation, ProtocolError};

    let action = action.and_then(text).map(|it| it.replace('\0', ""));
    let may_be_large = matches!(action.as_deref(), Some(StopTransaction::ACTION | MeterValues::ACTION));
    if size > MAX_ORDINARY_BYTES && !may_be_large {
        return Err(Malformed::TooLarge);
    }
    let Some(answered) = id.and_then(text).filter(|it| !it.contains(char::is_control)) else {
        return Err(refuse(id, ProtocolError, "the message id is not a plain string"));
    };
    let Some(action) = action else {
        return Err(refuse(id, ProtocolError, "the action is not a string"));
    };
    let Some(payload) = payload else {
        return Err(refuse(id, ProtocolError, "the payload is missing"));
    };
    match value(payload) {
        Some(Value::Object(payload)) => Ok(Frame::Call { id: answered, action, payload }),
        Some(Value::Null) => Ok(Frame::Call { id: answered, action, payload: Payload::new() }),
        Some(_) => Err(refuse(id, ProtocolError, "the payload is not an object")),
        None => Err(refuse(id, FormationViolation, "the payload is nested too deeply or holds an unreadable value")),
    }
}

/// The id in an answer to a call of ours. A number is taken for its text: it can only miss a call, not hit a wrong one.
fn answered(id: Option<&RawValue>) -> Result<String, Malformed> {
    match id.and_then(value) {
        Some(Value::String(id)) => Ok(id),
        Some(Value::Number(id)) => Ok(id.to_string()),
        Some(_) | None => Err(Malformed::Unreadable("an answer without an id")),
    }
}

fn read_result(id: String, payload: Option<&RawValue>) -> Frame {
    match payload.map(value) {
        Some(Some(Value::Object(payload))) => Frame::Result { id, payload },
        Some(Some(Value::Null)) | None => Frame::Result { id, payload: Payload::new() },
        Some(_) => Frame::error(
            id,
            CallError::new(ErrorCode::FormationViolation, "the answer's payload is not a sound object"),
        ),
    }
}

fn read_error(
    id: String,
    code: Option<&RawValue>,
    description: Option<&RawValue>,
    details: Option<&RawValue>,
) -> Frame {
    Frame::Error {
        id,
        code: code.and_then(text).map_or(ErrorCode::GenericError, |it| ErrorCode::from(it.as_str())),
        description: description.and_then(text).unwrap_or_default().replace('\0', ""),
        details: match details.and_then(value) {
            Some(Value::Object(details)) => details,
            Some(_) | None => Payload::new(),
        },
    }
}

/// Answers whoever sent this id, if it is one.
fn refuse(id: Option<&RawValue>, code: ErrorCode, why: &'static str) -> Malformed {
    let unanswerable = Malformed::Unreadable(why);
    let Some(id) = id.filter(|it| matches!(value(it), Some(Value::String(_) | Value::Number(_)))) else {
        return unanswerable;
    };
    match serde_json::to_string(&(ERROR, id, code, why, Payload::new())) {
        Ok(answer) => Malformed::Refused { why, answer },
        Err(_) => unanswerable,
    }
}

fn text(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

fn value(raw: &RawValue) -> Option<Value> {
    let value = serde_json::from_str(raw.get()).ok()?;
    Some(if raw.get().contains("\\u0000") { without_nul(value) } else { value })
}

fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(items) => items.into_iter().map(without_nul).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, it)| (name.replace('\0', ""), without_nul(it))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// The elements of the outer array, unread. A frame has five at most, so any others are skipped.
struct Elements<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::with_capacity(5);
                while elements.len() < 5 {
                    let Some(element) = array.next_element()? else {
                        return Ok(elements);
                    };
                    elements.push(element);
                }
                while array.next_element::<IgnoredAny>()?.is_some() {}
                Ok(elements)
            }
        }

        deserializer.deserialize_seq(Reader).map(Self)
    }
}
