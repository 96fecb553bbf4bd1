//! Lists that belong to a row and are read page by page: its history, its messages, its commands.

use leptos::prelude::*;
use serde_json::Value;
use shared::describe::Cell;
use shared::page::COUNT_CAP;

use super::source::{Entry, Source};
use crate::answer;
use crate::kit::cell::{nothing, plain_table};
use crate::kit::facts::items;
use crate::kit::fetched::{fetched, part};
use crate::kit::pagination::{Extent, pagination};
use crate::kit::query::Query;
use crate::lang::tr;
use crate::run::{live, on_change};

/// What is made of a page of rows.
pub type Show = Box<dyn Fn(&[Value]) -> Result<AnyView, String> + Send + Sync>;

/// Draws the list at an address below `/api/v1/`, newest first; read again when one of `again` fires.
pub fn records(address: String, conditions: Memo<Query>, again: &[Trigger], show: Show) -> AnyView {
    let (page, size, total) = (RwSignal::new(1_i64), RwSignal::new(10_i64), RwSignal::new(0_i64));
    let read = fetched(move || {
        let query = conditions.get().with("page", &page.get().to_string()).with("size", &size.get().to_string());
        Some(query.after(&address))
    });
    again.iter().for_each(|it| read.refresh_on(*it));
    on_change(move || conditions.track(), move || page.set(1));
    let extent = Callback::new(move |()| {
        let total = total.get();
        Extent { page: page.get(), size: size.get(), total, capped: total >= COUNT_CAP }
    });
    let resize = Callback::new(move |rows| {
        page.set(1);
        size.set(rows);
    });
    let turn = Callback::new(move |to| page.set(to));
    let more = Memo::new(move |_| total.get() > 10);
    let content = move |text: &str| {
        let answer = answer::parse(text)?;
        total.set(answer.get("total").and_then(Value::as_i64).unwrap_or_default());
        show(items(&answer, "items"))
    };
    view! {
        {part(read, content)}
        {live(move || if more.get() { pagination(extent, turn, resize) } else { ().into_any() })}
    }
    .into_any()
}

/// Some columns of a resource's rows as a table; the first leads to the row itself.
pub fn excerpt(source: Source, rows: &[Entry], keys: &[&str]) -> AnyView {
    let columns: Vec<usize> = keys.iter().filter_map(|key| source.place(key)).collect();
    let titles: Vec<_> = columns.iter().filter_map(|it| source.columns.get(*it)).map(|it| it.fact.label).collect();
    let line = |row: &Entry| {
        let cell = |(place, column): (usize, &usize)| match row.cells.get(*column) {
            Some(Cell::Text(text)) if place == 0 => {
                Cell::Link { text: text.clone(), to: format!("/{}/{}", source.path, row.id) }
            }
            other => other.cloned().unwrap_or(Cell::Empty),
        };
        columns.iter().enumerate().map(cell).collect()
    };
    if rows.is_empty() {
        return nothing(tr("暂无记录", "Nothing here yet"));
    }
    plain_table(&titles, &rows.iter().map(line).collect::<Vec<_>>(), &[])
}
