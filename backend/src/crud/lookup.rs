//! What people type to find something by its number, and how that is compared with what is stored.

use diesel::sql_types::{Nullable, Text};
use shared::text::t;
use uuid::Uuid;

use crate::error::{Error, Result};

/// A part of a number that more things have than this is no help to find one: whoever searches types more of it. So the
/// lists of tables that grow for ever look for few ids, however many rows there are.
pub const MOST: usize = 1000;

diesel::define_sql_function! {
    /// As [`squeezed`], in the database.
    #[sql_name = "squeezed"]
    fn sql_squeezed(it: Text) -> Text;
}

diesel::define_sql_function! {
    /// As [`squeezed`], in the database, of what may be missing.
    #[sql_name = "squeezed"]
    fn sql_squeezed_or_null(it: Nullable<Text>) -> Nullable<Text>;
}

diesel::define_sql_function! {
    /// A text from its end to its beginning: so an index finds how texts end.
    fn reverse(it: Text) -> Text;
}

diesel::define_sql_function! {
    /// As `reverse`, of what may be missing.
    #[sql_name = "reverse"]
    fn reverse_or_null(it: Nullable<Text>) -> Nullable<Text>;
}

/// A number as it is compared: in capital letters, without the spaces and dashes that people put or copy between its signs.
pub fn squeezed(typed: &str) -> String {
    let dashes = ['-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2212}', '\u{ff0d}'];
    let kept = typed.chars().filter(|it| !it.is_whitespace() && !it.is_control() && !dashes.contains(it));
    kept.map(|it| it.to_ascii_uppercase()).collect()
}

/// A telephone as it is compared: its digits, without the country's code.
pub fn digits(typed: &str) -> String {
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    let national = ["0086", "86"].into_iter().find_map(|it| digits.strip_prefix(it));
    match national.filter(|it| it.len() == 11) {
        Some(national) => national.to_owned(),
        None => digits,
    }
}

/// The `LIKE` pattern of texts that begin like this. Of nothing, no text does.
pub fn beginning(part: &str) -> String {
    if part.is_empty() {
        return String::new();
    }
    let mut pattern = super::page::containing(part);
    pattern.remove(0);
    pattern
}

/// The `LIKE` pattern of reversed texts that end like this.
pub fn ending(part: &str) -> String {
    beginning(&part.chars().rev().collect::<String>())
}

/// The ids that were found for a condition, of which one more than [`MOST`] were asked for.
///
/// # Errors
/// 422 with the condition when it has too many.
pub fn few(condition: &'static str, ids: Vec<Uuid>) -> Result<Vec<Uuid>> {
    if ids.len() <= MOST {
        return Ok(ids);
    }
    let text = t("匹配的记录太多，请多输入几位", "Too many match; please type more of it");
    Err(Error::field(condition, "too_many", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_compared_as_it_was_meant() {
        assert_eq!(squeezed(" c1000017—1\u{a0}"), "C10000171");
        assert_eq!(squeezed("wy-dc120 - 0001"), "WYDC1200001");
        assert_eq!(digits("+86 138-0000-0001"), "13800000001");
        assert_eq!(digits("0086 13800000001"), "13800000001");
        assert_eq!(digits("8613"), "8613", "the middle of some number");
        assert_eq!(digits("nobody"), "");
    }

    #[test]
    fn patterns_find_beginnings_and_ends() {
        assert_eq!((beginning("138"), ending("0001")), ("138%".to_owned(), "1000%".to_owned()));
        assert_eq!(beginning("a_b"), r"a\_b%");
        assert_eq!((beginning(""), ending("")), (String::new(), String::new()));
    }
}
