//! What was done to a row: who, when, and what changed by it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::describe::{Cell, Input};
use crate::fixed::Fen;
use crate::permission::{self, Described, Page};
use crate::pricing::Tariff;
use crate::resource::{FormMap, Resource, Row, Verb};
use crate::text::{Lang, Text, t};

/// One thing that was done to a row.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryRow {
    /// Id.
    pub id: Uuid,
    /// The verb; [`action_label`] words it.
    #[schema(example = "update")]
    pub action: String,
    /// Who did it.
    #[schema(example = "陈晨")]
    pub user_name: String,
    /// The fields that changed by it; none when the row was made.
    pub changes: Vec<FieldChange>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// The field's name.
    #[schema(example = "name")]
    pub field: String,
    /// What people call it; null where only programs speak of it.
    #[schema(example = "电站名称")]
    pub label: Option<String>,
    /// What it was.
    #[schema(example = "甲站")]
    pub before: Value,
    /// What it is since.
    #[schema(example = "乙站")]
    pub after: Value,
    /// What it was, for people.
    #[schema(example = "甲站")]
    pub before_text: String,
    /// What it is since, for people.
    #[schema(example = "乙站")]
    pub after_text: String,
}

impl Row for HistoryRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What people call an action on a resource.
pub fn action_label<R: Resource>(action: &str) -> Option<Text> {
    let usual = Verb::ALL.iter().find(|it| it.as_str() == action).map(|it| it.label());
    usual.or_else(|| R::ACTIONS.iter().find(|it| it.verb == action).map(|it| it.label))
}

/// That a row was changed, and when, need not be told again; and what its device tells of itself, which changes all the
/// time, was done by nobody.
const UNTOLD: [&str; 12] = [
    "version",
    "updated_at",
    "condition",
    "device",
    "faults",
    "last_seen_at",
    "online",
    "order_id",
    "order_no",
    "pending",
    "status",
    "status_at",
];

/// What differs between a row before and after, field by field; nothing when it was made or removed. [`word`] says it for
/// people.
pub fn changes(before: &Value, after: &Value) -> Vec<FieldChange> {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else { return Vec::new() };
    let told = |field: &&String| !UNTOLD.contains(&field.as_str());
    let gone = before.keys().filter(|it| !after.contains_key(*it));
    let value = |row: &FormMap, field: &String| row.get(field).cloned().unwrap_or_default();
    let change = |field: &String| FieldChange {
        field: field.clone(),
        label: None,
        before: value(before, field),
        after: value(after, field),
        before_text: String::new(),
        after_text: String::new(),
    };
    after.keys().chain(gone).filter(told).map(change).filter(|it| it.before != it.after).collect()
}

/// Says changes of a row of the resource at `path` as people read them, where its description knows how. Which other row
/// is meant is said by its name, which changed with its id.
pub fn word(path: &str, changes: &mut [FieldChange], lang: Lang) {
    let Some(page) = Page::at(path) else { return };
    let names: Vec<String> =
        changes.iter().filter_map(|it| it.field.strip_suffix("_name")).map(str::to_owned).collect();
    for change in changes {
        let Some(Described { label, input }) = page.described(&change.field) else { continue };
        let named = change.field.strip_suffix("_id").is_some_and(|it| names.iter().any(|name| name == it));
        if named || matches!(input, Some(Input::Lookups(_))) {
            continue;
        }
        change.before_text = said(&change.field, input, &change.before, lang);
        change.after_text = said(&change.field, input, &change.after, lang);
        // What people read is the same.
        change.label = (change.before_text != change.after_text).then(|| label.get(lang).to_owned());
    }
}

/// A value as people read it: with its code's label, in local time, in yuan and kW.
fn said(field: &str, input: Option<Input>, value: &Value, lang: Lang) -> String {
    match (value, input) {
        (value, Some(Input::Custom("tariff"))) => {
            Tariff::deserialize(value).map(|it| crate::tariff::said(&it, lang)).unwrap_or_default()
        }
        (Value::Number(number), Some(Input::Custom("presets"))) => {
            number.as_i64().map(|it| Fen(it).yuan()).unwrap_or_default()
        }
        // How many of something a row has, by what they are doing: only that there are others is told.
        (Value::Object(counts), Some(Input::Int { .. })) => {
            counts.get("total").map(Value::to_string).unwrap_or_default()
        }
        (Value::Bool(on), _) if field == "enabled" => Cell::enabled(*on).plain(lang),
        (Value::Bool(on), _) => Cell::flag(*on).plain(lang),
        (Value::String(text), Some(Input::Choice(choices))) => {
            let choice = choices.iter().find(|it| it.value == text);
            choice.map_or(text.as_str(), |it| it.label.get(lang)).to_owned()
        }
        (Value::String(text), Some(Input::Permissions)) => permission::said(text, lang),
        (Value::String(text), None) => match text.parse::<DateTime<Utc>>() {
            Ok(at) => crate::time::local_text(at),
            Err(_) => text.clone(),
        },
        (Value::String(text), Some(_)) => text.clone(),
        (Value::Number(number), _) => match number.as_i64() {
            Some(fen) if field.ends_with("_fen") => Cell::Fen(Fen(fen)).plain(lang),
            Some(watts) if field.ends_with("_w") => Cell::watts(watts).plain(lang),
            _ => number.to_string(),
        },
        (Value::Array(items), _) => {
            let items: Vec<String> = items.iter().map(|it| said(field, input, it, lang)).collect();
            items.join(t("、", ", ").get(lang))
        }
        (Value::Null | Value::Object(_), _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::station::car::CarStations;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({"name": "甲站", "city": "杭州", "hotline": "1", "version": 1});
        let after = json!({"name": "乙站", "city": "杭州", "version": 2, "note": null, "nature": "public"});
        let told = changes(&before, &after);
        let fields: Vec<_> = told.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["name", "nature", "hotline"]);
        assert_eq!((&told[0].before, &told[0].after), (&json!("甲站"), &json!("乙站")));
        assert_eq!(changes(&Value::Null, &after), []);
    }

    #[test]
    fn changes_are_told_as_people_read_them() {
        let before = json!({
            "kind": "provider", "enabled": true, "department_id": "1", "department_name": "甲", "role_ids": ["1"],
            "roles": ["甲"], "last_login_at": null,
        });
        let after = json!({
            "kind": "property", "enabled": false, "department_id": "2", "department_name": "乙", "role_ids": [],
            "roles": [], "last_login_at": "2026-11-25T04:00:00Z",
        });
        let mut told = changes(&before, &after);
        word("system/users", &mut told, Lang::Zh);
        let read: Vec<_> = told
            .iter()
            .filter_map(|it| Some((it.label.as_deref()?, it.before_text.as_str(), it.after_text.as_str())))
            .collect();
        let expected = [
            ("归属部门", "甲", "乙"),
            ("状态", "启用", "禁用"),
            ("用户类型", "服务商", "物业"),
            ("最近登录", "", "2026-11-25 12:00:00"),
            ("角色", "甲", ""),
        ];
        assert_eq!(read, expected);
        assert_eq!(told.len(), 7, "the ids are told too, without a label");
        let (weak, strong) = (json!({"permissions": ["car.station.view"]}), json!({"permissions": []}));
        let mut told = changes(&weak, &strong);
        word("system/roles", &mut told, Lang::En);
        assert_eq!(told[0].before_text, "Car stations: View");
    }

    #[test]
    fn what_a_device_does_is_not_told_of_people() {
        let charger = |total: i64, available: i64, name: &str| json!({"name": name, "connectors": {"total": total, "available": available}, "condition": name, "online": total == 1});
        let read = |before: Value, after: Value| {
            let mut told = changes(&before, &after);
            word("car/chargers", &mut told, Lang::Zh);
            let labelled = told.into_iter().filter_map(|it| Some((it.label?, it.before_text, it.after_text)));
            labelled.map(|(label, before, after)| format!("{label} {before} {after}")).collect::<Vec<_>>()
        };
        assert_eq!(read(charger(1, 0, "甲"), charger(2, 0, "乙")), ["电枪数量 1 2", "电桩名称 甲 乙"]);
        assert!(read(charger(2, 0, "甲"), charger(2, 1, "甲")).is_empty());
    }

    #[test]
    fn structures_are_told_in_one_line() {
        let tariff = |elec: &str| {
            json!({"tariff": {"mode": "uniform", "prices": {"uniform": {"elec": elec, "service": "0.4"}}, "slots": []},
                "presets": [1000, 550]})
        };
        let mut after = tariff("0.95");
        after["presets"] = json!([1000]);
        let mut told = changes(&tariff("0.9"), &after);
        word("car/tariffs", &mut told, Lang::Zh);
        let texts: Vec<_> = told.iter().map(|it| (it.before_text.as_str(), it.after_text.as_str())).collect();
        assert_eq!(texts, [("10.00、5.50", "10.00"), ("统一 0.90000 + 0.40000", "统一 0.95000 + 0.40000")]);
    }

    #[test]
    fn actions_have_labels() {
        assert_eq!(action_label::<CarStations>("update").unwrap().zh, "修改");
        assert_eq!(action_label::<CarStations>("approve").unwrap().en, "Approve");
        assert_eq!(action_label::<CarStations>("dance"), None);
    }
}
