//! Cells as markup, alone and together.

use leptos::prelude::*;
use shared::codes::Tone;
use shared::describe::Cell;
use shared::text::Text;

use super::button::tone_class;
use crate::lang::{lang, say};
use crate::run::live;

/// What a cell shows.
pub fn cell(it: &Cell) -> AnyView {
    match it {
        Cell::Empty => view! { <span class="none">"-"</span> }.into_any(),
        Cell::Text(text) => text.clone().into_any(),
        Cell::Words { .. } => it.plain(lang()).into_any(),
        Cell::Number(_) | Cell::Fen(_) | Cell::Time(_) | Cell::Duration(_) => {
            view! { <span class="num">{it.plain(lang())}</span> }.into_any()
        }
        Cell::Tag(label, tone) => tag(*label, *tone),
        Cell::Tags(labels) => {
            view! { <span class="cell-tags">{labels.iter().map(|(label, tone)| tag(*label, *tone)).collect_view()}</span> }
                .into_any()
        }
        Cell::Link { text, to } => {
            view! { <a class="el-link el-link--primary" href=to.clone()>{text.clone()}</a> }.into_any()
        }
    }
}

/// Whether the cells of a column stand at the right.
pub const fn at_right(it: &Cell) -> bool {
    matches!(it, Cell::Number(_) | Cell::Fen(_) | Cell::Duration(_))
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

/// A table that is only read.
pub fn plain_table(heads: &[Text], rows: &[Vec<Cell>], foot: &[Cell]) -> AnyView {
    let right = |column: usize| rows.iter().filter_map(|row| row.get(column)).any(at_right);
    let rights: Vec<bool> = (0..heads.len()).map(right).collect();
    let class = |right: bool| if right { "is-right" } else { "" };
    let head =
        |(title, right): (&Text, &bool)| view! { <th scope="col" class=class(*right)>{say(*title)}</th> }.into_any();
    let line = |cells: &[Cell]| {
        let content = |(it, right): (&Cell, &bool)| view! { <td class=class(*right)>{cell(it)}</td> }.into_any();
        view! { <tr>{cells.iter().zip(&rights).map(content).collect_view()}</tr> }.into_any()
    };
    let foot = if foot.is_empty() { ().into_any() } else { view! { <tfoot>{line(foot)}</tfoot> }.into_any() };
    view! {
        <div class="plain-scroll">
            <table class="plain-table">
                <thead><tr>{heads.iter().zip(&rights).map(head).collect_view()}</tr></thead>
                <tbody>{rows.iter().map(|row| line(row)).collect_view()}</tbody>
                {foot}
            </table>
        </div>
    }
    .into_any()
}

/// A large number under its name, followed.
pub fn figure(label: Text, content: impl Fn() -> Cell + Send + Sync + 'static) -> AnyView {
    named(say(label), live(move || cell(&content())))
}

fn named(label: &'static str, content: AnyView) -> AnyView {
    view! { <div><dt>{label}</dt><dd>{content}</dd></div> }.into_any()
}

/// Says that there is nothing, where a table would be.
pub fn nothing(text: &'static str) -> AnyView {
    view! { <p class="nothing" data-test="empty">{text}</p> }.into_any()
}
