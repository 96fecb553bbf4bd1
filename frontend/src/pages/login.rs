//! Logging in.

use leptos::ev::{Event, SubmitEvent};
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::text::Lang;

use crate::api::Failure;
use crate::kit::button::spinner;
use crate::kit::icon::{Icon, LOCK, USER, icon};
use crate::lang::{lang, tr};
use crate::run::{boxed, follow};
use crate::{brand, clock, nav, session};

/// The login page.
pub fn login() -> AnyView {
    follow(|| document().set_title(&format!("{} · {}", tr("登录", "Log in"), brand::name())));
    let username = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let message = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let wait = RwSignal::new(0_u32);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (name, secret) = (username.get_untracked().trim().to_owned(), password.get_untracked());
        if name.is_empty() || secret.is_empty() {
            return message.set(tr("请输入账号和密码", "Enter your account and password").to_owned());
        }
        message.set(String::new());
        busy.set(true);
        let next = nav::next_path(&untrack(nav::query));
        spawn_local(async move {
            match session::login(&name, &secret).await {
                Ok(()) => nav::replace(&next),
                Err(failure) => refused(&failure, message, wait, password),
            }
            _ = busy.try_set(false);
        });
    };
    let label = move || match (wait.get(), busy.get()) {
        (0, false) => tr("登 录", "Log in").to_owned(),
        (0, true) => tr("登录中…", "Logging in…").to_owned(),
        (seconds, _) => waiting(seconds),
    };
    view! {
        <main class="login">
            <section class="login-brand" aria-hidden="true">
                {waves()}
                <div class="login-claim">
                    <div class="login-mark">{brand::mark()}</div>
                    <h1>{brand::name}</h1>
                    <p>{tr("智慧充电管理平台", "The platform for charging operators")}</p>
                    <p>{tr("场站 · 设备 · 订单 · 结算，一处尽览", "Stations, chargers, orders and settlement in one place")}</p>
                </div>
            </section>
            <section class="login-side">
                <form class="login-form" on:submit=boxed(submit)>
                    <h2>{tr("欢迎登录", "Welcome")}</h2>
                    <p class="login-lead">{tr("请使用平台分配的账号登录", "Log in with the account you were given")}</p>
                    {input("username", USER, tr("账号", "Account"), "text", username)}
                    {input("current-password", LOCK, tr("密码", "Password"), "password", password)}
                    <p class="login-error" role="alert" data-test="login-error">{message}</p>
                    <button type="submit" class="el-button el-button--primary el-button--large" data-test="login"
                        prop:disabled=move || busy.get() || wait.get() != 0>
                        {move || busy.get().then(spinner)}
                        <span>{move || label()}</span>
                    </button>
                    {language_switch()}
                </form>
            </section>
        </main>
    }
    .into_any()
}

fn waiting(seconds: u32) -> String {
    match lang() {
        Lang::Zh => format!("请等待 {seconds} 秒"),
        Lang::En => format!("Wait {seconds} s"),
    }
}

fn language_switch() -> AnyView {
    let (other, label) = match lang() {
        Lang::Zh => (Lang::En, "English"),
        Lang::En => (Lang::Zh, "简体中文"),
    };
    view! {
        <button type="button" class="el-button is-link login-language" lang=other.tag() on:click=boxed(move |_| crate::lang::speak(other))>
            <span>{label}</span>
        </button>
    }
    .into_any()
}

/// Says why the login was refused; where that helps, for how long.
fn refused(failure: &Failure, message: RwSignal<String>, wait: RwSignal<u32>, password: RwSignal<String>) {
    message.set(failure.message.clone());
    password.set(String::new());
    if let (423 | 429, Some(seconds)) = (failure.status, failure.retry_after) {
        wait.set(seconds);
        spawn_local(async move {
            while wait.try_update(|it| *it = it.saturating_sub(1)).is_some()
                && wait.try_get_untracked().is_some_and(|it| it > 0)
            {
                clock::pause(1000).await;
            }
        });
    }
}

fn input(
    complete: &'static str,
    face: Icon,
    label: &'static str,
    kind: &'static str,
    value: RwSignal<String>,
) -> AnyView {
    let node = NodeRef::<Input>::new();
    if complete == "username" {
        node.on_load(|node| request_animation_frame(move || drop(node.focus())));
    }
    let name = if kind == "password" { "password" } else { "username" };
    view! {
        <div class="el-input el-input--large">
            <div class="el-input__wrapper">
                <span class="el-input__prefix"><span class="el-input__prefix-inner">{icon(face)}</span></span>
                <input node_ref=node class="el-input__inner" type=kind name=name autocomplete=complete placeholder=label aria-label=label
                    spellcheck="false" autocapitalize="off" prop:value=value on:input=boxed(move |event: Event| value.set(event_target_value(&event)))/>
            </div>
        </div>
    }
    .into_any()
}

/// The pattern behind the name: currents.
fn waves() -> AnyView {
    let line = |index: i32| {
        let y = 120 + index * 46;
        let path = format!("M-40 {y} C 160 {} 320 {} 520 {y} S 860 {} 1060 {}", y - 90, y + 90, y + 70, y - 40);
        view! { <path d=path/> }.into_any()
    };
    view! {
        <svg class="login-waves" viewBox="0 0 1000 900" preserveAspectRatio="xMidYMid slice" fill="none" stroke="currentColor">
            {(0..16).map(line).collect_view()}
        </svg>
    }
    .into_any()
}
