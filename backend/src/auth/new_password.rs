//! What a new password must be: long enough, and not one of those that are tried first (NIST SP 800-63B). Nothing is
//! asked of its signs.

use shared::text::{Text, t};

use crate::error::{Error, Result};

/// The fewest characters.
const SHORTEST: usize = 8;
/// The most: long ones are welcome, endless ones are work.
const LONGEST: usize = 128;
/// Fewer different characters than this are a pattern.
const DIFFERENT: usize = 4;

/// Passwords of at least [`SHORTEST`] characters that leaked most often, sorted, in lower case: those of zxcvbn's list
/// (MIT licence), and some that are common in China.
const COMMON: &str = include_str!("common-passwords.txt");

/// Refuses a password that is too short, endless, or guessed at once: a common one, a pattern, or the account's name with
/// little else.
///
/// # Errors
/// 422 on the named field.
pub fn check(password: &str, username: &str, field: &str) -> Result<()> {
    match wrong(password, username) {
        None => Ok(()),
        Some((code, text)) => Err(Error::field(field, code, text)),
    }
}

fn wrong(password: &str, username: &str) -> Option<(&'static str, Text)> {
    let lower = password.to_lowercase();
    let length = |text: &str| text.chars().count();
    if length(password) < SHORTEST {
        return Some(("too_short", t("至少 8 个字符", "At least 8 characters")));
    }
    if length(password) > LONGEST {
        return Some(("too_long", t("至多 128 个字符", "At most 128 characters")));
    }
    if is_common(&lower) || is_pattern(&lower) {
        return Some(("common", t("密码过于常见，容易被猜到", "Too common: it would be guessed")));
    }
    let name = username.to_lowercase();
    let named = |it: &str| !it.is_empty() && lower.contains(it) && length(&lower.replace(it, "")) < SHORTEST;
    if named(&name) || named("wattyard") {
        return Some((
            "named",
            t("密码不能只是账号名加几个字符", "The account's name with little else would be guessed"),
        ));
    }
    None
}

fn is_common(lower: &str) -> bool {
    COMMON.lines().any(|it| it == lower)
}

/// One sign or few over and over, or signs that follow one another.
fn is_pattern(lower: &str) -> bool {
    let signs: Vec<char> = lower.chars().collect();
    let different: std::collections::HashSet<char> = signs.iter().copied().collect();
    let step = |pair: &[char]| match pair {
        [first, second] => i64::from(u32::from(*second)) - i64::from(u32::from(*first)),
        _ => 0,
    };
    let steps: Vec<i64> = signs.windows(2).map(step).collect();
    different.len() < DIFFERENT || steps.iter().all(|it| *it == 1) || steps.iter().all(|it| *it == -1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ones_are_taken_and_those_tried_first_are_not() {
        let code = |password: &str| wrong(password, "Chen.Chen").map(|it| it.0);
        for good in [
            "correct horse battery staple",
            "my own password",
            "只要够长就可以了吧",
            "  spaces count  ",
            &"长密码也可以".repeat(20),
        ] {
            assert_eq!(code(good), None, "{good}");
        }
        assert_eq!(code("short"), Some("too_short"));
        assert_eq!(code("七个字符不够长"), Some("too_short"));
        assert_eq!(code(&"ab12".repeat(33)), Some("too_long"));
        for common in
            ["Password1", "12345678", "1qaz2wsx", "WOAINI1314", "aaaaaaaaaaaa", "abababab", "abcdefghijk", "98765432"]
        {
            assert_eq!(code(common), Some("common"), "{common}");
        }
        assert_eq!((code("chen.chen"), code("Chen.Chen2026")), (Some("named"), Some("named")));
        assert_eq!((code("wattyard-8080"), code("chen.chen and a horse")), (Some("named"), None));
    }

    #[test]
    fn the_list_is_sorted_and_lean() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.is_sorted() && lines.len() > 5000 && COMMON.len() < 100_000);
        assert!(lines.iter().all(|it| it.chars().count() >= SHORTEST && *it == it.to_lowercase()));
    }
}
