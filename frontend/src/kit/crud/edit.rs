//! The dialogs in which a row is written, and in which something is done to one.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::describe::{Action, Field};
use uuid::Uuid;

use super::act::told;
use super::desk::{Desk, Editing};
use crate::answer;
use crate::kit::button::{busy_button, button};
use crate::kit::confirm::{Question, confirm};
use crate::kit::filling::{Filling, Sending};
use crate::kit::form::roomy;
use crate::kit::modal::dialog;
use crate::lang::{say, tr};

/// The form of a row, new or changed.
pub fn form_dialog(desk: Desk, it: Editing) -> AnyView {
    let Editing { source, id, draft } = it;
    let Some(fields) = source.fields else { return ().into_any() };
    let (filling, path) = match id {
        Some(id) => {
            let path = format!("{}/{id}", source.path);
            (Filling::of(fields, path.clone()), path)
        }
        None => (Filling::of_new(fields, draft, source.keyed.then(Uuid::new_v4)), source.path.to_owned()),
    };
    let verb = if id.is_none() { tr("添加", "Add") } else { tr("修改", "Edit") };
    let face = Face {
        title: format!("{verb} · {}", say(source.title)),
        lead: None,
        class: "el-button--primary",
        yes: tr("确定", "Save"),
        close: Callback::new(move |()| desk.editing.set(None)),
    };
    filled(desk, fields, filling, path, tr("保存成功", "Saved").to_owned(), face)
}

/// The form of an action.
pub fn deed_dialog(desk: Desk, deed: &'static Action, id: Uuid) -> AnyView {
    let row = format!("{}/{id}", desk.source.path);
    let path = format!("{row}/{}", deed.verb);
    let filling = Filling::about(deed.fields, row, deed.keyed.then(Uuid::new_v4));
    let face = Face {
        title: say(deed.label).to_owned(),
        lead: deed.confirm.map(say),
        class: if deed.danger { "el-button--danger" } else { "el-button--primary" },
        yes: say(deed.label),
        close: Callback::new(move |()| desk.asked.set(None)),
    };
    filled(desk, deed.fields, filling, path, told(deed), face)
}

/// What is around a form.
struct Face {
    title: String,
    lead: Option<&'static str>,
    class: &'static str,
    yes: &'static str,
    close: Callback<()>,
}

fn filled(desk: Desk, fields: &[Field], it: Filling, path: String, told: String, face: Face) -> AnyView {
    let Face { title, lead, class, yes, close } = face;
    let done = Callback::new(move |answer: String| {
        desk.changed.notify();
        close.run(());
        spawn_local(async move { tell_password(&answer).await });
    });
    let sending = StoredValue::new(Sending { path, told, done });
    let send = move || it.send(sending.get_value());
    let body = view! {
        {lead.map(|it| view! { <p class="form-lead">{it}</p> }.into_any())}
        {it.view(send)}
    };
    let foot = view! {
        {button("", "cancel", None, tr("取消", "Cancel"), move || close.run(()))}
        {busy_button(class, "ok", yes, it.busy, send)}
    };
    dialog(title, if roomy(fields) { 860 } else { 560 }, close, body.into_any(), foot.into_any())
}

/// Shows a password that the server has made and tells once: in the answer to what made it.
pub async fn tell_password(answer: &str) {
    let told = answer::parse(answer).unwrap_or_default();
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    let Some(password) = text("initial_password") else { return };
    let (title, lines) = match text("serial_no") {
        Some(serial_no) => (
            tr("接入密码已设置", "The password is set"),
            vec![
                format!("{}{serial_no}", tr("出厂标识：", "Serial number: ")),
                format!("{}{password}", tr("接入密码：", "Password: ")),
                tr(
                    "密码只显示这一次，请填写到设备的 OCPP 设置（AuthorizationKey）中。",
                    "It is shown this once; enter it in the charger's OCPP settings (AuthorizationKey).",
                )
                .to_owned(),
            ],
        ),
        None => (
            tr("登录账号已就绪", "The account is ready"),
            vec![
                format!(
                    "{}{}",
                    tr("登录账号：", "Account: "),
                    text("username").or_else(|| text("phone")).unwrap_or_default()
                ),
                format!("{}{password}", tr("一次性密码：", "One-time password: ")),
                tr(
                    "密码只显示这一次，请转告本人；首次登录时须修改。",
                    "It is shown this once; it must be changed at the first login.",
                )
                .to_owned(),
            ],
        ),
    };
    let title = title.to_owned();
    let yes = tr("复制密码", "Copy the password").to_owned();
    if confirm(Question { title, lines, yes, danger: false }).await {
        drop(window().navigator().clipboard().write_text(password));
    }
}
