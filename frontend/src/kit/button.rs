//! Buttons.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use shared::codes::Tone;

use super::icon::{Icon, icon};
use crate::run::boxed;

/// What a click does. Each kind of button is made by a function that knows no more of it than this, and so compiled once.
type Click = Box<dyn FnMut(MouseEvent)>;

/// The part of Element's class names that carries a tone.
pub const fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Primary => "primary",
        Tone::Success => "success",
        Tone::Warning => "warning",
        Tone::Danger => "danger",
        Tone::Info => "info",
    }
}

/// A button; `class` holds Element's modifiers, `name` is how tests find it.
pub fn button(class: &'static str, name: &str, face: Option<Icon>, label: &str, act: impl Fn() + 'static) -> AnyView {
    labelled(class, name.to_owned(), face, label.to_owned(), boxed(move |_| act()))
}

fn labelled(class: &'static str, name: String, face: Option<Icon>, label: String, click: Click) -> AnyView {
    view! {
        <button type="button" class=format!("el-button {class}") data-test=name on:click=click>
            {face.map(icon)}
            <span>{label}</span>
        </button>
    }
    .into_any()
}

/// A button that shows only an icon; the label is for those who cannot see it.
pub fn icon_button(class: &'static str, name: &str, face: Icon, label: &str, act: impl Fn() + 'static) -> AnyView {
    faced(class, name.to_owned(), face, label.to_owned(), boxed(move |_| act()))
}

fn faced(class: &'static str, name: String, face: Icon, label: String, click: Click) -> AnyView {
    view! {
        <button type="button" class=class data-test=name title=label.clone() aria-label=label on:click=click>
            {icon(face)}
        </button>
    }
    .into_any()
}

/// A button that is busy while its work runs.
pub fn busy_button(
    class: &'static str,
    name: &'static str,
    label: &'static str,
    busy: RwSignal<bool>,
    act: impl Fn() + 'static,
) -> AnyView {
    waiting(class, name, label, busy, boxed(move |_| act()))
}

fn waiting(
    class: &'static str,
    name: &'static str,
    label: &'static str,
    busy: RwSignal<bool>,
    click: Click,
) -> AnyView {
    view! {
        <button
            type="button"
            class=format!("el-button {class}")
            class:is-loading=busy
            data-test=name
            aria-busy=move || busy.get().to_string()
            prop:disabled=busy
            on:click=click
        >
            {move || busy.get().then(spinner)}
            <span>{label}</span>
        </button>
    }
    .into_any()
}

/// A little turning ring.
pub fn spinner() -> AnyView {
    view! {
        <i class="el-icon is-loading" aria-hidden="true">
            <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round">
                <path d="M21 12a9 9 0 1 1-6.2-8.56"/>
            </svg>
        </i>
    }
    .into_any()
}
