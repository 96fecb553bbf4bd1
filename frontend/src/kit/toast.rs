//! Short notices at the top of the window.

use std::sync::LazyLock;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared::codes::Tone;

use super::button::tone_class;
use super::icon::{CIRCLE_CHECK, CIRCLE_X, INFO, TRIANGLE_ALERT, X, icon};
use crate::api::Failure;
use crate::clock;
use crate::lang::tr;
use crate::run::boxed;

#[derive(Clone)]
struct Notice {
    id: i64,
    tone: Tone,
    text: String,
}

static NOTICES: LazyLock<ArcRwSignal<Vec<Notice>>> = LazyLock::new(|| ArcRwSignal::new(Vec::new()));

/// Shows a notice for a few seconds; bad news stays longer.
pub fn toast(tone: Tone, text: impl Into<String>) {
    let text = text.into();
    let mut id = clock::millis();
    NOTICES.update(|it| {
        it.retain(|it| it.text != text);
        id = it.iter().map(|it| it.id + 1).fold(id, i64::max);
        it.push(Notice { id, tone, text });
    });
    let millis = if matches!(tone, Tone::Danger | Tone::Warning) { 6000 } else { 3000 };
    spawn_local(async move {
        clock::pause(millis).await;
        drop_notice(id);
    });
}

/// It went well.
pub fn done(text: &str) {
    toast(Tone::Success, text);
}

/// It did not.
pub fn failed(failure: &Failure) {
    toast(Tone::Danger, failure.message.clone());
}

fn drop_notice(id: i64) {
    NOTICES.update(|it| it.retain(|it| it.id != id));
}

/// Where notices appear; mounted once.
pub fn toasts() -> AnyView {
    view! {
        <div class="toasts" role="status" aria-live="polite">
            {move || NOTICES.get().into_iter().map(notice).collect_view()}
        </div>
    }
    .into_any()
}

fn notice(it: Notice) -> AnyView {
    let face = match it.tone {
        Tone::Success => CIRCLE_CHECK,
        Tone::Warning => TRIANGLE_ALERT,
        Tone::Danger => CIRCLE_X,
        Tone::Primary | Tone::Info => INFO,
    };
    let tone = match it.tone {
        Tone::Danger => "error",
        tone => tone_class(tone),
    };
    view! {
        <div class=format!("el-message el-message--{tone}") data-test="toast">
            <span class=format!("el-message__icon el-message-icon--{tone}")>{icon(face)}</span>
            <p class="el-message__content">{it.text}</p>
            <button type="button" class="toast-close" aria-label=tr("关闭", "Close") on:click=boxed(move |_| drop_notice(it.id))>
                {icon(X)}
            </button>
        </div>
    }
    .into_any()
}
