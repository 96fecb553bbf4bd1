//! Codes: closed sets of values with a stable text, a label in both languages and a colour.

use std::str::FromStr;

use serde_json::Value;

use crate::text::Text;

/// How loudly a value speaks: the colour of its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Something is going on.
    Primary,
    /// All is well.
    Success,
    /// Somebody may have to look.
    Warning,
    /// Something is wrong.
    Danger,
    /// Neither good nor bad.
    Info,
}

/// One value of a code, as a select shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The stable text: what JSON and the database hold.
    pub value: &'static str,
    /// What a person reads.
    pub label: Text,
    /// The colour of its tag.
    pub tone: Tone,
}

/// A closed set of values; made by `codes!`.
pub trait Code: Copy + FromStr + 'static {
    /// All values in the order in which people expect them.
    const CHOICES: &'static [Choice];
    /// The stable text.
    fn as_str(self) -> &'static str;
    /// What a person reads.
    fn label(self) -> Text;
    /// The colour of its tag.
    fn tone(self) -> Tone;
    /// The value that a part of an answer holds.
    fn of(value: &Value) -> Option<Self> {
        value.as_str()?.parse().ok()
    }
}

/// Declares codes: an enum with its stable text, tone and labels, one line a value.
macro_rules! codes {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident { $( $variant:ident = $text:literal, $tone:ident, $zh:literal, $en:literal; )+ }
    )+) => { $(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow), diesel(sql_type = diesel::sql_types::Text))]
        pub enum $name { $( #[doc = $en] #[serde(rename = $text)] $variant, )+ }

        impl $crate::codes::Code for $name {
            const CHOICES: &'static [$crate::codes::Choice] = &[ $( $crate::codes::Choice {
                value: $text,
                label: $crate::text::t($zh, $en),
                tone: $crate::codes::Tone::$tone,
            }, )+ ];
            fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text, )+ }
            }
            fn label(self) -> $crate::text::Text {
                match self { $( Self::$variant => $crate::text::t($zh, $en), )+ }
            }
            fn tone(self) -> $crate::codes::Tone {
                match self { $( Self::$variant => $crate::codes::Tone::$tone, )+ }
            }
        }

        // Derived, the schema would not see the texts: inside a macro utoipa reads the variants' names.
        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .enum_values(Some([ $( $text, )+ ]))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }
        }

        // Read as a string rather than as an enum, so that an error within a map tells the code that is its key.
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::codes::Code::as_str(*self))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::codes::UnknownCode;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let all = [ $( Self::$variant, )+ ];
                all.into_iter().find(|it| $crate::codes::Code::as_str(*it) == text)
                    .ok_or_else(|| $crate::codes::UnknownCode(text.to_owned()))
            }
        }

        #[cfg(feature = "diesel")]
        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>) -> diesel::serialize::Result {
                use std::io::Write;
                out.write_all($crate::codes::Code::as_str(*self).as_bytes())?;
                Ok(diesel::serialize::IsNull::No)
            }
        }

        #[cfg(feature = "diesel")]
        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(std::str::from_utf8(value.as_bytes())?.parse()?)
            }
        }
    )+ };
}
pub(crate) use codes;

/// A text that is not a value of the code it was read as.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownCode(pub String);

impl std::fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown code {:?}", self.0)
    }
}

impl std::error::Error for UnknownCode {}
