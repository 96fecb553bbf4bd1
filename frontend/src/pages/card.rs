//! Electric cards: the control of a product's promotion, and what moved on a card.

use leptos::prelude::*;
use serde_json::{Value, json};
use shared::codes::Code;
use shared::describe::{As, Fact};
use shared::fixed::Fen;
use shared::member::card::CardMovementKind;
use shared::member::card_product::{MOST_FEN, MOST_TIERS};
use shared::text::{Lang, t};

use crate::kit::chips::List;
use crate::kit::crud::records;
use crate::kit::facts::table;
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

/// What is given on top of recharges, by how much is recharged.
pub static TIERS: List = List {
    hints: &[t("充值满(元)", "From (yuan)"), t("赠送(元)", "On top (yuan)")],
    most_fen: MOST_FEN,
    most: MOST_TIERS,
    label: said,
    add: added,
};

fn fen(tier: &Value, name: &str) -> i64 {
    tier.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// Puts a tier in its place, or in that of the one which begins where it does.
fn added(mut tiers: Vec<Value>, amounts: &[i64]) -> Vec<Value> {
    let [min, bonus] = *amounts else { return tiers };
    let new = json!({"min_fen": min, "bonus_fen": bonus});
    let place = tiers.iter().take_while(|it| fen(it, "min_fen") < min).count();
    match tiers.get_mut(place) {
        Some(same) if fen(same, "min_fen") == min => *same = new,
        _ => tiers.insert(place, new),
    }
    tiers
}

fn said(tier: &Value) -> String {
    let (min, bonus) = (Fen(fen(tier, "min_fen")).yuan(), Fen(fen(tier, "bonus_fen")).yuan());
    match lang() {
        Lang::Zh => format!("满 {min} 送 {bonus}"),
        Lang::En => format!("{bonus} on top of {min}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::facts::tests::undocumented;

    #[test]
    fn tiers_rise_and_one_begins_at_an_amount() {
        let tiers = |of: &[(i64, i64)]| of.iter().map(|it| json!({"min_fen": it.0, "bonus_fen": it.1})).collect();
        let put = |of, min, bonus| -> Vec<Value> { added(tiers(of), &[min, bonus]) };
        let expect = |of| -> Vec<Value> { tiers(of) };
        assert_eq!(put(&[(100, 5), (300, 20)], 200, 12), expect(&[(100, 5), (200, 12), (300, 20)]));
        assert_eq!(put(&[(100, 5), (300, 20)], 300, 25), expect(&[(100, 5), (300, 25)]));
        assert_eq!(put(&[(100, 5)], 300, 25), expect(&[(100, 5), (300, 25)]));
        assert_eq!(put(&[], 1, 1), expect(&[(1, 1)]));
    }

    #[test]
    fn what_moved_is_documented() {
        assert!(undocumented("CardMovement", MOVED).is_empty());
    }
}
