//! What may be sent: the limits of the specification, checked before a message becomes a frame.

use std::fmt;
use std::ops::RangeInclusive;

use chrono::{DateTime, Datelike, Utc};

use crate::IdTag;

/// A message was not sent, because this field of it would break the specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The field's name on the wire.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It must not be empty.
    Empty,
    /// It has more characters than this.
    TooLong(usize),
    /// It lies outside these bounds.
    OutOfRange(i32, i32),
    /// It contradicts a rule, which this sentence states.
    Against(&'static str),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field;
        match self.why {
            Why::Empty => write!(f, "{field} must not be empty"),
            Why::TooLong(most) => write!(f, "{field} has more than {most} characters"),
            Why::OutOfRange(least, most) => write!(f, "{field} is not between {least} and {most}"),
            Why::Against(rule) => write!(f, "{field}: {rule}"),
        }
    }
}

impl std::error::Error for Refused {}

/// Demands that a rule holds.
pub(crate) fn rule(field: &'static str, holds: bool, rule: &'static str) -> Result<(), Refused> {
    if holds { Ok(()) } else { Err(Refused { field, why: Why::Against(rule) }) }
}

/// Demands a text of 1 to `most` characters.
pub(crate) fn text(field: &'static str, text: &str, most: usize) -> Result<(), Refused> {
    if text.is_empty() {
        return Err(Refused { field, why: Why::Empty });
    }
    at_most(field, text, most)
}

/// Demands a text of at most `most` characters.
pub(crate) fn at_most(field: &'static str, text: &str, most: usize) -> Result<(), Refused> {
    if text.chars().count() > most { Err(Refused { field, why: Why::TooLong(most) }) } else { Ok(()) }
}

/// Demands a number within bounds.
pub(crate) fn within(field: &'static str, number: i32, bounds: RangeInclusive<i32>) -> Result<(), Refused> {
    if bounds.contains(&number) {
        Ok(())
    } else {
        Err(Refused { field, why: Why::OutOfRange(*bounds.start(), *bounds.end()) })
    }
}

/// Demands a number that is not negative.
pub(crate) fn not_negative(field: &'static str, number: i32) -> Result<(), Refused> {
    within(field, number, 0..=i32::MAX)
}

/// Demands a number above zero: a connector that is not the whole charger, a transaction, a list version.
pub(crate) fn positive(field: &'static str, number: i32) -> Result<(), Refused> {
    within(field, number, 1..=i32::MAX)
}

/// Demands a tag that every charger can store.
pub(crate) fn id_tag(field: &'static str, tag: &IdTag) -> Result<(), Refused> {
    text(field, tag.as_str(), IdTag::MAX_LEN)?;
    rule(field, tag.fits(), "an idTag is printable ASCII")
}

/// Demands an absolute address without spaces.
pub(crate) fn uri(field: &'static str, address: &str, most: usize) -> Result<(), Refused> {
    text(field, address, most)?;
    let absolute = address.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty() && scheme.bytes().all(|it| it.is_ascii_alphanumeric()) && !rest.is_empty()
    });
    let clean = address.bytes().all(|it| it.is_ascii_graphic());
    rule(field, absolute && clean, "an address such as ftp://host/folder is needed")
}

/// Demands a moment that RFC 3339 can write.
pub(crate) fn moment(field: &'static str, moment: DateTime<Utc>) -> Result<(), Refused> {
    rule(field, (1970..=9999).contains(&moment.year()), "the year is not between 1970 and 9999")
}

/// Demands two moments, if they are given, of which the second does not come first.
pub(crate) fn period(
    start_field: &'static str,
    start: Option<DateTime<Utc>>,
    end_field: &'static str,
    end: Option<DateTime<Utc>>,
) -> Result<(), Refused> {
    start.map_or(Ok(()), |it| moment(start_field, it))?;
    end.map_or(Ok(()), |it| moment(end_field, it))?;
    let ordered = start.zip(end).is_none_or(|(start, end)| start <= end);
    rule(end_field, ordered, "the end is before the start")
}

/// Demands that attempts and the seconds between them are not negative.
pub(crate) fn retries(retries: Option<i32>, interval: Option<i32>) -> Result<(), Refused> {
    retries.map_or(Ok(()), |it| not_negative("retries", it))?;
    interval.map_or(Ok(()), |it| not_negative("retryInterval", it))
}
