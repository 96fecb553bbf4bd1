//! A box to choose from: one or several, out of a list or a tree, with search, with the keyboard.

use leptos::attr::custom::custom_attribute;
use leptos::ev::{FocusEvent, KeyboardEvent, MouseEvent};
use leptos::html::{Div, Input};
use leptos::prelude::*;

use super::forest::{Forest, Step};
use super::icon::{CHEVRON_DOWN, CHEVRON_RIGHT, X, icon};
use super::popper::{left, popper};
use crate::lang::tr;
use crate::run::{boxed, follow, live};

/// One thing to choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opt {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// Said in grey beside it.
    pub note: String,
}

/// The options as a tree.
#[derive(Clone, Copy)]
pub struct Levels {
    /// The options below each other.
    pub forest: Signal<Forest>,
    /// The values of those that are open.
    pub open: RwSignal<Vec<String>>,
}

/// A select: where its options come from and where the choice goes.
#[derive(Clone)]
pub struct Select {
    /// The id of the input, for its label.
    pub id: String,
    /// How tests find it.
    pub name: &'static str,
    /// Shown while nothing is chosen.
    pub placeholder: String,
    /// What can be chosen.
    pub options: Signal<Vec<Opt>>,
    /// The same as a tree, in which what is typed is searched at hand.
    pub levels: Option<Levels>,
    /// Options are on their way.
    pub busy: Signal<bool>,
    /// What is chosen.
    pub chosen: Signal<Vec<String>>,
    /// What a chosen value is called.
    pub called: Callback<String, String>,
    /// Told what was chosen.
    pub pick: Callback<Vec<String>>,
    /// Told what was typed; without it the options at hand are searched.
    pub search: Option<Callback<String>>,
    /// Told when the list is about to be shown.
    pub opened: Option<Callback<()>>,
    /// Several can be chosen.
    pub multiple: bool,
    /// The choice can be taken back.
    pub clearable: bool,
    /// Nothing can be chosen.
    pub disabled: bool,
}

#[derive(Clone, Copy)]
struct State {
    open: RwSignal<bool>,
    typed: RwSignal<String>,
    at: RwSignal<usize>,
    found: Memo<Vec<Opt>>,
    levels: Option<Levels>,
    chosen: Signal<Vec<String>>,
    pick: Callback<Vec<String>>,
    multiple: bool,
}

impl State {
    fn take(self, value: &str) {
        let mut chosen = self.chosen.get_untracked();
        if self.multiple {
            if chosen.iter().any(|it| it == value) {
                chosen.retain(|it| it != value);
            } else {
                chosen.push(value.to_owned());
            }
        } else {
            chosen = vec![value.to_owned()];
            self.close();
        }
        self.typed.set(String::new());
        self.pick.run(chosen);
    }

    fn close(self) {
        self.open.set(false);
        self.typed.set(String::new());
    }

    fn step(self, down: bool) {
        let count = self.found.with_untracked(Vec::len).max(1);
        self.at.update(|at| *at = if down { (*at + 1) % count } else { (*at + count - 1) % count });
    }

    fn fold(self, value: &str) {
        if let Some(Levels { open, .. }) = self.levels {
            open.update(|open| match open.iter().position(|it| it == value) {
                Some(place) => drop(open.remove(place)),
                None => open.push(value.to_owned()),
            });
        }
    }

    /// Goes down into what is below an option, or up out of it; while something is typed the keys move in the text.
    fn across(self, key: &str) -> bool {
        let Some(Levels { forest, open }) = self.levels.filter(|_| self.typed.with_untracked(String::is_empty)) else {
            return false;
        };
        let at = self.found.with_untracked(|it| it.get(self.at.get_untracked()).map(|it| it.value.clone()));
        let step = forest.with_untracked(|it| it.step(&it.shown(&open.get_untracked(), ""), it.place(&at?)?, key));
        let value = |place| forest.with_untracked(|it| it.get(place).map(|it| it.it.value.clone())).unwrap_or_default();
        match step {
            Some(Step::Open(place) | Step::Close(place)) => self.fold(&value(place)),
            Some(Step::To(place)) => {
                let to = value(place);
                self.at
                    .set(self.found.with_untracked(|it| it.iter().position(|it| it.value == to)).unwrap_or_default());
            }
            None => {}
        }
        true
    }
}

/// Draws a select.
pub fn select(it: Select) -> AnyView {
    let Select {
        id,
        name,
        placeholder,
        options,
        levels,
        busy,
        chosen,
        called,
        pick,
        search,
        opened,
        multiple,
        clearable,
        disabled,
    } = it;
    let (open, typed, at) = (RwSignal::new(false), RwSignal::new(String::new()), RwSignal::new(0));
    let remote = search.is_some();
    let found = Memo::new(move |_| {
        if let Some(Levels { forest, open }) = levels {
            let opt = |forest: &Forest, place| forest.get(place).map(|it| it.it.clone());
            let shown =
                |it: &Forest| it.shown(&open.get(), &typed.get()).into_iter().filter_map(|at| opt(it, at)).collect();
            return forest.with(shown);
        }
        let typed = typed.get().to_ascii_lowercase();
        let fits = |it: &Opt| remote || typed.is_empty() || it.label.to_ascii_lowercase().contains(&typed);
        options.with(|it| it.iter().filter(|it| fits(it)).cloned().collect::<Vec<_>>())
    });
    let state = State { open, typed, at, found, levels, chosen, pick, multiple };
    let (root, input) = (NodeRef::<Div>::new(), NodeRef::<Input>::new());
    let show =
        move || {
            if !disabled && !open.get_untracked() {
                let first = chosen.with_untracked(|it| it.first().cloned());
                at.set(found.with_untracked(|it| {
                    it.iter().position(|it| Some(&it.value) == first.as_ref()).unwrap_or_default()
                }));
                if let Some(opened) = opened {
                    opened.run(());
                }
                open.set(true);
            }
        };
    let click = move |_: MouseEvent| {
        if let Some(input) = input.get_untracked() {
            drop(input.focus());
        }
        if open.get_untracked() { state.close() } else { show() }
    };
    let key = move |event: KeyboardEvent| {
        let handled = match event.key().as_str() {
            "ArrowDown" | "ArrowUp" if open.get_untracked() => {
                state.step(event.key() == "ArrowDown");
                true
            }
            "ArrowLeft" | "ArrowRight" if open.get_untracked() => state.across(&event.key()),
            "ArrowDown" | "ArrowUp" | "Enter" | " " if !open.get_untracked() => {
                show();
                true
            }
            "Enter" => {
                let value = found.with_untracked(|it| it.get(at.get_untracked()).map(|it| it.value.clone()));
                if let Some(value) = value {
                    state.take(&value);
                }
                true
            }
            "Escape" if open.get_untracked() => {
                state.close();
                true
            }
            "Backspace" | "Delete" if typed.with_untracked(String::is_empty) => {
                let mut left = chosen.get_untracked();
                if (multiple || clearable) && left.pop().is_some() {
                    pick.run(left);
                }
                false
            }
            _ => false,
        };
        if handled {
            event.prevent_default();
            event.stop_propagation();
        }
    };
    let typing = move |event| {
        let text = event_target_value(&event);
        typed.set(text.clone());
        at.set(0);
        show();
        if let Some(search) = search {
            search.run(text);
        }
    };
    let leave = move |event: FocusEvent| {
        if left(&event, root) {
            state.close();
        }
    };
    let one = move || chosen.with(|it| it.first().cloned()).map(|it| called.run(it));
    let blank = move || typed.with(String::is_empty);
    let face = move || if multiple { None } else { one() };
    let clear = move |event: MouseEvent| {
        event.stop_propagation();
        pick.run(Vec::new());
    };
    let (list_id, face_id) = (format!("{id}-list"), format!("{id}-face"));
    let active = {
        let list_id = list_id.clone();
        move || open.get().then(|| format!("{list_id}-{}", at.get()))
    };
    let kind = if levels.is_some() { "tree" } else { "listbox" };
    view! {
        <div node_ref=root class="el-select" class:is-disabled=disabled data-test=name on:focusout=boxed(leave)>
            <div class="el-select__wrapper" class:is-focused=open class:is-disabled=disabled on:click=boxed(click)>
                <div class="el-select__selection">
                    {move || multiple.then(|| chosen.get().into_iter().map(|it| chip(state, it, called)).collect_view())}
                    <div class="el-select__selected-item el-select__input-wrapper">
                        <input node_ref=input class="el-select__input" id=id name=name type="text" role="combobox" autocomplete="off"
                            spellcheck="false" aria-haspopup=kind aria-controls=list_id.clone() aria-activedescendant=active
                            aria-expanded=move || open.get().to_string()
                            aria-describedby=face_id.clone()
                            prop:value=typed disabled=disabled on:input=boxed(typing) on:keydown=boxed(key)/>
                    </div>
                    <div class="el-select__selected-item el-select__placeholder"
                        class:is-transparent=move || one().is_none() || (open.get() && !multiple)
                        style:display=move || if blank() && (one().is_none() || !multiple) { "" } else { "none" }>
                        <span id=face_id>{move || face().unwrap_or_else(|| placeholder.clone())}</span>
                    </div>
                </div>
                <div class="el-select__suffix">
                    {move || (clearable && !disabled && one().is_some()).then(|| view! {
                        <button type="button" class="select-clear" tabindex="-1" aria-label=tr("清除", "Clear") on:click=boxed(clear)>{icon(X)}</button>
                    }.into_any())}
                    <span class="el-select__caret" class:is-reverse=open>{icon(CHEVRON_DOWN)}</span>
                </div>
            </div>
            {popper(open, root, true, "el-select__popper", move || list(state, list_id.clone(), busy))}
        </div>
    }
    .into_any()
}

fn chip(state: State, value: String, called: Callback<String, String>) -> AnyView {
    let label = called.run(value.clone());
    let drop_it = move |event: MouseEvent| {
        event.stop_propagation();
        state.take(&value);
    };
    view! {
        <div class="el-select__selected-item">
            <span class="el-tag is-closable el-tag--info el-tag--light">
                <span class="el-tag__content"><span class="el-select__tags-text">{label}</span></span>
                <button type="button" class="el-icon el-tag__close" tabindex="-1" aria-label=tr("移除", "Remove") on:click=boxed(drop_it)>{icon(X)}</button>
            </span>
        </div>
    }
    .into_any()
}

fn list(state: State, id: String, busy: Signal<bool>) -> AnyView {
    let (of, kind) = (id.clone(), if state.levels.is_some() { "tree" } else { "listbox" });
    let empty = move || {
        if busy.get() { tr("加载中…", "Loading…") } else { tr("没有可选项", "Nothing to choose from") }
    };
    let items = move || {
        let found = state.found.get();
        if found.is_empty() {
            return view! { <p class="el-select-dropdown__empty">{move || empty()}</p> }.into_any();
        }
        found.into_iter().enumerate().map(|(index, it)| option(state, &of, index, it)).collect_view().into_any()
    };
    view! {
        <div class="el-select-dropdown">
            // The focus stays in the input, or the list would close before the click arrives.
            <ul class="el-select-dropdown__list select-list" role=kind id=id on:mousedown=boxed(|event: MouseEvent| event.prevent_default())>
                {live(items)}
            </ul>
        </div>
    }
    .into_any()
}

fn option(state: State, list: &str, index: usize, it: Opt) -> AnyView {
    let Opt { value, label, note } = it;
    // How deep it is, and whether what is below it is shown.
    let level = state.levels.and_then(|it| {
        let place = |it: &Forest| it.place(&value).and_then(|at| Some((it.get(at)?.depth, it.inner(at))));
        let (depth, inner) = it.forest.with_untracked(place)?;
        let open = it.open.with_untracked(|it| it.contains(&value)) || !state.typed.with_untracked(String::is_empty);
        Some((depth, inner.then_some(open)))
    });
    let node = NodeRef::<leptos::html::Li>::new();
    follow(move || {
        if let (true, Some(node)) = (state.at.get() == index, node.get()) {
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            node.scroll_into_view_with_scroll_into_view_options(&options);
        }
    });
    let mine = value.clone();
    let selected = move || state.chosen.with(|it| it.contains(&mine));
    let picked = selected.clone();
    let (data, value_of_fold) = (value.clone(), value.clone());
    view! {
        <li node_ref=node class="el-select-dropdown__item" class:is-selected=selected class:is-hovering=move || state.at.get() == index
            id=format!("{list}-{index}") role=if level.is_some() { "treeitem" } else { "option" } data-value=data
            aria-selected=move || picked().to_string() {..custom_attribute("aria-level", level.map(|it| (it.0 + 1).to_string()))}
            aria-expanded=level.and_then(|it| it.1).map(|it| it.to_string()) style:padding-left=level.map(|it| format!("{}px", 8 + it.0 * 16))
            on:mousemove=boxed(move |_| state.at.set(index)) on:click=boxed(move |_| state.take(&value))>
            {level.map(|it| fold(state, it.1, value_of_fold))}
            <span>{label}</span>
            {(!note.is_empty()).then(|| view! { <span class="option-note">{note}</span> }.into_any())}
        </li>
    }
    .into_any()
}

/// What opens and closes an option; an empty place where nothing is below it.
fn fold(state: State, open: Option<bool>, value: String) -> AnyView {
    let Some(open) = open else { return view! { <span class="el-tree-node__expand-icon is-leaf"></span> }.into_any() };
    let click = move |event: MouseEvent| {
        event.stop_propagation();
        state.fold(&value);
    };
    view! { <span class="el-tree-node__expand-icon" class:expanded=open on:click=boxed(click)>{icon(CHEVRON_RIGHT)}</span> }.into_any()
}
