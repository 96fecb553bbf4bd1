//! The password of a charger in what is said: `AuthorizationKey` is a setting, so it may be told, asked for and answered. It
//! is never kept.

use std::borrow::Cow;

use serde_json::Value;

/// The setting that is the password.
pub const SETTING: &str = "AuthorizationKey";
/// What is kept instead of it.
const MASK: &str = "***";

/// Whether this is the setting; devices are not strict about letter case.
pub fn is_secret(setting: &str) -> bool {
    setting.trim().eq_ignore_ascii_case(SETTING)
}

/// A message as it may be kept.
pub fn masked(text: &str) -> Cow<'_, str> {
    let named = text.as_bytes().windows(SETTING.len()).any(|it| it.eq_ignore_ascii_case(SETTING.as_bytes()));
    // Letters can be written as escapes.
    if !named && !text.contains("\\u") {
        return Cow::Borrowed(text);
    }
    let Ok(mut message) = serde_json::from_str::<Value>(text) else {
        return if named { Cow::Owned(format!("({SETTING} {MASK})")) } else { Cow::Borrowed(text) };
    };
    if hide(&mut message) { Cow::Owned(message.to_string()) } else { Cow::Borrowed(text) }
}

/// Hides the value of the setting wherever it is named; gives whether there was one.
fn hide(value: &mut Value) -> bool {
    match value {
        Value::Array(items) => items.iter_mut().fold(false, |hidden, it| hide(it) | hidden),
        Value::Object(entries) => {
            let is = |name: &str, wanted: &str| name.trim().eq_ignore_ascii_case(wanted);
            let about = entries.iter().any(|(name, it)| is(name, "key") && it.as_str().is_some_and(is_secret));
            entries.iter_mut().fold(false, |hidden, (name, it)| {
                let secret = !it.is_null() && (is_secret(name) || (about && is(name, "value")));
                if secret {
                    *it = Value::from(MASK);
                }
                secret | hide(it) | hidden
            })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_hidden_wherever_it_is_told() {
        for text in [
            r#"[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hush"}]"#,
            r#"[3,"1",{"configurationKey":[{"key":"a","value":"b"},{"key":"authorizationkey","readonly":false,"value":"hush"}]}]"#,
            r#"[3,"1",{"configurationKey":[{"key":"Authoriz\u0061tionKey","value":"hush"}]}]"#,
            r#"[2,"1","DataTransfer",{"data":{"AuthorizationKey":"hush"}}]"#,
            r#"[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hush""#,
        ] {
            let kept = masked(text);
            assert!(!kept.contains("hush") && kept.contains(MASK), "{kept}");
        }
    }

    #[test]
    fn everything_else_is_kept_as_it_was() {
        for text in [
            r#"[2, "1", "GetConfiguration", {"key": ["AuthorizationKey"]}]"#,
            r#"[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":true,"value":null}]}]"#,
            r#"[3,"1",{"configurationKey":[{"key":"MeterValue\u0053ampleInterval","value":"1.50"}]}]"#,
            "[2,\"1\",\"Heart\\u",
        ] {
            assert_eq!(masked(text), text);
        }
    }
}
