//! The whole console: the router, what lies over every page, and the bar that tells of a crash.

use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

use crate::kit::confirm::questions;
use crate::kit::toast::toasts;
use crate::lang::{self, lang_tracked};
use crate::pages::login::login;
use crate::shell::shell;
use crate::{api, nav, session};

/// Puts the console into the page.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        show_crash();
    }));
    lang::apply();
    api::on_expired(session::expired);
    mount_to_body(app);
}

fn app() -> AnyView {
    view! {
        <Router>
            {
                nav::install();
                // Texts are resolved when drawn, so another language draws everything anew.
                view! {
                    <Routes fallback=|| ()>
                        <Route path=path!("/login") view=|| in_language(login)/>
                        <Route path=path!("/*any") view=|| in_language(shell)/>
                    </Routes>
                }
            }
        </Router>
        {questions()}
        {toasts()}
    }
    .into_any()
}

fn in_language(view: fn() -> AnyView) -> AnyView {
    (move || {
        lang_tracked();
        view()
    })
    .into_any()
}

/// After a panic nothing of ours can be trusted any more, so this is plain markup with a link.
fn show_crash() {
    let text = lang::tr("页面出现错误，请刷新后重试。", "Something went wrong in this page.");
    let again = lang::tr("刷新", "Reload");
    if let (Some(body), Ok(bar)) = (document().body(), document().create_element("div")) {
        bar.set_class_name("crash");
        drop(bar.set_attribute("role", "alert"));
        bar.set_text_content(Some(text));
        if let Ok(link) = document().create_element("a") {
            drop(link.set_attribute("href", &nav::here()));
            drop(link.set_attribute("rel", "external"));
            link.set_text_content(Some(again));
            drop(bar.append_child(&link));
        }
        drop(body.append_child(&bar));
    }
}
