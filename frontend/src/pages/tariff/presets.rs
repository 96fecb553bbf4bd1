//! The control of prepay presets: amounts that drivers can choose with one touch.

use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::prelude::*;
use serde_json::Value;
use shared::fixed::Fen;

use crate::kit::amount::scaled;
use crate::kit::form::Slot;
use crate::kit::icon::{PLUS, X, icon};
use crate::lang::tr;
use crate::run::boxed;

/// At most so many.
const MOST: usize = 12;

fn amounts(slot: Slot) -> Vec<i64> {
    let items = slot.form.with(|it| it.get(slot.field.name).and_then(Value::as_array).cloned()).unwrap_or_default();
    items.iter().filter_map(Value::as_i64).collect()
}

/// Adds an amount in its place; what is there already stays as it is.
fn added(mut amounts: Vec<i64>, fen: i64) -> Vec<i64> {
    if let Err(place) = amounts.binary_search(&fen) {
        amounts.insert(place, fen);
    }
    amounts
}

/// The control.
pub fn presets_input(slot: Slot) -> AnyView {
    let typed = RwSignal::new(String::new());
    let wrong = RwSignal::new(false);
    let add = move || {
        let fen = scaled(&typed.get_untracked(), 2).filter(|it| (1..=100_000).contains(it));
        wrong.set(fen.is_none());
        if let Some(fen) = fen {
            slot.put(added(untrack(|| amounts(slot)), fen));
            typed.set(String::new());
        }
    };
    let key = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            // It adds the amount; it does not send the form.
            event.prevent_default();
            add();
        }
    };
    let chip = move |fen: i64| {
        let remove = move |_: MouseEvent| {
            slot.put(untrack(|| amounts(slot)).into_iter().filter(|it| *it != fen).collect::<Vec<_>>())
        };
        view! {
            <span class="el-tag el-tag--large el-tag--light is-closable">
                <span class="el-tag__content num">{Fen(fen).yuan()}</span>
                <button type="button" class="el-icon el-tag__close" aria-label=format!("{} {}", tr("移除", "Remove"), Fen(fen).yuan()) on:click=boxed(remove)>{icon(X)}</button>
            </span>
        }.into_any()
    };
    let full = move || amounts(slot).len() >= MOST;
    view! {
        <div class="presets" data-test=slot.field.name>
            {move || amounts(slot).into_iter().map(chip).collect_view()}
            <div class="el-input presets-new" class:price-wrong=wrong class:is-disabled=full>
                <div class="el-input__wrapper">
                    <input class="el-input__inner" id=slot.id() name=slot.field.name inputmode="decimal" autocomplete="off"
                        placeholder=tr("金额(元)", "Yuan") prop:value=typed prop:disabled=full
                        on:input=boxed(move |event| { typed.set(event_target_value(&event)); wrong.set(false); }) on:keydown=boxed(key)/>
                </div>
            </div>
            <button type="button" class="el-button" class:is-disabled=full data-test="add-preset" prop:disabled=full on:click=boxed(move |_| add())>{icon(PLUS)}<span>{tr("添加", "Add")}</span></button>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::added;

    #[test]
    fn amounts_rise_and_do_not_repeat() {
        assert_eq!(added(vec![1000, 5000], 3000), [1000, 3000, 5000]);
        assert_eq!(added(vec![1000], 1000), [1000]);
        assert_eq!(added(vec![], 1), [1]);
    }
}
