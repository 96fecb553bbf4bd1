//! Questions that must be answered before something is done.

use std::cell::RefCell;
use std::sync::LazyLock;

use js_sys::{Function, Promise};
use leptos::prelude::*;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use super::button::button;
use super::icon::{TRIANGLE_ALERT, icon};
use super::modal::overlay;
use crate::lang::tr;
use crate::run::{boxed, live};

/// A question.
#[derive(Clone)]
pub struct Question {
    /// What is about to be done.
    pub title: String,
    /// What that means, a paragraph each.
    pub lines: Vec<String>,
    /// The button that does it.
    pub yes: String,
    /// It hurts.
    pub danger: bool,
}

static ASKED: LazyLock<ArcRwSignal<Option<Question>>> = LazyLock::new(|| ArcRwSignal::new(None));

thread_local! {
    static ANSWER: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Asks and waits for the answer.
pub async fn confirm(question: Question) -> bool {
    answer(false);
    let promise = Promise::new(&mut |resolve, _| ANSWER.set(Some(resolve)));
    ASKED.set(Some(question));
    JsFuture::from(promise).await.is_ok_and(|it| it.is_truthy())
}

/// Whether a question waits for its answer; followed.
pub fn open() -> bool {
    ASKED.with(Option::is_some)
}

fn answer(yes: bool) {
    ASKED.set(None);
    if let Some(resolve) = ANSWER.take() {
        drop(resolve.call1(&JsValue::NULL, &yes.into()));
    }
}

/// Where questions appear; mounted once.
pub fn questions() -> AnyView {
    live(|| ASKED.get().map_or_else(|| ().into_any(), ask))
}

fn ask(question: Question) -> AnyView {
    let Question { title, lines, yes, danger } = question;
    let class = if danger { "el-button--danger" } else { "el-button--primary" };
    let body = view! {
        <div class="el-message-box" data-test="confirm">
            <div class="el-message-box__header"><div class="el-message-box__title"><span>{title.clone()}</span></div></div>
            <div class="el-message-box__content">
                <div class="el-message-box__container">
                    <span class="el-message-box__status el-message-box-icon--warning">{icon(TRIANGLE_ALERT)}</span>
                    <div class="el-message-box__message">{lines.into_iter().map(|it| view! { <p>{it}</p> }.into_any()).collect_view()}</div>
                </div>
            </div>
            <div class="el-message-box__btns">
                {button("", "confirm-no", None, tr("取消", "Cancel"), || answer(false))}
                <button type="button" class=format!("el-button {class}") data-test="confirm-yes" data-first="" on:click=boxed(|_| answer(true))>
                    <span>{yes}</span>
                </button>
            </div>
        </div>
    };
    overlay("el-overlay-message-box", title, false, Callback::new(|()| answer(false)), body.into_any())
}
