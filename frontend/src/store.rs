//! The browser's local storage: what outlives a reload and is shared by all windows.

use leptos::prelude::window_event_listener_untyped;
use web_sys::Storage;

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

/// Runs whenever another window has changed what is kept; called once.
pub fn on_change(act: fn()) {
    // Stays for as long as the console does.
    _ = window_event_listener_untyped("storage", move |_| act());
}

/// Reads a value.
pub fn get(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Keeps a value. A browser that refuses (full, private) forgets it at the next reload, no worse.
pub fn set(key: &str, value: &str) {
    if let Some(storage) = storage() {
        drop(storage.set_item(key, value));
    }
}

/// Forgets a value.
pub fn remove(key: &str) {
    if let Some(storage) = storage() {
        drop(storage.remove_item(key));
    }
}
