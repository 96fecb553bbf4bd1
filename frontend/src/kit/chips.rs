//! A list that is entered item by item: what is there as chips that can be removed, and amounts to add another.
//!
//! What is typed and not added yet stands in the form beside the entry. Saving takes it up as if it had been added, or is
//! refused for it: nothing that people see in a form is dropped when they save it.

use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::prelude::*;
use serde_json::Value;
use shared::amount::scaled;
use shared::fixed::Fen;
use shared::problem::FieldError;
use shared::resource::FormMap;
use shared::text::{Lang, Text};

use super::form::{Slot, put};
use super::icon::{PLUS, X, icon};
use crate::lang::{lang, say, tr};
use crate::run::{boxed, live};

/// Such a list.
pub struct List {
    /// The amounts of an item, by what stands in their inputs while they are empty.
    pub hints: &'static [Text],
    /// The most that an amount can be, in fen.
    pub most_fen: i64,
    /// The most items.
    pub most: usize,
    /// What the chip of an item says.
    pub label: fn(&Value) -> String,
    /// Puts an item of these amounts in its place.
    pub add: fn(Vec<Value>, &[i64]) -> Vec<Value>,
}

/// Where a form holds what is typed for the next item.
fn beside(name: &str) -> String {
    format!("{name}.typed")
}

fn items(entries: &FormMap, name: &str) -> Vec<Value> {
    entries.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn typed(entries: &FormMap, name: &str, place: usize) -> String {
    let text = entries.get(&beside(name)).and_then(|it| it.get(place)).and_then(Value::as_str);
    text.unwrap_or_default().trim().to_owned()
}

impl List {
    fn typed(&self, entries: &FormMap, name: &str) -> Vec<String> {
        (0..self.hints.len()).map(|place| typed(entries, name, place)).collect()
    }

    /// The entry of this name with what is typed beside it.
    ///
    /// # Errors
    /// What is typed cannot be added, and why.
    pub fn taken_up(&self, entries: &FormMap, name: &str, lang: Lang) -> Result<Value, FieldError> {
        let texts = self.typed(entries, name);
        if texts.iter().all(String::is_empty) {
            return Ok(entries.get(name).cloned().unwrap_or_default());
        }
        let fen = |it: &String| scaled(it, 2).filter(|it| (1..=self.most_fen).contains(it));
        let amounts: Option<Vec<i64>> = texts.iter().map(fen).collect();
        let added = amounts.map(|it| (self.add)(items(entries, name), &it));
        let wrong = match added {
            Some(added) if added.len() <= self.most => return Ok(Value::Array(added)),
            Some(_) => self.too_many(lang),
            None => self.no_amount(lang),
        };
        Err(FieldError::new(name, "format", wrong))
    }

    fn too_many(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => format!("最多 {} 项", self.most),
            Lang::En => format!("At most {} items", self.most),
        }
    }

    fn no_amount(&self, lang: Lang) -> String {
        let most = Fen(self.most_fen).yuan();
        match lang {
            Lang::Zh => format!("未添加的内容有误：请填写 0.01 到 {most} 元的金额，最多两位小数，或清空"),
            Lang::En => format!(
                "What is not added yet is wrong: enter amounts from 0.01 to {most} yuan with at most two places, or clear it"
            ),
        }
    }
}

/// Draws it.
pub fn chips(slot: Slot, it: &'static List) -> AnyView {
    let name = slot.field.name;
    let take = move || match slot.form.with_untracked(|entries| it.taken_up(entries, name, lang())) {
        Ok(entry) => {
            slot.put(entry);
            put(slot.form, &beside(name), Value::Null);
        }
        Err(wrong) => {
            slot.forgive();
            slot.errs.update(|it| it.push(wrong));
        }
    };
    let key = move |event: KeyboardEvent| {
        if event.key() == "Enter" && !event.is_composing() {
            // It adds the item; it does not send the form.
            event.prevent_default();
            take();
        }
    };
    let all = move || slot.form.with(|entries| items(entries, name));
    let full = Signal::derive(move || all().len() >= it.most);
    let wrong = Signal::derive(move || {
        slot.wrong().is_some() && slot.form.with(|entries| it.typed(entries, name).iter().any(|it| !it.is_empty()))
    });
    let chip = move |(place, item): (usize, Value)| {
        let label = (it.label)(&item);
        let gone = format!("{} {label}", tr("移除", "Remove"));
        let remove = move |_: MouseEvent| {
            let mut left = untrack(all);
            left.remove(place);
            slot.put(left);
        };
        view! {
            <span class="el-tag el-tag--large el-tag--light is-closable">
                <span class="el-tag__content num">{label}</span>
                <button type="button" class="el-icon el-tag__close" aria-label=gone on:click=boxed(remove)>{icon(X)}</button>
            </span>
        }
        .into_any()
    };
    let input = move |(place, hint): (usize, &Text)| {
        let hint = say(*hint);
        let shown = move || slot.form.with(|entries| typed(entries, name, place));
        let text = move |event| {
            let mut texts = slot.form.with_untracked(|entries| it.typed(entries, name));
            texts.get_mut(place).into_iter().for_each(|it| *it = event_target_value(&event));
            slot.forgive();
            put(slot.form, &beside(name), texts);
        };
        let (id, name) = match place {
            0 => (slot.id(), name.to_owned()),
            place => (format!("{}-{place}", slot.id()), format!("{name}-{place}")),
        };
        view! {
            <div class="el-input chips-new" class:price-wrong=wrong class:is-disabled=full>
                <div class="el-input__wrapper">
                    <input class="el-input__inner" id=id name=name inputmode="decimal" autocomplete="off" placeholder=hint aria-label=hint
                        prop:value=shown prop:disabled=full on:input=boxed(text) on:keydown=boxed(key)/>
                </div>
            </div>
        }
        .into_any()
    };
    view! {
        <div class="chips" data-test=name>
            {live(move || all().into_iter().enumerate().map(chip).collect_view().into_any())}
            {it.hints.iter().enumerate().map(input).collect_view()}
            <button type="button" class="el-button" class:is-disabled=full data-test=format!("add-{name}") prop:disabled=full
                on:click=boxed(move |_: MouseEvent| take())>{icon(PLUS)}<span>{tr("添加", "Add")}</span></button>
        </div>
    }
    .into_any()
}
