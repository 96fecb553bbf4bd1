//! Timestamps: read from whatever chargers write, written with second precision and `Z`.

use chrono::{DateTime, Datelike, NaiveDateTime, Utc};

/// Longer than any spelling of a moment.
const MAX_LEN: usize = 64;

/// Reads RFC 3339 and its common misspellings; a missing zone means UTC. Moments outside the years 1970 to 9999 are
/// clocks that were never set, and count as unreadable.
pub(crate) fn parse(text: &str) -> Option<DateTime<Utc>> {
    if text.len() > MAX_LEN {
        return None;
    }
    let text = text.trim().to_ascii_uppercase().replacen(' ', "T", 1);
    let moment = DateTime::parse_from_rfc3339(&text)
        .or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f%#z"))
        .map(|it| it.to_utc())
        .or_else(|_| NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").map(|it| it.and_utc()))
        .ok()?;
    // A leap second is folded into the second before it, because databases have no place for it.
    let moment = DateTime::from_timestamp(moment.timestamp(), moment.timestamp_subsec_nanos().min(999_999_999))?;
    (1970..=9999).contains(&moment.year()).then_some(moment)
}

/// Writes the moment as `2026-11-22T01:30:05Z`.
fn text(moment: &DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A moment that must be present and readable.
pub(crate) mod exact {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(moment: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::text(moment))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::parse(&text).ok_or_else(|| D::Error::custom("not a date and time"))
    }
}

/// A moment that counts as unknown when it cannot be read: a broken clock must not cost an order.
pub(crate) mod optional {
    use chrono::{DateTime, Utc};
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    pub(crate) fn serialize<S: Serializer>(moment: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match moment {
            Some(moment) => super::exact::serialize(moment, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
        Ok(Value::deserialize(deserializer)?.as_str().and_then(super::parse))
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, text};

    #[test]
    fn moments_as_they_are_sent() {
        let cases = [
            ("2026-11-22T01:30:05Z", Some("2026-11-22T01:30:05Z")),
            ("2026-11-22T01:30:05.1Z", Some("2026-11-22T01:30:05Z")),
            ("2026-11-22T01:30:05.123456789Z", Some("2026-11-22T01:30:05Z")),
            ("2026-11-22T09:30:05+08:00", Some("2026-11-22T01:30:05Z")),
            ("2026-11-22T09:30:05.999+08:00", Some("2026-11-22T01:30:05Z")),
            ("2026-11-22T09:30:05+0800", Some("2026-11-22T01:30:05Z")),
            ("2026-11-22T09:30:05+08", Some("2026-11-22T01:30:05Z")),
            ("2026-11-21T20:30:05-05:00", Some("2026-11-22T01:30:05Z")),
            ("2026-11-22T01:30:05", Some("2026-11-22T01:30:05Z")),
            ("2026-11-22T01:30:05.123", Some("2026-11-22T01:30:05Z")),
            ("2026-11-22 01:30:05", Some("2026-11-22T01:30:05Z")),
            (" 2026-11-22t01:30:05z ", Some("2026-11-22T01:30:05Z")),
            ("2026-12-31T23:59:60Z", Some("2026-12-31T23:59:59Z")),
            ("1970-01-01T00:00:12Z", Some("1970-01-01T00:00:12Z")),
            ("0000-00-00T00:00:00Z", None),
            ("1900-01-01T00:00:00Z", None),
            ("12026-11-22T01:30:05Z", None),
            ("2026-13-22T01:30:05Z", None),
            ("2026-11-22", None),
            ("1795311005", None),
            ("", None),
            ("２０２６-11-22T01:30:05Z", None),
        ];
        for (sent, expected) in cases {
            assert_eq!(parse(sent).as_ref().map(text).as_deref(), expected, "{sent:?}");
        }
        assert_eq!(parse(&"9".repeat(1_000_000)), None);
    }

    #[test]
    fn fractions_survive_reading() {
        assert_eq!(parse("2026-11-22T01:30:05.123456789Z").unwrap().timestamp_subsec_nanos(), 123_456_789);
        assert_eq!(parse("2026-11-22T01:30:05.5").unwrap().timestamp_subsec_millis(), 500);
    }
}
