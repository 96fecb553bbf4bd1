//! The dialogs in which a row is written, and in which something is done to one.

use leptos::prelude::*;
use serde_json::Value;
use shared::describe::{Fact, Field};
use uuid::Uuid;

use super::act::told;
use super::desk::{Asked, Desk, Editing};
use crate::answer;
use crate::kit::button::{busy_button, button};
use crate::kit::facts::facts;
use crate::kit::filling::{Filling, Sending};
use crate::kit::form::roomy;
use crate::kit::modal::dialog;
use crate::kit::secret::{Secret, tell};
use crate::lang::{say, tr};
use crate::run::live;

/// The form of a row, new or changed.
pub fn form_dialog(desk: Desk, it: Editing) -> AnyView {
    let Editing { source, row, draft } = it;
    let Some(fields) = source.fields else { return ().into_any() };
    let (filling, path, title) = match row {
        Some((id, name)) => {
            let path = format!("{}/{id}", source.path);
            (Filling::of(fields, path.clone()), path, about(tr("修改", "Edit"), &name))
        }
        None => {
            let key = source.keyed.then(Uuid::new_v4);
            (Filling::of_new(fields, draft, key), source.path.to_owned(), about(tr("添加", "Add"), say(source.title)))
        }
    };
    let face = Face {
        title,
        lead: None,
        facts: &[],
        class: "el-button--primary",
        yes: tr("确定", "Save"),
        close: Callback::new(move |()| desk.editing.set(None)),
    };
    filled(desk, fields, filling, path, tr("保存成功", "Saved").to_owned(), face)
}

/// What is done, and to what.
fn about(verb: &str, name: &str) -> String {
    format!("{verb} · {name}")
}

/// The form of an action: it says to which row it is done, and what matters of that row.
pub fn deed_dialog(desk: Desk, it: Asked) -> AnyView {
    let Asked { deed, id, name } = it;
    let row = format!("{}/{id}", desk.source.path);
    let path = format!("{row}/{}", deed.verb);
    let filling = Filling::about(deed.fields, row, deed.keyed.then(Uuid::new_v4));
    let face = Face {
        title: about(say(deed.label), &name),
        lead: deed.confirm.map(say),
        facts: deed.facts,
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
    /// Shown of the row that the form is about.
    facts: &'static [Fact],
    class: &'static str,
    yes: &'static str,
    close: Callback<()>,
}

fn filled(desk: Desk, fields: &[Field], it: Filling, path: String, told: String, face: Face) -> AnyView {
    let Face { title, lead, facts, class, yes, close } = face;
    let done = Callback::new(move |answer: String| {
        desk.changed.notify();
        close.run(());
        tell_password(&answer);
    });
    let sending = StoredValue::new(Sending { path, told, done });
    let send = move || it.send(sending.get_value());
    let body = view! {
        {lead.map(|it| view! { <p class="form-lead">{it}</p> }.into_any())}
        {(!facts.is_empty()).then(|| known(it, facts))}
        {it.view(send)}
    };
    let foot = view! {
        {button("", "cancel", None, tr("取消", "Cancel"), move || close.run(()))}
        {busy_button(class, "ok", yes, it.busy, send)}
    };
    let leave = Callback::new(move |()| it.leave(close));
    dialog(title, if roomy(fields) { 860 } else { 560 }, leave, body.into_any(), foot.into_any())
}

/// What is known of the row that a form is about, in a box of a steady height: it is there before the answer is.
fn known(it: Filling, list: &'static [Fact]) -> AnyView {
    let row = move || it.loaded.text.with(|it| it.as_deref().and_then(|it| answer::parse(it).ok()).unwrap_or_default());
    view! { <div class="form-facts" data-test="facts">{live(move || facts(list, &row()))}</div> }.into_any()
}

/// Shows a password that the server has made and tells once: in the answer to what made it.
pub fn tell_password(answer: &str) {
    let told = answer::parse(answer).unwrap_or_default();
    let text = |name: &str| told.get(name).and_then(Value::as_str);
    let Some(password) = text("initial_password") else { return };
    tell(match text("serial_no") {
        Some(serial_no) => Secret {
            title: tr("接入密码已设置", "The password is set"),
            owner: (tr("出厂标识：", "Serial number: "), serial_no.to_owned()),
            password: (tr("接入密码：", "Password: "), password.to_owned()),
            advice: tr(
                "密码只显示这一次，请填写到设备的 OCPP 设置（AuthorizationKey）中。",
                "It is shown this once; enter it in the charger's OCPP settings (AuthorizationKey).",
            ),
        },
        None => Secret {
            title: tr("登录账号已就绪", "The account is ready"),
            owner: (
                tr("登录账号：", "Account: "),
                text("username").or_else(|| text("phone")).unwrap_or_default().to_owned(),
            ),
            password: (tr("一次性密码：", "One-time password: "), password.to_owned()),
            advice: tr(
                "密码只显示这一次，请转告本人；首次登录时须修改。",
                "It is shown this once; it must be changed at the first login.",
            ),
        },
    });
}
