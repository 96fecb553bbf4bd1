//! Facts read from an answer by name, for what is only looked at: a list of them is data, and no type of its own is
//! compiled for it.

use leptos::prelude::*;
use serde_json::Value;
use shared::codes::Choice;
use shared::describe::Cell;
use shared::fixed::Fen;
use shared::text::{Lang, Text};
use shared::time::duration_text;

use super::amount::unscaled;
use super::cell::{cell, descriptions, nothing, plain_table};
use crate::lang::{say, tr};

/// How a value is shown.
#[derive(Clone, Copy)]
pub enum As {
    /// Text as it is.
    Text,
    /// A number, or text that holds one.
    Number,
    /// A number of thousandths: W as kW, mV as V.
    Thousandths,
    /// An amount of money in fen.
    Fen,
    /// An instant.
    Time,
    /// So many seconds.
    Duration,
    /// Yes or no.
    Flag,
    /// Who did it.
    Actor,
    /// Texts, one after the other.
    List,
    /// The label of a code.
    Code(&'static [Choice]),
    /// What these words make of a text.
    Words(fn(&str, Lang) -> String),
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
        of.pointer(&format!("/{}", self.path)).map_or(Cell::Empty, |it| shown(self.shown, it))
    }
}

fn shown(shown: As, it: &Value) -> Cell {
    let (text, number) = (it.as_str(), it.as_i64());
    let told = match shown {
        As::Text => text.map(Cell::text),
        As::List => it
            .as_array()
            .map(|it| Cell::text(it.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(tr("、", ", ")))),
        As::Number => text.map(Cell::number).or_else(|| number.map(Cell::number)),
        As::Thousandths => number.map(|it| Cell::Number(unscaled(it, 3))),
        As::Fen => number.map(|it| Cell::Fen(Fen(it))),
        As::Time => text.and_then(|it| it.parse().ok()).map(Cell::Time),
        As::Duration => it.as_u64().map(|it| Cell::Number(duration_text(it))),
        As::Flag => it.as_bool().map(Cell::flag),
        As::Actor => text.map(Cell::actor),
        As::Code(choices) => text.map(|it| code(choices, it)),
        As::Words(words) => text.map(|it| Cell::words(|lang| words(it, lang))),
    };
    told.unwrap_or(Cell::Empty)
}

/// The label of a code's value; one that is not known is shown as it is.
pub fn code(choices: &[Choice], value: &str) -> Cell {
    choices.iter().find(|it| it.value == value).map_or_else(|| Cell::text(value), |it| Cell::Tag(it.label, it.tone))
}

/// Names with what is shown of them.
pub fn facts(list: &[Fact], of: &Value) -> AnyView {
    descriptions(list.iter().map(|it| (say(it.label).to_owned(), cell(&it.cell(of)))).collect())
}

/// A line for each row, a column for each fact.
pub fn table(list: &[Fact], rows: &[Value]) -> AnyView {
    if rows.is_empty() {
        return nothing(tr("暂无记录", "Nothing here yet"));
    }
    let heads: Vec<Text> = list.iter().map(|it| it.label).collect();
    let line = |row: &Value| list.iter().map(|it| it.cell(row)).collect();
    plain_table(&heads, &rows.iter().map(line).collect::<Vec<_>>(), &[])
}

/// The rows of a list within an answer.
pub fn items<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use shared::codes::Code;
    use shared::device::CommandState;
    use shared::text::t;

    use super::*;

    /// The facts that the API's document does not know under this schema.
    pub fn undocumented(schema: &str, list: &[Fact]) -> Vec<&'static str> {
        let document: Value = serde_json::from_str(include_str!("../../../openapi/openapi.json")).unwrap();
        let known = |it: &Fact| {
            it.path.split('/').try_fold(schema_named(schema), |schema, name| property(&document, &schema, name))
        };
        list.iter().filter(|it| known(it).is_none()).map(|it| it.path).collect()
    }

    fn schema_named(name: &str) -> Value {
        serde_json::json!({"$ref": format!("#/components/schemas/{name}")})
    }

    /// A property of a schema: its own, or that of a schema which it refers to or is made of.
    fn property(document: &Value, schema: &Value, name: &str) -> Option<Value> {
        if let Some(to) = schema.get("$ref").and_then(Value::as_str) {
            return property(document, document.pointer(to.strip_prefix('#')?)?, name);
        }
        let own = schema.pointer(&format!("/properties/{name}")).cloned();
        let parts = ["allOf", "oneOf"].into_iter().filter_map(|it| schema.get(it)?.as_array()).flatten();
        own.or_else(|| parts.filter_map(|it| property(document, it, name)).next())
    }

    #[test]
    fn facts_are_read_by_name() {
        let of = serde_json::json!({"a": {"b": "x"}, "n": 1234, "at": "2026-11-22T01:30:05Z", "state": "sent", "none": null});
        let told = |path, shown| Fact::new(path, t("", ""), shown).cell(&of).plain(Lang::Zh);
        assert_eq!(told("a/b", As::Text), "x");
        assert_eq!(told("n", As::Fen), "12.34");
        assert_eq!(told("n", As::Thousandths), "1.234");
        assert_eq!(told("n", As::Duration), "00:20:34");
        assert_eq!(told("at", As::Time), "2026-11-22 09:30:05");
        assert_eq!(told("state", As::Code(CommandState::CHOICES)), "已下发");
        assert_eq!(told("state", As::Words(|it, _| format!("<{it}>"))), "<sent>");
        for absent in ["none", "missing", "a/c"] {
            assert_eq!(told(absent, As::Number), "");
        }
    }

    #[test]
    fn the_document_knows_names_or_not() {
        let fact = |path| Fact::new(path, t("", ""), As::Text);
        let list = [fact("order_no"), fact("bill/total_fen"), fact("invented"), fact("bill/invented")];
        assert_eq!(undocumented("CarOrderDetail", &list), ["invented", "bill/invented"]);
    }
}
