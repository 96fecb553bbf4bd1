//! The control of prepay presets: amounts that drivers can choose with one touch.

use leptos::prelude::*;
use serde_json::Value;
use shared::fixed::Fen;

use crate::kit::chips::{Typed, chips};
use crate::kit::form::Slot;
use crate::lang::tr;

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
    let remove = Callback::new(move |place| {
        let mut left = untrack(|| amounts(slot));
        left.remove(place);
        slot.put(left);
    });
    let add = Callback::new(move |new: Vec<i64>| {
        slot.put(new.into_iter().fold(untrack(|| amounts(slot)), added));
    });
    let labels = Signal::derive(move || amounts(slot).into_iter().map(|it| Fen(it).yuan()).collect::<Vec<_>>());
    let full = Signal::derive(move || amounts(slot).len() >= MOST);
    let typed = Typed::new(slot.field.name, slot.id(), [tr("金额(元)", "Yuan")]);
    chips(typed, labels, full, 100_000, remove, add)
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
