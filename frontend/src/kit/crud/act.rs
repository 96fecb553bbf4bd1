//! What can be done to one row: buttons, questions, and the requests behind them.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Value, json};
use shared::describe::Action;
use shared::resource::Verb;
use shared::text::Lang;
use uuid::Uuid;

use super::desk::{Asked, Desk, Editing};
use super::edit::tell_password;
use super::source::Entry;

use crate::answer;
use crate::api::{Ask, Failure, download};
use crate::kit::confirm::{Question, confirm};
use crate::kit::dropdown::{Item, dropdown};
use crate::kit::input::toggle;
use crate::kit::toast;
use crate::lang::{lang, say, tr};
use crate::run::{follow, live};

/// The rest goes into a menu.
const SIDE_BY_SIDE: usize = 3;

/// The buttons of a row, drawn anew only when others apply. In a table, `open` shows the detail, and the buttons that do
/// not fit go into a menu.
pub fn buttons(desk: Desk, entry: Memo<Option<Entry>>, open: Option<Callback<()>>) -> AnyView {
    let source = desk.source;
    // The row, and what applies to it by name: it is compared with what applied before.
    let apply = Memo::new(move |_| {
        entry.with(|it| {
            let Some(it) = it else { return Vec::<String>::new() };
            let deeds = source.actions.iter().zip(&it.applies).filter(|(_, on)| **on).map(|(it, _)| it.verb);
            let begun = source.begins.filter(|begin| (begin.form)(it).is_some()).map(|it| it.name);
            let mut apply = vec![it.id.to_string()];
            apply.extend(deeds.chain(begun).map(str::to_owned));
            apply
        })
    });
    let draw = move || {
        let apply = apply.get();
        let Some(id) = apply.first().and_then(|it| Uuid::try_parse(it).ok()) else { return ().into_any() };
        let applies = |name: &str| apply.iter().any(|it| it == name);
        let mut items = Vec::new();
        let name = move || entry.with_untracked(|it| it.as_ref().map(|it| it.name.clone()).unwrap_or_default());
        if let Some(open) = open {
            items.push(Item::new("detail", tr("详细", "Detail"), false, move || open.run(())));
        }
        if desk.can(Verb::Update) {
            items.push(Item::new("edit", tr("修改", "Edit"), false, move || desk.edit(id, name())));
        }
        if let Some(begin) = source.begins.filter(|it| applies(it.name) && it.allowed()) {
            let start = move || {
                let form = entry.with_untracked(|it| it.as_ref().and_then(begin.form));
                desk.editing.set(form.map(|draft| Editing { source: begin.source, row: None, draft }));
            };
            items.push(Item::new(begin.name, say(begin.label), false, start));
        }
        for deed in source.actions.iter().filter(|it| applies(it.verb) && desk.may(it.verb)) {
            items.push(Item::new(deed.verb, say(deed.label), deed.danger, move || begin(desk, deed, id, name())));
        }
        if desk.can(Verb::Delete) {
            items.push(Item::new("delete", tr("删除", "Delete"), true, move || delete(desk, id, name())));
        }
        let most = if open.is_some() { SIDE_BY_SIDE } else { 2 * SIDE_BY_SIDE };
        let rest = if items.len() > most { items.split_off(most - 1) } else { Vec::new() };
        let class = if open.is_some() { "is-link" } else { "el-button--small" };
        view! {
            <div class="acts">
                {items.into_iter().map(|it| it.button(class)).collect_view()}
                {(!rest.is_empty()).then(|| dropdown(class, tr("更多", "More"), rest))}
            </div>
        }
        .into_any()
    };
    live(draw)
}

/// Sends a request and tells how it went.
async fn send(desk: Desk, ask: Ask<'_>, done: &str) -> Result<(), Failure> {
    let answer = ask.text().await?;
    let told = answer::parse(&answer).unwrap_or_default();
    let away = told.get("online").and_then(Value::as_bool) == Some(false);
    let waits = told.get("pending").and_then(Value::as_array).is_some_and(|it| !it.is_empty());
    if away && waits {
        toast::done(&format!("{done}{}", tr("，设备上线后生效", ". It takes effect when the device is back")));
    } else {
        toast::done(done);
    }
    desk.changed.notify();
    tell_password(&answer);
    Ok(())
}

/// Told when a row was switched.
fn done_text(label: &str) -> String {
    match lang() {
        Lang::Zh => format!("{label}成功"),
        Lang::En => format!("{label}: done"),
    }
}

/// Told when something was done; or taken in, where devices or channels have yet to do it.
pub fn told(deed: &Action) -> String {
    if let Some(done) = deed.done {
        return say(done).to_owned();
    }
    let label = say(deed.label);
    match lang() {
        _ if !deed.keyed => done_text(label),
        Lang::Zh => format!("已提交：{label}"),
        Lang::En => format!("{label}: taken in"),
    }
}

/// Starts an action: with its form, with its question, or at once; one that gives a file has it saved.
fn begin(desk: Desk, deed: &'static Action, id: Uuid, name: String) {
    if !deed.fields.is_empty() {
        desk.asked.set(Some(Asked { deed, id, name }));
        return;
    }
    spawn_local(async move {
        if let Some(ending) = deed.file {
            let path = format!("{}/{id}/{}", desk.source.path, deed.verb);
            if let Err(failure) = download(&path, &format!("{name}.{ending}")).await {
                toast::failed(&failure);
            }
            return;
        }
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
            let path = format!("{}/{id}/{}", desk.source.path, deed.verb);
            let key = deed.keyed.then(Uuid::new_v4);
            while let Err(failure) = send(desk, Ask::post(&path, &json!({})).keyed(key), &told(deed)).await {
                // Under the same key it is not done again, should it have been done.
                if failure.status != 0 || key.is_none() || !once_more(deed, &failure).await {
                    return toast::failed(&failure);
                }
            }
        }
    });
}

/// Asks whether to try again what may have been done, for no answer came.
async fn once_more(deed: &Action, failure: &Failure) -> bool {
    let again = tr(
        "操作可能已执行。重试不会重复执行。",
        "It may have been done all the same. Trying again does not do it twice.",
    );
    confirm(Question {
        title: say(deed.label).to_owned(),
        lines: vec![failure.message.clone(), again.to_owned()],
        yes: tr("重试", "Try again").to_owned(),
        danger: false,
    })
    .await
}

fn delete(desk: Desk, id: Uuid, name: String) {
    spawn_local(async move {
        let lines = vec![tr("删除后无法恢复。", "It cannot be brought back.").to_owned()];
        let title = format!("{} · {name}", tr("删除", "Delete"));
        if confirm(Question { title, lines, yes: tr("删除", "Delete").to_owned(), danger: true }).await {
            let path = format!("{}/{id}", desk.source.path);
            match send(desk, Ask::delete(&path), tr("已删除", "Deleted")).await {
                Ok(()) => crate::nav::replace(&desk.list.get_untracked()),
                Err(failure) => toast::failed(&failure),
            }
        }
    });
}

/// The switch of a row; asks first and says what it will hit.
pub fn enable_switch(desk: Desk, entry: Memo<Option<Entry>>) -> AnyView {
    let now = Memo::new(move |_| entry.with(|it| it.as_ref().and_then(|it| it.enabled).unwrap_or_default()));
    let known = entry.with_untracked(|it| it.as_ref().map(|it| (it.id, it.name.clone())));
    let Some((id, name)) = known else { return ().into_any() };
    // Where the box is: as the row says, but while it is being switched as it is wanted.
    let on = RwSignal::new(now.get_untracked());
    follow(move || on.set(now.get()));
    let allowed = move || desk.can(if on.get() { Verb::Disable } else { Verb::Enable });
    let label = format!("{} {name}", tr("启用", "Enabled"));
    let flip = move |wanted: bool| {
        let name = name.clone();
        on.set(wanted);
        spawn_local(async move {
            if !switch(desk, id, name, wanted).await {
                _ = on.try_set(!wanted);
            }
        });
    };
    toggle(format!("enabled-{id}"), "enabled", label, move || on.get(), !untrack(allowed), flip)
}

/// Switches on or off after asking; false when it stays as it was.
async fn switch(desk: Desk, id: Uuid, name: String, on: bool) -> bool {
    let verb = if on { Verb::Enable } else { Verb::Disable };
    let label = say(verb.label());
    let mut lines = vec![match lang() {
        Lang::Zh => format!("确定{label}“{name}”吗？"),
        Lang::En => format!("{label} “{name}”?"),
    }];
    if !on {
        lines.extend(impact(desk, id).await);
    }
    if !confirm(Question { title: format!("{label} · {name}"), lines, yes: label.to_owned(), danger: !on }).await {
        return false;
    }
    let path = format!("{}/{id}/{}", desk.source.path, verb.as_str());
    match send(desk, Ask::post(&path, &json!({})).keyed(Some(Uuid::new_v4())), &done_text(label)).await {
        Ok(()) => true,
        Err(failure) => {
            toast::failed(&failure);
            false
        }
    }
}

/// What switching off will hit, as far as the server says.
async fn impact(desk: Desk, id: Uuid) -> Vec<String> {
    let path = format!("{}/{id}/impact", desk.source.path);
    let Ok(Value::Object(hit)) = Ask::get(&path).value().await else { return Vec::new() };
    hit.iter().filter_map(|(name, count)| count.as_i64().filter(|it| *it > 0).map(|it| impact_line(name, it))).collect()
}

fn impact_line(name: &str, count: i64) -> String {
    let what = match name {
        "running_orders" => tr("个进行中的订单（会继续到结束）", "running orders; they go on to their end"),
        "reservations" => tr("个未结束的预约", "reservations that have not ended"),
        "stations" => tr("个已启用的电站", "enabled stations"),
        "chargers" => tr("台已启用的电桩", "enabled chargers"),
        "users" => tr("个用户", "users"),
        "cards" => tr("张已启用的电卡", "enabled cards"),
        other => other,
    };
    match lang() {
        Lang::Zh => format!("将影响 {count} {what}。"),
        Lang::En => format!("This concerns {count} {what}."),
    }
}
