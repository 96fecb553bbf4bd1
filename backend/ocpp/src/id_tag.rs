//! The identifier of a card or of one order, compared without regard to letter case.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::limit::{self, Refused};

const BASE: u64 = 36;

/// Order tags are padded to this many digits, so that they look alike.
const ORDER_DIGITS: usize = 9;

/// An identifier that authorizes a charge. Two tags that differ in letter case only are the same tag.
///
/// Reading accepts any text; [`IdTag::new`] accepts what may be sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdTag(String);

impl IdTag {
    /// The most characters a tag may have.
    pub const MAX_LEN: usize = 20;

    /// A tag of 1 to 20 printable ASCII characters.
    pub fn new(text: impl Into<String>) -> Result<Self, Refused> {
        let tag = Self(text.into());
        limit::id_tag("idTag", &tag)?;
        Ok(tag)
    }

    /// The tag that stands for one order: `O` and the order's number in base 36, because OCPP 1.6 has no other way to
    /// tell which order a transaction belongs to. At most 14 characters of `A-Z` and `0-9`.
    pub fn of_order(number: u64) -> Self {
        let mut digits = Vec::with_capacity(ORDER_DIGITS + 5);
        let mut rest = number;
        while rest > 0 || digits.len() < ORDER_DIGITS {
            let digit = u32::try_from(rest % BASE).ok().and_then(|it| char::from_digit(it, 36)).unwrap_or('0');
            digits.push(digit.to_ascii_uppercase());
            rest /= BASE;
        }
        Self(std::iter::once('O').chain(digits.into_iter().rev()).collect())
    }

    /// The number of the order that this tag stands for, if it has the form of an order's tag.
    pub fn order(&self) -> Option<u64> {
        let digits = self.0.strip_prefix(['O', 'o'])?;
        let well_formed = digits.len() >= ORDER_DIGITS && digits.bytes().all(|it| it.is_ascii_alphanumeric());
        let number = well_formed.then(|| u64::from_str_radix(digits, 36).ok()).flatten()?;
        // One order has one tag: more leading zeros than needed make another tag.
        (Self::of_order(number) == *self).then_some(number)
    }

    /// The tag as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one spelling of all that are the same tag: what tags are stored and looked up by.
    pub fn canonical(&self) -> String {
        self.0.to_ascii_uppercase()
    }

    /// Whether the tag may be sent: 1 to 20 printable ASCII characters.
    pub fn fits(&self) -> bool {
        (1..=Self::MAX_LEN).contains(&self.0.len()) && self.0.bytes().all(|it| it.is_ascii_graphic() || it == b' ')
    }
}

impl PartialEq for IdTag {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for IdTag {}

impl Hash for IdTag {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            byte.to_ascii_uppercase().hash(state);
        }
    }
}

impl fmt::Display for IdTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::IdTag;

    #[test]
    fn tags_ignore_letter_case() {
        let tags = HashSet::from([IdTag::new("04a1b2C3").unwrap()]);
        assert!(tags.contains(&IdTag::new("04A1B2c3").unwrap()));
        assert!(!tags.contains(&IdTag::new("04A1B2c4").unwrap()));
        assert_eq!(IdTag::new("04a1b2C3").unwrap().canonical(), "04A1B2C3");
    }

    #[test]
    fn only_short_printable_tags_may_be_sent() {
        for text in ["", "123456789012345678901", "tab\t", "卡", "a\0b"] {
            assert!(IdTag::new(text).is_err(), "{text:?}");
        }
        assert!(IdTag::new("12345678901234567890").is_ok());
    }

    #[test]
    fn order_tags_have_one_spelling() {
        assert_eq!(IdTag::of_order(0).as_str(), "O000000000");
        assert_eq!(IdTag::of_order(937_989).as_str(), "O00000K3R9");
        assert_eq!(IdTag::of_order(u64::MAX).as_str(), "O3W5E11264SGSF");
        assert_eq!(IdTag::new("o00000k3r9").unwrap().order(), Some(937_989));
        for text in ["O", "OK3R9", "O000000K3R9", "000000K3R9", "O00000K3-9", "OZZZZZZZZZZZZZZZZZZZ", "O+0000K3R9"] {
            assert_eq!(IdTag::new(text).unwrap().order(), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_tags_come_back(number: u64) {
            let tag = IdTag::of_order(number);
            prop_assert!(tag.fits());
            prop_assert!(tag.as_str().bytes().all(|it| it.is_ascii_uppercase() || it.is_ascii_digit()));
            prop_assert_eq!(tag.order(), Some(number));
        }
    }
}
