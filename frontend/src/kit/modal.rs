//! What lies over the page: dialogs, drawers, questions. Keeps the focus inside and gives it back afterwards.

use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, Node};

use super::button::icon_button;
use super::icon::X;
use crate::lang::tr;
use crate::run::boxed;

const FOCUSABLE: &str = "a[href], button:not([disabled]), input:not([disabled]):not([type=hidden]), \
     textarea:not([disabled]), select:not([disabled]), [tabindex]:not([tabindex='-1'])";

/// What has the focus when a dialog opens.
const FIRST: &str = "[data-first], .el-dialog__body input:not([disabled], [hidden]), .el-dialog__body textarea";

/// All that can have the focus within an element, in order.
fn focusable(root: &Element) -> Vec<HtmlElement> {
    let Ok(found) = root.query_selector_all(FOCUSABLE) else { return Vec::new() };
    let nodes = (0..found.length()).filter_map(|index| found.item(index));
    nodes.filter_map(|it| it.dyn_into().ok()).filter(|it: &HtmlElement| it.offset_width() > 0).collect()
}

fn focused() -> Option<HtmlElement> {
    document().active_element()?.dyn_into().ok()
}

fn focus(element: Option<&HtmlElement>) {
    if let Some(element) = element {
        drop(element.focus());
    }
}

/// Tab runs in a circle.
fn circle(event: &KeyboardEvent, root: &Element) {
    let all = focusable(root);
    let now: Option<Node> = focused().map(Into::into);
    let at = |it: Option<&HtmlElement>| it.is_some_and(|it| now.as_ref() == Some(it.as_ref()));
    let outside = !root.contains(now.as_ref());
    if event.shift_key() && (at(all.first()) || outside || now.as_ref() == Some(root.as_ref())) {
        event.prevent_default();
        focus(all.last());
    } else if !event.shift_key() && (at(all.last()) || outside) {
        event.prevent_default();
        focus(all.first());
    }
}

/// Puts `body` over the page. Escape closes it; so does a click beside it when `light`.
pub fn overlay(class: &'static str, label: String, light: bool, close: Callback<()>, body: AnyView) -> AnyView {
    let root = NodeRef::<Div>::new();
    let before = StoredValue::new_local(focused());
    root.on_load(move |root| {
        // Drawn first, focused after: elements without a box cannot have the focus.
        request_animation_frame(move || {
            let inputs = root.query_selector(FIRST);
            let first = inputs.ok().flatten().and_then(|it| it.dyn_into().ok());
            focus(first.as_ref().or(Some(&root)));
        });
    });
    on_cleanup(move || focus(before.try_get_value().flatten().as_ref()));
    let keydown = move |event: KeyboardEvent| {
        event.stop_propagation();
        match event.key().as_str() {
            // An input method takes back what it composes with the same key.
            "Escape" if !event.is_composing() => close.run(()),
            "Tab" => {
                if let Some(root) = root.get_untracked() {
                    circle(&event, &root);
                }
            }
            _ => {}
        }
    };
    let beside = move |event: MouseEvent| {
        if light && event.target() == event.current_target() {
            close.run(());
        }
    };
    view! {
        <div class="el-overlay">
            <div node_ref=root class=class role="dialog" aria-modal="true" aria-label=label tabindex="-1"
                on:keydown=boxed(keydown) on:mousedown=boxed(beside)>
                {body}
            </div>
        </div>
    }
    .into_any()
}

fn close_button(class: &'static str, close: Callback<()>) -> AnyView {
    icon_button(class, "close", X, tr("关闭", "Close"), move || close.run(()))
}

/// A dialog of a width in pixels, with buttons at its foot.
pub fn dialog(title: String, width: u16, close: Callback<()>, body: AnyView, foot: AnyView) -> AnyView {
    let inner = view! {
        <div class="el-dialog" style=("--el-dialog-width", format!("{width}px"))>
            <header class="el-dialog__header show-close">
                <span class="el-dialog__title">{title.clone()}</span>
                {close_button("el-dialog__headerbtn", close)}
            </header>
            <div class="el-dialog__body">{body}</div>
            <footer class="el-dialog__footer">{foot}</footer>
        </div>
    };
    overlay("el-overlay-dialog", title, false, close, inner.into_any())
}

/// A drawer at the right edge.
pub fn drawer(title: String, close: Callback<()>, head: AnyView, body: AnyView) -> AnyView {
    let inner = view! {
        <div class="el-drawer rtl open drawer">
            <header class="el-drawer__header">
                <h2 class="el-drawer__title">{title.clone()}</h2>
                {head}
                {close_button("el-drawer__close-btn", close)}
            </header>
            <div class="el-drawer__body">{body}</div>
        </div>
    };
    overlay("drawer-overlay", title, true, close, inner.into_any())
}
