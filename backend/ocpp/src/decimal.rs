//! Exact decimal numbers in text, as meters and sloppy JSON writers send them.

/// More digits than this say nothing that an `i64` could keep.
const MAX_DIGITS: usize = 38;

/// A decimal number: `digits` × 10^`exponent`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decimal {
    digits: i128,
    exponent: i32,
}

impl Decimal {
    /// Reads `12`, `-12.50`, `12,5` (a comma as the only separator is a decimal comma), `.5`, `1.2e3`; spaces around are
    /// ignored. Anything else, the empty text too, is not a number.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
            return None;
        }
        let mut exponent = i32::from(exponent).checked_sub(i32::try_from(fraction.len()).ok()?)?;
        // Digits beyond the limit are cut: rounding half away from zero looks at the first dropped digit only, and that
        // one is never so far behind.
        let significant = digits.trim_start_matches('0');
        let kept = significant.get(..MAX_DIGITS).unwrap_or(significant);
        exponent = exponent.checked_add(i32::try_from(significant.len() - kept.len()).ok()?)?;
        let digits = if kept.is_empty() { 0 } else { kept.parse::<i128>().ok()? };
        Some(Self { digits: if negative { -digits } else { digits }, exponent })
    }

    /// The number × 10^`shift` as an integer, rounded half away from zero, if it fits.
    pub(crate) fn scaled(self, shift: i32) -> Option<i64> {
        let exponent = self.exponent.checked_add(shift)?;
        let value = if self.digits == 0 {
            0
        } else if let Ok(power) = u32::try_from(exponent) {
            self.digits.checked_mul(10_i128.checked_pow(power)?)?
        } else {
            match 10_i128.checked_pow(exponent.unsigned_abs()) {
                Some(divisor) => (self.digits + self.digits.signum() * (divisor / 2)) / divisor,
                // Divided by more than the digits can hold, nothing is left.
                None => 0,
            }
        };
        i64::try_from(value).ok()
    }

    /// Whether nothing stands behind the decimal point.
    pub(crate) fn is_integer(self) -> bool {
        match 10_i128.checked_pow(self.exponent.min(0).unsigned_abs()) {
            Some(divisor) => self.digits % divisor == 0,
            None => self.digits == 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Decimal;

    fn scaled(text: &str, shift: i32) -> Option<i64> {
        Decimal::parse(text)?.scaled(shift)
    }

    #[test]
    fn numbers_as_they_are_sent() {
        let cases = [
            ("0", 0, Some(0)),
            ("12", 0, Some(12)),
            ("12.50", 0, Some(13)),
            ("12.49", 0, Some(12)),
            ("-12.5", 0, Some(-13)),
            ("-12.4", 0, Some(-12)),
            ("12,5", 1, Some(125)),
            ("12.3456", 3, Some(12_346)),
            (" 7 ", 0, Some(7)),
            ("+7", 0, Some(7)),
            (".5", 0, Some(1)),
            ("5.", 0, Some(5)),
            ("1e3", 0, Some(1000)),
            ("1.5E-3", 3, Some(2)),
            ("0e999", 0, Some(0)),
            ("1e-999", 0, Some(0)),
            ("000000000000000000000000000000000000000000000012", 0, Some(12)),
            ("0.33333333333333333333333333333333333333333333333", 2, Some(33)),
            ("9223372036854775807", 0, Some(i64::MAX)),
            ("-9223372036854775808", 0, Some(i64::MIN)),
            ("9223372036854775808", 0, None),
            ("1e999", 0, None),
            ("99999999999999999999999999999999999999999999999", 0, None),
            ("1e99999999", 0, None),
            ("", 0, None),
            (" ", 0, None),
            (".", 0, None),
            ("-", 0, None),
            ("1,234.5", 0, None),
            ("1.2.3", 0, None),
            ("12 Wh", 0, None),
            ("0x10", 0, None),
            ("NaN", 0, None),
            ("inf", 0, None),
            ("１２", 0, None),
        ];
        for (text, shift, expected) in cases {
            assert_eq!(scaled(text, shift), expected, "{text:?} shifted by {shift}");
        }
    }

    #[test]
    fn integers_are_told_from_fractions() {
        for text in ["12", "12.0", "12,000", "1.2e1", "0", "0.0", "5e3"] {
            assert!(Decimal::parse(text).unwrap().is_integer(), "{text}");
        }
        for text in ["12.5", "1e-1", "0.0000000000000000000000000000000000000000000001"] {
            assert!(!Decimal::parse(text).unwrap().is_integer(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_integer_comes_back(value: i64) {
            prop_assert_eq!(scaled(&value.to_string(), 0), Some(value));
            prop_assert_eq!(scaled(&format!("{value}.000"), 0), Some(value));
        }

        #[test]
        fn thousandths_are_exact(value in -1_000_000_000_000_i64..1_000_000_000_000) {
            let (sign, size) = if value < 0 { ("-", -value) } else { ("", value) };
            let text = format!("{sign}{}.{:03}", size / 1000, size % 1000);
            prop_assert_eq!(scaled(&text, 3), Some(value));
        }

        #[test]
        fn any_text_is_survived(text in "[-+0-9.,eE ]{0,60}", shift in -400_i32..400) {
            let _ = scaled(&text, shift);
        }
    }
}
