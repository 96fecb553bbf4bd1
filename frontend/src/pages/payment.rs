//! What the details of payments and refunds show below their columns.

use leptos::prelude::*;
use serde_json::Value;
use shared::describe::{As, Fact};
use shared::text::t;

use super::car_order::refunds;
use crate::kit::facts::facts;
use crate::lang::tr;

/// What was charged for a payment.
const CHARGE: &[Fact] = &[
    Fact::new("area_name", t("区域", "Area"), As::Text),
    Fact::new("charger_name", t("电桩名称", "Charger"), As::Text),
    Fact::new("charger_code", t("电桩编号", "Charger's code"), As::Text),
    Fact::new("connector_code", t("电枪编号", "Connector"), As::Text),
    Fact::new("charge_seconds", t("充电时长", "Duration"), As::Duration),
    Fact::new("expires_at", t("支付截止", "To be paid until"), As::Time),
];
/// Which part of the fee a refund lowers, and when it was sent.
const REFUND: &[Fact] = &[
    Fact::new("area_name", t("区域", "Area"), As::Text),
    Fact::new("sent_at", t("提交渠道时间", "Sent to the channel"), As::Time),
    Fact::new("elec_fen", t("其中电费(元)", "Of the energy fee (yuan)"), As::Fen),
    Fact::new("service_fen", t("其中服务费(元)", "Of the service fee (yuan)"), As::Fen),
];

/// Of a payment: what was charged for it, and what went back.
pub fn payment(answer: &Value) -> AnyView {
    view! {
        {section(tr("充电信息", "The charge"), facts(CHARGE, answer))}
        {section(tr("退费明细", "Refunds"), refunds(answer))}
    }
    .into_any()
}

/// Of a refund: where it comes from.
pub fn refund(answer: &Value) -> AnyView {
    section(tr("更多信息", "More"), facts(REFUND, answer))
}

/// A part of a detail under a heading of its own.
pub fn section(title: &'static str, content: AnyView) -> AnyView {
    view! { <h3 class="detail-title">{title}</h3>{content} }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::facts::tests::undocumented;

    #[test]
    fn what_is_told_is_documented() {
        assert!(undocumented("PaymentDetail", CHARGE).is_empty());
        assert!(undocumented("RefundDetail", REFUND).is_empty());
    }
}
