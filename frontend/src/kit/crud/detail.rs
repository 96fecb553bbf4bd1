//! All that is known of a row, in a drawer over the list.

use leptos::prelude::*;
use uuid::Uuid;

use super::act::buttons;
use super::desk::Desk;
use super::history::history;
use super::subject::Subject;
use crate::kit::modal::drawer;
use crate::lang::{say, tr};
use crate::nav;

/// The drawer; closing it leads back to the list as it stood.
pub fn detail(desk: Desk, id: Uuid) -> AnyView {
    let it = Subject::read(desk, id);
    let close = Callback::new(move |()| nav::go(&desk.list.get_untracked()));
    let title = format!("{} · {}", say(desk.source.title), tr("详细", "Detail"));
    let head = view! { <div class="drawer-acts">{buttons(desk, it.entry, None)}</div> };
    let body = move || {
        view! {
            {it.all_facts()}
            {desk.source.more.map(|more| it.made(more))}
            {desk.source.history.then(|| view! {
                <h3 class="detail-title">{tr("变更记录", "What was done to it")}</h3>
                {history(desk, id)}
            }.into_any())}
        }
        .into_any()
    };
    drawer(title, close, head.into_any(), it.steady(body))
}
