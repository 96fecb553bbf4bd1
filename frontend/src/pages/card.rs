//! Electric cards: the control of a product's promotion, and what moved on a card.

use leptos::prelude::*;
use serde_json::{Value, json};
use shared::codes::Code;
use shared::describe::{As, Fact};
use shared::fixed::Fen;
use shared::member::card::CardMovementKind;
use shared::member::card_product::{MOST_FEN, MOST_TIERS};
use shared::text::{Lang, t};

use crate::kit::chips::{Typed, chips};
use crate::kit::crud::records;
use crate::kit::facts::table;
use crate::kit::form::Slot;
use crate::kit::query::Query;
use crate::lang::{lang, tr};

/// What changed what is on a card.
const MOVED: &[Fact] = &[
    Fact::new("created_at", t("时间", "Time"), As::Time),
    Fact::new("kind", t("类型", "What"), As::Code(CardMovementKind::CHOICES)),
    Fact::new("principal_fen", t("本金(元)", "Paid for (yuan)"), As::Fen),
    Fact::new("bonus_fen", t("赠送(元)", "On top (yuan)"), As::Fen),
];

/// What moved on a card, below its detail.
pub fn movements(answer: &Value) -> AnyView {
    let id = answer.get("id").and_then(Value::as_str).unwrap_or_default();
    let show = |rows: &[Value]| Ok(table(MOVED, rows));
    let address = format!("members/cards/{id}/movements");
    view! {
        <h3 class="detail-title">{tr("充值及消费明细", "What moved on it")}</h3>
        {records(address, Memo::new(|_| Query::default()), &[], Box::new(show))}
    }
    .into_any()
}

/// A tier: from which recharge on, and what is given on top.
type Tier = (i64, i64);

fn tiers(slot: Slot) -> Vec<Tier> {
    let items = slot.form.with(|it| it.get(slot.field.name).and_then(Value::as_array).cloned()).unwrap_or_default();
    let fen = |it: &Value, name: &str| it.get(name).and_then(Value::as_i64).unwrap_or_default();
    items.iter().map(|it| (fen(it, "min_fen"), fen(it, "bonus_fen"))).collect()
}

/// Puts a tier in its place, or in that of the one which begins where it does.
fn added(mut tiers: Vec<Tier>, new: Tier) -> Vec<Tier> {
    let place = tiers.iter().take_while(|it| it.0 < new.0).count();
    match tiers.get_mut(place) {
        Some(same) if same.0 == new.0 => *same = new,
        _ => tiers.insert(place, new),
    }
    tiers
}

fn said((min, bonus): Tier) -> String {
    let (min, bonus) = (Fen(min).yuan(), Fen(bonus).yuan());
    match lang() {
        Lang::Zh => format!("满 {min} 送 {bonus}"),
        Lang::En => format!("{bonus} on top of {min}"),
    }
}

/// The control of what is given on top of recharges.
pub fn tiers_input(slot: Slot) -> AnyView {
    let put = move |tiers: Vec<Tier>| {
        let tier = |(min, bonus): Tier| json!({"min_fen": min, "bonus_fen": bonus});
        slot.put(Value::Array(tiers.into_iter().map(tier).collect()));
    };
    let remove = Callback::new(move |place| {
        let mut left = untrack(|| tiers(slot));
        left.remove(place);
        put(left);
    });
    let add = Callback::new(move |new: Vec<i64>| {
        if let [min, bonus] = new[..] {
            put(added(untrack(|| tiers(slot)), (min, bonus)));
        }
    });
    let labels = Signal::derive(move || tiers(slot).into_iter().map(said).collect::<Vec<_>>());
    let full = Signal::derive(move || tiers(slot).len() >= MOST_TIERS);
    let hints = [tr("充值满(元)", "From (yuan)"), tr("赠送(元)", "On top (yuan)")];
    chips(Typed::new(slot.field.name, slot.id(), hints), labels, full, MOST_FEN, remove, add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::facts::tests::undocumented;

    #[test]
    fn tiers_rise_and_one_begins_at_an_amount() {
        assert_eq!(added(vec![(100, 5), (300, 20)], (200, 12)), [(100, 5), (200, 12), (300, 20)]);
        assert_eq!(added(vec![(100, 5), (300, 20)], (300, 25)), [(100, 5), (300, 25)]);
        assert_eq!(added(vec![(100, 5)], (300, 25)), [(100, 5), (300, 25)]);
        assert_eq!(added(vec![], (1, 1)), [(1, 1)]);
    }

    #[test]
    fn what_moved_is_documented() {
        assert!(undocumented("CardMovement", MOVED).is_empty());
    }
}
