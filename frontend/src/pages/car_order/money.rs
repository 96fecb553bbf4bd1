//! Where an order's money is: what was paid, what went back, and the lines of the ledger behind it.

use leptos::prelude::*;
use serde_json::Value;
use shared::describe::{As, Cell, Fact};
use shared::fixed::Fen;
use shared::invoice::Invoices;
use shared::payment::{Payments, Refunds};
use shared::text::{Text, t};

use crate::kit::cell::{nothing, plain_table};
use crate::kit::crud::{Source, browse, excerpt};
use crate::kit::facts::items;
use crate::kit::fetched::unreadable;
use crate::lang::tr;

/// What was paid.
pub fn payments(answer: &Value) -> AnyView {
    let columns = ["payment_no", "channel", "amount", "refunded", "state", "id", "paid_at"];
    listed(browse::<Payments>(), items(answer, "payments"), &columns)
}

/// What went back or is on its way.
pub fn refunds(answer: &Value) -> AnyView {
    let columns = ["refund_no", "kind", "amount", "state", "reason", "requested_by", "id", "finished_at"];
    listed(browse::<Refunds>(), items(answer, "refunds"), &columns)
}

/// What was invoiced.
pub fn invoices(answer: &Value) -> AnyView {
    let columns = ["invoice_no", "state", "title", "gross", "number", "requested_by", "id", "finished_at"];
    listed(browse::<Invoices>(), items(answer, "invoices"), &columns)
}

/// Rows of a resource, with some of its columns.
pub fn listed(source: Source, rows: &[Value], columns: &[&str]) -> AnyView {
    match source.entries(rows) {
        Ok(rows) => excerpt(source, &rows, columns),
        Err(reason) => unreadable(reason),
    }
}

const POSTED: Fact = Fact::new("created_at", t("时间", "Posted"), As::Time);
const HEADS: [Text; 5] = [
    POSTED.label,
    t("业务", "What for"),
    t("科目", "Account"),
    t("借(元)", "Debit (yuan)"),
    t("贷(元)", "Credit (yuan)"),
];

/// The lines of the ledger.
pub fn ledger(answer: &Value) -> AnyView {
    let lines = items(answer, "ledger");
    if lines.is_empty() {
        return nothing(tr("暂无记录", "Nothing here yet"));
    }
    plain_table(&HEADS, &lines.iter().map(line).collect::<Vec<_>>(), &[])
}

fn line(it: &Value) -> Vec<Cell> {
    let text = |name: &str| it.get(name).and_then(Value::as_str).unwrap_or_default();
    let amount = it.get("amount_fen").and_then(Value::as_i64).unwrap_or_default();
    let (debit, credit) = match amount.checked_neg() {
        Some(credit) if amount < 0 => (Cell::Empty, Cell::Fen(Fen(credit))),
        _ => (Cell::Fen(Fen(amount)), Cell::Empty),
    };
    let (kind, account) = (text("kind"), text("account"));
    let sort = account.split(':').next().unwrap_or_default();
    vec![POSTED.cell(it), named(posting(kind), kind), named(account_name(sort), account), debit, credit]
}

fn named(known: Option<Text>, raw: &str) -> Cell {
    known.map_or_else(|| Cell::text(raw), |it| Cell::words(|lang| it.get(lang).to_owned()))
}

fn posting(kind: &str) -> Option<Text> {
    Some(match kind {
        "pay" => t("支付", "Payment"),
        "settle" => t("结算", "Settlement"),
        "refund_due" => t("应退款", "Refund due"),
        "refund_ok" => t("退款成功", "Refund made"),
        "refund_undo" => t("退款撤回", "Refund undone"),
        _ => return None,
    })
}

fn account_name(kind: &str) -> Option<Text> {
    Some(match kind {
        "clearing" => t("支付渠道", "Payment channel"),
        "prepaid" => t("订单预付款", "Prepayment"),
        "refund_due" => t("待退款", "Refund due"),
        "rev_elec" => t("电费收入", "Energy income"),
        "rev_service" => t("服务费收入", "Service income"),
        "writeoff_overrun" => t("超额核销", "Overrun written off"),
        "suspense" => t("挂账", "Suspense"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::text::Lang;

    use super::*;
    use crate::kit::facts::tests::undocumented;

    fn plain(account: &str, kind: &str, fen: i64) -> Vec<String> {
        let it = json!({"created_at": "2026-11-25T21:46:25Z", "kind": kind, "account": account, "amount_fen": fen});
        line(&it).iter().map(|it| it.plain(Lang::Zh)).collect()
    }

    #[test]
    fn the_ledger_is_worded() {
        assert_eq!(plain("prepaid:C1", "pay", -5000), ["2026-11-26 05:46:25", "支付", "订单预付款", "", "50.00"]);
        assert_eq!(plain("clearing:sandbox:M1", "pay", 5000), ["2026-11-26 05:46:25", "支付", "支付渠道", "50.00", ""]);
        assert_eq!(plain("new:1", "new", 1)[1..3], ["new", "new:1"]);
        let read = [("kind", As::Text), ("account", As::Text), ("amount_fen", As::Fen)];
        let read = read.map(|(name, shown)| Fact::new(name, t("", ""), shown));
        assert!(undocumented("LedgerLine", &[&read[..], &[POSTED]].concat()).is_empty());
    }
}
