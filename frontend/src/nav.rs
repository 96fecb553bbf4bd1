//! Going from page to page, also from code that runs outside of any view.

use std::cell::RefCell;
use std::rc::Rc;

use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use crate::kit::query::Query;

type Go = Rc<dyn Fn(&str, NavigateOptions)>;

thread_local! {
    static GO: RefCell<Option<Go>> = const { RefCell::new(None) };
}

/// Takes hold of the router; called once below it.
pub fn install() {
    GO.set(Some(Rc::new(use_navigate())));
}

fn navigate(path: &str, options: NavigateOptions) {
    // Cloned out first: navigating may run code that navigates.
    if let Some(go) = GO.with_borrow(Clone::clone) {
        go(path, options);
    }
}

/// Goes to a path of the console.
pub fn go(path: &str) {
    navigate(path, NavigateOptions { scroll: false, ..NavigateOptions::default() });
}

/// Goes there instead of here: the way back skips this place.
pub fn replace(path: &str) {
    navigate(path, NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
}

/// Where we are: path and query.
pub fn here() -> String {
    let Some(window) = web_sys::window() else { return "/".to_owned() };
    let location = window.location();
    format!("{}{}", location.pathname().unwrap_or_default(), location.search().unwrap_or_default())
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
