//! What a resource looks like, as data: columns, form fields, search conditions, actions.
//!
//! The browser's table, the xlsx export, the form, the xlsx import, the checker and the OpenAPI
//! document are renderers of the same lists.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::codes::{Choice, Code, Tone};
use crate::fixed::Fen;
use crate::resource::FormMap;
use crate::text::{Lang, Text, t};

/// What a cell shows. Data, not markup: the table in the browser and the sheet both render it.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing to show.
    Empty,
    /// Plain text.
    Text(String),
    /// A number with its own formatting; aligned right.
    Number(String),
    /// An amount of money, shown in yuan.
    Fen(Fen),
    /// An instant, shown as local time in Asia/Shanghai.
    Time(DateTime<Utc>),
    /// A coloured word.
    Tag(Text, Tone),
    /// Several coloured words.
    Tags(Vec<(Text, Tone)>),
    /// Words that only turn out when there is something to say, in both languages.
    Words {
        /// Chinese.
        zh: String,
        /// English.
        en: String,
    },
    /// A link into the console.
    Link {
        /// What is shown.
        text: String,
        /// Path within the console.
        to: String,
    },
}

impl Cell {
    /// Text, or an empty cell.
    pub fn text(value: impl Into<String>) -> Self {
        let value = value.into();
        if value.is_empty() { Self::Empty } else { Self::Text(value) }
    }

    /// Optional text.
    pub fn maybe(value: &Option<String>) -> Self {
        value.as_deref().map_or(Self::Empty, Self::text)
    }

    /// A number.
    pub fn number(value: impl ToString) -> Self {
        Self::Number(value.to_string())
    }

    /// An optional instant.
    pub fn time(value: Option<DateTime<Utc>>) -> Self {
        value.map_or(Self::Empty, Self::Time)
    }

    /// A code's label in its tone.
    pub fn code(code: impl Code) -> Self {
        Self::Tag(code.label(), code.tone())
    }

    /// The labels of several codes, each in its tone.
    pub fn codes<C: Code>(codes: &[C]) -> Self {
        if codes.is_empty() {
            return Self::Empty;
        }
        Self::Tags(codes.iter().map(|it| (it.label(), it.tone())).collect())
    }

    /// Words in both languages, or an empty cell.
    pub fn words(said: impl Fn(Lang) -> String) -> Self {
        let (zh, en) = (said(Lang::Zh), said(Lang::En));
        if zh.is_empty() { Self::Empty } else { Self::Words { zh, en } }
    }

    /// Who did something: the platform, a charger, a driver, or a member of staff by name.
    pub fn actor(name: &str) -> Self {
        let known = match name {
            "system" => t("系统", "The platform"),
            "charger" => t("电桩", "The charger"),
            "driver" => t("车主", "The driver"),
            name => return Self::text(name),
        };
        Self::words(|lang| known.get(lang).to_owned())
    }

    /// Enabled or disabled.
    pub const fn enabled(on: bool) -> Self {
        if on {
            Self::Tag(t("启用", "Enabled"), Tone::Success)
        } else {
            Self::Tag(t("禁用", "Disabled"), Tone::Info)
        }
    }

    /// Yes or no.
    pub const fn flag(on: bool) -> Self {
        Self::Tag(if on { t("是", "Yes") } else { t("否", "No") }, if on { Tone::Success } else { Tone::Info })
    }

    /// Power in W, shown in kW.
    pub fn watts(watts: i64) -> Self {
        let tenths = (watts + 50) / 100;
        Self::Number(format!("{}.{}", tenths / 10, (tenths % 10).abs()))
    }

    /// What the cell says as plain text: the sheet and the screen reader.
    pub fn plain(&self, lang: Lang) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) | Self::Number(text) | Self::Link { text, .. } => text.clone(),
            Self::Fen(fen) => fen.yuan(),
            Self::Time(at) => crate::time::local_text(*at),
            Self::Tag(label, _) => label.get(lang).to_owned(),
            Self::Tags(labels) => {
                let labels: Vec<_> = labels.iter().map(|(label, _)| label.get(lang)).collect();
                labels.join(t("、", ", ").get(lang))
            }
            Self::Words { zh, en } => match lang {
                Lang::Zh => zh.clone(),
                Lang::En => en.clone(),
            },
        }
    }
}

/// One column of a table and of its sheet.
pub struct Column<R: 'static> {
    /// The key that sorts by it, if `sorted`; unique within the resource.
    pub key: &'static str,
    /// The heading.
    pub title: Text,
    /// The list can be sorted by it.
    pub sorted: bool,
    /// Shown in the table; the others appear in the detail and the sheet only.
    pub in_table: bool,
    /// What a row shows in it.
    pub cell: fn(&R) -> Cell,
}

impl<R> Column<R> {
    /// A column.
    pub const fn new(key: &'static str, title: Text, cell: fn(&R) -> Cell) -> Self {
        Self { key, title, sorted: false, in_table: true, cell }
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
    /// A sentence below the input.
    pub help: Option<Text>,
    /// Where a row has it, when not under its name: a JSON pointer.
    pub at: Option<&'static str>,
    /// Narrows a lookup: sends the values of the named fields as these search conditions, e.g. areas of the chosen
    /// station. A field without a value does not narrow it.
    pub within: [Option<&'static str>; 4],
    /// How rows are offered, where some are chosen.
    pub offer: Offer,
    /// Asked for only while another field holds one of these values, and then it must be filled in.
    pub only: Option<(&'static str, &'static [&'static str])>,
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
            offer: Offer::List,
            only: None,
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
    pub const fn at(mut self, pointer: &'static str) -> Self {
        self.at = Some(pointer);
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

/// Something one can do to a row besides editing it: `POST …/{id}/{verb}`.
pub struct Action<R: 'static> {
    /// The last segment of the address and of the permission code.
    pub verb: &'static str,
    /// The button.
    pub label: Text,
    /// Asked before it is done; `None` does it at once.
    pub confirm: Option<Text>,
    /// What it must be told: a form is shown first.
    pub fields: &'static [Field],
    /// Whether this row can have it done now; the server decides anew.
    pub applies: fn(&R) -> bool,
    /// It hurts: a red button.
    pub danger: bool,
    /// Makes money move or hardware act: sent with an `Idempotency-Key`.
    pub keyed: bool,
}

impl<R> Action<R> {
    /// An action that every row can have done at once.
    pub const fn new(verb: &'static str, label: Text) -> Self {
        Self { verb, label, confirm: None, fields: &[], applies: |_| true, danger: false, keyed: false }
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

    /// Only for rows for which this holds.
    pub const fn when(mut self, applies: fn(&R) -> bool) -> Self {
        self.applies = applies;
        self
    }

    /// A red button.
    pub const fn danger(mut self) -> Self {
        self.danger = true;
        self
    }

    /// Moves money or hardware.
    pub const fn keyed(mut self) -> Self {
        self.keyed = true;
        self
    }
}
