//! One row, read by itself: what its drawer and its page are made of.

use leptos::prelude::*;
use serde_json::Value;
use shared::describe::Cell;
use uuid::Uuid;

use super::desk::Desk;
use super::source::Entry;
use crate::kit::cell::{cell, descriptions};
use crate::kit::fetched::{Fetched, fetched, steady};
use crate::lang::say;
use crate::run::{follow, live};
use crate::{answer, events};

/// A row that is looked at.
#[derive(Clone, Copy)]
pub struct Subject {
    /// Where things are done to it.
    pub desk: Desk,
    /// Its id.
    pub id: Uuid,
    /// The answer with all that is known of it.
    pub fetched: Fetched,
    /// That, parsed; the last that could be.
    pub answer: RwSignal<Value>,
    /// The row within.
    pub entry: Memo<Option<Entry>>,
    /// Why the answer cannot be read; empty while it can.
    wrong: RwSignal<String>,
}

impl Subject {
    /// Reads a row, and again whenever it may have changed.
    pub fn read(desk: Desk, id: Uuid) -> Self {
        let source = desk.source;
        let fetched = fetched(move || Some(format!("{}/{id}", source.path)));
        fetched.refresh_on(desk.changed);
        fetched.refresh_on(events::changed_of(source.live, fetched.text));
        let (answer, wrong) = (RwSignal::new(Value::Null), RwSignal::new(String::new()));
        let entry = Memo::new(move |_| answer.with(|it| source.entry(it).ok()));
        follow(move || {
            let Some(read) = fetched.text.with(|it| it.as_deref().map(answer::parse)) else { return };
            match read.and_then(|it| source.entry(&it).map(|_| it)) {
                Ok(read) => {
                    answer.set(read);
                    wrong.set(String::new());
                }
                Err(reason) => wrong.set(reason),
            }
        });
        Self { desk, id, fetched, answer, entry, wrong }
    }

    /// Draws `show` once the row is there; it follows later answers by itself.
    pub fn steady(self, show: impl Fn() -> AnyView + Send + Sync + 'static) -> AnyView {
        let ready = Memo::new(move |_| self.entry.with(Option::is_some));
        steady(self.fetched, ready, self.wrong, Box::new(show))
    }

    /// What the row shows in the column with this key, followed.
    pub fn cell(self, key: &'static str) -> Cell {
        let cell = self.entry.with(|it| it.as_ref().and_then(|it| it.cell(self.desk.source, key).cloned()));
        cell.unwrap_or(Cell::Empty)
    }

    /// The columns with these keys, each with what the row shows in it.
    pub fn items(self, keys: &[&str]) -> Vec<(String, AnyView)> {
        let columns = self.desk.source.columns;
        let item = |key: &&str| {
            let column = columns.iter().find(|it| it.key == *key)?;
            Some((say(column.fact.label).to_owned(), live(move || cell(&self.cell(column.key)))))
        };
        keys.iter().filter_map(item).collect()
    }

    /// The same, drawn.
    pub fn facts(self, keys: &[&str]) -> AnyView {
        descriptions(self.items(keys))
    }

    /// All columns and what the row shows in them.
    pub fn all_facts(self) -> AnyView {
        let keys: Vec<&str> = self.desk.source.columns.iter().map(|it| it.key).collect();
        self.facts(&keys)
    }

    /// A part made from the answer, anew when the answer has changed.
    pub fn made(self, make: fn(&Value) -> AnyView) -> AnyView {
        live(move || self.answer.with(make))
    }
}
