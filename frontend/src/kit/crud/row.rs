//! One row of the table. It stays in the document while it is on the page, and only what has changed in it is drawn.

use leptos::prelude::*;
use shared::describe::{Cell, Column};
use uuid::Uuid;

use super::act::{buttons, enable_switch};
use super::list::Listing;
use super::source::Entry;
use crate::kit::cell::cell;
use crate::lang::lang;
use crate::nav;
use crate::run::live;

/// Draws the row with this id; `heads` are the columns with their places, `numbers` tells which of them stand at the right.
pub fn row(it: Listing, heads: &[(usize, &'static Column)], numbers: Memo<Vec<bool>>, id: &str) -> AnyView {
    let Ok(id) = Uuid::try_parse(id) else { return ().into_any() };
    let entry = it.entry(id);
    let switched = entry.with_untracked(|it| it.as_ref().is_some_and(|it| it.enabled.is_some()));
    let open = Callback::new(move |()| nav::go(&untrack(|| it.to(id))));
    let column = |(column, (index, head)): (usize, &(usize, &'static Column))| {
        let (index, first) = (*index, column == 0);
        if head.key == "enabled" && switched {
            return view! { <td class="el-table__cell"><div class="cell">{enable_switch(it.desk, entry)}</div></td> }
                .into_any();
        }
        let right = move || numbers.with(|it| it.get(column).copied().unwrap_or_default());
        let content = move || {
            let content = entry.with(|it| it.as_ref().and_then(|it: &Entry| it.cells.get(index).cloned()));
            let content = content.unwrap_or(Cell::Empty);
            let plain = content.plain(lang());
            let inner = if first && !plain.is_empty() { link(it, id, &plain) } else { cell(&content) };
            let inner = if first && it.desk.source.tree { it.levels.stand(id, inner) } else { inner };
            view! { <td class="el-table__cell" class:is-right=right()><div class="cell" title=plain>{inner}</div></td> }
                .into_any()
        };
        live(content)
    };
    view! {
        <tr class="el-table__row" data-id=id.to_string()>
            {heads.iter().enumerate().map(column).collect_view()}
            <td class="el-table__cell table-acts"><div class="cell">{buttons(it.desk, entry, Some(open))}</div></td>
        </tr>
    }
    .into_any()
}

/// The first cell leads to the detail.
fn link(it: Listing, id: Uuid, text: &str) -> AnyView {
    view! { <a class="el-link el-link--primary" href=it.to(id)>{text.to_owned()}</a> }.into_any()
}
