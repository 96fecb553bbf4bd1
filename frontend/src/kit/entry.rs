//! What people type and what is sent: the form's entries and its wire values.
//!
//! While a form is open, numbers are kept as the text that was typed, so that `12.` is not rewritten under the
//! typist's fingers; on sending they become integers of fen and W without a float in between.

use serde_json::Value;
use shared::amount::{scaled, unscaled};
use shared::describe::{Field, Input};
use shared::problem::FieldError;
use shared::resource::FormMap;
use shared::text::{Lang, t};

use super::form::form_of;
use crate::answer;
use crate::pages::list_named;

/// How many places are typed for an input that is sent as a scaled integer.
const fn places(input: Input) -> Option<u32> {
    match input {
        Input::Int { .. } => Some(0),
        Input::Fen { .. } => Some(2),
        Input::Watts { .. } => Some(3),
        Input::Text(_)
        | Input::Area(_)
        | Input::Mobile
        | Input::Phone
        | Input::Plate
        | Input::Email
        | Input::Password
        | Input::Degrees { .. }
        | Input::Switch
        | Input::Choice(_)
        | Input::Lookup(_)
        | Input::Lookups(_)
        | Input::Permissions
        | Input::Days
        | Input::Custom(_) => None,
    }
}

/// A wire value as its input shows it.
pub fn entered(input: Input, value: &Value) -> Value {
    match (places(input), input) {
        (Some(places), _) => value.as_i64().map_or(Value::Null, |it| Value::from(unscaled(it, places))),
        (None, Input::Degrees { .. }) if value.is_number() => Value::from(value.to_string()),
        (None, _) => value.clone(),
    }
}

/// A whole form as its inputs show it.
pub fn entries(fields: &[Field], form: &FormMap) -> FormMap {
    let entry =
        |field: &Field| (field.name.to_owned(), entered(field.input, form.get(field.name).unwrap_or(&Value::Null)));
    form_of(fields.iter().map(entry))
}

/// What the inputs hold as it is sent.
///
/// # Errors
/// The fields whose text is not the number it should be, and lists beside which something is typed that cannot be added.
pub fn wire(fields: &[Field], entries: &FormMap, lang: Lang) -> Result<FormMap, Vec<FieldError>> {
    let mut form = FormMap::new();
    let mut errors = Vec::new();
    for field in fields {
        if let Input::Custom(name) = field.input
            && let Some(list) = list_named(name)
        {
            match list.taken_up(entries, field.name, lang) {
                Ok(value) => drop(form.insert(field.name.to_owned(), value)),
                Err(wrong) => errors.push(wrong),
            }
            continue;
        }
        let entry = entries.get(field.name).unwrap_or(&Value::Null);
        match sent(field.input, entry) {
            Some(value) => drop(form.insert(field.name.to_owned(), value)),
            None => errors.push(FieldError::new(field.name, "format", hint(field.input, lang))),
        }
    }
    if errors.is_empty() { Ok(form) } else { Err(errors) }
}

fn sent(input: Input, entry: &Value) -> Option<Value> {
    let Some(text) = entry.as_str().map(str::trim) else { return Some(entry.clone()) };
    match (places(input), input) {
        (Some(_), _) | (None, Input::Degrees { .. }) if text.is_empty() => Some(Value::Null),
        (Some(places), _) => scaled(text, places).map(Value::from),
        (None, Input::Degrees { .. }) => answer::parse(text).ok().filter(Value::is_number),
        (None, _) => Some(entry.clone()),
    }
}

fn hint(input: Input, lang: Lang) -> &'static str {
    match places(input) {
        Some(0) => t("请填写整数", "A whole number"),
        Some(2) => t("请填写金额，最多两位小数", "An amount with at most two places"),
        Some(_) => t("请填写数字，最多三位小数", "A number with at most three places"),
        None => t("请填写数字", "A number"),
    }
    .get(lang)
}

/// Reads a pasted pair of coordinates, longitude first: `113.9412,22.5431`.
pub fn coordinates(text: &str) -> Option<(String, String)> {
    let (lng, lat) = text.trim().split_once([',', '，', ' ', '\t'])?;
    let (lng, lat) = (lng.trim(), lat.trim());
    let within = |text: &str, limit: i64| scaled(text, 15).is_some_and(|it| it.abs() <= limit * 10_i64.pow(15));
    (within(lng, 180) && within(lat, 90)).then(|| (lng.to_owned(), lat.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const FIELDS: &[Field] = &[
        Field::new("name", t("名称", "Name"), Input::Text(10)),
        Field::new("count", t("数量", "Count"), Input::Int { min: 1, max: 8 }),
        Field::new("price", t("价格", "Price"), Input::Fen { min: 0, max: 10_000 }),
        Field::new("power", t("功率", "Power"), Input::Watts { max: 1_000_000 }),
        Field::new("lng", t("经度", "Longitude"), Input::Degrees { limit: 180 }),
        Field::new("on", t("开", "On"), Input::Switch),
    ];

    fn map(value: Value) -> FormMap {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn goes_out_as_integers_and_comes_back_as_typed() {
        let typed = map(json!({
            "name": "a", "count": "3", "price": "0.7", "power": "7.4", "lng": "113.941235", "on": true
        }));
        let sent = wire(FIELDS, &typed, Lang::Zh).unwrap();
        let expected = json!({"name": "a", "count": 3, "price": 70, "power": 7400, "lng": 113.941235, "on": true});
        assert_eq!(Value::Object(sent.clone()), expected);
        assert_eq!(entries(FIELDS, &sent), typed);
    }

    #[test]
    fn empty_is_null_and_nonsense_is_told() {
        let sent = wire(FIELDS, &map(json!({"price": " ", "lng": ""})), Lang::En).unwrap();
        assert_eq!(sent["price"], Value::Null);
        assert_eq!(sent["lng"], Value::Null);
        assert_eq!(sent["count"], Value::Null);
        let errors =
            wire(FIELDS, &map(json!({"count": "1.5", "price": "0.001", "lng": "east"})), Lang::En).unwrap_err();
        let names: Vec<_> = errors.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(names, ["count", "price", "lng"]);
        assert_eq!(errors[0].message, "A whole number");
    }

    #[test]
    fn what_is_typed_beside_a_list_is_taken_up_or_told() {
        let fields = [
            Field::new("tiers", t("规则", "Tiers"), Input::Custom("tiers")),
            Field::new("presets", t("预付值", "Presets"), Input::Custom("presets")),
        ];
        let tier = json!({"min_fen": 10_000, "bonus_fen": 500});
        let typed = |tiers: Value, presets: Value| {
            map(json!({"tiers": [tier], "tiers.typed": tiers, "presets": [1000], "presets.typed": presets}))
        };
        let sent = wire(&fields, &typed(json!(["200", " 50 "]), json!(["100"])), Lang::Zh).unwrap();
        let second = json!({"min_fen": 20_000, "bonus_fen": 5000});
        assert_eq!(Value::Object(sent), json!({"tiers": [tier, second], "presets": [1000, 10_000]}));
        // Nothing typed, or cleared again, changes nothing.
        let sent = wire(&fields, &typed(json!(["", " "]), Value::Null), Lang::Zh).unwrap();
        assert_eq!(Value::Object(sent), json!({"tiers": [tier], "presets": [1000]}));
        for (tiers, presets, wrong) in [
            (json!(["200", ""]), json!([""]), "tiers"),
            (json!(["200", "一百"]), json!([""]), "tiers"),
            (json!(["", ""]), json!(["-20"]), "presets"),
            (json!(["", ""]), json!(["1.005"]), "presets"),
            (json!(["", ""]), json!(["99999999"]), "presets"),
        ] {
            let errors = wire(&fields, &typed(tiers, presets), Lang::Zh).unwrap_err();
            let named: Vec<_> = errors.iter().map(|it| (it.field.as_str(), it.message.contains("金额"))).collect();
            assert_eq!(named, [(wrong, true)]);
        }
        let many: Vec<i64> = (1..=12).map(|it| it * 1000).collect();
        let full = map(json!({"presets": many, "presets.typed": ["5"]}));
        assert_eq!(wire(&fields, &full, Lang::Zh).unwrap_err()[0].message, "最多 12 项");
    }

    #[test]
    fn pasted_coordinates_are_split() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(coordinates("113.94,22.54"), pair("113.94", "22.54"));
        assert_eq!(coordinates(" 113.94， 22.54 "), pair("113.94", "22.54"));
        assert_eq!(coordinates("22.54,113.94"), None);
        assert_eq!(coordinates("113.94"), None);
    }
}
