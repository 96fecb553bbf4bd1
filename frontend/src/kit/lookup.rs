//! Choosing rows of another resource, searched on the server.

use std::collections::HashMap;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::Value;
use shared::page::Page;

use super::query::Query;
use super::select::{Opt, Select};
use crate::api::Ask;
use crate::clock;

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
    names: RwSignal<HashMap<String, String>>,
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
            names: RwSignal::new(HashMap::new()),
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
            let mut query = Query::default().with("size", "50").with("name", &text);
            for (name, value) in self.within.try_get_untracked().unwrap_or_default() {
                query.set(name, &value);
            }
            let answer: Result<Page<Value>, _> = Ask::get(&query.after(self.path)).json().await;
            if self.turn.try_get_value() == Some(turn) {
                self.busy.set(false);
                let found: Vec<Opt> =
                    answer.map(|it| it.items.iter().filter_map(option_of).collect()).unwrap_or_default();
                self.names.update(|names| names.extend(found.iter().map(|it| (it.value.clone(), it.label.clone()))));
                self.options.set(found);
            }
        });
    }

    /// What a chosen row is called; asks the server when it is not among the options.
    fn called(self, id: String) -> String {
        if let Some(name) = self.names.with(|it| it.get(&id).cloned()) {
            return name;
        }
        self.names.update_untracked(|it| drop(it.insert(id.clone(), "…".to_owned())));
        let asked = id.clone();
        spawn_local(async move {
            let row: Result<Value, _> = Ask::get(&format!("{}/{asked}", self.path)).json().await;
            let name = row.ok().as_ref().and_then(option_of).map(|it| it.label);
            let name = name.unwrap_or_else(|| asked.chars().take(8).collect());
            drop(self.names.try_update(|it| it.insert(asked, name)));
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
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::option_of;

    #[test]
    fn rows_are_called_by_what_they_have() {
        let called = |row| option_of(&row).map(|it| (it.label, it.note));
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(called(json!({"id": "1", "name": "滨江", "code": "S1"})), pair("滨江", "S1"));
        assert_eq!(called(json!({"id": "1", "name": "", "code": "S1"})), pair("S1", ""));
        assert_eq!(called(json!({"id": "1", "phone": "13800000000"})), pair("13800000000", ""));
        assert_eq!(called(json!({"name": "no id"})), None);
    }
}
