//! Choosing rows of another resource: searched on the server, or read as a tree.

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;

use super::facts::items;
use super::forest::Forest;
use super::query::Query;
use super::select::{Levels, Opt, Select};
use super::transfer::Transfer;
use crate::api::Ask;
use crate::clock;
use crate::run::follow;

/// A tree of more rows than this is cut off: nobody chooses from it.
const MOST_IN_TREE: usize = 2000;

/// What a row of any resource is called in a select.
fn option_of(row: &Value) -> Option<Opt> {
    let text = |name: &str| row.get(name).and_then(Value::as_str).filter(|it| !it.is_empty());
    let names = ["name", "code", "username", "phone", "serial_no", "number"];
    let label = names.iter().find_map(|it| text(it))?;
    let note = text("code").filter(|it| *it != label).unwrap_or_default();
    Some(Opt { value: text("id")?.to_owned(), label: label.to_owned(), note: note.to_owned() })
}

/// The options of a lookup and what is known of the names of those chosen.
#[derive(Clone, Copy)]
pub struct Lookup {
    path: &'static str,
    within: Signal<Vec<(&'static str, String)>>,
    /// What can be chosen.
    pub options: RwSignal<Vec<Opt>>,
    busy: RwSignal<bool>,
    /// Rows whose names are known, or being asked for.
    known: RwSignal<Vec<Opt>>,
    turn: StoredValue<u32>,
}

impl Lookup {
    /// A lookup in the resource at `path`, narrowed by search conditions.
    pub fn new(path: &'static str, within: Signal<Vec<(&'static str, String)>>) -> Self {
        Self {
            path,
            within,
            options: RwSignal::new(Vec::new()),
            busy: RwSignal::new(false),
            known: RwSignal::new(Vec::new()),
            turn: StoredValue::new(0),
        }
    }

    /// Reads the rows whose name contains the text, a moment later, so that fast typing asks once.
    pub fn search(self, text: String, wait: u32) {
        self.turn.update_value(|it| *it += 1);
        let turn = self.turn.get_value();
        self.busy.set(true);
        spawn_local(async move {
            clock::pause(wait).await;
            if self.turn.try_get_value() != Some(turn) {
                return;
            }
            let query = self.narrowed().with("size", "50").with("name", &text);
            let answer = Ask::get(&query.after(self.path)).value().await;
            if self.turn.try_get_value() == Some(turn) {
                self.busy.set(false);
                let found: Vec<Opt> =
                    answer.map(|it| items(&it, "items").iter().filter_map(option_of).collect()).unwrap_or_default();
                self.learn(found.iter());
                self.options.set(found);
            }
        });
    }

    /// Forgets what was found whenever other conditions count, and looks again if anybody has looked before.
    pub fn renewed(self) -> Self {
        follow(move || {
            self.within.track();
            self.options.set(Vec::new());
            if self.turn.get_value() > 0 {
                self.search(String::new(), 0);
            }
        });
        self
    }

    fn narrowed(self) -> Query {
        let within = self.within.try_get_untracked().unwrap_or_default();
        within.into_iter().fold(Query::default(), |query, (name, value)| query.with(name, &value))
    }

    fn learn<'a>(self, found: impl Iterator<Item = &'a Opt>) {
        self.known.update(|known| {
            for it in found {
                known.retain(|known| known.value != it.value);
                known.push(it.clone());
            }
        });
    }

    /// Reads all rows, each below the one that it names.
    fn grow(self, forest: RwSignal<Forest>, open: RwSignal<Vec<String>>) {
        self.turn.update_value(|it| *it += 1);
        let turn = self.turn.get_value();
        self.busy.set(true);
        spawn_local(async move {
            let mut query = self.narrowed().with("size", "200");
            let mut rows = Vec::new();
            while let Ok(page) = Ask::get(&query.after(self.path)).value().await {
                rows.extend_from_slice(items(&page, "items"));
                match page.get("next_cursor").and_then(Value::as_str) {
                    Some(cursor) if rows.len() < MOST_IN_TREE => query.set("cursor", cursor),
                    _ => break,
                }
            }
            if self.turn.try_get_value() == Some(turn) {
                let grown = Forest::grow(placed(&rows));
                self.busy.set(false);
                self.learn(grown.nodes().iter().map(|it| &it.it));
                open.set(grown.inner_ids());
                forest.set(grown);
            }
        });
    }

    /// What a chosen row is called; asks the server when it is not among the options.
    fn called(self, id: String) -> String {
        if let Some(name) = self.known.with(|it| it.iter().find(|it| it.value == id).map(|it| it.label.clone())) {
            return name;
        }
        let asked = Opt { value: id.clone(), label: "…".to_owned(), note: String::new() };
        self.known.update_untracked(|it| it.push(asked.clone()));
        spawn_local(async move {
            let row = Ask::get(&format!("{}/{id}", self.path)).value().await;
            let found = row.ok().as_ref().and_then(option_of);
            let found = found.unwrap_or_else(|| Opt { label: id.chars().take(8).collect(), ..asked });
            if self.known.try_get_untracked().is_some() {
                self.learn(std::iter::once(&found));
            }
        });
        "…".to_owned()
    }

    /// Completes a select so that it chooses from here.
    pub fn select(self, base: Select) -> Select {
        Select {
            options: self.options.into(),
            busy: self.busy.into(),
            called: Callback::new(move |id| self.called(id)),
            search: Some(Callback::new(move |text| self.search(text, 250))),
            opened: Some(Callback::new(move |()| self.search(String::new(), 0))),
            ..base
        }
    }

    /// Completes a select so that it chooses from here as from a tree.
    pub fn tree(self, base: Select) -> Select {
        let (forest, open) = (RwSignal::new(Forest::default()), RwSignal::new(Vec::new()));
        Select {
            levels: Some(Levels { forest: forest.into(), open }),
            search: None,
            opened: Some(Callback::new(move |()| self.grow(forest, open))),
            ..self.select(base)
        }
    }

    /// Two lists that choose from here.
    pub fn transfer(
        self,
        name: &'static str,
        label: String,
        chosen: Signal<Vec<String>>,
        pick: Callback<Vec<String>>,
    ) -> Transfer {
        self.search(String::new(), 0);
        Transfer {
            name,
            label,
            options: self.options.into(),
            busy: self.busy.into(),
            search: Some(Callback::new(move |text| self.search(text, 250))),
            called: Callback::new(move |id| self.called(id)),
            chosen,
            pick,
        }
    }
}

/// Rows with the ids of those above them, siblings by their place.
fn placed(rows: &[Value]) -> Vec<(Opt, Option<String>)> {
    let place = |row: &Value| row.get("position").and_then(Value::as_i64).unwrap_or_default();
    let mut sorted: Vec<&Value> = Vec::new();
    // Put in one by one: a sort is more code than a tree of departments is long.
    for row in rows {
        sorted.insert(sorted.partition_point(|it| place(it) <= place(row)), row);
    }
    let parent = |row: &Value| row.get("parent_id").and_then(Value::as_str).map(str::to_owned);
    sorted.into_iter().filter_map(|row| Some((option_of(row)?, parent(row)))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{option_of, placed};

    #[test]
    fn rows_are_called_by_what_they_have() {
        let called = |row| option_of(&row).map(|it| (it.label, it.note));
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(called(json!({"id": "1", "name": "滨江", "code": "S1"})), pair("滨江", "S1"));
        assert_eq!(called(json!({"id": "1", "name": "", "code": "S1"})), pair("S1", ""));
        assert_eq!(called(json!({"id": "1", "phone": "13800000000"})), pair("13800000000", ""));
        assert_eq!(called(json!({"name": "no id"})), None);
    }

    #[test]
    fn rows_of_a_tree_stand_in_their_order() {
        let rows = [
            json!({"id": "2", "name": "b", "parent_id": "1", "position": 2}),
            json!({"id": "3", "name": "c", "parent_id": "1", "position": 1}),
            json!({"id": "1", "name": "a", "parent_id": null, "position": 0}),
            json!({"id": "4", "name": "d", "parent_id": "1", "position": 1}),
        ];
        let text: Vec<_> =
            placed(&rows).into_iter().map(|(it, parent)| (it.label, parent.unwrap_or_default())).collect();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(text, [pair("a", ""), pair("c", "1"), pair("d", "1"), pair("b", "1")]);
    }
}
