//! Tabs: several parts of which one is shown.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::run::{boxed, live};

/// One of several parts.
pub struct Tab {
    /// How tests find it.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Draws it; asked each time it is opened.
    pub body: Box<dyn Fn() -> AnyView + Send + Sync>,
}

impl Tab {
    /// A part.
    pub fn new(name: &'static str, title: &'static str, body: impl Fn() -> AnyView + Send + Sync + 'static) -> Self {
        Self { name, title, body: Box::new(body) }
    }
}

/// Draws them, the first one open.
pub fn tabs(label: &'static str, tabs: Vec<Tab>) -> AnyView {
    let open = RwSignal::new(0_usize);
    let last = tabs.len().saturating_sub(1);
    let key = move |event: KeyboardEvent| {
        let now = open.get_untracked();
        let next = match event.key().as_str() {
            "ArrowRight" => {
                if now == last {
                    0
                } else {
                    now + 1
                }
            }
            "ArrowLeft" => now.checked_sub(1).unwrap_or(last),
            "Home" => 0,
            "End" => last,
            _ => return,
        };
        event.prevent_default();
        open.set(next);
        // The focus goes with the choice.
        let list = event.current_target().and_then(|it| it.dyn_into::<web_sys::Element>().ok());
        let tab = list.and_then(|it| it.query_selector_all("[role=tab]").ok()?.item(u32::try_from(next).ok()?));
        if let Some(tab) = tab.and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok()) {
            drop(tab.focus());
        }
    };
    let head = |(index, tab): (usize, &Tab)| {
        let on = move || open.get() == index;
        view! {
            <button type="button" role="tab" class="el-tabs__item is-top" class:is-active=on data-test=format!("tab-{}", tab.name)
                aria-selected=move || on().to_string() tabindex=move || if on() { "0" } else { "-1" }
                on:click=boxed(move |_| open.set(index))>{tab.title}</button>
        }
        .into_any()
    };
    let heads = tabs.iter().enumerate().map(head).collect_view();
    let body = live(move || tabs.get(open.get()).map_or_else(|| ().into_any(), |it| (it.body)()));
    view! {
        <div class="tabs-part">
            <div class="tabs-heads" role="tablist" aria-label=label on:keydown=boxed(key)>{heads}</div>
            <div role="tabpanel" class="tabs-body" tabindex="-1" aria-label=label>{body}</div>
        </div>
    }
    .into_any()
}
