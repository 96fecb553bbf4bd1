//! What the detail of an audit shows below its columns: what changed, in words.

use leptos::prelude::*;
use serde_json::Value;

use crate::kit::cell::nothing;
use crate::kit::crud::changes;
use crate::kit::facts::items;
use crate::lang::tr;

/// Draws it from the server's answer.
pub fn audit(answer: &Value) -> AnyView {
    let told = if items(answer, "changes").is_empty() {
        nothing(tr("没有字段变化", "No field changed"))
    } else {
        changes(answer)
    };
    view! { <h3 class="detail-title">{tr("变更内容", "What changed")}</h3>{told} }.into_any()
}
