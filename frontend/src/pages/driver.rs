//! What the detail of a driver shows below its columns: what they have spent, and what they charged last.

use leptos::prelude::*;
use serde_json::Value;
use shared::describe::{As, Fact};
use shared::text::t;

use super::car_order::listed;
use super::payment::section;
use crate::kit::facts::{facts, items};
use crate::lang::tr;

const SPENT: &[Fact] = &[Fact::new("charged_fen", t("累计消费(元)", "Spent in all (yuan)"), As::Fen)];

/// Draws it from the server's answer.
pub fn more(answer: &Value) -> AnyView {
    let columns = ["order_no", "state", "station", "kwh", "total", "id"];
    let latest = listed(super::CAR_ORDERS, items(answer, "latest"), &columns);
    view! {
        {section(tr("消费", "Spending"), facts(SPENT, answer))}
        {section(tr("最近订单", "Last orders"), latest)}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::facts::tests::undocumented;

    #[test]
    fn what_is_told_is_documented() {
        assert!(undocumented("DriverDetail", SPENT).is_empty());
    }
}
