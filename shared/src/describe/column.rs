//! What is shown of a row: its columns, and other facts that an answer tells. They are read from the row's JSON by name, so
//! that they are data, and no code is compiled for the type of a row.

use serde_json::Value;

use super::Cell;
use crate::amount::unscaled;
use crate::codes::Choice;
use crate::fixed::Fen;
use crate::text::{Lang, Text, t};

/// How a value is shown.
#[derive(Clone, Copy)]
pub enum As {
    /// Text as it is.
    Text,
    /// A number, or text that holds one.
    Number,
    /// Power in W, shown in kW with one place.
    Watts,
    /// A number of thousandths: mV as V.
    Thousandths,
    /// An amount of money in fen.
    Fen,
    /// An instant.
    Time,
    /// So many seconds.
    Duration,
    /// Yes or no.
    Flag,
    /// Enabled or disabled.
    Enabled,
    /// Who did it.
    Actor,
    /// Texts, one after the other.
    List,
    /// How many there are.
    Count,
    /// The label of a code, or of several.
    Code(&'static [Choice]),
    /// What these words make of a text.
    Words(fn(&str, Lang) -> String),
    /// A link: the page that it leads to, and where the id of the row there is found.
    Link(&'static str, &'static str),
    /// What is made of the whole row.
    Made(fn(&Value) -> Cell),
}

/// Something that an answer tells.
#[derive(Clone, Copy)]
pub struct Fact {
    /// Where it is, below what is looked at: `name`, `device/vendor`.
    pub path: &'static str,
    /// What it is called.
    pub label: Text,
    /// How it is shown.
    pub shown: As,
}

impl Fact {
    /// A fact.
    pub const fn new(path: &'static str, label: Text, shown: As) -> Self {
        Self { path, label, shown }
    }

    /// What is shown of it.
    pub fn cell(&self, of: &Value) -> Cell {
        let shown = match self.shown {
            As::Made(make) => return make(of),
            As::Link(page, id) => return link(of, self.path, page, id),
            shown => shown,
        };
        at(of, self.path).and_then(|it| cell(shown, it)).unwrap_or(Cell::Empty)
    }
}

/// What is found below a value: `name`, `device/vendor`.
pub fn at<'a>(of: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/').try_fold(of, |of, name| of.get(name))
}

fn cell(shown: As, it: &Value) -> Option<Cell> {
    let (text, number) = (it.as_str(), it.as_i64());
    match shown {
        As::Text => text.map(Cell::text),
        As::Number => text.map(Cell::number).or_else(|| it.as_number().map(Cell::number)),
        As::Watts => number.map(Cell::watts),
        As::Thousandths => number.map(|it| Cell::Number(unscaled(it, 3))),
        As::Fen => number.map(|it| Cell::Fen(Fen(it))),
        As::Time => text.and_then(|it| it.parse().ok()).map(Cell::Time),
        As::Duration => it.as_u64().map(Cell::Duration),
        As::Flag => it.as_bool().map(Cell::flag),
        As::Enabled => it.as_bool().map(Cell::enabled),
        As::Actor => text.map(Cell::actor),
        As::List => it.as_array().map(|it| {
            let texts: Vec<&str> = it.iter().filter_map(Value::as_str).collect();
            Cell::words(|lang| texts.join(t("、", ", ").get(lang)))
        }),
        As::Count => it.as_array().map(|it| Cell::number(it.len())),
        As::Code(choices) => match it.as_array() {
            Some(several) => Some(Cell::labels(choices, several)),
            None => text.map(|it| Cell::label(choices, it)),
        },
        As::Words(words) => text.map(|it| Cell::words(|lang| words(it, lang))),
        As::Link(..) | As::Made(_) => None,
    }
}

/// A link with this text to a row of a page; text alone when there is no such row.
fn link(of: &Value, text: &str, page: &str, id: &str) -> Cell {
    let told = |path| at(of, path).and_then(Value::as_str);
    match (told(text), told(id)) {
        (Some(text), Some(id)) => Cell::Link { text: text.to_owned(), to: format!("/{page}/{id}") },
        (text, _) => text.map_or(Cell::Empty, Cell::text),
    }
}

/// One column of a table and of its sheet.
#[derive(Clone, Copy)]
pub struct Column {
    /// The key that sorts by it, if `sorted`; unique within the resource.
    pub key: &'static str,
    /// What it shows under which heading.
    pub fact: Fact,
    /// The list can be sorted by it.
    pub sorted: bool,
    /// Shown in the table; the others appear in the detail and the sheet only.
    pub in_table: bool,
}

impl Column {
    /// A column that shows what a row has under its key.
    pub const fn new(key: &'static str, title: Text, shown: As) -> Self {
        Self { key, fact: Fact::new(key, title, shown), sorted: false, in_table: true }
    }

    /// A row has it elsewhere than under the key.
    pub const fn at(mut self, path: &'static str) -> Self {
        self.fact.path = path;
        self
    }

    /// The list can be sorted by this column.
    pub const fn sorted(mut self) -> Self {
        self.sorted = true;
        self
    }

    /// Only in the detail and the sheet: the table has no room for it.
    pub const fn detail_only(mut self) -> Self {
        self.in_table = false;
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::codes::Code;
    use crate::device::CommandState;

    #[test]
    fn facts_are_read_by_name() {
        let of = json!({"a": {"b": "x"}, "n": 1234, "at": "2026-11-22T01:30:05Z", "state": "sent", "none": null,
            "names": ["甲", "乙"], "states": ["sent", "new"], "id": "7"});
        let told = |path, shown| Fact::new(path, t("", ""), shown).cell(&of).plain(Lang::Zh);
        assert_eq!(told("a/b", As::Text), "x");
        assert_eq!(told("n", As::Fen), "12.34");
        assert_eq!(told("n", As::Watts), "1.2");
        assert_eq!(told("n", As::Thousandths), "1.234");
        assert_eq!(told("n", As::Duration), "00:20:34");
        assert_eq!(told("at", As::Time), "2026-11-22 09:30:05");
        assert_eq!(told("names", As::List), "甲、乙");
        assert_eq!(told("names", As::Count), "2");
        assert_eq!(told("state", As::Code(CommandState::CHOICES)), "已下发");
        assert_eq!(told("states", As::Code(CommandState::CHOICES)), "已下发");
        assert_eq!(told("state", As::Words(|it, _| format!("<{it}>"))), "<sent>");
        assert_eq!(told("", As::Made(|it| Cell::number(it["n"] == 1234))), "true");
        for absent in ["none", "missing", "a/c"] {
            assert_eq!(told(absent, As::Number), "");
            assert_eq!(told(absent, As::Link("rows", "id")), "");
        }
        let linked = |id| Fact::new("state", t("", ""), As::Link("rows", id)).cell(&of);
        assert_eq!(linked("id"), Cell::Link { text: "sent".to_owned(), to: "/rows/7".to_owned() });
        assert_eq!(linked("none"), Cell::text("sent"));
    }
}
