//! Reads the server's answers into our types, with little code for each type.
//!
//! What serde_json does at once costs ten kilobytes for a row of thirty columns: the parser, and the matching of names,
//! are compiled anew for every type. Here an answer is parsed into a `Value` first, by one parser. Then a struct is handed
//! its fields in the order in which it declares them, so that what serde derives for it need not look at names.

use std::cell::RefCell;
use std::fmt::{self, Display};

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde_json::{Map, Number, Value};

/// Reads an answer; what does not fit is told in words.
///
/// # Errors
/// Why it does not fit.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    part(&parse(text)?)
}

/// Parses an answer.
///
/// # Errors
/// Why it is no JSON.
pub fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|err| err.to_string())
}

/// Reads a part of an answer.
///
/// # Errors
/// Why it does not fit.
pub fn part<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    REASON.take();
    T::deserialize(Reader::Value(value)).map_err(|_: Wrong| REASON.take())
}

thread_local! {
    /// What did not fit, behind the names that lead to it.
    static REASON: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Something does not fit. The reason is kept aside, for an error without a size costs those who pass it on no code.
#[derive(Debug)]
struct Wrong;

impl Wrong {
    fn because(reason: String) -> Self {
        REASON.set(reason);
        Self
    }

    fn at(self, name: &str) -> Self {
        REASON.with_borrow_mut(|it| it.insert_str(0, &format!("{name}: ")));
        self
    }
}

impl Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        REASON.with_borrow(|it| f.write_str(it))
    }
}

impl std::error::Error for Wrong {}

impl Error for Wrong {
    fn custom<T: Display>(message: T) -> Self {
        Self::because(message.to_string())
    }

    // What was found instead is left out: it could be a fraction, and the code that writes fractions is large.
    fn invalid_type(_: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::because(format!("not {wanted}"))
    }

    // Of a struct it is the first field that is missing, and that has been said.
    fn invalid_length(_: usize, wanted: &dyn Expected) -> Self {
        if REASON.with_borrow(String::is_empty) { Self::because(format!("not {wanted}")) } else { Self }
    }

    fn invalid_value(_: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::because(format!("not {wanted}"))
    }
}

/// One thing to be read.
#[derive(Clone, Copy)]
enum Reader<'a> {
    /// A field that the answer does not have.
    Missing,
    /// A name in an object.
    Name(&'a str),
    /// Anything else.
    Value(&'a Value),
}

impl<'a> Reader<'a> {
    fn text(self) -> Result<&'a str, Wrong> {
        match self {
            Self::Name(text) => Ok(text),
            Self::Value(Value::String(text)) => Ok(text),
            _ => Err(self.not("text")),
        }
    }

    fn whole(self) -> Result<i64, Wrong> {
        match self {
            Self::Value(value) => value.as_i64().ok_or_else(|| self.not("a whole number")),
            _ => Err(self.not("a whole number")),
        }
    }

    fn object(self) -> Result<&'a Map<String, Value>, Wrong> {
        match self {
            Self::Value(Value::Object(object)) => Ok(object),
            _ => Err(self.not("an object")),
        }
    }

    fn items(self) -> Result<Items<'a>, Wrong> {
        match self {
            Self::Value(Value::Array(items)) => Ok(Items(items.iter())),
            _ => Err(self.not("a list")),
        }
    }

    fn not(self, wanted: &str) -> Wrong {
        match self {
            Self::Missing => Wrong::because("missing".to_owned()),
            Self::Name(name) => Wrong::because(format!("{name:?} is not {wanted}")),
            Self::Value(value) => Wrong::because(format!("{value} is not {wanted}")),
        }
    }
}

/// Numbers are kept as they came (`arbitrary_precision`); the browser reads those that are not whole, which saves the
/// tables that it takes.
#[cfg(target_arch = "wasm32")]
fn float(number: &Number) -> f64 {
    js_sys::Number::parse_float(&number.to_string())
}

#[cfg(not(target_arch = "wasm32"))]
fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

/// Numbers that are whole are all handed over alike; serde checks that they are not too large.
macro_rules! whole {
    ($($method:ident)*) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.visit_i64(self.whole()?)
        }
    )* };
}

impl<'de> Deserializer<'de> for Reader<'_> {
    type Error = Wrong;

    whole!(deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64);
    whole!(deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Self::Missing => Err(self.not("")),
            Self::Name(text) => visitor.visit_str(text),
            Self::Value(Value::Null) => visitor.visit_unit(),
            Self::Value(Value::Bool(on)) => visitor.visit_bool(*on),
            Self::Value(Value::String(text)) => visitor.visit_str(text),
            Self::Value(Value::Array(items)) => visitor.visit_seq(Items(items.iter())),
            Self::Value(Value::Object(object)) => visitor.visit_map(Pairs { rest: object.iter(), value: &Value::Null }),
            Self::Value(Value::Number(number)) => match number.as_i64() {
                Some(whole) => visitor.visit_i64(whole),
                None => visitor.visit_f64(float(number)),
            },
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Self::Value(Value::Bool(on)) => visitor.visit_bool(*on),
            _ => Err(self.not("true or false")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Self::Value(Value::Number(number)) => visitor.visit_f64(float(number)),
            _ => Err(self.not("a number")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self {
            Self::Missing | Self::Value(Value::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_map(Pairs { rest: self.object()?.iter(), value: &Value::Null })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_seq(Fields { object: self.object()?, names: names.iter() })
    }

    /// Only the kind that is a word: what has more to say is read out of the `Value` by those who need it.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let word: StrDeserializer<'_, Wrong> = self.text()?.into_deserializer();
        visitor.visit_enum(word)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        visitor.visit_unit()
    }
}

/// The items of a list.
struct Items<'a>(std::slice::Iter<'a, Value>);

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        self.0.next().map(|it| seed.deserialize(Reader::Value(it))).transpose()
    }
}

/// The fields of a struct, in its own order.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    names: std::slice::Iter<'static, &'static str>,
}

impl<'de> SeqAccess<'de> for Fields<'_> {
    type Error = Wrong;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        let Some(name) = self.names.next() else { return Ok(None) };
        let value = self.object.get(*name);
        match seed.deserialize(value.map_or(Reader::Missing, Reader::Value)) {
            Ok(it) => Ok(Some(it)),
            Err(wrong) => {
                let wrong = wrong.at(name);
                // What is missing may have a default, which serde knows.
                if value.is_none() { Ok(None) } else { Err(wrong) }
            }
        }
    }
}

/// The names and values of a map.
struct Pairs<'a> {
    rest: serde_json::map::Iter<'a>,
    value: &'a Value,
}

impl<'de> MapAccess<'de> for Pairs<'_> {
    type Error = Wrong;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Wrong> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = value;
        seed.deserialize(Reader::Name(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Wrong> {
        seed.deserialize(Reader::Value(self.value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;
    use shared::pricing::{Period, Tariff};
    use shared::user::{Me, UserKind};
    use uuid::Uuid;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Sample {
        id: Uuid,
        #[serde(rename = "type")]
        kind: UserKind,
        at: Option<chrono::DateTime<chrono::Utc>>,
        note: Option<String>,
        #[serde(default)]
        count: u32,
        share: f64,
        pairs: BTreeMap<Period, (i64, bool)>,
        inner: Vec<Inner>,
        rest: Value,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        name: String,
        tag: Option<Word>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Word {
        SoSo,
    }

    fn sample() -> Value {
        json!({
            "rest": {"a": [1, 2.5, null, "x"]},
            "unknown": 1,
            "type": "provider",
            "id": "01997b6c-57f8-7000-8000-000000000000",
            "at": "2026-11-22T01:30:05.25Z",
            "share": 3,
            "pairs": {"peak": [7, true], "valley": [-1, false]},
            "inner": [{"name": "滨江", "tag": "so_so"}, {"name": ""}],
        })
    }

    #[test]
    fn reads_what_serde_json_reads() {
        let value = sample();
        let sample: Sample = part(&value).unwrap();
        assert_eq!(sample, serde_json::from_value(value.clone()).unwrap());
        assert_eq!((sample.count, &sample.note, sample.share), (0, &None, 3.0));
        assert_eq!(sample.rest, value["rest"]);
    }

    #[test]
    fn tells_where_it_does_not_fit() {
        let wrong = |change: fn(&mut Value)| {
            let mut value = sample();
            change(&mut value);
            part::<Sample>(&value).unwrap_err()
        };
        assert_eq!(wrong(|it| it["inner"][1]["name"] = json!(5)), "inner: name: 5 is not text");
        assert_eq!(wrong(|it| it["count"] = json!(1.5)), "count: 1.5 is not a whole number");
        assert_eq!(wrong(|it| it["pairs"] = json!({"noon": [1, true]})), "pairs: unknown code \"noon\"");
        assert!(wrong(|it| it["count"] = json!(-1)).starts_with("count: not u32"));
        assert_eq!(wrong(|it| drop(it["inner"][0].as_object_mut().unwrap().remove("name"))), "inner: name: missing");
        assert!(wrong(|it| it["id"] = json!("none")).starts_with("id: "));
        assert_eq!(part::<Sample>(&json!([])).unwrap_err(), "[] is not an object");
        assert!(read::<Me>("{").is_err());
    }

    #[test]
    fn reads_tariffs() {
        let text = r#"{"mode":"time_of_use","free":false,
            "prices":{"peak":{"elec":"0.8","service":"0.4"},"flat":{"elec":"0.5","service":"0.4"}},
            "slots":[{"from":"00:00","to":"08:00","period":"flat"},{"from":"08:00","to":"24:00","period":"peak"}]}"#;
        let tariff: Tariff = read(text).unwrap();
        assert_eq!(tariff, serde_json::from_str(text).unwrap());
    }
}
