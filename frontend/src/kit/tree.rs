//! A tree to look through: one node can be chosen, or any number of leaves with what is above them half checked.

use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::html::Div;
use leptos::prelude::*;

use super::button::button;
use super::checkbox::{checkbox, checkmark};
use super::forest::{Forest, Mark, Step};
use super::icon::{CHEVRON_RIGHT, icon};
use crate::lang::tr;
use crate::run::{boxed, follow, live};

/// What choosing means.
#[derive(Clone, Copy)]
pub enum Choice {
    /// One node.
    One {
        /// Which.
        chosen: Signal<String>,
        /// Told which was chosen.
        pick: Callback<String>,
    },
    /// Any leaves; a node stands for all leaves below it.
    Many {
        /// Which.
        chosen: Signal<Vec<String>>,
        /// Told which leaves are turned on or off.
        turn: Callback<(Vec<String>, bool)>,
    },
}

/// A tree.
#[derive(Clone)]
pub struct Tree {
    /// The id of its element, of which those of the nodes are made.
    pub id: String,
    /// How tests find it.
    pub name: &'static str,
    /// What it is, for those who cannot see it.
    pub label: String,
    /// Its nodes.
    pub forest: Signal<Forest>,
    /// What choosing means.
    pub choice: Choice,
    /// The ids of the nodes that are open.
    pub open: RwSignal<Vec<String>>,
    /// Leaves that have no inner nodes beside them stand in a row.
    pub rows: bool,
}

#[derive(Clone, Copy)]
struct State {
    id: StoredValue<String>,
    forest: Signal<Forest>,
    choice: Choice,
    open: RwSignal<Vec<String>>,
    /// The node that keys act on.
    at: RwSignal<String>,
    marks: Memo<Vec<Mark>>,
    rows: bool,
}

impl State {
    fn node_id(self, id: &str) -> String {
        self.id.with_value(|it| format!("{it}-{id}"))
    }

    fn fold(self, id: &str) {
        self.open.update(|open| {
            if open.iter().any(|it| it == id) {
                open.retain(|it| it != id);
            } else {
                open.push(id.to_owned());
            }
        });
    }

    /// Chooses a node: this one, or all leaves below it.
    fn take(self, id: &str) {
        match self.choice {
            Choice::One { pick, .. } => pick.run(id.to_owned()),
            Choice::Many { turn, .. } => {
                let Some(place) = self.forest.with_untracked(|it| it.place(id)) else { return };
                let on = self.marks.with_untracked(|it| it.get(place) != Some(&Mark::On));
                turn.run((self.forest.with_untracked(|it| it.leaf_ids(place)), on));
            }
        }
    }

    fn chosen(self, id: &str) -> bool {
        match self.choice {
            Choice::One { chosen, .. } => chosen.with(|it| it == id),
            Choice::Many { .. } => false,
        }
    }

    fn mark(self, id: &str) -> Mark {
        let place = self.forest.with(|it| it.place(id));
        place.and_then(|place| self.marks.with(|it| it.get(place).copied())).unwrap_or(Mark::Off)
    }

    /// Whether the key meant something here.
    fn key(self, key: &str) -> bool {
        let at = self.at.get_untracked();
        let step = self.forest.with_untracked(|forest| {
            let shown = forest.shown(&self.open.get_untracked(), "");
            let place = forest.place(&at).filter(|it| shown.contains(it)).or(shown.first().copied())?;
            Some((place, forest.step(&shown, place, key)))
        });
        let id =
            |place| self.forest.with_untracked(|it| it.get(place).map(|it| it.it.value.clone())).unwrap_or_default();
        match step {
            Some((place, _)) if matches!(key, "Enter" | " ") => self.take(&id(place)),
            Some((_, Some(Step::To(place)))) => self.at.set(id(place)),
            Some((_, Some(Step::Open(place) | Step::Close(place)))) => self.fold(&id(place)),
            _ => return matches!(key, "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" | "Home" | "End"),
        }
        true
    }
}

/// Draws a tree.
pub fn tree(it: Tree) -> AnyView {
    let Tree { id, name, label, forest, choice, open, rows } = it;
    let marks = Memo::new(move |_| match choice {
        Choice::One { .. } => Vec::new(),
        Choice::Many { chosen, .. } => forest.with(|it| chosen.with(|chosen| it.marks(chosen))),
    });
    let at = match choice {
        Choice::One { chosen, .. } => chosen.get_untracked(),
        Choice::Many { .. } => String::new(),
    };
    let many = matches!(choice, Choice::Many { .. });
    let state = State { id: StoredValue::new(id.clone()), forest, choice, open, at: RwSignal::new(at), marks, rows };
    let root = NodeRef::<Div>::new();
    let active = move || Some(state.at.get()).filter(|it| !it.is_empty()).map(|it| state.node_id(&it));
    follow(move || {
        if let (Some(root), Some(id)) = (root.get(), active())
            && document().active_element().as_ref() == Some(&root)
            && let Some(node) = document().get_element_by_id(&id)
        {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            node.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    let key = move |event: KeyboardEvent| {
        if !event.ctrl_key() && !event.alt_key() && !event.meta_key() && state.key(&event.key()) {
            event.prevent_default();
        }
    };
    // Whoever comes by keyboard has to see where they are; under a mouse that is pressed, nothing may move.
    let enter = move |_| {
        let by_keyboard = root.get_untracked().is_some_and(|it| it.matches(":focus-visible").unwrap_or_default());
        if by_keyboard && state.at.with_untracked(String::is_empty) {
            state.at.set(forest.with_untracked(|it| it.get(0).map(|it| it.it.value.clone())).unwrap_or_default());
        }
    };
    view! {
        <div node_ref=root class="el-tree tree" id=id role="tree" tabindex="0" aria-label=label data-test=name
            aria-multiselectable=many.then_some("true") aria-activedescendant=active
            on:keydown=boxed(key) on:focus=boxed(enter)>
            {live(move || level(state, &forest.get(), None))}
        </div>
    }
    .into_any()
}

fn level(state: State, forest: &Forest, place: Option<usize>) -> AnyView {
    forest.below(place).into_iter().map(|place| branch(state, forest, place)).collect_view().into_any()
}

fn branch(state: State, forest: &Forest, place: usize) -> AnyView {
    let Some(node) = forest.get(place) else { return ().into_any() };
    let id = StoredValue::new(node.it.value.clone());
    let inner = forest.inner(place);
    let with_id = move |act: fn(State, &str)| {
        move |event: MouseEvent| {
            event.stop_propagation();
            id.with_value(|id| {
                state.at.set(id.clone());
                act(state, id);
            });
        }
    };
    let opened = move || state.open.with(|open| id.with_value(|id| open.contains(id)));
    let mark = Signal::derive(move || id.with_value(|id| state.mark(id)));
    let many = matches!(state.choice, Choice::Many { .. });
    let checked = move || match mark.get() {
        Mark::On => "true",
        Mark::Half => "mixed",
        Mark::Off => "false",
    };
    let chosen = move || id.with_value(|id| state.chosen(id));
    let row = state.rows && inner && forest.below(Some(place)).into_iter().all(|it| !forest.inner(it));
    let face = view! {
        <div class="el-tree-node__content" style:padding-left=format!("{}px", node.depth * 18) on:click=boxed(with_id(State::take))>
            {if inner {
                view! {
                    <span class="el-tree-node__expand-icon" class:expanded=opened on:click=boxed(with_id(State::fold))>{icon(CHEVRON_RIGHT)}</span>
                }.into_any()
            } else {
                view! { <span class="el-tree-node__expand-icon is-leaf"></span> }.into_any()
            }}
            {many.then(|| checkmark(mark))}
            <span class="el-tree-node__label">{node.it.label.clone()}</span>
            {(!node.it.note.is_empty()).then(|| view! { <span class="option-note">{node.it.note.clone()}</span> }.into_any())}
        </div>
    };
    let below = inner.then(|| {
        view! {
            <div class="el-tree-node__children" class:tree-row=row role="group" style:display=move || if opened() { "" } else { "none" }>
                {level(state, forest, Some(place))}
            </div>
        }
        .into_any()
    });
    view! {
        <div class="el-tree-node" id=state.node_id(&node.it.value) role="treeitem" data-value=node.it.value.clone()
            class:is-current=chosen class:at=move || state.at.with(|at| id.with_value(|id| at == id))
            aria-expanded=move || inner.then(|| opened().to_string())
            aria-selected=move || (!many).then(|| chosen().to_string()) aria-checked=move || many.then(checked)>
            {face}
            {below}
        </div>
    }
    .into_any()
}

/// What acts on a tree as a whole: open all, close all, and where leaves are chosen, all of them.
pub fn tools(it: &Tree) -> AnyView {
    let (forest, open) = (it.forest, it.open);
    let all = match it.choice {
        Choice::One { .. } => ().into_any(),
        Choice::Many { chosen, turn } => {
            let leaves =
                move || forest.with(|it| it.below(None).into_iter().flat_map(|at| it.leaf_ids(at)).collect::<Vec<_>>());
            let mark = Signal::derive(move || {
                let leaves = leaves();
                let on = chosen.with(|chosen| leaves.iter().filter(|it| chosen.contains(it)).count());
                match on {
                    0 => Mark::Off,
                    on if on == leaves.len() => Mark::On,
                    _ => Mark::Half,
                }
            });
            let turn = Callback::new(move |on: bool| turn.run((untrack(leaves), on)));
            checkbox(format!("{}-all", it.name), tr("全选", "All").to_owned(), mark, false, turn)
        }
    };
    view! {
        <div class="tree-tools">
            {all}
            {button("is-link el-button--primary", "tree-open", None, tr("全部展开", "Open all"), move || open.set(forest.with_untracked(Forest::inner_ids)))}
            {button("is-link el-button--primary", "tree-close", None, tr("全部收起", "Close all"), move || open.set(Vec::new()))}
        </div>
    }
    .into_any()
}
