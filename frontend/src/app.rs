//! The whole console: the login page or the frame, what lies over every page, and the bar that tells of a crash.

use leptos::prelude::*;

use crate::kit::confirm::questions;
use crate::kit::secret::secrets;
use crate::kit::toast::toasts;
use crate::lang::{self, lang_tracked};
use crate::pages::login::login;
use crate::shell::shell;
use crate::{api, brand, events, nav, session, store};

/// Puts the console into the page.
pub fn start() {
    std::panic::set_hook(Box::new(|info| {
        console_error_panic_hook::hook(info);
        show_crash();
    }));
    lang::apply();
    api::on_refused(session::refused);
    nav::install();
    events::install();
    store::on_change(session::elsewhere);
    mount_to_body(app);
}

fn app() -> AnyView {
    brand::load();
    let at_login = Memo::new(|_| nav::path().trim_end_matches('/') == "/login");
    view! {
        {move || {
            // Texts are resolved when drawn, so another language draws everything anew.
            lang_tracked();
            if at_login.get() { login() } else { shell() }
        }}
        {questions()}
        {secrets()}
        {toasts()}
    }
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
