//! The page of one row, for what is too much for a drawer.

use leptos::prelude::*;
use uuid::Uuid;

use super::act::buttons;
use super::desk::Desk;
use super::list::place;
use super::source::Source;
use super::subject::Subject;
use crate::kit::icon::{ARROW_LEFT, icon};
use crate::lang::tr;
use crate::run::live;

/// Draws it: what `body` makes of the row, and the dialogs that are opened from there.
pub fn one(source: Source, id: Uuid, body: fn(Subject) -> AnyView) -> AnyView {
    let query = place(source);
    let desk = Desk::new(source, Memo::new(move |_| query.get().after(&format!("/{}", source.path))));
    let it = Subject::read(desk, id);
    view! {
        <div class="one" data-test=format!("{}-one", source.path)>
            {it.steady(move || body(it))}
            {desk.dialogs()}
        </div>
    }
    .into_any()
}

/// The head of such a page: the way back, what the row is called, how it is, and what can be done to it.
pub fn head(it: Subject, condition: AnyView) -> AnyView {
    let name = move || it.entry.with(|it| it.as_ref().map(|it| it.name.clone()).unwrap_or_default()).into_any();
    view! {
        <header class="one-head">
            <a class="head-button" data-test="back" href=move || it.desk.list.get() title=tr("返回列表", "Back to the list")
                aria-label=tr("返回列表", "Back to the list")>{icon(ARROW_LEFT)}</a>
            <h1 class="one-name">{live(name)}</h1>
            {condition}
            <div class="drawer-acts">{buttons(it.desk, it.entry, None)}</div>
        </header>
    }
    .into_any()
}

/// A card of such a page.
pub fn card(title: &'static str, content: AnyView) -> AnyView {
    view! {
        <section class="el-card is-never-shadow body">
            <h2 class="section-title">{title}</h2>
            {content}
        </section>
    }
    .into_any()
}
