//! What the console knows of a resource: its description without the types of its rows, and how its page differs from others.

use leptos::prelude::AnyView;
use serde_json::Value;
use shared::describe::{Action, Cell, Column, Field};
use shared::page::MAX_SIZE;
use shared::resource::{Editable, FormMap, Resource, Verb};
use shared::text::Text;
use uuid::Uuid;

use crate::answer;
use crate::kit::facts::items;
use crate::kit::query::Query;
use crate::session;

/// A resource without its types.
#[derive(Clone, Copy)]
pub struct Source {
    /// Its address below `/api/v1` and in the console.
    pub path: &'static str,
    /// What people call it.
    pub title: Text,
    /// The prefix of its permission codes.
    pub permission: &'static str,
    /// Where a row has what people call it.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [Column],
    /// Its search conditions.
    pub filters: &'static [Field],
    /// What can be done to a row.
    pub actions: &'static [Action],
    /// Which of the usual things can be done.
    pub verbs: &'static [Verb],
    /// What is filled in to write a row; nothing where rows are not written.
    pub fields: Option<&'static [Field]>,
    /// Adding a row moves money: it is sent with an idempotency key.
    pub keyed: bool,
    /// The kinds of events after which the page is read anew.
    pub live: &'static [&'static str],
    /// What the detail shows below the columns, made from the answer.
    pub more: Option<fn(&Value) -> AnyView>,
    /// The server tells what was done to a row: `GET …/{id}/history`.
    pub history: bool,
    /// A row of another resource that can be begun from a row of this one.
    pub begins: Option<&'static Begin>,
    /// Rows stand below those that they name as `parent_id`, siblings by their `position`.
    pub tree: bool,
}

/// A row of another resource, begun from what is known of this one.
pub struct Begin {
    /// How tests find the button.
    pub name: &'static str,
    /// The button.
    pub label: Text,
    /// What the new row is.
    pub source: Source,
    /// How its form begins; nothing where this row leads to none.
    pub form: fn(&Entry) -> Option<FormMap>,
}

impl Source {
    /// Reads an answer with a page of rows.
    ///
    /// # Errors
    /// Why it is none.
    pub fn page(&self, text: &str) -> Result<Page, String> {
        let answer = answer::parse(text)?;
        Ok(Page {
            items: self.entries(items(&answer, "items"))?,
            total: answer.get("total").and_then(Value::as_i64).unwrap_or_default(),
            total_capped: answer.get("total_capped").and_then(Value::as_bool).unwrap_or_default(),
        })
    }

    /// Reads rows.
    ///
    /// # Errors
    /// As [`Source::entry`].
    pub fn entries(&self, rows: &[Value]) -> Result<Vec<Entry>, String> {
        rows.iter().map(|it| self.entry(it)).collect()
    }

    /// Reads a row, or a detail, which is a row with more in it.
    ///
    /// # Errors
    /// It has no id.
    pub fn entry(&self, row: &Value) -> Result<Entry, String> {
        let id = |name: &str| row.get(name).and_then(Value::as_str).and_then(|it| Uuid::try_parse(it).ok());
        Ok(Entry {
            id: id("id").ok_or("id: missing")?,
            name: row.get(self.name).and_then(Value::as_str).unwrap_or_default().to_owned(),
            enabled: row.get("enabled").and_then(Value::as_bool),
            parent: if self.tree { id("parent_id") } else { None },
            cells: self.columns.iter().map(|it| it.fact.cell(row)).collect(),
            applies: self.actions.iter().map(|it| (it.applies)(row)).collect(),
        })
    }

    /// Where the column with this key stands.
    pub fn place(&self, key: &str) -> Option<usize> {
        self.columns.iter().position(|it| it.key == key)
    }

    /// Read anew after events of these kinds.
    pub const fn live(mut self, kinds: &'static [&'static str]) -> Self {
        self.live = kinds;
        self
    }

    /// The server tells what was done to a row.
    pub const fn history(mut self) -> Self {
        self.history = true;
        self
    }

    /// A row of another resource can be begun from a row of this one.
    pub const fn begins(mut self, begin: &'static Begin) -> Self {
        self.begins = Some(begin);
        self
    }

    /// Rows stand below those that they name.
    pub const fn tree(mut self) -> Self {
        self.tree = true;
        self
    }

    /// What is asked of the server: a tree is read whole, as far as a page goes, and in its order.
    pub fn asked(self, query: Query) -> String {
        let mut asked = query;
        for (name, value) in [("size", self.size().to_string()), ("sort", "position".to_owned())] {
            if self.tree && asked.get(name).is_none() {
                asked.set(name, &value);
            }
        }
        asked.after(self.path)
    }

    /// How many rows are on a page, unless somebody says otherwise.
    pub const fn size(self) -> i64 {
        if self.tree { MAX_SIZE } else { 20 }
    }

    /// More to show in the detail, made from the answer of the server.
    pub const fn more(mut self, more: fn(&Value) -> AnyView) -> Self {
        self.more = Some(more);
        self
    }
}

impl Begin {
    /// Whether the person at the screen may make such a row.
    pub fn allowed(&self) -> bool {
        session::may(&format!("{}.create", self.source.permission))
    }
}

/// A page of a list, as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The rows.
    pub items: Vec<Entry>,
    /// How many there are in all, as far as counted.
    pub total: i64,
    /// There are more than counted.
    pub total_capped: bool,
}

/// A row without its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// Switched on, where that can be said.
    pub enabled: Option<bool>,
    /// The row above it, in a tree.
    pub parent: Option<Uuid>,
    /// What it shows in every column.
    pub cells: Vec<Cell>,
    /// Which actions apply to it now.
    pub applies: Vec<bool>,
}

impl Entry {
    /// What it shows in the column with this key.
    pub fn cell(&self, source: Source, key: &str) -> Option<&Cell> {
        self.cells.get(source.place(key)?)
    }
}

/// A resource that is only looked at.
pub const fn browse<R: Resource>() -> Source {
    Source {
        path: R::PATH,
        title: R::TITLE,
        permission: R::PERMISSION,
        name: R::NAME,
        columns: R::COLUMNS,
        filters: R::FILTERS,
        actions: R::ACTIONS,
        verbs: R::VERBS,
        fields: None,
        keyed: false,
        live: &[],
        more: None,
        history: false,
        begins: None,
        tree: false,
    }
}

/// A resource whose rows people write.
pub const fn edit<R: Editable>() -> Source {
    Source { fields: Some(R::FIELDS), keyed: R::KEYED, ..browse::<R>() }
}
