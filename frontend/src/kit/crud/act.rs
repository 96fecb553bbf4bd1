//! What can be done to one row: buttons, questions, and the requests behind them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Value, json};
use shared::resource::{FormMap, Verb};
use shared::text::Lang;
use uuid::Uuid;

use super::list::Listing;
use super::source::{Deed, Entry};
use crate::api::Ask;
use crate::kit::button::{busy_button, button};
use crate::kit::confirm::{Question, confirm};
use crate::kit::dropdown::{Item, dropdown};
use crate::kit::entry::wire;
use crate::kit::form::form_view;
use crate::kit::input::toggle;
use crate::kit::modal::dialog;
use crate::kit::toast;
use crate::lang::{lang, say, tr};
use crate::run::submitted;

/// The rest goes into a menu.
const SIDE_BY_SIDE: usize = 3;

/// The buttons of a row; in the table those that do not fit go into a menu.
pub fn buttons(it: Listing, entry: &Entry, in_table: bool) -> AnyView {
    let (id, name) = (entry.id, entry.name.clone());
    let mut items = Vec::new();
    if in_table {
        items.push(Item::new("detail", tr("详细", "Detail"), false, move || it.open(id)));
    }
    if it.can(Verb::Update) {
        items.push(Item::new("edit", tr("修改", "Edit"), false, move || it.editing.set(Some(Some(id)))));
    }
    let deeds = (it.source.actions)().into_iter().zip(&entry.applies);
    for (deed, _) in deeds.filter(|(deed, applies)| **applies && it.may(deed.verb)) {
        let name = name.clone();
        items.push(Item::new(deed.verb, say(deed.label), deed.danger, move || begin(it, deed, id, name.clone())));
    }
    if it.can(Verb::Delete) {
        items.push(Item::new("delete", tr("删除", "Delete"), true, move || delete(it, id, name.clone())));
    }
    let rest = if items.len() > SIDE_BY_SIDE { items.split_off(SIDE_BY_SIDE - 1) } else { Vec::new() };
    let class = if in_table { "is-link" } else { "el-button--small" };
    view! {
        <div class="acts">
            {items.into_iter().map(|it| it.button(class)).collect_view()}
            {(!rest.is_empty()).then(|| dropdown(class, tr("更多", "More"), rest))}
        </div>
    }
    .into_any()
}

/// Sends a request and tells how it went.
async fn send(it: Listing, ask: Ask<'_>, done: &str) -> Result<(), crate::api::Failure> {
    ask.text().await?;
    toast::done(done);
    it.changed();
    Ok(())
}

fn done_text(label: &str) -> String {
    match lang() {
        Lang::Zh => format!("{label}成功"),
        Lang::En => format!("{label}: done"),
    }
}

/// The action whose form is open, and on which row.
pub type Asked = RwSignal<Option<(Deed, Uuid)>>;

/// Starts an action: with its form, with its question, or at once.
fn begin(it: Listing, deed: Deed, id: Uuid, name: String) {
    if !deed.fields.is_empty() {
        it.asked.set(Some((deed, id)));
        return;
    }
    spawn_local(async move {
        let agreed = match deed.confirm {
            Some(text) => {
                let label = say(deed.label);
                let title = format!("{label} · {name}");
                confirm(Question {
                    title,
                    lines: vec![say(text).to_owned()],
                    yes: label.to_owned(),
                    danger: deed.danger,
                })
                .await
            }
            None => true,
        };
        if agreed {
            let path = format!("{}/{id}/{}", it.source.path, deed.verb);
            let key = deed.keyed.then(Uuid::new_v4);
            if let Err(failure) = send(it, Ask::post(&path, &json!({})).keyed(key), &done_text(say(deed.label))).await {
                toast::failed(&failure);
            }
        }
    });
}

/// The form of an action.
pub fn deed_dialog(it: Listing, deed: Deed, id: Uuid) -> AnyView {
    let form = RwSignal::new(FormMap::new());
    let errs = RwSignal::new(Vec::new());
    let busy = RwSignal::new(false);
    // One key for one dialog: pressing the button again after a lost answer does nothing twice.
    let key = deed.keyed.then(Uuid::new_v4);
    let close = Callback::new(move |()| it.asked.set(None));
    let submit = move || {
        let entered = form.get_untracked();
        let checked = wire(deed.fields, &entered, lang()).and_then(|it| shared::check::clean(deed.fields, &it, lang()));
        let body = match checked {
            Ok(body) => Value::Object(body),
            Err(wrong) => return errs.set(wrong),
        };
        busy.set(true);
        spawn_local(async move {
            let path = format!("{}/{id}/{}", it.source.path, deed.verb);
            let outcome = send(it, Ask::post(&path, &body).keyed(key), &done_text(say(deed.label))).await;
            _ = busy.try_set(false);
            match outcome {
                Ok(()) => close.run(()),
                Err(failure) if failure.status == 422 && !failure.errors.is_empty() => {
                    drop(errs.try_set(failure.errors))
                }
                Err(failure) => toast::failed(&failure),
            }
        });
    };
    let class = if deed.danger { "el-button--danger" } else { "el-button--primary" };
    let body = view! {
        <form on:submit=submitted(submit)>
            {deed.confirm.map(|it| view! { <p class="form-lead">{say(it)}</p> }.into_any())}
            {form_view(deed.fields, form, errs, true)}
        </form>
    };
    let foot = view! {
        {button("", "cancel", None, tr("取消", "Cancel"), move || close.run(()))}
        {busy_button(class, "ok", say(deed.label), busy, submit)}
    };
    dialog(say(deed.label).to_owned(), 560, close, body.into_any(), foot.into_any())
}

fn delete(it: Listing, id: Uuid, name: String) {
    spawn_local(async move {
        let lines = vec![tr("删除后无法恢复。", "It cannot be brought back.").to_owned()];
        let title = format!("{} · {name}", tr("删除", "Delete"));
        if confirm(Question { title, lines, yes: tr("删除", "Delete").to_owned(), danger: true }).await {
            let path = format!("{}/{id}", it.source.path);
            match send(it, Ask::delete(&path), tr("已删除", "Deleted")).await {
                Ok(()) => crate::nav::replace(&it.address()),
                Err(failure) => toast::failed(&failure),
            }
        }
    });
}

/// The switch in the table; asks first and says what it will hit.
pub fn enable_switch(it: Listing, entry: &Entry) -> AnyView {
    let on = RwSignal::new(entry.enabled.unwrap_or_default());
    let (id, name) = (entry.id, entry.name.clone());
    let allowed = it.can(if on.get_untracked() { Verb::Disable } else { Verb::Enable });
    let label = format!("{} {name}", tr("启用", "Enabled"));
    let flip = move |wanted: bool| {
        let name = name.clone();
        // The box has moved already; it shows what is, until it is so.
        on.set(wanted);
        spawn_local(async move {
            if !switch(it, id, name, wanted).await {
                _ = on.try_set(!wanted);
            }
        });
    };
    toggle(format!("enabled-{id}"), "enabled", label, move || on.get(), !allowed, flip)
}

/// Switches on or off after asking; false when it stays as it was.
async fn switch(it: Listing, id: Uuid, name: String, on: bool) -> bool {
    let verb = if on { Verb::Enable } else { Verb::Disable };
    let label = say(verb.label());
    let mut lines = vec![match lang() {
        Lang::Zh => format!("确定{label}“{name}”吗？"),
        Lang::En => format!("{label} “{name}”?"),
    }];
    if !on {
        lines.extend(impact(it, id).await);
    }
    if !confirm(Question { title: format!("{label} · {name}"), lines, yes: label.to_owned(), danger: !on }).await {
        return false;
    }
    let path = format!("{}/{id}/{}", it.source.path, verb.as_str());
    match send(it, Ask::post(&path, &json!({})), &done_text(label)).await {
        Ok(()) => true,
        Err(failure) => {
            toast::failed(&failure);
            false
        }
    }
}

/// What switching off will hit, as far as the server says.
async fn impact(it: Listing, id: Uuid) -> Vec<String> {
    let path = format!("{}/{id}/impact", it.source.path);
    let Ok(Value::Object(hit)) = Ask::get(&path).json::<Value>().await else { return Vec::new() };
    hit.iter().filter_map(|(name, count)| count.as_i64().filter(|it| *it > 0).map(|it| impact_line(name, it))).collect()
}

fn impact_line(name: &str, count: i64) -> String {
    let what = match name {
        "running_orders" => tr("个进行中的订单（会继续到结束）", "running orders; they go on to their end"),
        "stations" => tr("个已启用的电站", "enabled stations"),
        "chargers" => tr("台已启用的电桩", "enabled chargers"),
        other => other,
    };
    match lang() {
        Lang::Zh => format!("将影响 {count} {what}。"),
        Lang::En => format!("This concerns {count} {what}."),
    }
}
