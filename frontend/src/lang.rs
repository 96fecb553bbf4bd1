//! The language and the theme that the person at the screen has chosen.

use std::sync::LazyLock;

use leptos::prelude::*;
pub use shared::text::{Lang, Text, t};

use crate::store;

static LANG: LazyLock<ArcRwSignal<Lang>> = LazyLock::new(|| {
    // Chinese until somebody chooses: operators' browsers often come in English.
    ArcRwSignal::new(Lang::from_accept_language(&store::get("lang").unwrap_or_default()))
});

static DARK: LazyLock<ArcRwSignal<bool>> =
    LazyLock::new(|| ArcRwSignal::new(store::get("theme").as_deref() == Some("dark")));

/// The language in force. Views do not follow it: the whole shell is drawn anew when it changes.
pub fn lang() -> Lang {
    LANG.get_untracked()
}

/// The same, for what must follow it.
pub fn lang_tracked() -> Lang {
    LANG.get()
}

/// A text in the language in force.
pub fn say(text: Text) -> &'static str {
    text.get(lang())
}

/// Two texts side by side, in the language in force.
pub fn tr(zh: &'static str, en: &'static str) -> &'static str {
    say(t(zh, en))
}

/// Changes the language and keeps it.
pub fn speak(lang: Lang) {
    store::set("lang", lang.tag());
    mark_language(lang);
    LANG.set(lang);
}

/// Changes the language for those who have not chosen one.
pub fn propose(lang: Lang) {
    if store::get("lang").is_none() && lang != LANG.get_untracked() {
        mark_language(lang);
        LANG.set(lang);
    }
}

/// Whether the dark theme is on.
pub fn dark() -> bool {
    DARK.get()
}

/// Changes the theme and keeps it.
pub fn darken(dark: bool) {
    store::set("theme", if dark { "dark" } else { "light" });
    mark_theme(dark);
    DARK.set(dark);
}

/// Marks the document with what was chosen earlier; called once at the start.
pub fn apply() {
    mark_language(lang());
    mark_theme(DARK.get_untracked());
}

fn mark_language(lang: Lang) {
    if let Some(root) = document().document_element() {
        drop(root.set_attribute("lang", lang.tag()));
    }
}

fn mark_theme(dark: bool) {
    if let Some(root) = document().document_element() {
        drop(root.class_list().toggle_with_force("dark", dark));
    }
}
