//! The frame around every page: menu, head, tabs, and the guard that decides what is shown.

mod head;
mod menu;
mod tabs;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::text::{Text, t};

use crate::api::{self, Failure};
use crate::kit::fetched::trouble;
use crate::kit::icon::{Icon, LOCK, MAP_PIN, icon};
use crate::lang::{say, tr};
use crate::pages::{Found, find};
use crate::run::{boxed, follow, live, on_change};
use crate::{brand, events, nav, session, store};

/// The frame; whoever is not logged in is led to the login page.
pub fn shell() -> AnyView {
    if !api::logged_in() {
        let login = nav::login_path();
        request_animation_frame(move || nav::replace(&login));
        return ().into_any();
    }
    let failure = RwSignal::new(None::<Failure>);
    let ask = move || {
        failure.set(None);
        spawn_local(async move {
            match session::load().await {
                Ok(()) => events::start(),
                Err(wrong) => drop(failure.try_set(Some(wrong))),
            }
        });
    };
    ask();
    let rights = events::changed(&["rights"]);
    on_change(move || rights.track(), session::reload);
    let standing = Memo::new(|_| session::standing());
    live(move || {
        if standing.with(|it| !it.is_empty()) {
            return frame();
        }
        match failure.get() {
            Some(failure) => view! { <main class="alone">{trouble(&failure, ask)}</main> }.into_any(),
            None => view! { <main class="alone" aria-busy="true"></main> }.into_any(),
        }
    })
}

fn frame() -> AnyView {
    let page = Memo::new(|_| here().map(|it| it.page.path));
    let open = Memo::new(|_| here().and_then(|it| it.id));
    let folded = RwSignal::new(store::get("menu").as_deref() == Some("folded"));
    follow(move || store::set("menu", if folded.get() { "folded" } else { "open" }));
    follow(move || {
        let title = here().map_or(NOT_FOUND, |it| it.page.title);
        document().set_title(&format!("{} · {}", say(title), brand::name()));
    });
    follow(move || {
        if session::must_change_password() && page.get() != Some("password") {
            nav::replace("/password");
        }
    });
    let body = move || match page.get().and_then(|_| untrack(here)) {
        None => {
            notice(MAP_PIN, NOT_FOUND, t("地址有误，或页面已不存在。", "The address is wrong, or the page is gone."))
        }
        Some(it) if !it.page.visible() => notice(
            LOCK,
            t("没有权限", "Not allowed"),
            t("您没有查看此页面的权限，请联系管理员。", "You may not see this page. Ask your administrator."),
        ),
        Some(it) => it.page.draw(open),
    };
    view! {
        <div class="app" class:folded=folded>
            <a class="skip" href="#content" on:click=boxed(skip)>{tr("跳到主要内容", "Skip to the content")}</a>
            {menu::menu(folded)}
            <div class="main">
                {head::head(folded)}
                {tabs::tabs()}
                <main id="content" tabindex="0">{live(body)}</main>
            </div>
        </div>
    }
    .into_any()
}

/// The page in sight, if the address is one of ours; followed.
fn here() -> Option<Found> {
    find(&nav::path())
}

const NOT_FOUND: Text = t("页面不存在", "No such page");

fn skip(event: leptos::ev::MouseEvent) {
    event.prevent_default();
    if let Some(content) = document().get_element_by_id("content") {
        use wasm_bindgen::JsCast;
        if let Ok(content) = content.dyn_into::<web_sys::HtmlElement>() {
            drop(content.focus());
        }
    }
}

fn notice(face: Icon, title: Text, text: Text) -> AnyView {
    view! {
        <section class="el-card is-never-shadow body notice" data-test="notice">
            <span class="notice-icon">{icon(face)}</span>
            <h2>{say(title)}</h2>
            <p>{say(text)}</p>
            <a class="el-button el-button--primary" href="/"><span>{tr("返回首页", "Home")}</span></a>
        </section>
    }
    .into_any()
}
