//! What was done to a row: who, when, and what changed by it, in words.

use leptos::prelude::*;
use serde_json::Value;
use shared::codes::Tone;
use shared::describe::{Field, Input};
use shared::history::{FieldChange, HistoryRow};
use shared::resource::Verb;
use shared::text::{Lang, Text, t};
use shared::time::local_text;
use uuid::Uuid;

use super::desk::Desk;
use super::records::records;
use super::source::Source;
use crate::answer;
use crate::kit::cell::{nothing, tag};
use crate::kit::entry::entered;
use crate::kit::query::Query;
use crate::lang::{lang, say, tr};
use crate::pages::custom_words;

/// What devices tell of themselves: it changes all the time, and nobody did it.
const LIVE: [&str; 2] = ["condition", "status"];

/// Draws it.
pub fn history(desk: Desk, id: Uuid) -> AnyView {
    let source = desk.source;
    let show = move |rows: &[Value]| {
        let rows: Result<Vec<HistoryRow>, String> = rows.iter().map(answer::part).collect();
        rows.map(|it| list(source, &it))
    };
    let address = format!("{}/{id}/history", source.path);
    records(address, Memo::new(|_| Query::default()), &[desk.changed], Box::new(show))
}

fn list(source: Source, rows: &[HistoryRow]) -> AnyView {
    if rows.is_empty() {
        return nothing(tr("暂无变更记录", "Nothing was done to it yet"));
    }
    let item = |it: &HistoryRow| {
        view! {
            <li>
                <div class="history-head">
                    {deed(source, &it.action)}
                    <b>{it.user_name.clone()}</b>
                    <span class="num">{local_text(it.created_at)}</span>
                </div>
                {changes(source, &it.changes)}
            </li>
        }
        .into_any()
    };
    view! { <ol class="history">{rows.iter().map(item).collect_view()}</ol> }.into_any()
}

/// What was done.
fn deed(source: Source, action: &str) -> AnyView {
    let usual = Verb::ALL.iter().find(|it| it.as_str() == action).map(|it| it.label());
    let label = usual.or_else(|| (source.actions)().iter().find(|it| it.verb == action).map(|it| it.label));
    let tone = match action {
        "create" | "enable" => Tone::Success,
        "delete" | "disable" => Tone::Danger,
        _ => Tone::Primary,
    };
    match label {
        Some(label) => tag(label, tone),
        None => view! { <span class="el-tag el-tag--info">{action.to_owned()}</span> }.into_any(),
    }
}

/// Fields with what they were and what they are since.
pub fn changes(source: Source, changes: &[FieldChange]) -> AnyView {
    let line = |it: Told| {
        view! {
            <li>
                <span class="change-field">{say(it.field)}</span>
                <del>{it.before}</del>
                <span class="change-to" aria-hidden="true">"→"</span>
                <ins>{it.after}</ins>
            </li>
        }
        .into_any()
    };
    let told = told(source, changes, lang());
    if told.is_empty() {
        return ().into_any();
    }
    view! { <ul class="changes">{told.into_iter().map(line).collect_view()}</ul> }.into_any()
}

/// A change in words.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    field: Text,
    before: String,
    after: String,
}

/// The changes of fields that people know: those of the form, and those that are searched by.
fn told(source: Source, changes: &[FieldChange], lang: Lang) -> Vec<Told> {
    let form = source.fields.unwrap_or_default();
    let known = |name: &str| form.iter().chain(source.filters).find(|it| it.name == name && !LIVE.contains(&name));
    let tell = |it: &FieldChange| {
        let field = known(&it.field)?;
        // What an id names is told by its sibling: `area_id`, `area_name`.
        let named = field.name.strip_suffix("_id").map(|it| format!("{it}_name"));
        let it = named.and_then(|name| changes.iter().find(|it| it.field == name)).unwrap_or(it);
        let (before, after) = (value(field, &it.before, lang), value(field, &it.after, lang));
        (before != after).then_some(Told { field: field.label, before, after })
    };
    changes.iter().filter_map(tell).collect()
}

fn value(field: &Field, value: &Value, lang: Lang) -> String {
    let said = |zh, en| t(zh, en).get(lang).to_owned();
    match (field.input, value) {
        (_, Value::Null) => said("空", "none"),
        (Input::Custom(name), value) => custom_words(name, value, lang),
        (_, Value::Bool(on)) => match (field.name, on) {
            ("enabled", true) => said("启用", "Enabled"),
            ("enabled", false) => said("禁用", "Disabled"),
            (_, true) => said("是", "Yes"),
            (_, false) => said("否", "No"),
        },
        (Input::Choice(choices), Value::String(code)) => {
            choices.iter().find(|it| it.value == code).map_or_else(|| code.clone(), |it| it.label.get(lang).to_owned())
        }
        (input, Value::Number(_)) => match entered(input, value) {
            Value::String(text) => text,
            other => other.to_string(),
        },
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(items)) => format!("{} {}", items.len(), said("项", "entries")),
        // Counts of what belongs to the row, by what it is doing.
        (Input::Int { .. }, Value::Object(counts)) => counts.get("total").map(Value::to_string).unwrap_or_default(),
        (_, Value::Object(_)) => said("已改动", "changed"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::charger::CarChargers;
    use shared::system::user::Users;
    use shared::tariff::CarTariffs;

    use super::super::source::edit;
    use super::*;

    fn told_of(source: Source, before: &Value, after: &Value) -> Vec<(&'static str, String, String)> {
        let told = told(source, &shared::history::changes(before, after), Lang::Zh);
        told.into_iter().map(|it| (it.field.get(Lang::Zh), it.before, it.after)).collect()
    }

    #[test]
    fn changes_are_told_in_the_words_of_the_form() {
        let before = json!({"name": "1号桩", "output_power_w": 7000, "nature": "public", "reservable": false, "sim": null,
            "enabled": true, "connectors": {"total": 1, "available": 1}, "condition": "online", "last_seen_at": "a"});
        let after = json!({"name": "一号桩", "output_power_w": 7400, "nature": "dedicated", "reservable": true, "sim": "898",
            "enabled": false, "connectors": {"total": 2, "available": 0}, "condition": "offline", "last_seen_at": "b"});
        let mut told = told_of(edit::<CarChargers>(), &before, &after);
        told.sort_unstable();
        let expected = [
            ("SIM 卡号", "空", "898"),
            ("状态", "启用", "禁用"),
            ("电枪数量", "1", "2"),
            ("电桩名称", "1号桩", "一号桩"),
            ("输出功率(kW)", "7", "7.4"),
            ("运营性质", "公共", "专用"),
            ("预约充电", "否", "是"),
        ];
        let mut expected = expected.map(|(field, before, after)| (field, before.to_owned(), after.to_owned())).to_vec();
        expected.sort_unstable();
        assert_eq!(told, expected);
    }

    #[test]
    fn what_only_the_device_did_is_not_told() {
        let counts =
            |available: i64| json!({"connectors": {"total": 2, "available": available}, "online": available == 0});
        assert_eq!(told_of(edit::<CarChargers>(), &counts(1), &counts(0)), []);
    }

    #[test]
    fn ids_are_told_by_name_and_structures_in_words() {
        let before = json!({"provider_id": "a", "provider_name": "云栖充电"});
        let after = json!({"provider_id": "b", "provider_name": "风行新能源"});
        let told = told_of(edit::<Users>(), &before, &after);
        assert_eq!(told, [("服务商", "云栖充电".to_owned(), "风行新能源".to_owned())]);
        let tariff = |elec: &str| {
            json!({"tariff": {"mode": "uniform", "prices": {"uniform": {"elec": elec, "service": "0.4"}}, "slots": []},
                "presets": [1000, 5000]})
        };
        let told = told_of(edit::<CarTariffs>(), &tariff("0.9"), &tariff("0.95"));
        assert_eq!(told, [("计费规则", "统一 0.9 + 0.4".to_owned(), "统一 0.95 + 0.4".to_owned())]);
    }
}
