//! What can be done to a row.

use serde_json::Value;

use super::{Fact, Field};
use crate::text::Text;

/// Something one can do to a row besides editing it: `POST …/{id}/{verb}`, or `GET` where a file is given.
#[derive(Clone, Copy)]
pub struct Action {
    /// The last segment of the address and of the permission code.
    pub verb: &'static str,
    /// The button.
    pub label: Text,
    /// Asked before it is done; `None` does it at once.
    pub confirm: Option<Text>,
    /// What it must be told: a form is shown first, whose title names the row.
    pub fields: &'static [Field],
    /// What that form shows of the row's detail above its inputs: whose it is, and the amounts that matter.
    pub facts: &'static [Fact],
    /// Whether this row, as JSON, can have it done now; the server decides anew.
    pub applies: fn(&Value) -> bool,
    /// It hurts: a red button.
    pub danger: bool,
    /// Told when it was done, or taken in where others have yet to do it; made of the label when nothing is said.
    pub done: Option<Text>,
    /// Makes money move or hardware act: sent with an `Idempotency-Key`.
    pub keyed: bool,
    /// Gives a file with this ending instead: `GET …/{id}/{verb}`.
    pub file: Option<&'static str>,
}

impl Action {
    /// An action that every row can have done at once.
    pub const fn new(verb: &'static str, label: Text) -> Self {
        Self {
            verb,
            label,
            confirm: None,
            fields: &[],
            facts: &[],
            applies: |_| true,
            danger: false,
            done: None,
            keyed: false,
            file: None,
        }
    }

    /// Asks first.
    pub const fn confirm(mut self, text: Text) -> Self {
        self.confirm = Some(text);
        self
    }

    /// Asks for these fields first.
    pub const fn fields(mut self, fields: &'static [Field]) -> Self {
        self.fields = fields;
        self
    }

    /// Its form shows this of the row.
    pub const fn facts(mut self, facts: &'static [Fact]) -> Self {
        self.facts = facts;
        self
    }

    /// Only for rows for which this holds.
    pub const fn when(mut self, applies: fn(&Value) -> bool) -> Self {
        self.applies = applies;
        self
    }

    /// A red button.
    pub const fn danger(mut self) -> Self {
        self.danger = true;
        self
    }

    /// Told when it was done.
    pub const fn done(mut self, text: Text) -> Self {
        self.done = Some(text);
        self
    }

    /// Moves money or hardware.
    pub const fn keyed(mut self) -> Self {
        self.keyed = true;
        self
    }

    /// Gives a file with this ending.
    pub const fn file(mut self, ending: &'static str) -> Self {
        self.file = Some(ending);
        self
    }
}
