//! Decimal text into integers of its last place, digit by digit.

use std::fmt;

use serde::de;

use super::NumberError;

/// 10 to the given power.
pub(super) const fn power_of_ten(places: usize) -> i64 {
    let mut power = 1;
    let mut place = 0;
    while place < places {
        power *= 10;
        place += 1;
    }
    power
}

/// The digits of a decimal number on both sides of its point.
pub(super) struct Digits<'a> {
    whole: &'a str,
    fraction: &'a str,
}

/// Splits a number without a sign, `12` or `12.34`, at its point.
pub(super) fn scan(text: &str) -> Result<Digits<'_>, NumberError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) { Ok(Digits { whole, fraction }) } else { Err(NumberError::NotDecimal) }
}

/// Splits a number that must not have a sign, and says so when it has one.
pub(super) fn unsigned(text: &str) -> Result<Digits<'_>, NumberError> {
    match text.strip_prefix('-') {
        Some(digits) => scan(digits).and(Err(NumberError::Negative)),
        None => scan(text),
    }
}

impl Digits<'_> {
    /// The number as an integer of its last place; zeros beyond that place are no precision and so are let pass.
    pub(super) fn exactly(&self, places: usize) -> Result<i64, NumberError> {
        let fraction = self.fraction.trim_end_matches('0');
        if fraction.len() > places { Err(NumberError::TooPrecise(places)) } else { self.units(fraction, places) }
    }

    /// The number as an integer of its last place, what is finer rounded half up.
    pub(super) fn rounded(&self, places: usize) -> Result<i64, NumberError> {
        let (kept, finer) = self.fraction.split_at_checked(places).unwrap_or((self.fraction, ""));
        let up = i64::from(finer.bytes().next().is_some_and(|digit| digit >= b'5'));
        self.units(kept, places)?.checked_add(up).ok_or(NumberError::TooLarge)
    }

    fn units(&self, fraction: &str, places: usize) -> Result<i64, NumberError> {
        let zeros = std::iter::repeat_n(b'0', places.saturating_sub(fraction.len()));
        self.whole
            .bytes()
            .chain(fraction.bytes())
            .chain(zeros)
            .try_fold(0_i64, |units, digit| units.checked_mul(10)?.checked_add(i64::from(digit - b'0')))
            .ok_or(NumberError::TooLarge)
    }
}

/// Takes a string out of JSON and, when something else is there, says what it should look like.
pub(super) struct DecimalText(pub(super) &'static str);

impl de::Visitor<'_> for DecimalText {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a decimal number as a string, such as \"{}\"", self.0)
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}
