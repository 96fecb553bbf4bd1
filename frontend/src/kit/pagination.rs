//! The foot of a list: how many rows, which page.

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::icon::{CHEVRON_LEFT, CHEVRON_RIGHT, icon};
use super::pager::{Stop, last_page, stops};
use crate::lang::{Lang, lang, tr};
use crate::run::boxed;

/// Where a list stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// The page.
    pub page: i64,
    /// Rows a page.
    pub size: i64,
    /// Rows in all, as far as counted.
    pub total: i64,
    /// There are more than counted.
    pub capped: bool,
}

fn total_text(it: Extent) -> String {
    let plus = if it.capped { "+" } else { "" };
    match lang() {
        Lang::Zh => format!("共 {}{plus} 条", it.total),
        Lang::En => format!("{}{plus} in all", it.total),
    }
}

/// Draws it; `extent` tells where the list stands, followed; `turn` is told the page, `resize` the rows a page.
pub fn pagination(extent: Callback<(), Extent>, turn: Callback<i64>, resize: Callback<i64>) -> AnyView {
    let page = move || extent.run(()).page;
    let last = move || last_page(extent.run(()).total, extent.run(()).size);
    let step = move |by: i64| turn.run((page() + by).clamp(1, last()));
    let stop = move |it: Stop| {
        let (to, text) = match it {
            Stop::Page(page) => (page, page.to_string()),
            Stop::Gap(page) => (page, "…".to_owned()),
        };
        let active = it == Stop::Page(page());
        let key = move |event: KeyboardEvent| {
            if event.key() == "Enter" {
                turn.run(to);
            }
        };
        view! {
            <li class="number" class:is-active=active tabindex="0" aria-current=active.then_some("page") on:keydown=boxed(key)
                on:click=boxed(move |_| turn.run(to))>{text}</li>
        }.into_any()
    };
    let jump = move |event: web_sys::Event| {
        if let Ok(to) = event_target_value(&event).trim().parse::<i64>() {
            turn.run(to.clamp(1, last()));
        }
    };
    let chosen = move |event: web_sys::Event| {
        if let Ok(size) = event_target_value(&event).parse() {
            resize.run(size);
        }
    };
    let size_option = move |size: i64| {
        let label = if lang() == Lang::Zh { format!("{size} 条/页") } else { format!("{size} a page") };
        view! { <option value=size.to_string() selected=move || extent.run(()).size == size>{label}</option> }
            .into_any()
    };
    view! {
        <nav class="el-pagination is-background" aria-label=tr("分页", "Pages") data-test="pagination">
            <span class="el-pagination__total is-first" data-test="total">{move || total_text(extent.run(()))}</span>
            <span class="el-pagination__sizes">
                <select class="plain-select" name="size" aria-label=tr("每页条数", "Rows a page") on:change=boxed(chosen)>
                    {[10, 20, 50, 100, 200].map(size_option).collect_view()}
                </select>
            </span>
            <button type="button" class="btn-prev" aria-label=tr("上一页", "Back") disabled=move || page() <= 1 on:click=boxed(move |_| step(-1))>
                {icon(CHEVRON_LEFT)}
            </button>
            <ul class="el-pager">{move || stops(page(), last()).into_iter().map(stop).collect_view()}</ul>
            <button type="button" class="btn-next" aria-label=tr("下一页", "On") prop:disabled=move || last() <= page() on:click=boxed(move |_| step(1))>
                {icon(CHEVRON_RIGHT)}
            </button>
            <span class="el-pagination__jump is-last">
                <span class="el-pagination__goto">{tr("前往", "Go to")}</span>
                <span class="el-input el-pagination__editor"><span class="el-input__wrapper">
                    <input class="el-input__inner" type="text" inputmode="numeric" name="page" aria-label=tr("页码", "Page")
                        prop:value=move || page().to_string() on:change=boxed(jump)/>
                </span></span>
                <span class="el-pagination__classifier">{tr("页", "")}</span>
            </span>
        </nav>
    }
    .into_any()
}
