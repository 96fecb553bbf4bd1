//! Fixed-point numbers of money and energy: integers of the smallest unit inside, decimal text outside.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use decimal::{DecimalText, power_of_ten, scan, unsigned};

use crate::text::Lang;

mod decimal;
#[cfg(feature = "diesel")]
mod sql;

/// Why a text is not the number that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NumberError {
    /// It is not written as plain digits with at most one point between them.
    #[error("not a decimal number such as 12.34")]
    NotDecimal,
    /// It has a minus sign where only zero and more make sense.
    #[error("must not be negative")]
    Negative,
    /// It has more places than the type keeps, and they are not zeros.
    #[error("has more than {0} decimal places")]
    TooPrecise(usize),
    /// It is larger than the type, and the column behind it, can hold.
    #[error("is too large")]
    TooLarge,
}

impl NumberError {
    /// The error whose English sentence this is: serde passes errors on as sentences only.
    pub fn said(sentence: &str) -> Option<Self> {
        let places = [Fen::PLACES, Price::PLACES, Kwh::PLACES].map(Self::TooPrecise);
        let all = [Self::NotDecimal, Self::Negative, Self::TooLarge].into_iter().chain(places);
        all.into_iter().find(|it| it.to_string() == sentence)
    }

    /// What to do about it, for people.
    pub fn advice(self, lang: Lang) -> String {
        let text = match (self, lang) {
            (Self::NotDecimal, Lang::Zh) => "请填写数字，例如 12.34",
            (Self::NotDecimal, Lang::En) => "A decimal number such as 12.34",
            (Self::Negative, Lang::Zh) => "不能小于 0",
            (Self::Negative, Lang::En) => "Must not be negative",
            (Self::TooLarge, Lang::Zh) => "数字过大",
            (Self::TooLarge, Lang::En) => "Too large",
            (Self::TooPrecise(places), Lang::Zh) => return format!("最多 {places} 位小数"),
            (Self::TooPrecise(places), Lang::En) => return format!("At most {places} decimal places"),
        };
        text.to_owned()
    }
}

/// A sum left the range of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the number is out of range")]
pub struct Overflow;

/// An amount of money in fen; negative in ledger entries.
///
/// In JSON it is an integer of fen, as text for people it is yuan with two places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow), diesel(sql_type = diesel::sql_types::BigInt))]
#[serde(transparent)]
pub struct Fen(pub i64);

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// How many decimal places it shows as yuan.
    pub const PLACES: usize = 2;

    /// The amount in yuan with two places: `-12.05`.
    pub fn yuan(self) -> String {
        self.to_string()
    }

    /// The sum of two amounts.
    ///
    /// # Errors
    /// The sum is out of range.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// What is left of this amount when the other is taken away; negative if that is more.
    ///
    /// # Errors
    /// The difference is out of range.
    pub fn minus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_sub(other.0).map(Self).ok_or(Overflow)
    }

    /// The same amount with the other sign, as the opposite entry of a ledger transaction has it.
    ///
    /// # Errors
    /// The amount is the single one without a counterpart.
    pub fn negated(self) -> Result<Self, Overflow> {
        self.0.checked_neg().map(Self).ok_or(Overflow)
    }

    /// The sum of any number of amounts.
    ///
    /// # Errors
    /// The sum is out of range.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        amounts.into_iter().try_fold(Self::ZERO, Self::plus)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let fen = self.0.unsigned_abs();
        f.pad(&format!("{sign}{}.{:02}", fen / 100, fen % 100))
    }
}

/// Reads yuan with at most two places: `12.34`, `-5`.
impl FromStr for Fen {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let fen = scan(digits)?.exactly(2)?;
        Ok(Self(if negative { -fen } else { fen }))
    }
}

impl PartialSchema for Fen {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .description(Some("An amount of money in fen, 1/100 yuan."))
            .examples([1234])
            .into()
    }
}

impl ToSchema for Fen {}

/// A share of a whole in basis points, 1/10000: never negative, never more than the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow), diesel(sql_type = diesel::sql_types::Integer))]
#[serde(try_from = "i32", into = "i32")]
pub struct Bp(i32);

impl Bp {
    /// The whole.
    pub const WHOLE: Self = Self(10_000);

    /// How many ten-thousandths.
    pub const fn get(self) -> i32 {
        self.0
    }
}

/// A ratio that is not between nothing and the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0} is not between 0 and 10000 basis points")]
pub struct NotARatio(pub i32);

impl TryFrom<i32> for Bp {
    type Error = NotARatio;

    fn try_from(bp: i32) -> Result<Self, NotARatio> {
        if (0..=Self::WHOLE.0).contains(&bp) { Ok(Self(bp)) } else { Err(NotARatio(bp)) }
    }
}

impl From<Bp> for i32 {
    fn from(bp: Bp) -> Self {
        bp.0
    }
}

/// As percent, the way people write it: `15.00%`.
impl fmt::Display for Bp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}%", self.0 / 100, self.0 % 100))
    }
}

impl PartialSchema for Bp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
            .description(Some("A share in basis points, 1/10000."))
            .minimum(Some(0))
            .maximum(Some(10_000))
            .examples([1500])
            .into()
    }
}

impl ToSchema for Bp {}

/// Declares a non-negative decimal number of fixed places, kept as an integer of its last place.
macro_rules! fixed_point {
    (
        $(#[$meta:meta])*
        pub struct $name:ident { places: $places:literal, max: $max:literal, about: $about:literal, example: $example:literal }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow), diesel(sql_type = diesel::sql_types::Numeric))]
        pub struct $name(i64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);
            /// The largest value, which is also the largest that its database column holds.
            pub const MAX: Self = Self($max);
            /// How many decimal places it keeps and shows.
            pub const PLACES: usize = $places;

            /// Makes one from an integer of its last place.
            ///
            /// # Errors
            /// The integer is negative or above [`Self::MAX`].
            pub const fn from_units(units: i64) -> Result<Self, NumberError> {
                if units < 0 {
                    Err(NumberError::Negative)
                } else if units > Self::MAX.0 {
                    Err(NumberError::TooLarge)
                } else {
                    Ok(Self(units))
                }
            }

            /// The integer of its last place.
            pub const fn units(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                const ONE: i64 = power_of_ten($places);
                f.pad(&format!("{}.{:0places$}", self.0 / ONE, self.0 % ONE, places = $places))
            }
        }

        impl FromStr for $name {
            type Err = NumberError;

            fn from_str(text: &str) -> Result<Self, NumberError> {
                Self::from_units(unsigned(text)?.exactly($places)?)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(DecimalText($example))?.parse().map_err(de::Error::custom)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($about))
                    .pattern(Some(concat!("^[0-9]+(\\.[0-9]{1,", $places, "}0*)?$")))
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $name {}
    };
}

fixed_point! {
    /// A price in yuan per kWh, per hour or per whatever its field says, in steps of 1/100000 yuan.
    pub struct Price { places: 5, max: 9_999_999_999, about: "A price in yuan with at most 5 decimal places.", example: "0.65000" }
}

fixed_point! {
    /// An amount of energy in steps of 1/10000 kWh.
    pub struct Kwh { places: 4, max: 999_999_999_999, about: "Energy in kWh with at most 4 decimal places.", example: "12.3456" }
}

fixed_point! {
    /// A tax rate in steps of 1/10000: `0.1300` is 13 percent.
    pub struct TaxRate { places: 4, max: 99_999, about: "A tax rate as a fraction with at most 4 decimal places.", example: "0.1300" }
}

impl Price {
    /// Two prices together, such as energy and service.
    ///
    /// # Errors
    /// The sum is out of range.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).and_then(|units| Self::from_units(units).ok()).ok_or(Overflow)
    }
}

impl Kwh {
    /// Energy from whole watt-hours, as meters count them.
    ///
    /// # Errors
    /// The count is negative or too large.
    pub const fn from_wh(wh: i64) -> Result<Self, NumberError> {
        Self::from_units(wh.saturating_mul(10))
    }

    /// Reads a meter's decimal text in watt-hours, rounding half up what is finer than our last place.
    ///
    /// # Errors
    /// The text is no number, negative or too large.
    pub fn metered_wh(text: &str) -> Result<Self, NumberError> {
        Self::from_units(unsigned(text)?.rounded(1)?)
    }

    /// Reads a meter's decimal text in kilowatt-hours, rounding half up what is finer than our last place.
    ///
    /// # Errors
    /// The text is no number, negative or too large.
    pub fn metered_kwh(text: &str) -> Result<Self, NumberError> {
        Self::from_units(unsigned(text)?.rounded(Self::PLACES)?)
    }

    /// The sum of two amounts of energy.
    ///
    /// # Errors
    /// The sum is out of range.
    pub fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).and_then(|units| Self::from_units(units).ok()).ok_or(Overflow)
    }

    /// How much this reading has risen above an earlier one; nothing if it has fallen.
    pub fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0).max(0))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn shows_yuan_with_two_places() {
        let text: Vec<String> = [0, 5, 1234, -5, -1205, i64::MIN].map(|fen| Fen(fen).yuan()).into();
        assert_eq!(text, ["0.00", "0.05", "12.34", "-0.05", "-12.05", "-92233720368547758.08"]);
        assert_eq!(format!("{:>8}|{:<8}|", Fen(1234), Fen(5)), "   12.34|0.05    |");
    }

    #[test]
    fn reads_yuan() {
        assert_eq!("12.34".parse(), Ok(Fen(1234)));
        assert_eq!("-0.5".parse(), Ok(Fen(-50)));
        assert_eq!("7".parse(), Ok(Fen(700)));
        assert_eq!("1.2300".parse(), Ok(Fen(123)));
        assert_eq!("1.234".parse::<Fen>(), Err(NumberError::TooPrecise(2)));
        assert_eq!("--1".parse::<Fen>(), Err(NumberError::NotDecimal));
        assert_eq!("92233720368547758.08".parse::<Fen>(), Err(NumberError::TooLarge));
    }

    #[test]
    fn money_arithmetic_is_checked() {
        assert_eq!(Fen(3).plus(Fen(4)), Ok(Fen(7)));
        assert_eq!(Fen(3).minus(Fen(4)), Ok(Fen(-1)));
        assert_eq!(Fen(3).negated(), Ok(Fen(-3)));
        assert_eq!(Fen::sum([Fen(1), Fen(2), Fen(-5)]), Ok(Fen(-2)));
        assert_eq!(Fen(i64::MAX).plus(Fen(1)), Err(Overflow));
        assert_eq!(Fen(i64::MIN).minus(Fen(1)), Err(Overflow));
        assert_eq!(Fen(i64::MIN).negated(), Err(Overflow));
        assert_eq!(Fen::sum([Fen(i64::MAX), Fen(1)]), Err(Overflow));
    }

    #[test]
    fn reads_prices_leniently_and_shows_five_places() {
        for (text, units) in [("0.65", 65_000), ("0.65000", 65_000), ("1", 100_000), ("00.1", 10_000), ("0.00001", 1)] {
            assert_eq!(text.parse::<Price>().map(Price::units), Ok(units), "{text}");
        }
        assert_eq!("1.2500000".parse::<Price>().map(|it| it.to_string()), Ok("1.25000".to_owned()));
        assert_eq!(Price::MAX.to_string(), "99999.99999");
        assert_eq!(Kwh::MAX.to_string(), "99999999.9999");
        assert_eq!(TaxRate::MAX.to_string(), "9.9999");
    }

    #[test]
    fn refuses_what_is_no_price_with_the_reason() {
        for (text, reason) in [
            ("", NumberError::NotDecimal),
            (".5", NumberError::NotDecimal),
            ("5.", NumberError::NotDecimal),
            ("+5", NumberError::NotDecimal),
            ("1e3", NumberError::NotDecimal),
            (" 1", NumberError::NotDecimal),
            ("1,5", NumberError::NotDecimal),
            ("1.2.3", NumberError::NotDecimal),
            ("１", NumberError::NotDecimal),
            ("--1", NumberError::NotDecimal),
            ("-1", NumberError::Negative),
            ("0.000001", NumberError::TooPrecise(5)),
            ("100000", NumberError::TooLarge),
            ("99999999999999999999", NumberError::TooLarge),
        ] {
            assert_eq!(text.parse::<Price>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn units_are_bounded() {
        assert_eq!(Price::from_units(Price::MAX.units()), Ok(Price::MAX));
        assert_eq!(Price::from_units(Price::MAX.units() + 1), Err(NumberError::TooLarge));
        assert_eq!(Price::from_units(-1), Err(NumberError::Negative));
        assert_eq!(Price::from_units(0), Ok(Price::ZERO));
    }

    #[test]
    fn reads_meters() {
        let kwh = |text: &str| text.parse::<Kwh>().unwrap();
        assert_eq!(Kwh::from_wh(12_345), Ok(kwh("12.345")));
        assert_eq!(Kwh::from_wh(-1), Err(NumberError::Negative));
        assert_eq!(Kwh::from_wh(i64::MAX), Err(NumberError::TooLarge));
        assert_eq!(Kwh::from_wh(i64::MIN), Err(NumberError::Negative));
        assert_eq!(Kwh::metered_wh("1234.5"), Ok(kwh("1.2345")));
        assert_eq!(Kwh::metered_wh("1234.55"), Ok(kwh("1.2346")));
        assert_eq!(Kwh::metered_wh("1234.549"), Ok(kwh("1.2345")));
        assert_eq!(Kwh::metered_wh("1234"), Ok(kwh("1.234")));
        assert_eq!(Kwh::metered_kwh("1.23456"), Ok(kwh("1.2346")));
        assert_eq!(Kwh::metered_kwh("1.2"), Ok(kwh("1.2")));
        assert_eq!(Kwh::metered_wh("-3"), Err(NumberError::Negative));
        assert_eq!(Kwh::metered_kwh("abc"), Err(NumberError::NotDecimal));
        assert_eq!(Kwh::metered_kwh("99999999.99999"), Err(NumberError::TooLarge));
    }

    #[test]
    fn energy_arithmetic_stays_in_range() {
        let kwh = |text: &str| text.parse::<Kwh>().unwrap();
        assert_eq!(kwh("1.5").plus(kwh("0.0001")), Ok(kwh("1.5001")));
        assert_eq!(Kwh::MAX.plus(kwh("0.0001")), Err(Overflow));
        assert_eq!(kwh("3").since(kwh("1.5")), kwh("1.5"));
        assert_eq!(kwh("1").since(kwh("1.5")), Kwh::ZERO);
    }

    #[test]
    fn ratios_stay_within_the_whole() {
        assert_eq!(Bp::try_from(1500).map(Bp::get), Ok(1500));
        assert_eq!(Bp::try_from(10_000), Ok(Bp::WHOLE));
        assert_eq!(Bp::try_from(10_001), Err(NotARatio(10_001)));
        assert_eq!(Bp::try_from(-1), Err(NotARatio(-1)));
        assert_eq!(Bp(333).to_string(), "3.33%");
        assert!(serde_json::from_value::<Bp>(json!(10_001)).is_err());
        assert_eq!(serde_json::to_value(Bp(1500)).unwrap(), json!(1500));
    }

    #[test]
    fn json_holds_integers_of_fen_and_decimal_strings() {
        let numbers: (Fen, Price, Kwh, TaxRate) = serde_json::from_value(json!([12, "0.65", "3", "0.13"])).unwrap();
        assert_eq!(serde_json::to_value(numbers).unwrap(), json!([12, "0.65000", "3.0000", "0.1300"]));
        let refused = serde_json::from_value::<Price>(json!(0.65)).unwrap_err().to_string();
        assert!(refused.contains("expected a decimal number as a string, such as \"0.65000\""), "{refused}");
        let refused = serde_json::from_value::<Kwh>(json!("0.00001")).unwrap_err().to_string();
        assert_eq!(refused, "has more than 4 decimal places");
        assert!(serde_json::from_value::<Fen>(json!(1.5)).is_err());
    }

    #[test]
    fn schemas_say_what_the_wire_holds() {
        let schema = |it: RefOr<Schema>| serde_json::to_value(it).unwrap();
        assert_eq!(schema(Fen::schema())["type"], "integer");
        assert_eq!(schema(Fen::schema())["format"], "int64");
        assert_eq!(schema(Bp::schema())["maximum"], 10_000);
        assert_eq!(schema(Price::schema())["type"], "string");
        assert_eq!(schema(Price::schema())["pattern"], "^[0-9]+(\\.[0-9]{1,5}0*)?$");
        assert_eq!(schema(Kwh::schema())["examples"], json!(["12.3456"]));
    }
}
