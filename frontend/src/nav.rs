//! Where we are in the console, and going from page to page without loading it anew.

use std::sync::LazyLock;

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, Event, HtmlAnchorElement, MouseEvent};

use crate::kit::query::Query;

/// Path and query of the address.
static PLACE: LazyLock<ArcRwSignal<String>> = LazyLock::new(|| ArcRwSignal::new(here()));

/// Takes over the plain links of the console, and the browser's way back and forth; called once.
pub fn install() {
    // Both stay for as long as the console does.
    _ = window_event_listener_untyped("popstate", |_| PLACE.set(here()));
    _ = window_event_listener_untyped("click", |event| {
        if let Some(to) = link(&event) {
            event.prevent_default();
            go(&to);
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    });
}

/// Where a click leads, when it is an ordinary one on a link to a place of ours.
fn link(event: &Event) -> Option<String> {
    let click: &MouseEvent = event.dyn_ref()?;
    let held = click.meta_key() || click.alt_key() || click.ctrl_key() || click.shift_key();
    let target: Element = event.target()?.dyn_into().ok()?;
    let link: HtmlAnchorElement = target.closest("a[href]").ok()??.dyn_into().ok()?;
    let elsewhere = !link.target().is_empty()
        || link.has_attribute("download")
        || link.rel().split_whitespace().any(|it| it == "external")
        || link.origin() != window().location().origin().ok()?
        || !link.hash().is_empty();
    let ours = click.button() == 0 && !held && !elsewhere && !event.default_prevented();
    ours.then(|| link.pathname() + &link.search())
}

/// Path and query of the address, followed.
pub fn place() -> String {
    PLACE.get()
}

/// The path of the address, followed.
pub fn path() -> String {
    PLACE.with(|it| it.split_once('?').map_or(it.as_str(), |it| it.0).to_owned())
}

/// The query of the address, followed.
pub fn query() -> Query {
    PLACE.with(|it| Query::parse(it.split_once('?').map_or("", |it| it.1)))
}

/// Path and query of the address, as they are now.
pub fn here() -> String {
    let location = window().location();
    format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default())
}

/// Goes to a path of the console.
pub fn go(path: &str) {
    if path != here()
        && window().history().is_ok_and(|it| it.push_state_with_url(&JsValue::NULL, "", Some(path)).is_ok())
    {
        PLACE.set(here());
    }
}

/// Goes there instead of here: the way back skips this place.
pub fn replace(path: &str) {
    if window().history().is_ok_and(|it| it.replace_state_with_url(&JsValue::NULL, "", Some(path)).is_ok()) {
        PLACE.set(here());
    }
}

/// The login page, which leads back to where we are.
pub fn login_path() -> String {
    let here = here();
    if here == "/" || here.starts_with("/login") {
        "/login".to_owned()
    } else {
        Query::default().with("next", &here).after("/login")
    }
}

/// Where the login page leads: only paths of our own, so that no link can send people elsewhere.
pub fn next_path(query: &Query) -> String {
    let own = |path: &&str| {
        path.starts_with('/') && !path.starts_with("//") && !path.contains('\\') && !path.starts_with("/login")
    };
    query.get("next").filter(own).unwrap_or("/").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_leads_nowhere_else() {
        let next = |text: &str| next_path(&Query::default().with("next", text));
        assert_eq!(next("/car/stations?page=2"), "/car/stations?page=2");
        for bad in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/login?next=/"] {
            assert_eq!(next(bad), "/", "{bad}");
        }
    }
}
