//! Cells as markup.

use leptos::prelude::*;
use shared::codes::Tone;
use shared::describe::Cell;
use shared::text::Text;

use super::button::tone_class;
use crate::lang::{lang, say};

/// What a cell shows.
pub fn cell(it: &Cell) -> AnyView {
    match it {
        Cell::Empty => view! { <span class="none">"-"</span> }.into_any(),
        Cell::Text(text) => text.clone().into_any(),
        Cell::Number(_) | Cell::Fen(_) | Cell::Time(_) => {
            view! { <span class="num">{it.plain(lang())}</span> }.into_any()
        }
        Cell::Tag(label, tone) => tag(*label, *tone),
        Cell::Link { text, to } => {
            view! { <a class="el-link el-link--primary" href=to.clone()>{text.clone()}</a> }.into_any()
        }
    }
}

/// Whether the cells of a column stand at the right.
pub const fn at_right(it: &Cell) -> bool {
    matches!(it, Cell::Number(_) | Cell::Fen(_))
}

/// A coloured word.
pub fn tag(label: Text, tone: Tone) -> AnyView {
    view! {
        <span class=format!("el-tag el-tag--light el-tag--{}", tone_class(tone))><span class="el-tag__content">{say(label)}</span></span>
    }
    .into_any()
}

/// Names with what they stand for, in two columns.
pub fn descriptions(items: Vec<(String, AnyView)>) -> AnyView {
    let item = |(label, content): (String, AnyView)| {
        view! {
            <div class="description"><dt>{label}</dt><dd>{content}</dd></div>
        }
        .into_any()
    };
    view! { <dl class="descriptions">{items.into_iter().map(item).collect_view()}</dl> }.into_any()
}
