//! The head of every page: where one is, and what concerns oneself.

use leptos::prelude::*;

use super::here;
use crate::kit::button::icon_button;
use crate::kit::dropdown::{Item, menu};
use crate::kit::icon::{CHEVRON_DOWN, LANGUAGES, MOON, PANEL_LEFT_CLOSE, PANEL_LEFT_OPEN, SUN, USER, icon};
use crate::lang::{self, Lang, lang, say, tr};
use crate::run::live;
use crate::{nav, session};

/// Draws it.
pub fn head(folded: RwSignal<bool>) -> AnyView {
    let fold = move || {
        let face = if folded.get() { PANEL_LEFT_OPEN } else { PANEL_LEFT_CLOSE };
        icon_button("head-button", "fold-menu", face, tr("折叠菜单", "Fold the menu"), move || {
            folded.update(|it| *it = !*it)
        })
    };
    let theme = || {
        let dark = lang::dark();
        let (face, label) = if dark { (SUN, tr("浅色", "Light")) } else { (MOON, tr("深色", "Dark")) };
        icon_button("head-button", "theme", face, label, move || lang::darken(!dark))
    };
    let other = if lang() == Lang::Zh { Lang::En } else { Lang::Zh };
    let language = icon_button(
        "head-button",
        "language",
        LANGUAGES,
        if other == Lang::En { "English" } else { "简体中文" },
        move || {
            lang::speak(other);
        },
    );
    view! {
        <header class="top">
            {live(fold)}
            {crumbs()}
            <div class="top-right">
                {live(theme)}
                {language}
                {user_menu()}
            </div>
        </header>
    }
    .into_any()
}

fn crumbs() -> AnyView {
    let crumb = |text: &'static str| {
        view! {
            <li class="el-breadcrumb__item">
                <span class="el-breadcrumb__inner">{text}</span><span class="el-breadcrumb__separator" role="presentation">"/"</span>
            </li>
        }.into_any()
    };
    let trail = move || {
        let Some(found) = here() else { return Vec::new() };
        let page = say(found.page.title);
        let group = found.group.map(|it| say(it.title)).filter(|it| *it != page);
        group.into_iter().chain([page]).collect::<Vec<_>>()
    };
    view! {
        <nav aria-label=tr("位置", "Where you are")>
            <ol class="el-breadcrumb">{move || trail().into_iter().map(crumb).collect_view()}</ol>
        </nav>
    }
    .into_any()
}

fn user_menu() -> AnyView {
    let face = view! {
        <span class="avatar">{icon(USER)}</span>
        <span class="user-name">{move || session::called()}</span>
        {icon(CHEVRON_DOWN)}
    };
    let items = vec![
        Item::new("account", tr("我的账号", "My account"), false, || nav::go("/account")),
        Item::new("password", tr("修改密码", "Change password"), false, || nav::go("/password")),
        Item::new("logout", tr("退出登录", "Log out"), false, session::leave),
    ];
    menu("user-button".to_owned(), "user", tr("我的账号", "My account"), face.into_any(), items)
}
