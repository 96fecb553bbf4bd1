//! Something that is told once: it stays in sight until somebody says that they have kept it.

use std::sync::LazyLock;

use js_sys::Promise;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;

use super::button::button;
use super::icon::{COPY, KEY_ROUND, icon};
use super::modal::overlay;
use crate::lang::tr;
use crate::run::{boxed, live};

#[wasm_bindgen(module = "/src/kit/copy.js")]
extern "C" {
    fn copy(text: &str) -> Promise;
}

/// A secret.
#[derive(Clone)]
pub struct Secret {
    /// What has happened.
    pub title: &'static str,
    /// Whose it is, behind what that is called.
    pub owner: (&'static str, String),
    /// The secret itself, behind what it is called.
    pub password: (&'static str, String),
    /// What to do with it.
    pub advice: &'static str,
}

static TOLD: LazyLock<ArcRwSignal<Vec<Secret>>> = LazyLock::new(|| ArcRwSignal::new(Vec::new()));

/// Tells a secret, after those that nobody has kept yet.
pub fn tell(secret: Secret) {
    TOLD.update(|it| it.push(secret));
}

/// Where secrets appear; mounted once.
pub fn secrets() -> AnyView {
    live(|| TOLD.with(|it| it.first().cloned()).map_or_else(|| ().into_any(), shown))
}

fn shown(secret: Secret) -> AnyView {
    let Secret { title, owner: (whose, owner), password: (what, password), advice } = secret;
    let note = RwSignal::new(String::new());
    // Neither Escape nor a click beside it takes away what is never shown again.
    let stay = Callback::new(|()| {});
    let kept = |_: MouseEvent| TOLD.update(|it| drop((!it.is_empty()).then(|| it.remove(0))));
    let text = password.clone();
    let take = move || {
        let promise = copy(&text);
        spawn_local(async move {
            let done = JsFuture::from(promise).await.is_ok_and(|it| it.is_truthy());
            let told = if done {
                tr("已复制", "Copied")
            } else {
                tr("浏览器不允许复制，请手动选中密码", "The browser does not let us copy: select it by hand")
            };
            _ = note.try_set(told.to_owned());
        });
    };
    let body = view! {
        <div class="el-message-box secret" data-test="secret">
            <div class="el-message-box__header"><div class="el-message-box__title"><span>{title}</span></div></div>
            <div class="el-message-box__content">
                <div class="el-message-box__container">
                    <span class="el-message-box__status secret-icon">{icon(KEY_ROUND)}</span>
                    <div class="el-message-box__message">
                        <p>{whose}<b>{owner}</b></p>
                        <p>{what}<code data-test="password">{password}</code></p>
                        <p>{advice}</p>
                    </div>
                </div>
            </div>
            <div class="el-message-box__btns">
                <span class="secret-note" role="status">{note}</span>
                {button("", "copy", Some(COPY), tr("复制密码", "Copy the password"), take)}
                <button type="button" class="el-button el-button--primary" data-test="kept" data-first="" on:click=boxed(kept)>
                    <span>{tr("我已保存", "I have kept it")}</span>
                </button>
            </div>
        </div>
    };
    overlay("el-overlay-message-box", title.to_owned(), false, stay, body.into_any())
}
