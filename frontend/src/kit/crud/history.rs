//! What was done to a row: who, when, and what changed by it, in the server's words.

use leptos::prelude::*;
use serde_json::Value;
use shared::codes::Tone;
use shared::describe::{As, Fact};
use shared::resource::Verb;
use shared::text::t;
use uuid::Uuid;

use super::desk::Desk;
use super::records::records;
use super::source::Source;
use crate::kit::cell::{cell, nothing, tag};
use crate::kit::facts::items;
use crate::kit::query::Query;
use crate::lang::tr;

const ACTION: Fact = Fact::new("action", t("操作", "Action"), As::Text);
const USER: Fact = Fact::new("user_name", t("操作者", "By"), As::Text);
const AT: Fact = Fact::new("created_at", t("时间", "Time"), As::Time);
const LABEL: Fact = Fact::new("label", t("字段", "Field"), As::Text);
const BEFORE: Fact = Fact::new("before_text", t("变更前", "Before"), As::Text);
const AFTER: Fact = Fact::new("after_text", t("变更后", "After"), As::Text);

/// Draws it.
pub fn history(desk: Desk, id: Uuid) -> AnyView {
    let source = desk.source;
    let show = move |rows: &[Value]| Ok(list(source, rows));
    let address = format!("{}/{id}/history", source.path);
    records(address, Memo::new(|_| Query::default()), &[desk.changed], Box::new(show))
}

fn list(source: Source, rows: &[Value]) -> AnyView {
    if rows.is_empty() {
        return nothing(tr("暂无变更记录", "Nothing was done to it yet"));
    }
    let item = |it: &Value| {
        view! {
            <li>
                <div class="history-head">
                    {deed(source, it)}
                    <b>{cell(&USER.cell(it))}</b>
                    <span class="history-time">{cell(&AT.cell(it))}</span>
                </div>
                {changes(it)}
            </li>
        }
        .into_any()
    };
    view! { <ol class="history">{rows.iter().map(item).collect_view()}</ol> }.into_any()
}

/// What was done.
fn deed(source: Source, it: &Value) -> AnyView {
    let action = it.get("action").and_then(Value::as_str).unwrap_or_default();
    let usual = Verb::ALL.iter().find(|it| it.as_str() == action).map(|it| it.label());
    let label = usual.or_else(|| source.actions.iter().find(|it| it.verb == action).map(|it| it.label));
    let tone = match action {
        "create" | "enable" => Tone::Success,
        "delete" | "disable" => Tone::Danger,
        _ => Tone::Primary,
    };
    label.map_or_else(|| cell(&ACTION.cell(it)), |label| tag(label, tone))
}

/// The `changes` that an answer tells: fields with what they were and what they are since, as far as they have a name.
pub fn changes(of: &Value) -> AnyView {
    let side = |fact: Fact, it: &Value| match fact.cell(it).plain(crate::lang::lang()) {
        text if text.is_empty() => tr("空", "none").to_owned(),
        text => text,
    };
    let line = |it: &Value| {
        view! {
            <li>
                <span class="change-field">{cell(&LABEL.cell(it))}</span>
                <del>{side(BEFORE, it)}</del>
                <span class="change-to" aria-hidden="true">"→"</span>
                <ins>{side(AFTER, it)}</ins>
            </li>
        }
        .into_any()
    };
    let named = items(of, "changes").iter().filter(|it| it.get("label").is_some_and(Value::is_string));
    view! { <ul class="changes">{named.map(line).collect_view()}</ul> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::facts::tests::undocumented;

    #[test]
    fn what_is_told_is_documented() {
        assert!(undocumented("HistoryRow", &[ACTION, USER, AT]).is_empty());
        assert!(undocumented("FieldChange", &[LABEL, BEFORE, AFTER]).is_empty());
    }
}
