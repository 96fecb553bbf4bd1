//! A box to choose from: one or several, with search, with the keyboard.

use leptos::ev::{FocusEvent, KeyboardEvent, MouseEvent};
use leptos::html::{Div, Input};
use leptos::prelude::*;

use super::icon::{CHEVRON_DOWN, X, icon};
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
}

/// Draws a select.
pub fn select(it: Select) -> AnyView {
    let Select {
        id,
        name,
        placeholder,
        options,
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
        let typed = typed.get().to_ascii_lowercase();
        let fits = |it: &Opt| remote || typed.is_empty() || it.label.to_ascii_lowercase().contains(&typed);
        options.with(|it| it.iter().filter(|it| fits(it)).cloned().collect::<Vec<_>>())
    });
    let state = State { open, typed, at, found, chosen, pick, multiple };
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
    view! {
        <div node_ref=root class="el-select" class:is-disabled=disabled data-test=name on:focusout=boxed(leave)>
            <div class="el-select__wrapper" class:is-focused=open class:is-disabled=disabled on:click=boxed(click)>
                <div class="el-select__selection">
                    {move || multiple.then(|| chosen.get().into_iter().map(|it| chip(state, it, called)).collect_view())}
                    <div class="el-select__selected-item el-select__input-wrapper">
                        <input node_ref=input class="el-select__input" id=id name=name type="text" role="combobox" autocomplete="off"
                            spellcheck="false" aria-haspopup="listbox" aria-controls=list_id.clone()
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
    let empty = move || {
        if busy.get() { tr("加载中…", "Loading…") } else { tr("没有可选项", "Nothing to choose from") }
    };
    let items = move || {
        let found = state.found.get();
        if found.is_empty() {
            return view! { <p class="el-select-dropdown__empty">{move || empty()}</p> }.into_any();
        }
        found.into_iter().enumerate().map(|(index, it)| option(state, index, it)).collect_view().into_any()
    };
    view! {
        <div class="el-select-dropdown">
            // The focus stays in the input, or the list would close before the click arrives.
            <ul class="el-select-dropdown__list select-list" role="listbox" id=id on:mousedown=boxed(|event: MouseEvent| event.prevent_default())>
                {live(items)}
            </ul>
        </div>
    }
    .into_any()
}

fn option(state: State, index: usize, it: Opt) -> AnyView {
    let Opt { value, label, note } = it;
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
    let data = value.clone();
    view! {
        <li node_ref=node class="el-select-dropdown__item" class:is-selected=move || selected() class:is-hovering=move || state.at.get() == index
            role="option" data-value=data aria-selected=move || picked().to_string()
            on:mousemove=boxed(move |_| state.at.set(index)) on:click=boxed(move |_| state.take(&value))>
            <span>{label}</span>
            {(!note.is_empty()).then(|| view! { <span class="option-note">{note}</span> }.into_any())}
        </li>
    }
    .into_any()
}
