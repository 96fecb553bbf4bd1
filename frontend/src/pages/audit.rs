//! What the detail of an audit shows below its columns: what changed, in words.

use leptos::prelude::*;
use serde_json::Value;
use shared::history::changes as differences;

use crate::kit::crud::changes;
use crate::lang::tr;

/// Draws it from the server's answer.
pub fn audit(answer: &Value) -> AnyView {
    let resource = answer.get("resource").and_then(Value::as_str).unwrap_or_default();
    let Some(source) = super::find(resource).and_then(|it| it.page.source) else { return ().into_any() };
    let side = |name: &str| answer.get(name).unwrap_or(&Value::Null);
    view! {
        <h3 class="detail-title">{tr("变更内容", "What changed")}</h3>
        {changes(source, &differences(side("before"), side("after")))}
    }
    .into_any()
}
