//! Rows that stand below each other, where each names the one above it.

use leptos::prelude::*;
use uuid::Uuid;

use super::list::Rows;
use crate::kit::forest::Forest;
use crate::kit::icon::{CHEVRON_RIGHT, icon};
use crate::kit::select::Opt;
use crate::lang::tr;
use crate::run::{boxed, live};

/// Which rows are below which, and of which those below are hidden.
#[derive(Clone, Copy)]
pub struct Levels {
    forest: Memo<Forest>,
    closed: RwSignal<Vec<String>>,
}

impl Levels {
    /// The levels of the rows on a page; all are open.
    pub fn new(rows: Memo<Rows>) -> Self {
        let placed = |id: Uuid, parent: Option<Uuid>| {
            let it = Opt { value: id.to_string(), label: String::new(), note: String::new() };
            (it, parent.map(|it| it.to_string()))
        };
        let grow = move |_: Option<&Forest>| {
            rows.with(|it| {
                let rows = it.iter().flatten().flat_map(|it| &it.items);
                Forest::grow(rows.map(|it| placed(it.id, it.parent)).collect())
            })
        };
        Self { forest: Memo::new(grow), closed: RwSignal::new(Vec::new()) }
    }

    /// The ids of the rows that are shown, in their order; followed.
    pub fn shown(self) -> Vec<String> {
        self.forest.with(|forest| {
            let closed = self.closed.get();
            let open: Vec<String> = forest.inner_ids().into_iter().filter(|it| !closed.contains(it)).collect();
            let shown = forest.shown(&open, "");
            shown.into_iter().filter_map(|it| forest.get(it)).map(|it| it.it.value.clone()).collect()
        })
    }

    /// Hides all that is below another row, or shows all when something is hidden.
    pub fn fold_all(self) {
        let inner = self.forest.with_untracked(Forest::inner_ids);
        self.closed.update(|it| *it = if it.is_empty() { inner } else { Vec::new() });
    }

    fn fold(self, id: &str) {
        self.closed.update(|closed| {
            if closed.iter().any(|it| it == id) {
                closed.retain(|it| it != id);
            } else {
                closed.push(id.to_owned());
            }
        });
    }

    /// The first cell of a row: as deep as the row stands, behind what hides and shows those below it.
    pub fn stand(self, id: Uuid, content: AnyView) -> AnyView {
        let id = StoredValue::new(id.to_string());
        let at = move || self.forest.with(|forest| id.with_value(|id| forest.place(id)));
        let inner = move || at().is_some_and(|at| self.forest.with(|it| it.inner(at)));
        let depth = move || at().and_then(|at| self.forest.with(|it| it.get(at).map(|it| it.depth)));
        let open = move || !self.closed.with(|it| id.with_value(|id| it.contains(id)));
        let arrow = move || {
            if !inner() {
                return view! { <span class="level-leaf"></span> }.into_any();
            }
            view! {
                <button type="button" class="level-arrow" class:expanded=open data-test="fold" aria-label=tr("下级", "Below it")
                    aria-expanded=move || open().to_string() on:click=boxed(move |_| id.with_value(|id| self.fold(id)))>{icon(CHEVRON_RIGHT)}</button>
            }
            .into_any()
        };
        let deep = move || format!("{}px", 20 * depth().unwrap_or_default());
        view! { <span class="level" style:padding-left=deep>{live(arrow)}{content}</span> }.into_any()
    }
}
