//! The menu at the left: only what one may see.

use leptos::prelude::*;

use super::here;
use crate::brand;
use crate::kit::icon::{CHEVRON_DOWN, icon};
use crate::lang::{say, tr};
use crate::pages::{GROUPS, Group, Page};
use crate::run::{boxed, follow};

/// Draws it.
pub fn menu(folded: RwSignal<bool>) -> AnyView {
    view! {
        <aside class="side">
            <a class="logo" href="/">
                <span class="logo-mark">{brand::mark()}</span>
                <span class="logo-name">{brand::name}</span>
            </a>
            <nav class="side-scroll" aria-label=tr("主菜单", "Main menu")>
                <ul class="el-menu el-menu--vertical">{GROUPS.iter().filter_map(|it| group(it, folded)).collect_view()}</ul>
            </nav>
        </aside>
    }
    .into_any()
}

fn group(it: &'static Group, folded: RwSignal<bool>) -> Option<AnyView> {
    let pages: Vec<&'static Page> = it.pages.iter().filter(|it| it.visible()).collect();
    if let [only] = it.pages {
        return (!pages.is_empty()).then(|| single(it, only));
    }
    if pages.is_empty() {
        return None;
    }
    let inside = move || here().and_then(|found| found.group).is_some_and(|found| found.title == it.title);
    let open = RwSignal::new(untrack(inside));
    follow(move || {
        if inside() {
            open.set(true);
        }
    });
    let shown = move || open.get() && !folded.get();
    let toggle = move |_| {
        // A folded menu has no room for pages: it unfolds first.
        if folded.get_untracked() {
            folded.set(false);
            open.set(true);
        } else {
            open.update(|it| *it = !*it);
        }
    };
    let title = say(it.title);
    Some(
        view! {
            <li class="el-sub-menu" class:is-opened=shown class:is-active=inside>
                <button type="button" class="el-sub-menu__title" title=title aria-expanded=move || shown().to_string() on:click=boxed(toggle)>
                    {icon(it.icon)}
                    <span class="menu-label">{title}</span>
                    <span class="el-sub-menu__icon-arrow">{icon(CHEVRON_DOWN)}</span>
                </button>
                <ul class="el-menu el-menu--inline" style:display=move || if shown() { "" } else { "none" }>
                    {pages.into_iter().map(item).collect_view()}
                </ul>
            </li>
        }
        .into_any(),
    )
}

fn active(it: &'static Page) -> impl Fn() -> bool + Copy + Send + Sync + 'static {
    move || here().is_some_and(|found| found.page.path == it.path)
}

fn single(group: &'static Group, it: &'static Page) -> AnyView {
    let active = active(it);
    view! {
        <li class="el-menu-item" class:is-active=active>
            <a href=format!("/{}", it.path) data-test=format!("menu-{}", it.path) title=say(it.title) aria-current=move || active().then_some("page")>
                {icon(group.icon)}<span class="menu-label">{say(it.title)}</span>
            </a>
        </li>
    }
    .into_any()
}

fn item(it: &'static Page) -> AnyView {
    let active = active(it);
    view! {
        <li class="el-menu-item" class:is-active=active>
            <a href=format!("/{}", it.path) data-test=format!("menu-{}", it.path) aria-current=move || active().then_some("page")>
                <span class="menu-label">{say(it.title)}</span>
            </a>
        </li>
    }
    .into_any()
}
