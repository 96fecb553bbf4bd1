//! How something is entered: the fields of forms and the conditions of a search.

use chrono::{Days, NaiveDate};
use serde_json::Value;

use crate::codes::Choice;
use crate::resource::FormMap;
use crate::text::Text;

/// How a field is entered, with its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// One line of text of at most so many characters.
    Text(usize),
    /// Several lines of text of at most so many characters.
    Area(usize),
    /// A mainland mobile number: eleven digits.
    Mobile,
    /// A telephone number of any kind.
    Phone,
    /// A licence plate.
    Plate,
    /// An e-mail address.
    Email,
    /// A secret; never shown again.
    Password,
    /// A whole number within limits.
    Int {
        /// The smallest allowed.
        min: i64,
        /// The largest allowed.
        max: i64,
    },
    /// A power: entered in kW with up to three places, sent as integer W.
    Watts {
        /// The largest allowed, in W.
        max: i64,
    },
    /// An amount: entered in yuan, sent as integer fen.
    Fen {
        /// The smallest allowed.
        min: i64,
        /// The largest allowed.
        max: i64,
    },
    /// A coordinate in degrees: a JSON number between ±limit.
    Degrees {
        /// 180 for longitude, 90 for latitude.
        limit: u16,
    },
    /// Yes or no.
    Switch,
    /// One of a code's values.
    Choice(&'static [Choice]),
    /// One row of another resource, by its id; the path of that resource.
    Lookup(&'static str),
    /// Several rows of another resource, by their ids.
    Lookups(&'static str),
    /// Several of the permissions; drawn as a tree.
    Permissions,
    /// A range of local days; asks for `{name}_from` and `{name}_to`.
    Days,
    /// A structure with a widget of its own, known by this name; its form checks it.
    Custom(&'static str),
}

/// The days that a list shows while nobody asks for others: the last ones, today included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recent {
    /// How many.
    pub days: u16,
    /// Whoever gives one of these conditions looks for one thing, on whichever day.
    pub unless: &'static [&'static str],
}

impl Recent {
    /// The first of these days.
    pub fn first(self, today: NaiveDate) -> NaiveDate {
        today - Days::new(u64::from(self.days.saturating_sub(1)))
    }
}

/// How rows of another resource are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// In a list that is searched on the server.
    List,
    /// In a tree: the rows name the row above them in `parent_id`.
    Tree,
    /// In two lists, what is there and what is chosen, because many are chosen out of many.
    TwoLists,
}

/// One field of a form, or one search condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// The JSON name.
    pub name: &'static str,
    /// The label; also the heading of the import sheet's column.
    pub label: Text,
    /// How it is entered.
    pub input: Input,
    /// Must be filled in.
    pub required: bool,
    /// Set when the row is created, shown but not editable afterwards.
    pub fixed: bool,
    /// A sentence below the input; of a search condition, within it while it is empty.
    pub help: Option<Text>,
    /// Where a row has it, when not under its name: `connectors/total`.
    pub at: Option<&'static str>,
    /// Narrows a lookup: sends the values of the named fields as these search conditions, e.g. areas of the chosen
    /// station. A field without a value does not narrow it.
    pub within: [Option<&'static str>; 4],
    /// Where a row says how much it may be at most; told while nothing is typed.
    pub most: Option<&'static str>,
    /// How rows are offered, where some are chosen.
    pub offer: Offer,
    /// Asked for only while another field holds one of these values, and then it must be filled in.
    pub only: Option<(&'static str, &'static [&'static str])>,
    /// The days that are shown while nobody asks for others.
    pub recent: Option<Recent>,
}

impl Field {
    /// An optional field.
    pub const fn new(name: &'static str, label: Text, input: Input) -> Self {
        Self {
            name,
            label,
            input,
            required: false,
            fixed: false,
            help: None,
            at: None,
            within: [None; 4],
            most: None,
            offer: Offer::List,
            only: None,
            recent: None,
        }
    }

    /// Must be filled in.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Cannot be changed after creation.
    pub const fn fixed(mut self) -> Self {
        self.fixed = true;
        self
    }

    /// A sentence below the input.
    pub const fn help(mut self, help: Text) -> Self {
        self.help = Some(help);
        self
    }

    /// A row has it elsewhere than under its name.
    pub const fn at(mut self, path: &'static str) -> Self {
        self.at = Some(path);
        self
    }

    /// The row says how much it may be at most.
    pub const fn most(mut self, path: &'static str) -> Self {
        self.most = Some(path);
        self
    }

    /// Shows recent days while nobody asks for others.
    pub const fn recent(mut self, recent: Recent) -> Self {
        self.recent = Some(recent);
        self
    }

    /// Offers rows in a tree: they name the row above them in `parent_id`.
    pub const fn tree(mut self) -> Self {
        self.offer = Offer::Tree;
        self
    }

    /// Offers rows in two lists: many are chosen out of many.
    pub const fn two_lists(mut self) -> Self {
        self.offer = Offer::TwoLists;
        self
    }

    /// Is asked for only while another field holds one of these values, and must be filled in then.
    pub const fn only(mut self, field: &'static str, values: &'static [&'static str]) -> Self {
        self.only = Some((field, values));
        self
    }

    /// Whether it is asked for, as the form stands.
    pub fn asked(&self, form: &FormMap) -> bool {
        self.only.is_none_or(|(field, values)| {
            form.get(field).and_then(Value::as_str).is_some_and(|it| values.contains(&it))
        })
    }

    /// Whether it must be filled in, as the form stands.
    pub fn needed(&self, form: &FormMap) -> bool {
        self.required || (self.only.is_some() && self.asked(form))
    }

    /// Offers only rows that belong to the value of another field, which is also the search condition's name. Four
    /// fields can narrow a lookup.
    pub const fn within(mut self, field: &'static str) -> Self {
        self.within = match self.within {
            [None, ..] => [Some(field), None, None, None],
            [first, None, ..] => [first, Some(field), None, None],
            [first, second, None, _] => [first, second, Some(field), None],
            [first, second, third, _] => [first, second, third, Some(field)],
        };
        self
    }

    /// The fields that narrow a lookup.
    pub fn parents(self) -> impl Iterator<Item = &'static str> + Clone {
        self.within.into_iter().flatten()
    }
}
