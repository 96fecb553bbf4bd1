//! Local time of the business: Asia/Shanghai, which has been +08:00 without summer time since 1992.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// How far local time is ahead of UTC.
const OFFSET: TimeDelta = TimeDelta::hours(8);
const OFFSET_SECONDS: i64 = OFFSET.num_seconds();
const DAY_SECONDS: i64 = 86_400;

/// How many half hours a day has: the slots of a time-of-use tariff.
pub const SLOTS: usize = 48;

/// The local date and time of an instant. Instants that lie beyond what can be shown stay in UTC.
pub fn local(at: DateTime<Utc>) -> NaiveDateTime {
    let utc = at.naive_utc();
    utc.checked_add_signed(OFFSET).unwrap_or(utc)
}

/// The business day of an instant: its local date.
pub fn business_day(at: DateTime<Utc>) -> NaiveDate {
    local(at).date()
}

/// The instant at which a business day begins.
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc().checked_sub_signed(OFFSET).unwrap_or(DateTime::<Utc>::MIN_UTC)
}

/// The end of an instant's business day, 24:00, which is the first instant of the next.
pub fn next_midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    business_day(at).succ_opt().map_or(DateTime::<Utc>::MAX_UTC, midnight)
}

/// The seconds since local midnight.
fn second_of_day(at: DateTime<Utc>) -> i64 {
    (at.timestamp() + OFFSET_SECONDS).rem_euclid(DAY_SECONDS)
}

/// The minutes since local midnight, 0 to 1439.
pub fn minute_of_day(at: DateTime<Utc>) -> u16 {
    u16::try_from(second_of_day(at) / 60).unwrap_or_default()
}

/// The half hour of the local day, 0 to 47. An instant on a boundary belongs to the later one.
pub fn slot(at: DateTime<Utc>) -> usize {
    usize::from(minute_of_day(at) / 30)
}

/// An instant as local text: `2026-11-22 09:30:05`.
pub fn local_text(at: DateTime<Utc>) -> String {
    format!("{} {}", business_day(at), clock_text(at))
}

/// An instant as local text to the minute: `2026-11-22 09:30`.
pub fn minute_text(at: DateTime<Utc>) -> String {
    let minute = minute_of_day(at);
    format!("{} {:02}:{:02}", business_day(at), minute / 60, minute % 60)
}

/// The local time of day of an instant: `09:30:05`.
pub fn clock_text(at: DateTime<Utc>) -> String {
    duration_text(second_of_day(at).unsigned_abs())
}

/// The business day of an instant as text: `2026-11-22`.
pub fn day_text(at: DateTime<Utc>) -> String {
    business_day(at).to_string()
}

/// A duration as hours, minutes and seconds: `01:05:09`, `30:00:00`.
pub fn duration_text(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A minute of the local day as a tariff names it, `00:00` to `24:00`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Clock(u16);

/// A text or number that is no minute of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a time of day from 00:00 to 24:00")]
pub struct NotAClock;

impl Clock {
    /// The beginning of the day, `00:00`.
    pub const START: Self = Self(0);
    /// The end of the day, `24:00`.
    pub const END: Self = Self(24 * 60);

    /// The given minute of the day.
    ///
    /// # Errors
    /// The day does not have so many minutes.
    pub fn at_minute(minute: u16) -> Result<Self, NotAClock> {
        if minute <= Self::END.0 { Ok(Self(minute)) } else { Err(NotAClock) }
    }

    /// The beginning of a half hour of the day; the one after the last is the day's end.
    pub fn of_slot(slot: usize) -> Self {
        Self(u16::try_from(slot.min(SLOTS)).map_or(0, |slot| slot * 30))
    }

    /// The half hour that begins at this minute, if one does.
    pub fn slot(self) -> Option<usize> {
        self.0.is_multiple_of(30).then_some(usize::from(self.0 / 30))
    }

    /// The minutes since midnight.
    pub const fn minute(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for Clock {
    type Err = NotAClock;

    fn from_str(text: &str) -> Result<Self, NotAClock> {
        let part = |digits: &str| match digits.as_bytes() {
            [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Ok(u16::from(tens - b'0') * 10 + u16::from(ones - b'0')),
            _ => Err(NotAClock),
        };
        let (hour, minute) = text.split_once(':').ok_or(NotAClock)?;
        let (hour, minute) = (part(hour)?, part(minute)?);
        if minute < 60 { Self::at_minute(hour * 60 + minute) } else { Err(NotAClock) }
    }
}

impl Serialize for Clock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Clock {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A time of the local day, 00:00 to 24:00."))
            .pattern(Some("^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"))
            .examples(["07:30"])
            .into()
    }
}

impl ToSchema for Clock {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_business_day_turns_at_local_midnight() {
        let (before, after) = (at("2026-11-20T23:59:59+08:00"), at("2026-11-21T00:00:00+08:00"));
        assert_eq!(business_day(before).to_string(), "2026-11-20");
        assert_eq!(business_day(after).to_string(), "2026-11-21");
        assert_eq!(next_midnight(before), after);
        assert_eq!(next_midnight(after), at("2026-11-22T00:00:00+08:00"));
        assert_eq!(midnight(business_day(after)), after);
    }

    #[test]
    fn a_boundary_belongs_to_the_later_half_hour() {
        assert_eq!(
            (minute_of_day(at("2026-11-20T07:29:59+08:00")), slot(at("2026-11-20T07:29:59.999+08:00"))),
            (449, 14)
        );
        assert_eq!((minute_of_day(at("2026-11-20T07:30:00+08:00")), slot(at("2026-11-20T07:30:00+08:00"))), (450, 15));
        assert_eq!(slot(at("2026-11-20T00:00:00+08:00")), 0);
        assert_eq!(slot(at("2026-11-20T23:59:59+08:00")), 47);
        assert_eq!(minute_of_day(at("1969-12-31T23:59:59+08:00")), 1439);
    }

    #[test]
    fn the_ends_of_time_are_borne() {
        for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert!(slot(end) < SLOTS);
            assert!(midnight(business_day(end)) <= next_midnight(end));
            assert!(!local_text(end).is_empty());
        }
        assert_eq!(midnight(NaiveDate::MIN), DateTime::<Utc>::MIN_UTC);
        assert_eq!(next_midnight(DateTime::<Utc>::MAX_UTC), DateTime::<Utc>::MAX_UTC);
    }

    #[test]
    fn shows_local_time() {
        let it = at("2026-11-20T01:02:03Z");
        assert_eq!(local_text(it), "2026-11-20 09:02:03");
        assert_eq!(minute_text(it), "2026-11-20 09:02");
        assert_eq!(clock_text(it), "09:02:03");
        assert_eq!(day_text(at("2026-11-20T16:00:00Z")), "2026-11-21");
        assert_eq!(duration_text(3909), "01:05:09");
        assert_eq!(duration_text(108_000), "30:00:00");
    }

    #[test]
    fn reads_and_shows_times_of_day() {
        for text in ["00:00", "07:30", "23:59", "24:00"] {
            assert_eq!(text.parse::<Clock>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "7:30", "24:01", "25:00", "12:60", "12.30", "+1:00", "12:3０", "1２:30"] {
            assert_eq!(text.parse::<Clock>(), Err(NotAClock), "{text}");
        }
        assert_eq!(Clock::at_minute(1440), Ok(Clock::END));
        assert_eq!(Clock::at_minute(1441), Err(NotAClock));
    }

    #[test]
    fn half_hours_and_clocks_are_inverse() {
        for slot in 0..=SLOTS {
            assert_eq!(Clock::of_slot(slot).slot(), Some(slot));
        }
        assert_eq!(Clock::of_slot(99), Clock::END);
        assert_eq!("07:31".parse::<Clock>().unwrap().slot(), None);
        assert_eq!("07:30".parse::<Clock>().unwrap().minute(), 450);
        assert_eq!(serde_json::to_string(&Clock::END).unwrap(), "\"24:00\"");
        assert!(serde_json::from_str::<Clock>("\"24:30\"").is_err());
        assert_eq!(serde_json::to_value(Clock::schema()).unwrap()["type"], "string");
    }
}
