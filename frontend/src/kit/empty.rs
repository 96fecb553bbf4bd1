//! What stands where there is nothing yet.

use leptos::prelude::*;

use super::icon::{Icon, icon};

/// Says that there is nothing, why, and where that helps offers to change it.
pub fn empty(face: Icon, text: &'static str, action: Option<AnyView>) -> AnyView {
    view! {
        <div class="el-empty" data-test="empty">
            <div class="empty-icon">{icon(face)}</div>
            <p class="el-empty__description">{text}</p>
            {action.map(|it| view! { <div class="el-empty__bottom">{it}</div> }.into_any())}
        </div>
    }
    .into_any()
}
