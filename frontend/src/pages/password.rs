//! Changing one's own password.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Value, json};
use shared::describe::{Field, Input};
use shared::problem::FieldError;
use shared::resource::FormMap;
use shared::text::t;

use crate::api::Ask;
use crate::kit::button::busy_button;
use crate::kit::form::form_view;
use crate::kit::toast;
use crate::lang::{lang, tr};
use crate::run::submitted;
use crate::{nav, session};

const FIELDS: &[Field] = &[
    Field::new("old_password", t("当前密码", "Current password"), Input::Password).required(),
    Field::new("new_password", t("新密码", "New password"), Input::Password)
        .required()
        .help(t("至少 8 个字符。", "At least 8 characters.")),
    Field::new("repeated", t("再次输入新密码", "New password again"), Input::Password).required(),
];

/// The page.
pub fn password() -> AnyView {
    let form = RwSignal::new(FormMap::new());
    let errs = RwSignal::new(Vec::new());
    let busy = RwSignal::new(false);
    let forced = untrack(session::must_change_password);
    let save = move || {
        let entered = match shared::check::clean(FIELDS, &form.get_untracked(), lang()) {
            Ok(entered) => entered,
            Err(wrong) => return errs.set(wrong),
        };
        let of = |name: &str| entered.get(name).and_then(Value::as_str).unwrap_or_default();
        if of("new_password") != of("repeated") {
            return errs.set(vec![FieldError::new(
                "repeated",
                "differs",
                tr("两次输入的密码不一致", "The two are not the same"),
            )]);
        }
        let body = json!({"old_password": of("old_password"), "new_password": of("new_password")});
        busy.set(true);
        spawn_local(async move {
            let outcome = Ask::post("auth/password", &body).text().await;
            _ = busy.try_set(false);
            match outcome {
                Ok(_) => {
                    session::chose_password();
                    // Whoever has gone elsewhere meanwhile stays there.
                    if nav::here().starts_with("/password") {
                        nav::go("/");
                    }
                    toast::done(tr("密码已修改", "Password changed"));
                }
                Err(failure) if !failure.errors.is_empty() => drop(errs.try_set(failure.errors)),
                Err(failure) => toast::failed(&failure),
            }
        });
    };
    view! {
        <section class="el-card is-never-shadow body narrow">
            <h2 class="section-title">{tr("修改密码", "Change password")}</h2>
            {forced.then(|| view! {
                <p class="form-lead">{tr("首次登录请先设置自己的密码。", "Choose a password of your own before going on.")}</p>
            }.into_any())}
            <form on:submit=submitted(save)>
                {form_view(FIELDS, form, errs, true)}
                <div class="form-foot">
                    {busy_button("el-button--primary", "ok", tr("确定", "Save"), busy, save)}
                    <input type="submit" hidden=true/>
                </div>
            </form>
        </section>
    }
    .into_any()
}
