//! The bill of an order, explained stretch by stretch, and whether it is the one that was settled.

use leptos::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use shared::describe::Cell;
use shared::fixed::{Fen, Kwh};
use shared::pricing::Segment;
use shared::text::{Text, t};
use shared::time::{clock_text, day_text, local_text};

use crate::answer;
use crate::kit::cell::{nothing, plain_table};
use crate::kit::fetched::unreadable;
use crate::kit::icon::{CIRCLE_CHECK, CIRCLE_X, CLOCK, icon};
use crate::lang::tr;

const HEADS: [Text; 8] = [
    t("时段", "Period"),
    t("起止时间", "From – to"),
    t("电量(kWh)", "Energy (kWh)"),
    t("电费单价(元/kWh)", "Energy (yuan/kWh)"),
    t("服务费单价(元/kWh)", "Service (yuan/kWh)"),
    t("电费(元)", "Energy fee (yuan)"),
    t("服务费(元)", "Service fee (yuan)"),
    t("合计(元)", "Both (yuan)"),
];

/// What the bill comes to.
#[derive(Deserialize)]
struct Total {
    elec_fen: Fen,
    service_fen: Fen,
    total_fen: Fen,
    kwh_total: Kwh,
}

/// Draws it.
pub fn bill(answer: &Value) -> AnyView {
    let of = |name: &str| answer.get(name).unwrap_or(&Value::Null);
    let (bill, segments) =
        match (answer::part::<Option<Total>>(of("bill")), answer::part::<Vec<Segment>>(of("segments"))) {
            (Ok(Some(bill)), Ok(segments)) => (bill, segments),
            (Ok(None), _) => return nothing(tr("还没有可计费的电表读数", "No meter readings to bill yet")),
            (Err(reason), _) | (_, Err(reason)) => return unreadable(reason),
        };
    let lines: Vec<Vec<Cell>> = segments.iter().map(line).collect();
    let foot = [
        Cell::words(|lang| t("合计", "Total").get(lang).to_owned()),
        Cell::Text(String::new()),
        Cell::number(bill.kwh_total),
        Cell::Text(String::new()),
        Cell::Text(String::new()),
        Cell::Fen(bill.elec_fen),
        Cell::Fen(bill.service_fen),
        Cell::Fen(bill.total_fen),
    ];
    view! {
        {plain_table(&HEADS, &lines, &foot)}
        {proof(of("proved").as_bool())}
    }
    .into_any()
}

fn line(it: &Segment) -> Vec<Cell> {
    // On the day it began, the time says enough.
    let to = if day_text(it.from) == day_text(it.to) { clock_text(it.to) } else { local_text(it.to) };
    vec![
        Cell::code(it.period),
        Cell::text(format!("{} – {to}", local_text(it.from))),
        Cell::number(it.kwh),
        Cell::number(it.elec_price),
        Cell::number(it.service_price),
        Cell::Fen(it.elec_fen),
        Cell::Fen(it.service_fen),
        it.elec_fen.plus(it.service_fen).map_or(Cell::Empty, Cell::Fen),
    ]
}

/// Whether the bill above is what was settled.
fn proof(proved: Option<bool>) -> AnyView {
    let (face, class, text) = match proved {
        Some(true) => (
            CIRCLE_CHECK,
            "proof is-proved",
            tr(
                "核对一致：按电表读数和下单时的计费规则重新计算，结果与结算金额相同。",
                "Proved: computed anew from the readings and the agreed prices, the bill is what was settled.",
            ),
        ),
        Some(false) => (
            CIRCLE_X,
            "proof is-wrong",
            tr(
                "核对不一致：重新计算的结果与结算金额不同，请联系平台核实。",
                "Not proved: computed anew, the bill differs from what was settled. Please have it looked at.",
            ),
        ),
        None => (
            CLOCK,
            "proof",
            tr(
                "按目前的电表读数计算，以结算结果为准。",
                "Computed from the readings so far; what counts is the settlement.",
            ),
        ),
    };
    view! { <p class=class data-test="proof">{icon(face)}<span>{text}</span></p> }.into_any()
}

#[cfg(test)]
mod tests {
    use shared::text::Lang;

    use super::*;

    #[test]
    fn a_stretch_says_when_how_much_and_at_what_price() {
        let segments: Vec<Segment> = answer::part(&super::super::tests::order()["segments"]).unwrap();
        let plain = |it: &[Cell]| it.iter().map(|it| it.plain(Lang::Zh)).collect::<Vec<_>>();
        let first = segments.first().copied().unwrap();
        let expected =
            ["统一", "2026-11-26 05:46:23 – 05:56:23", "5.0000", "0.68000", "0.40000", "3.40", "2.00", "5.40"];
        assert_eq!(plain(&line(&first)), expected);
        let late = Segment {
            to: "2026-11-25T16:30:00Z".parse().unwrap(),
            from: "2026-11-25T15:30:00Z".parse().unwrap(),
            ..first
        };
        assert_eq!(plain(&line(&late))[1], "2026-11-25 23:30:00 – 2026-11-26 00:30:00");
    }
}
