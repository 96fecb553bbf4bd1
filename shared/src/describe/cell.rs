//! What one cell shows, as data.

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::codes::{Choice, Code, Tone};
use crate::fixed::Fen;
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
    /// So many seconds, shown as hours, minutes and seconds.
    Duration(u64),
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

    /// A number.
    pub fn number(value: impl ToString) -> Self {
        Self::Number(value.to_string())
    }

    /// A code's label in its tone.
    pub fn code(code: impl Code) -> Self {
        Self::Tag(code.label(), code.tone())
    }

    /// The label of a code's value in its tone; one that is not known is shown as it is.
    pub fn label(choices: &[Choice], value: &str) -> Self {
        choices.iter().find(|it| it.value == value).map_or_else(|| Self::text(value), |it| Self::Tag(it.label, it.tone))
    }

    /// The labels of several values of a code, as far as they are known, each in its tone.
    pub fn labels(choices: &[Choice], values: &[Value]) -> Self {
        let known = |it: &Value| choices.iter().find(|choice| it.as_str() == Some(choice.value));
        let labels: Vec<_> = values.iter().filter_map(known).map(|it| (it.label, it.tone)).collect();
        if labels.is_empty() { Self::Empty } else { Self::Tags(labels) }
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
            Self::Duration(seconds) => crate::time::duration_text(*seconds),
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
