//! All that is known of a row, in a drawer over the list.

use leptos::prelude::*;
use uuid::Uuid;

use super::act::buttons;
use super::list::Listing;
use super::source::Entry;
use crate::kit::cell::{cell, descriptions};
use crate::kit::fetched::{fetched, part};
use crate::kit::modal::drawer;
use crate::lang::{say, tr};
use crate::nav;
use crate::run::on_change;

/// The drawer; closing it leads back to the list as it stood.
pub fn detail(it: Listing, id: Uuid) -> AnyView {
    let row = fetched(move || Some(format!("{}/{id}", it.source.path)));
    on_change(move || it.changes.track(), move || row.refresh());
    let close = Callback::new(move |()| nav::go(&it.address()));
    let title = format!("{} · {}", say(it.source.title), tr("详细", "Detail"));
    let head = move || {
        let entry = row.text.with(|text| text.as_deref().and_then(|text| it.source.one(text).ok()));
        entry.map(|entry| buttons(it, &entry, false))
    };
    let head = view! { <div class="drawer-acts">{move || head()}</div> };
    drawer(
        title,
        close,
        head.into_any(),
        part(row, move |text| it.source.one(text).map(|entry| facts(it, &entry, text))),
    )
}

fn facts(it: Listing, entry: &Entry, text: &str) -> AnyView {
    let heads = (it.source.heads)();
    let items = heads.iter().zip(&entry.cells).map(|(head, content)| (say(head.title).to_owned(), cell(content)));
    let more = it.source.more.map(|more| more(text));
    view! { {descriptions(items.collect())} {more} }.into_any()
}
