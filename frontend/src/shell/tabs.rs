//! The pages that are open, each with its address as it was left.

use leptos::ev::MouseEvent;
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::here;
use crate::kit::icon::{X, icon};
use crate::lang::{say, tr};
use crate::pages::{Found, find};
use crate::run::{boxed, follow};
use crate::{answer, nav, session};

const KEY: &str = "tabs";

/// An open page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Tab {
    /// Its path without leading slash.
    path: String,
    /// Where it was left, with all that the address tells.
    address: String,
}

/// The tabs that this person has left open in this window: those of another tell what that one has looked for.
fn stored(whose: &str) -> Vec<Tab> {
    let storage = window().session_storage().ok().flatten();
    let text = storage.and_then(|it| it.get_item(KEY).ok().flatten()).unwrap_or_default();
    left_by(whose, &text)
}

fn left_by(whose: &str, text: &str) -> Vec<Tab> {
    let left = answer::parse(text).unwrap_or_default();
    let tabs = left.get("tabs").filter(|_| left.get("user").and_then(Value::as_str) == Some(whose));
    tabs.and_then(|it| answer::part(it).ok()).unwrap_or_default()
}

fn store(whose: &str, tabs: &[Tab]) {
    let tabs: Value = tabs.iter().map(|it| json!({"path": it.path, "address": it.address})).collect();
    if let Ok(Some(storage)) = window().session_storage() {
        drop(storage.set_item(KEY, &json!({"user": whose, "tabs": tabs}).to_string()));
    }
}

/// The tab that becomes visible when the one at `index` is closed.
fn neighbour(tabs: &[Tab], index: usize) -> Option<&Tab> {
    tabs.get(index + 1).or_else(|| tabs.get(index.checked_sub(1)?))
}

/// Draws them.
pub fn tabs() -> AnyView {
    let whose = untrack(session::id);
    let tabs = RwSignal::new(with_home(stored(&whose)));
    follow(move || {
        let address = nav::place();
        if let Some(found) = here().filter(|it| it.page.visible()) {
            tabs.update(|it| visit(it, found.page.path, address));
        }
    });
    follow(move || tabs.with(|it| store(&whose, it)));
    let close = move |path: String| {
        let all = tabs.get_untracked();
        let Some(index) = all.iter().position(|it| it.path == path) else { return };
        if untrack(here).is_some_and(|it| it.page.path == path) {
            nav::go(neighbour(&all, index).map_or("/", |it| &it.address));
        }
        tabs.update(|it| it.retain(|it| it.path != path));
    };
    let tab = move |it: Tab| {
        let Some(Found { page, .. }) = find(&it.path) else { return ().into_any() };
        let Tab { path, address } = it;
        let active = move || here().is_some_and(|it| it.page.path == page.path);
        let dismiss = move |event: MouseEvent| {
            event.prevent_default();
            event.stop_propagation();
            close(path.clone());
        };
        view! {
            <li class="tab" class:on=active>
                <a href=address aria-current=move || active().then_some("page")>{say(page.title)}</a>
                {(!page.path.is_empty()).then(|| view! {
                    <button type="button" class="tab-close" aria-label=format!("{} {}", tr("关闭", "Close"), say(page.title)) on:click=boxed(dismiss)>{icon(X)}</button>
                }.into_any())}
            </li>
        }
        .into_any()
    };
    view! {
        <nav class="tabs" aria-label=tr("打开的页面", "Open pages")>
            <ul>{move || tabs.get().into_iter().map(tab).collect_view()}</ul>
        </nav>
    }
    .into_any()
}

/// The first page is always open.
fn with_home(mut tabs: Vec<Tab>) -> Vec<Tab> {
    if !tabs.iter().any(|it| it.path.is_empty()) {
        tabs.insert(0, Tab { path: String::new(), address: "/".to_owned() });
    }
    tabs
}

fn visit(tabs: &mut Vec<Tab>, path: &str, address: String) {
    match tabs.iter_mut().find(|it| it.path == path) {
        Some(tab) => tab.address = address,
        None => tabs.push(Tab { path: path.to_owned(), address }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tab(path: &str) -> Tab {
        Tab { path: path.to_owned(), address: format!("/{path}") }
    }

    #[test]
    fn closing_shows_the_neighbour() {
        let tabs = [tab(""), tab("a"), tab("b")];
        assert_eq!(neighbour(&tabs, 1), Some(&tabs[2]));
        assert_eq!(neighbour(&tabs, 2), Some(&tabs[1]));
        assert_eq!(neighbour(&tabs[..1], 0), None);
    }

    #[test]
    fn tabs_are_of_whoever_opened_them() {
        let left = r#"{"user":"a","tabs":[{"path":"orders/car","address":"/orders/car?phone=13800000001"}]}"#;
        assert_eq!(left_by("a", left).len(), 1);
        assert_eq!(left_by("b", left), []);
        assert_eq!(left_by("a", ""), []);
    }

    #[test]
    fn visiting_keeps_the_place() {
        let mut tabs = with_home(vec![tab("a")]);
        visit(&mut tabs, "a", "/a?page=2".to_owned());
        visit(&mut tabs, "b", "/b".to_owned());
        let addresses: Vec<_> = tabs.iter().map(|it| it.address.as_str()).collect();
        assert_eq!(addresses, ["/", "/a?page=2", "/b"]);
    }
}
