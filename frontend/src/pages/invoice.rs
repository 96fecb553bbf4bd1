//! What an invoice says, and which orders it is about.

use leptos::prelude::*;
use serde_json::Value;
use shared::amount::{scaled, unscaled};
use shared::codes::Code;
use shared::describe::{As, Fact};
use shared::pricing::InvoiceLineKind;
use shared::text::{Lang, t};

use super::payment::section;
use crate::kit::facts::{items, table};
use crate::lang::tr;

/// A line of an invoice.
const LINES: &[Fact] = &[
    Fact::new("line", t("项目", "For"), As::Code(InvoiceLineKind::CHOICES)),
    Fact::new("net_fen", t("不含税(元)", "Net (yuan)"), As::Fen),
    Fact::new("rate", t("税率", "Rate"), As::Words(percent)),
    Fact::new("tax_fen", t("税额(元)", "Tax (yuan)"), As::Fen),
    Fact::new("gross_fen", t("价税合计(元)", "Gross (yuan)"), As::Fen),
];
/// An order that it is about.
const ORDERS: &[Fact] = &[
    Fact::new("order_no", t("订单编号", "Order"), As::Link("orders/car", "order_id")),
    Fact::new("gross_fen", t("开票金额(元)", "Invoiced (yuan)"), As::Fen),
];

/// A rate as people say it: `0.1300` is 13%.
fn percent(rate: &str, _: Lang) -> String {
    scaled(rate, 4).map_or_else(|| rate.to_owned(), |it| format!("{}%", unscaled(it, 2)))
}

/// Below an invoice's detail.
pub fn more(answer: &Value) -> AnyView {
    view! {
        {section(tr("发票明细", "Lines"), table(LINES, items(answer, "lines")))}
        {section(tr("充电订单", "Orders"), table(ORDERS, items(answer, "orders")))}
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::facts::tests::undocumented;

    #[test]
    fn rates_are_told_in_percent() {
        assert_eq!(
            ["0.1300", "0.0100", "0.0000", "0.0150"].map(|it| percent(it, Lang::Zh)),
            ["13%", "1%", "0%", "1.5%"]
        );
    }

    #[test]
    fn what_is_told_is_documented() {
        assert!(undocumented("InvoiceLine", LINES).is_empty());
        assert!(undocumented("InvoicedOrder", ORDERS).is_empty());
    }
}
