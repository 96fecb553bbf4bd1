//! Reads JSON bodies and query strings, and says which field is wrong.

use actix_web::dev::Payload;
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::text::{Text, t};

use super::address::NUL;
use crate::error::{Error, Result};

/// The most JSON that a request may bring.
pub const LIMIT: usize = 256 << 10;
/// The most that somebody may bring who is not logged in.
pub const GUEST_LIMIT: usize = 64 << 10;
/// The largest file that a request may bring, with the form around it.
pub const FILE_LIMIT: usize = (8 << 20) + (64 << 10);

/// A JSON body.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Body<T> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, actix_web::Result<Self>>;
    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let bytes = Bytes::from_request(req, payload);
        Box::pin(async move {
            let bytes = bytes.await?;
            Ok(Self(read(&bytes)?))
        })
    }
}

/// Query parameters; empty ones count as absent.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Params<T> {
    type Error = Error;
    type Future = std::future::Ready<Result<Self>>;
    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(params(req.query_string()).map(Self))
    }
}

/// Reads JSON.
///
/// # Errors
/// 400 when it is not JSON, 422 with the field when it is not what was expected.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let value: Value = serde_json::from_slice(bytes).map_err(|err| Error::Unreadable(format!("not JSON: {err}")))?;
    if let Some(place) = nul(&value) {
        return Err(Error::field(place, "format", NUL));
    }
    serde_path_to_error::deserialize(value).map_err(|err| located(&err.path().to_string(), &err.inner().to_string()))
}

/// Where in a document a text holds U+0000, if one does: a name or a value, however deep.
pub fn nul(value: &Value) -> Option<String> {
    let within = |name: String, value: &Value| {
        let place = nul(value)?;
        Some(if place.is_empty() || place.starts_with('[') { name + &place } else { format!("{name}.{place}") })
    };
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => items.iter().enumerate().find_map(|(at, it)| within(format!("[{at}]"), it)),
        Value::Object(map) => map.iter().find_map(|(name, it)| {
            if name.contains('\0') { Some(name.replace('\0', "\u{fffd}")) } else { within(name.clone(), it) }
        }),
        _ => None,
    }
}

/// Reads a query string, or the body of a form.
///
/// # Errors
/// 422 with the parameter.
pub fn params<T: DeserializeOwned>(query: &str) -> Result<T> {
    let pairs =
        web::Query::<Vec<(String, String)>>::from_query(query).map_err(|err| Error::Unreadable(err.to_string()))?;
    let filled: Vec<_> = pairs.into_inner().into_iter().filter(|(_, value)| !value.is_empty()).collect();
    if let Some((name, _)) = filled.iter().find(|(_, value)| value.contains('\0')) {
        return Err(Error::field(name, "format", NUL));
    }
    let filled = serde_urlencoded::to_string(filled).map_err(|err| Error::Unreadable(err.to_string()))?;
    let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(filled.as_bytes()));
    serde_path_to_error::deserialize(deserializer)
        .map_err(|err| located(&err.path().to_string(), &err.inner().to_string()))
}

/// serde names a missing field in its message, not in its path.
fn located(path: &str, reason: &str) -> Error {
    const REQUIRED: Text = t("必填", "Required");
    const FORMAT: Text = t("格式不正确", "Not in the right form");
    match reason.strip_prefix("missing field `").and_then(|it| it.split('`').next()) {
        Some(name) if path == "." => Error::field(name, "required", REQUIRED),
        Some(name) => Error::field(format!("{path}.{name}"), "required", REQUIRED),
        None => Error::field(path, "format", FORMAT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct Form {
        #[expect(dead_code, reason = "only whether it can be read matters")]
        count: i64,
        size: Option<i64>,
    }

    fn field(result: Result<Form>) -> (String, &'static str) {
        match result.unwrap_err() {
            Error::Field(field, code, _) => (field, code),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn names_the_field() {
        assert_eq!(field(read(b"{}")), ("count".into(), "required"));
        assert_eq!(field(read(br#"{"count":"x"}"#)), ("count".into(), "format"));
        assert_eq!(field(params("count=x")), ("count".into(), "format"));
        assert_eq!(
            field(read(br#"{"count":1,"more":{"names":["a",{"b":"\u0000"}]}}"#)),
            ("more.names[1].b".into(), "format")
        );
        assert_eq!(field(read(br#"{"count":1,"x\u0000":2}"#)), ("x\u{fffd}".into(), "format"));
        for unreadable in [&b"{"[..], b""] {
            assert!(matches!(read::<Form>(unreadable).unwrap_err(), Error::Unreadable(_)));
        }
        assert_eq!(field(params("count=3&q=%00")), ("q".into(), "format"));
        assert_eq!(params::<Form>("count=3&size=").unwrap().size, None);
    }
}
