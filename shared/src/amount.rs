//! Decimal text and scaled integers: yuan and fen, kW and W. Exact, without floats.

/// Reads decimal text as an integer scaled by `10^places`: `scaled("12.5", 2)` is 1250.
///
/// `None` when it is no decimal number, has more places than that, or does not fit.
pub fn scaled(text: &str, places: u32) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let missing = usize::try_from(places).ok()?.checked_sub(fraction.len())?;
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let value: i64 = format!("0{whole}{fraction}{}", "0".repeat(missing)).parse().ok()?;
    Some(if negative { -value } else { value })
}

/// Writes a scaled integer as decimal text without needless zeros: `unscaled(1250, 2)` is `12.5`.
pub fn unscaled(value: i64, places: u32) -> String {
    let Some(unit) = 10_u64.checked_pow(places) else { return value.to_string() };
    let magnitude = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    let width = usize::try_from(places).unwrap_or_default();
    let fraction = format!("{:0width$}", magnitude % unit);
    let fraction = fraction.trim_end_matches('0');
    let whole = magnitude / unit;
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::{scaled, unscaled};

    #[test]
    fn reads_exactly_or_not_at_all() {
        assert_eq!(scaled("12.5", 2), Some(1250));
        assert_eq!(scaled(" 0.07 ", 2), Some(7));
        assert_eq!(scaled("-3", 2), Some(-300));
        assert_eq!(scaled(".5", 3), Some(500));
        assert_eq!(scaled("7.", 0), Some(7));
        assert_eq!(scaled("92233720368547758.07", 2), Some(i64::MAX));
        assert_eq!(scaled("92233720368547758.08", 2), None);
        for bad in ["", ".", "-", "1.234", "1,5", "1e3", "１", "--1", "1.2.3", "+1"] {
            assert_eq!(scaled(bad, 2), None, "{bad}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for (value, text) in [(0, "0"), (7, "0.07"), (1250, "12.5"), (-300, "-3"), (-5, "-0.05"), (100, "1")] {
            assert_eq!(unscaled(value, 2), text);
            assert_eq!(scaled(text, 2), Some(value));
        }
        assert_eq!(unscaled(42, 0), "42");
    }
}
