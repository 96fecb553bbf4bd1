//! The form of a row: new or changed, checked here as on the server, and kind about conflicts.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::check::clean;
use shared::describe::{Field, Input};
use shared::resource::{FormMap, draft_of};
use uuid::Uuid;

use super::desk::{Desk, Editing};
use super::source::Source;
use crate::answer;
use crate::api::{Ask, Failure};
use crate::kit::button::{busy_button, button};
use crate::kit::confirm::{Question, confirm};
use crate::kit::entry::{entries, wire};
use crate::kit::fetched::{Fetched, fetched, trouble, veil};
use crate::kit::form::{Errs, FormState, form_view, roomy};
use crate::kit::modal::dialog;
use crate::kit::toast;
use crate::lang::{lang, say, tr};
use crate::run::{follow, live, submitted};

/// The dialog that writes a row.
pub fn form_dialog(desk: Desk, it: Editing) -> AnyView {
    let Editing { source, id, draft } = it;
    let Some(fields) = source.fields else { return ().into_any() };
    let form: FormState = RwSignal::new(FormMap::new());
    let errs: Errs = RwSignal::new(Vec::new());
    let busy = RwSignal::new(false);
    let version = RwSignal::new(Value::Null);
    let loaded = fetched(move || id.map(|id| format!("{}/{id}", source.path)));
    let ready = RwSignal::new(id.is_none());
    follow(move || {
        if let Some(Ok(row)) = loaded.text.with(|it| it.as_deref().map(answer::parse)) {
            form.set(entries(fields, &draft_of(fields, &row)));
            version.set(row.get("version").cloned().unwrap_or_default());
            errs.set(Vec::new());
            ready.set(true);
        }
    });
    if id.is_none() {
        form.set(blank(fields, draft));
    }
    let close = Callback::new(move |()| desk.editing.set(None));
    let save = move || {
        let checked = wire(fields, &form.get_untracked(), lang()).and_then(|it| clean(fields, &it, lang()));
        match checked {
            Ok(body) => {
                errs.set(Vec::new());
                busy.set(true);
                spawn_local(async move {
                    let outcome = write(desk, source, id, body, version.get_untracked()).await;
                    _ = busy.try_set(false);
                    match outcome {
                        Ok(()) => close.run(()),
                        Err(failure) => told(&failure, errs, loaded).await,
                    }
                });
            }
            Err(wrong) => errs.set(wrong),
        }
    };
    let body = move || {
        if ready.get() {
            form_view(fields, form, errs, id.is_none())
        } else if let Some(failure) = loaded.failure.get() {
            trouble(&failure, move || loaded.reload())
        } else {
            view! { <div class="form-wait"></div> }.into_any()
        }
    };
    let body = view! {
        <form class="el-loading-parent--relative" on:submit=submitted(save)>
            {live(body)}
            {veil(loaded.busy)}
            // Without a submit button of its own, Enter in an input would not send the form.
            <input type="submit" hidden=true/>
        </form>
    };
    let foot = view! {
        {button("", "cancel", None, tr("取消", "Cancel"), move || close.run(()))}
        {busy_button("el-button--primary", "ok", tr("确定", "Save"), busy, save)}
    };
    let verb = if id.is_none() { tr("添加", "Add") } else { tr("修改", "Edit") };
    let title = format!("{verb} · {}", say(source.title));
    let width = if roomy(fields) { 860 } else { 560 };
    dialog(title, width, close, body.into_any(), foot.into_any())
}

/// A new form; where nothing is filled in already it is empty, and switches are off until switched on.
fn blank(fields: &[Field], mut draft: FormMap) -> FormMap {
    for field in fields {
        let value = if field.input == Input::Switch { Value::Bool(false) } else { Value::Null };
        draft.entry(field.name).or_insert(value);
    }
    draft
}

async fn write(desk: Desk, source: Source, id: Option<Uuid>, mut body: FormMap, version: Value) -> Result<(), Failure> {
    match id {
        None => drop(Ask::post(source.path, &Value::Object(body)).text().await?),
        Some(id) => {
            body.insert("version".to_owned(), version);
            Ask::put(&format!("{}/{id}", source.path), &Value::Object(body)).text().await?;
        }
    }
    toast::done(tr("保存成功", "Saved"));
    desk.changed.notify();
    Ok(())
}

/// Puts errors at their fields; a row that somebody else has changed meanwhile can be read anew.
async fn told(failure: &Failure, errs: Errs, loaded: Fetched) {
    if failure.status == 422 && !failure.errors.is_empty() {
        drop(errs.try_set(failure.errors.clone()));
    } else if failure.status == 409 && failure.code == "stale" {
        let lines = vec![
            tr("您打开表单以后，别人已修改了这条数据。", "Somebody else has changed this since you opened it.")
                .to_owned(),
            tr(
                "重新加载会显示最新的内容，您刚才填写的内容不会保留。",
                "Loading it anew shows the newest content; what you typed is lost.",
            )
            .to_owned(),
        ];
        let yes = tr("重新加载", "Load anew").to_owned();
        if confirm(Question {
            title: tr("数据已被修改", "Changed meanwhile").to_owned(), lines, yes, danger: false
        })
        .await
        {
            loaded.reload();
        }
    } else {
        toast::failed(failure);
    }
}
