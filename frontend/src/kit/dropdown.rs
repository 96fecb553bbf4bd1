//! A button that opens a menu.

use leptos::ev::{FocusEvent, KeyboardEvent};
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::button::button;
use super::icon::{CHEVRON_DOWN, icon};
use super::popper::{left, popper};
use crate::run::boxed;

/// Something that can be done.
#[derive(Clone, Copy)]
pub struct Item {
    name: &'static str,
    label: &'static str,
    danger: bool,
    act: Callback<()>,
}

impl Item {
    /// Something that can be done; `name` is how tests find it.
    pub fn new(name: &'static str, label: &'static str, danger: bool, act: impl Fn() + Send + Sync + 'static) -> Self {
        Self { name, label, danger, act: Callback::new(move |()| act()) }
    }

    /// As a button of its own.
    pub fn button(self, class: &'static str) -> AnyView {
        let class = match (class, self.danger) {
            ("is-link", false) => "is-link el-button--primary",
            ("is-link", true) => "is-link el-button--danger",
            (_, true) => "el-button--small el-button--danger is-plain",
            (_, false) => "el-button--small el-button--primary is-plain",
        };
        button(class, self.name, None, self.label, move || self.act.run(()))
    }
}

/// A button with more behind it.
pub fn dropdown(class: &'static str, label: &'static str, items: Vec<Item>) -> AnyView {
    let class = if class == "is-link" { "is-link el-button--primary" } else { class };
    let face = view! { <span>{label}</span>{icon(CHEVRON_DOWN)} };
    menu(format!("el-button {class}"), "more", label, face.into_any(), items)
}

/// A menu behind any face.
pub fn menu(class: String, name: &'static str, label: &'static str, face: AnyView, items: Vec<Item>) -> AnyView {
    let open = RwSignal::new(false);
    let root = NodeRef::<Div>::new();
    let leave = move |event: FocusEvent| {
        if left(&event, root) {
            open.set(false);
        }
    };
    let key = move |event: KeyboardEvent| {
        let step = match event.key().as_str() {
            "ArrowDown" => 1,
            "ArrowUp" => -1,
            "Escape" if open.get_untracked() => {
                open.set(false);
                event.stop_propagation();
                return;
            }
            _ => return,
        };
        event.prevent_default();
        if open.get_untracked() { move_focus(root, step) } else { open.set(true) }
    };
    let list = move || {
        let item = |it: Item| {
            let act = move |_| {
                open.set(false);
                it.act.run(());
            };
            view! {
                <li role="none">
                    <button type="button" role="menuitem" class="el-dropdown-menu__item" class:is-danger=it.danger data-test=it.name on:click=boxed(act)>{it.label}</button>
                </li>
            }.into_any()
        };
        view! { <ul class="el-dropdown-menu" role="menu" aria-label=label>{items.iter().copied().map(item).collect_view()}</ul> }.into_any()
    };
    view! {
        <div node_ref=root class="el-dropdown" tabindex="-1" on:focusout=boxed(leave) on:keydown=boxed(key)>
            <button type="button" class=class data-test=name aria-haspopup="menu" aria-expanded=move || open.get().to_string()
                on:click=boxed(move |_| open.update(|it| *it = !*it))>{face}</button>
            {popper(open, root, false, "el-dropdown__popper", list)}
        </div>
    }
    .into_any()
}

/// Moves the focus along the items.
fn move_focus(root: NodeRef<Div>, step: i32) {
    let Some(found) = root.get_untracked().and_then(|it| it.query_selector_all("button").ok()) else { return };
    let all: Vec<web_sys::HtmlElement> = (0..found.length()).filter_map(|it| found.item(it)?.dyn_into().ok()).collect();
    let now = document().active_element();
    let at = all.iter().position(|it| now.as_ref() == Some(it.as_ref())).unwrap_or_default();
    let next = if step > 0 { at + 1 } else { at.max(1) - 1 };
    if let Some(item) = all.get(next) {
        drop(item.focus());
    }
}
