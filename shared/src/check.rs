//! Checks a form against the description of its fields: in the browser, the API and the import alike.

use serde_json::Value;
use uuid::Uuid;

use crate::describe::{Field, Input};
use crate::fixed::NumberError;
use crate::plate;
use crate::problem::FieldError;
use crate::resource::{Form, FormMap};
use crate::text::{Lang, Text, t};

/// Cleans a form and checks every field: texts are trimmed, empty ones become null, and names that no field
/// bears are errors, so that a typing mistake is not silently lost.
///
/// # Errors
/// All that is wrong, each with the field's name.
pub fn clean(fields: &[Field], form: &FormMap, lang: Lang) -> Result<FormMap, Vec<FieldError>> {
    let mut cleaned = FormMap::new();
    let mut errors = Vec::new();
    for name in form.keys() {
        if name != "version" && !fields.iter().any(|field| field.name == name) {
            errors.push(FieldError::new(name, "unknown", t("没有这个字段", "There is no such field").get(lang)));
        }
    }
    for field in fields {
        let value = match form.get(field.name) {
            Some(Value::String(text)) if field.input != Input::Password => {
                let text = if field.input == Input::Plate { plate::normal(text) } else { text.trim().to_owned() };
                if text.is_empty() { Value::Null } else { Value::from(text) }
            }
            Some(Value::String(text)) if text.is_empty() => Value::Null,
            Some(value) => value.clone(),
            None => Value::Null,
        };
        let wrong = if value.is_null() {
            field.needed(form).then_some(("required", t("必填", "Required")))
        } else {
            check(field.input, &value, field.required).err()
        };
        if let Some((code, message)) = wrong {
            errors.push(FieldError::new(field.name, code, worded(field.input, code, message, lang)));
        }
        cleaned.insert(field.name.to_owned(), value);
    }
    if errors.is_empty() { Ok(cleaned) } else { Err(errors) }
}

/// Cleans, checks and reads a typed form, its own rules included.
///
/// # Errors
/// All that is wrong, each with the field's name.
pub fn read<F: Form>(fields: &[Field], form: &FormMap, lang: Lang) -> Result<F, Vec<FieldError>> {
    let cleaned = clean(fields, form, lang)?;
    let form: F = read_json(Value::Object(cleaned))
        .map_err(|(field, reason)| vec![FieldError::new(field, "format", message_of(&reason, lang))])?;
    let errors = form.validate(lang);
    if errors.is_empty() { Ok(form) } else { Err(errors) }
}

fn message_of(reason: &str, lang: Lang) -> String {
    if let Some(number) = NumberError::said(reason) {
        return number.advice(lang);
    }
    format!("{} ({reason})", t("格式不正确", "Not in the right form").get(lang))
}

/// Reads JSON and, when it does not fit, says where.
fn read_json<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, (String, String)> {
    serde_path_to_error::deserialize(value).map_err(|err| (err.path().to_string(), err.inner().to_string()))
}

type Wrong = (&'static str, Text);

fn check(input: Input, value: &Value, required: bool) -> Result<(), Wrong> {
    const FORMAT: Wrong = ("format", t("格式不正确", "Not in the right form"));
    let text = || value.as_str().ok_or(FORMAT);
    match input {
        Input::Text(max) | Input::Area(max) => {
            let text = text()?;
            if text.chars().count() > max {
                return Err(("too_long", t("太长", "Too long")));
            }
            let newline = |c: char| matches!(input, Input::Area(_)) && matches!(c, '\n' | '\r' | '\t');
            if text.chars().any(|c| c.is_control() && !newline(c)) {
                return Err(("format", t("含有控制字符", "Contains control characters")));
            }
            if text.chars().any(is_invisible) {
                return Err(("format", t("含有不可见的字符", "Contains invisible characters")));
            }
            Ok(())
        }
        Input::Mobile => fits(is_mobile(text()?), ("format", t("请填写 11 位手机号", "An 11-digit mobile number"))),
        Input::Phone => fits(is_phone(text()?), ("format", t("请填写电话号码", "A telephone number"))),
        Input::Plate => {
            let like = t("请填写车牌号，如 浙A12345、浙AD12345", "A licence plate such as 浙A12345 or 浙AD12345");
            fits(plate::is_plate(text()?), ("format", like))
        }
        Input::Email => fits(is_email(text()?), ("format", t("请填写邮箱地址", "An e-mail address"))),
        Input::Password => fits(text()?.chars().count() <= 128, ("too_long", t("太长", "Too long"))),
        Input::Int { min, max } | Input::Fen { min, max } => within(value, min, max),
        Input::Watts { max } => within(value, 0, max),
        Input::Degrees { limit } => {
            let number = value.as_number().ok_or(FORMAT)?;
            fits(is_within(&number.to_string(), limit), ("range", t("超出范围", "Out of range")))
        }
        Input::Switch => fits(value.is_boolean(), FORMAT),
        Input::Choice(choices) => {
            let text = text()?;
            fits(choices.iter().any(|it| it.value == text), ("choice", t("不在可选范围内", "Not one of the choices")))
        }
        Input::Lookup(_) => fits(Uuid::try_parse(text()?).is_ok(), FORMAT),
        Input::Lookups(_) | Input::Permissions => {
            let items = value.as_array().ok_or(FORMAT)?;
            if required && items.is_empty() {
                return Err(("required", t("必填", "Required")));
            }
            let good = |it: &Value| match input {
                Input::Lookups(_) => it.as_str().is_some_and(|it| Uuid::try_parse(it).is_ok()),
                _ => it.is_string(),
            };
            fits(items.len() <= 1000 && items.iter().all(good), FORMAT)
        }
        Input::Days | Input::Custom(_) => Ok(()),
    }
}

/// Characters that are not seen but make a text look like another one: marks, embeddings, overrides and isolates of writing
/// directions, and what has no width. Joiners are among them: what is written here needs none, and a name with one is another
/// name that looks the same.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

fn fits(good: bool, wrong: Wrong) -> Result<(), Wrong> {
    if good { Ok(()) } else { Err(wrong) }
}

fn within(value: &Value, min: i64, max: i64) -> Result<(), Wrong> {
    let number = value.as_i64().ok_or(("format", t("请填写整数", "A whole number")))?;
    fits((min..=max).contains(&number), ("range", t("超出范围", "Out of range")))
}

/// Adds the limit to messages that have one.
fn worded(input: Input, code: &str, message: Text, lang: Lang) -> String {
    let message = message.get(lang);
    match (code, input) {
        ("too_long", Input::Text(max) | Input::Area(max)) => match lang {
            Lang::Zh => format!("不能超过 {max} 个字"),
            Lang::En => format!("At most {max} characters"),
        },
        ("range", Input::Int { min, max }) => match lang {
            Lang::Zh => format!("应在 {min} 到 {max} 之间"),
            Lang::En => format!("Must be between {min} and {max}"),
        },
        ("range", Input::Fen { min, max }) => {
            let (min, max) = (crate::fixed::Fen(min).yuan(), crate::fixed::Fen(max).yuan());
            match lang {
                Lang::Zh => format!("应在 {min} 到 {max} 元之间"),
                Lang::En => format!("Must be between {min} and {max} yuan"),
            }
        }
        _ => message.to_owned(),
    }
}

/// Whether a number as JSON writes it is at most so far from 0. Told from its text, for the console keeps numbers as text:
/// the tables to read floats would be loaded by everybody.
fn is_within(number: &str, limit: u16) -> bool {
    let number = number.trim_start_matches('-');
    if let Some((_, exponent)) = number.split_once(['e', 'E']) {
        return exponent.starts_with('-');
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let Ok(whole) = whole.parse::<u16>() else { return false };
    whole < limit || (whole == limit && fraction.bytes().all(|it| it == b'0'))
}

fn is_mobile(text: &str) -> bool {
    text.len() == 11 && text.starts_with('1') && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    (3..=20).contains(&digits) && text.len() <= 30 && text.bytes().all(|b| b.is_ascii_digit() || b"+- ()".contains(&b))
}

fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '@';
    !local.is_empty()
        && text.len() <= 254
        && text.chars().all(|c| c == '@' || plain(c))
        && !local.contains('@')
        && host.split('.').count() >= 2
        && host.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: &[Field] = &[
        Field::new("name", t("名称", "Name"), Input::Text(4)).required(),
        Field::new("phone", t("手机", "Mobile"), Input::Mobile),
        Field::new("mail", t("邮箱", "E-mail"), Input::Email),
        Field::new("plate", t("车牌", "Plate"), Input::Plate),
        Field::new("count", t("数量", "Count"), Input::Int { min: 1, max: 8 }),
        Field::new("on", t("开", "On"), Input::Switch),
        Field::new("lng", t("经度", "Longitude"), Input::Degrees { limit: 180 }),
    ];

    fn errors(form: Value) -> Vec<(String, String)> {
        let form = form.as_object().cloned().unwrap();
        let errors = clean(FIELDS, &form, Lang::En).err().unwrap_or_default();
        errors.into_iter().map(|it| (it.field, it.code)).collect()
    }

    fn one(field: &str, code: &str) -> Vec<(String, String)> {
        vec![(field.to_owned(), code.to_owned())]
    }

    #[test]
    fn what_is_asked_for_must_be_filled_in() {
        const SEAT: &[Field] = &[
            Field::new("kind", t("类型", "Kind"), Input::Text(10)).required(),
            Field::new("at", t("于", "At"), Input::Text(10)).only("kind", &["inner", "leaf"]),
        ];
        let wrong = |form: Value| clean(SEAT, form.as_object().unwrap(), Lang::En).err().unwrap_or_default();
        assert!(wrong(json!({"kind": "root"})).is_empty());
        assert_eq!(wrong(json!({"kind": "leaf"})), [FieldError::new("at", "required", "Required")]);
        assert!(wrong(json!({"kind": "inner", "at": "x"})).is_empty());
    }

    #[test]
    fn degrees_are_told_from_their_text() {
        for near in ["0", "-0", "180", "-180.000", "179.9999999", "1e-7", "-2.5E-3", "120.21"] {
            assert!(is_within(near, 180), "{near}");
        }
        for far in ["180.0000001", "-181", "1e3", "99999999999999999999", "1.8e+2"] {
            assert!(!is_within(far, 180), "{far}");
        }
    }

    #[test]
    fn trims_and_drops_empty_texts() {
        let form = json!({"name": "  好 ", "phone": " ", "plate": " 浙a·d1234 5"}).as_object().cloned().unwrap();
        let cleaned = clean(FIELDS, &form, Lang::Zh).unwrap();
        assert_eq!(cleaned["name"], "好");
        assert_eq!(cleaned["phone"], Value::Null);
        assert_eq!(cleaned["plate"], "浙AD12345");
    }

    #[test]
    fn names_the_field_and_the_reason() {
        assert_eq!(errors(json!({})), one("name", "required"));
        assert_eq!(errors(json!({"name": " "})), one("name", "required"));
        assert_eq!(errors(json!({"name": "一二三四五"})), one("name", "too_long"));
        assert_eq!(errors(json!({"name": "a\u{0}b"})), one("name", "format"));
        assert_eq!(errors(json!({"name": 5})), one("name", "format"));
        for unseen in [
            '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{200e}', '\u{200f}', '\u{200b}', '\u{200d}', '\u{2060}',
            '\u{feff}',
        ] {
            assert_eq!(errors(json!({"name": format!("a{unseen}b")})), one("name", "format"), "{unseen:?}");
        }
        assert_eq!(errors(json!({"name": "一站 é"})), vec![]);
        assert_eq!(errors(json!({"name": "a", "phone": "1381234567"})), one("phone", "format"));
        assert_eq!(errors(json!({"name": "a", "mail": "a@b"})), one("mail", "format"));
        assert_eq!(errors(json!({"name": "a", "plate": "xx"})), one("plate", "format"));
        assert_eq!(errors(json!({"name": "a", "mail": "a@b.cn"})), vec![]);
        assert_eq!(errors(json!({"name": "a", "count": 9})), one("count", "range"));
        assert_eq!(errors(json!({"name": "a", "count": 1.5})), one("count", "format"));
        assert_eq!(errors(json!({"name": "a", "on": "yes"})), one("on", "format"));
        assert_eq!(errors(json!({"name": "a", "lng": 181.0})), one("lng", "range"));
        assert_eq!(errors(json!({"name": "a", "nmae": "b"})), one("nmae", "unknown"));
    }
}
