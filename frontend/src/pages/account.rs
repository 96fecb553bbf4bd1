//! One's own account: who one is on the platform, and where one is logged in.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::{Value, json};
use shared::codes::Code;
use shared::describe::{As, Fact};
use shared::system::account::FIELDS;
use shared::text::t;
use shared::user::UserKind;

use crate::answer;
use crate::api::Ask;
use crate::kit::button::{busy_button, button};
use crate::kit::cell::{cell, tag};
use crate::kit::confirm::{Question, confirm};
use crate::kit::crud::card;
use crate::kit::facts::{facts, items};
use crate::kit::fetched::{Fetched, fetched, part};
use crate::kit::filling::{Filling, Sending};
use crate::kit::icon::{KEY_ROUND, LOG_OUT};
use crate::kit::toast;
use crate::lang::{say, tr};
use crate::{nav, session};

/// What others have decided about the account.
const GIVEN: &[Fact] = &[
    Fact::new("username", t("登录账号", "Account"), As::Text),
    Fact::new("kind", t("用户类型", "Kind"), As::Code(UserKind::CHOICES)),
    Fact::new("provider_name", t("服务商", "Provider"), As::Text),
    Fact::new("property_name", t("集团物业", "Property"), As::Text),
    Fact::new("collective_name", t("集体户", "Collective"), As::Text),
    Fact::new("department_name", t("归属部门", "Department"), As::Text),
    Fact::new("post_name", t("岗位", "Post"), As::Text),
    Fact::new("roles", t("角色", "Roles"), As::List),
    Fact::new("stations", t("绑定电站", "Stations"), As::List),
    Fact::new("last_login_at", t("最近登录", "Last login"), As::Time),
    Fact::new("password_changed_at", t("密码修改时间", "Password set"), As::Time),
];

/// What is told of a login.
const LOGIN: &[Fact] = &[
    Fact::new("agent", t("客户端", "Program"), As::Words(|it, _| shared::agent::program(it))),
    Fact::new("ip", t("地址", "Address"), As::Text),
    Fact::new("started_at", t("登录时间", "Logged in"), As::Time),
    Fact::new("seen_at", t("最近活动", "Last seen"), As::Time),
];

/// The page.
pub fn account() -> AnyView {
    let it = Filling::of(FIELDS, "account".to_owned());
    let done = Callback::new(move |_| {
        it.loaded.refresh();
        session::reload();
    });
    let told = tr("保存成功", "Saved");
    let save = move || it.send(Sending { path: "account".to_owned(), told: told.to_owned(), done });
    let own = view! {
        {it.view(save)}
        <div class="form-foot">
            {busy_button("el-button--primary", "ok", tr("保存", "Save"), it.busy, save)}
            {button("", "password", Some(KEY_ROUND), tr("修改密码", "Change password"), || nav::go("/password"))}
        </div>
    };
    let given = part(it.loaded, |text| answer::parse(text).map(|it| facts(GIVEN, &it)));
    view! {
        <div class="one" data-test="account">
            <div class="one-columns is-even">
                {card(tr("账号", "Account"), given)}
                {card(tr("我的资料", "About me"), own.into_any())}
            </div>
            {card(tr("我的登录", "Where I am logged in"), logins())}
        </div>
    }
    .into_any()
}

fn logins() -> AnyView {
    let it = fetched(|| Some("account/sessions".to_owned()));
    let show = move |text: &str| {
        let answer = json!({"logins": answer::parse(text)?});
        let logins = items(&answer, "logins");
        let foot = (logins.len() > 1).then(|| {
            let label = tr("退出其他登录", "Log out everywhere else");
            let ask = move || end(it, label, tr("其他所有登录会立即失效。", "All other logins end at once."), None);
            view! { <div class="form-foot">{button("", "end-others", Some(LOG_OUT), label, ask)}</div> }.into_any()
        });
        let heads = LOGIN.iter().map(|it| view! { <th scope="col">{say(it.label)}</th> }.into_any()).collect_view();
        Ok(view! {
            <div class="plain-scroll">
                <table class="plain-table" data-test="logins">
                    <thead><tr>{heads}<th scope="col">{tr("操作", "Actions")}</th></tr></thead>
                    <tbody>{logins.iter().map(|login| line(it, login)).collect_view()}</tbody>
                </table>
            </div>
            {foot}
        }
        .into_any())
    };
    part(it, show)
}

fn line(list: Fetched, login: &Value) -> AnyView {
    let id = login.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let act = if login.get("current").and_then(Value::as_bool) == Some(true) {
        tag(t("本次登录", "This one"), shared::codes::Tone::Success)
    } else {
        let label = tr("退出", "Log out");
        let ask = move || end(list, label, tr("这次登录会立即失效。", "This login ends at once."), Some(id.clone()));
        button("is-link el-button--danger", "end", None, label, ask)
    };
    let told = |it: &Fact| view! { <td>{cell(&it.cell(login))}</td> }.into_any();
    view! { <tr>{LOGIN.iter().map(told).collect_view()}<td>{act}</td></tr> }.into_any()
}

/// Ends one login, or all others, after asking.
fn end(list: Fetched, label: &'static str, text: &'static str, id: Option<String>) {
    spawn_local(async move {
        let question =
            Question { title: label.to_owned(), lines: vec![text.to_owned()], yes: label.to_owned(), danger: true };
        if !confirm(question).await {
            return;
        }
        let outcome = match id {
            Some(id) => Ask::delete(&format!("account/sessions/{id}")).text().await,
            None => Ask::post("account/sessions/end-others", &json!({})).text().await,
        };
        match outcome {
            Ok(_) => toast::done(tr("已退出", "Logged out")),
            Err(failure) => toast::failed(&failure),
        }
        list.refresh();
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::facts::tests::undocumented;

    #[test]
    fn the_server_tells_what_is_shown() {
        assert_eq!(undocumented("Account", GIVEN), Vec::<&str>::new());
        assert_eq!(undocumented("OwnSession", LOGIN), Vec::<&str>::new());
    }
}
