//! Calendar maths for choosing days: months as six weeks, ranges, shortcuts.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

/// Six weeks that contain a month, from Sunday as in Element's calendar.
pub fn weeks(month: NaiveDate) -> Vec<Vec<NaiveDate>> {
    let first = month.with_day(1).unwrap_or(month);
    let start = first.week(Weekday::Sun).first_day();
    let mut days = start.iter_days();
    (0..6).map(|_| days.by_ref().take(7).collect()).collect()
}

/// The first day of the month that lies so many months away.
pub fn month_away(month: NaiveDate, months: i32) -> NaiveDate {
    let first = month.with_day(1).unwrap_or(month);
    let away = Months::new(months.unsigned_abs());
    let there = if months < 0 { first.checked_sub_months(away) } else { first.checked_add_months(away) };
    there.unwrap_or(first)
}

/// The day that lies so many days away.
pub fn day_away(day: NaiveDate, days: i64) -> NaiveDate {
    let away = Days::new(days.unsigned_abs());
    let there = if days < 0 { day.checked_sub_days(away) } else { day.checked_add_days(away) };
    there.unwrap_or(day)
}

/// Reads a day as people type it: `2026-11-22`, `2026/1/2`, `20261122`.
pub fn read_day(text: &str) -> Option<NaiveDate> {
    let text = text.trim().replace(['/', '.'], "-");
    let parts: Vec<&str> = text.split('-').collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] => (*year, *month, *day),
        [all] if all.len() == 8 && all.is_ascii() => (all.get(..4)?, all.get(4..6)?, all.get(6..)?),
        _ => return None,
    };
    let year: i32 = year.parse().ok().filter(|it| (1970..=9999).contains(it))?;
    NaiveDate::from_ymd_opt(year, month.parse().ok()?, day.parse().ok()?)
}

/// Two days in order.
pub fn ordered(one: NaiveDate, other: NaiveDate) -> (NaiveDate, NaiveDate) {
    if one <= other { (one, other) } else { (other, one) }
}

/// The local day at an instant, given in milliseconds since 1970.
pub fn local_day(millis: i64) -> NaiveDate {
    const SHANGHAI: i64 = 8 * 3_600_000;
    chrono::DateTime::from_timestamp_millis(millis + SHANGHAI).unwrap_or_default().date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        read_day(text).unwrap()
    }

    #[test]
    fn a_month_is_six_weeks() {
        let weeks = weeks(day("2026-11-22"));
        assert_eq!(weeks.len(), 6);
        assert_eq!(weeks[0][0], day("2026-11-01"));
        assert_eq!(weeks[5][6], day("2026-12-12"));
        assert!(weeks.iter().all(|week| week.len() == 7 && week[0].weekday() == Weekday::Sun));
        assert_eq!(super::weeks(day("2026-08-15"))[0][0], day("2026-07-26"));
    }

    #[test]
    fn months_and_days_away() {
        assert_eq!(month_away(day("2026-01-31"), 1), day("2026-02-01"));
        assert_eq!(month_away(day("2026-01-31"), -1), day("2025-12-01"));
        assert_eq!(day_away(day("2026-03-01"), -1), day("2026-02-28"));
        assert_eq!(day_away(day("2024-02-28"), 1), day("2024-02-29"));
    }

    #[test]
    fn reads_days_as_typed() {
        assert_eq!(day("2026/1/2"), day("2026-01-02"));
        assert_eq!(day(" 20261122 "), day("2026-11-22"));
        for bad in ["", "2026-02-30", "26-1-1", "2026-13-01", "tomorrow", "２０２６-1-1"] {
            assert_eq!(read_day(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_local_day_is_shanghais() {
        // 2026-11-22 15:59:59.999Z is still the 22nd in Shanghai; one millisecond later is the 23rd.
        assert_eq!(local_day(1_795_363_199_999), day("2026-11-22"));
        assert_eq!(local_day(1_795_363_200_000), day("2026-11-23"));
    }

    #[test]
    fn orders_two_days() {
        assert_eq!(ordered(day("2026-02-01"), day("2026-01-01")), (day("2026-01-01"), day("2026-02-01")));
    }
}
