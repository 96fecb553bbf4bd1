//! Reads a payload the way chargers write them: one rule for all messages, so that their types stay plain.
//!
//! `null` is an absent field, unknown fields are ignored, `12.0` and `"12"` are the integer 12, `"true"` is a boolean.
//! What still cannot be read is told by the code that OCPP wants for it.

use serde::de::value::StringDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Map, Value};

use crate::call_error::{CallError, Mistake};
use crate::decimal::Decimal;
use crate::frame::Payload;

/// Reads the payload of a request or of a confirmation.
pub fn read<T: DeserializeOwned>(payload: Payload) -> Result<T, CallError> {
    Ok(T::deserialize(Lenient(Value::Object(payload)))?)
}

/// The integer that a JSON value is numerically equal to.
pub(crate) fn integer(value: &Value) -> Option<i64> {
    number(value).filter(|it| it.is_integer())?.scaled(0)
}

fn number(value: &Value) -> Option<Decimal> {
    match value {
        Value::Number(number) => Decimal::parse(&number.to_string()),
        Value::String(text) => Decimal::parse(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// For an optional field of a message that must not be refused: what cannot be read is absent.
pub(crate) fn if_readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    Ok(T::deserialize(Lenient(Value::deserialize(from)?)).ok())
}

/// For a required list whose elements are independent of each other: the ones that can be read.
pub(crate) fn readable_items<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(readable(Vec::deserialize(from)?))
}

/// For an optional list in a message that must not be refused: like [`readable_items`], and empty if it is no list.
pub(crate) fn items_if_readable<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<T>, D::Error> {
    match Value::deserialize(from)? {
        Value::Array(items) => Ok(readable(items)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => Ok(Vec::new()),
    }
}

fn readable<T: DeserializeOwned>(items: Vec<Value>) -> Vec<T> {
    items.into_iter().filter_map(|it| T::deserialize(Lenient(it)).ok()).collect()
}

/// For a text that some chargers write as a number; its digits come through as they were sent, up to 15 of them.
pub(crate) fn scalar<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(text),
        value @ (Value::Number(_) | Value::Bool(_)) => Ok(value.to_string()),
        value @ (Value::Null | Value::Array(_) | Value::Object(_)) => {
            Err(D::Error::invalid_type(kind(&value), &"a string"))
        }
    }
}

/// Like [`scalar`], for an optional field.
pub(crate) fn optional_scalar<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Scalar(#[serde(deserialize_with = "scalar")] String);
    Ok(Option::<Scalar>::deserialize(from)?.map(|Scalar(text)| text))
}

/// For a free field that should be text but often carries a whole object: its text, or its JSON.
pub(crate) fn any_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        value @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Some(value.to_string()),
    })
}

/// For a meter reading in whole units: a fraction is rounded half away from zero, because refusing it would lose a bill.
pub(crate) fn reading<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(from)?;
    let Some(number) = number(&value) else {
        return Err(D::Error::invalid_type(kind(&value), &"an integer"));
    };
    number.scaled(0).ok_or_else(|| D::Error::custom("out of range"))
}

/// A JSON value whose reader forgives.
struct Lenient(Value);

impl<'de> Deserializer<'de> for Lenient {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(it) => visitor.visit_bool(it),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(it), _, _) => visitor.visit_u64(it),
                (None, Some(it), _) => visitor.visit_i64(it),
                (None, None, Some(it)) => visitor.visit_f64(it),
                (None, None, None) => Err(Mistake::custom("out of range")),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Items { items: items.into_iter(), next: 0 }),
            Value::Object(fields) => visitor.visit_map(Fields { fields: fields.into_iter(), current: None }),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match number(&self.0) {
            Some(number) if number.is_integer() => match number.scaled(0) {
                Some(number) => visitor.visit_i64(number),
                None => Err(Mistake::custom("out of range")),
            },
            Some(_) | None => Err(Mistake::invalid_type(kind(&self.0), &"an integer")),
        }
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let truth = match &self.0 {
            Value::Bool(it) => Some(*it),
            Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
            Value::Number(number) => match number.as_i64() {
                Some(0) => Some(false),
                Some(1) => Some(true),
                Some(_) | None => None,
            },
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        };
        match truth {
            Some(it) => visitor.visit_bool(it),
            None => Err(Mistake::invalid_type(kind(&self.0), &"a boolean")),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        // Derived code would take an array for a struct, field by field.
        match self.0 {
            Value::Object(_) => self.deserialize_any(visitor),
            other => Err(Mistake::invalid_type(kind(&other), &"an object")),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map
        enum identifier ignored_any
    }
}

fn kind(value: &Value) -> Unexpected<'static> {
    Unexpected::Other(match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    })
}

struct Items {
    items: std::vec::IntoIter<Value>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mistake> {
        let Some(item) = self.items.next() else {
            return Ok(None);
        };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Lenient(item)).map(Some).map_err(|it| it.under(&format!("[{index}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Fields {
    fields: <Map<String, Value> as IntoIterator>::IntoIter,
    current: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        self.current = self.fields.find(|(_, value)| !value.is_null());
        match &self.current {
            Some((name, _)) => seed.deserialize(StringDeserializer::new(name.clone())).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        match self.current.take() {
            Some((name, value)) => seed.deserialize(Lenient(value)).map_err(|it| it.under(&name)),
            None => Err(Mistake::custom("a value was asked for before its name")),
        }
    }
}
