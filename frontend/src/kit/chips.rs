//! A list that is entered item by item: what is there as chips that can be removed, and amounts to add another.

use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::prelude::*;
use shared::amount::scaled;

use super::icon::{PLUS, X, icon};
use crate::lang::tr;
use crate::run::{boxed, live};

/// The amounts of the next item, as they are typed.
#[derive(Clone, Copy)]
pub struct Typed {
    /// What tests and the form know the list by.
    pub name: &'static str,
    /// The id of the first input, to which the label belongs.
    pub id: StoredValue<String>,
    /// What stands in the inputs while they are empty.
    pub hints: StoredValue<Vec<&'static str>>,
    texts: RwSignal<Vec<String>>,
    wrong: RwSignal<bool>,
}

impl Typed {
    /// Nothing is typed yet.
    pub fn new(name: &'static str, id: String, hints: impl Into<Vec<&'static str>>) -> Self {
        let hints = hints.into();
        let texts = RwSignal::new(vec![String::new(); hints.len()]);
        Self { name, id: StoredValue::new(id), hints: StoredValue::new(hints), texts, wrong: RwSignal::new(false) }
    }

    /// The amounts in fen, all of them above zero and at most this.
    fn amounts(self, most: i64) -> Option<Vec<i64>> {
        let fen = |it: &String| scaled(it, 2).filter(|it| (1..=most).contains(it));
        self.texts.with_untracked(|it| it.iter().map(fen).collect())
    }
}

/// Draws it: `labels` are the chips, `remove` takes one away by its place, `add` is given the amounts of a new one, at most
/// `most` fen each. When the list is `full`, nothing can be added.
pub fn chips(
    it: Typed,
    labels: Signal<Vec<String>>,
    full: Signal<bool>,
    most: i64,
    remove: Callback<usize>,
    add: Callback<Vec<i64>>,
) -> AnyView {
    let take = move || {
        let amounts = it.amounts(most);
        it.wrong.set(amounts.is_none());
        if let Some(amounts) = amounts {
            add.run(amounts);
            it.texts.update(|it| it.iter_mut().for_each(String::clear));
        }
    };
    let key = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            // It adds the item; it does not send the form.
            event.prevent_default();
            take();
        }
    };
    let chip = move |(place, label): (usize, String)| {
        let gone = format!("{} {label}", tr("移除", "Remove"));
        view! {
            <span class="el-tag el-tag--large el-tag--light is-closable">
                <span class="el-tag__content num">{label}</span>
                <button type="button" class="el-icon el-tag__close" aria-label=gone on:click=boxed(move |_: MouseEvent| remove.run(place))>{icon(X)}</button>
            </span>
        }
        .into_any()
    };
    let input = move |(place, hint): (usize, &'static str)| {
        let typed = move || it.texts.with(|it| it.get(place).cloned().unwrap_or_default());
        let text = move |event| {
            let text = event_target_value(&event);
            it.texts.update(|it| it.get_mut(place).into_iter().for_each(|it| it.clone_from(&text)));
            it.wrong.set(false);
        };
        let id = if place == 0 { it.id.get_value() } else { format!("{}-{place}", it.id.get_value()) };
        let name = if place == 0 { it.name.to_owned() } else { format!("{}-{place}", it.name) };
        view! {
            <div class="el-input chips-new" class:price-wrong=it.wrong class:is-disabled=full>
                <div class="el-input__wrapper">
                    <input class="el-input__inner" id=id name=name inputmode="decimal" autocomplete="off" placeholder=hint aria-label=hint
                        prop:value=typed prop:disabled=full on:input=boxed(text) on:keydown=boxed(key)/>
                </div>
            </div>
        }
        .into_any()
    };
    view! {
        <div class="chips" data-test=it.name>
            {live(move || labels.get().into_iter().enumerate().map(chip).collect_view().into_any())}
            {it.hints.get_value().into_iter().enumerate().map(input).collect_view()}
            <button type="button" class="el-button" class:is-disabled=full data-test=format!("add-{}", it.name) prop:disabled=full
                on:click=boxed(move |_: MouseEvent| take())>{icon(PLUS)}<span>{tr("添加", "Add")}</span></button>
        </div>
    }
    .into_any()
}
