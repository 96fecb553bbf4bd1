//! The page of a car order: the money at a glance, how the charge went, what it cost and why, and where the money is.

mod bill;
mod curve;
mod money;
mod timeline;

use leptos::prelude::*;
use serde_json::Value;
use shared::describe::{As, Cell, Fact};
use shared::pricing::Tariff;
use shared::text::{Text, t};
use uuid::Uuid;

pub use self::money::{listed, refunds};
use super::tariff::prices;
use crate::kit::cell::{cell, descriptions, figure};
use crate::kit::crud::{Subject, card, head, one};
use crate::kit::fetched::unreadable;
use crate::lang::{say, tr};
use crate::run::live;
use crate::{answer, events, session};

const DURATION: Fact = Fact::new("charge_seconds", t("充电时长", "Duration"), As::Duration);
/// What is known of an order besides the columns of the list.
const MORE: &[Fact] = &[
    Fact::new("reservation_no", t("预约订单", "Reservation"), As::Link("orders/reservations", "reservation_id")),
    Fact::new("plate", t("车牌号码", "Plate"), As::Text),
    Fact::new("tariff_name", t("计费规则", "Tariff"), As::Text),
    Fact::new("charged_fen", t("实收(元)", "Kept (yuan)"), As::Fen),
    Fact::new("overrun_fen", t("超出预付(元)", "Beyond the prepayment (yuan)"), As::Fen),
    Fact::new("settled_at", t("结算时间", "Settled"), As::Time),
    Fact::new("last_report_at", t("最近上报", "Last report"), As::Time),
    Fact::new("transaction_id", t("设备交易号", "Transaction"), As::Number),
    Fact::new("voltage_mv", t("电压(V)", "Voltage (V)"), As::Thousandths),
    Fact::new("current_ma", t("电流(A)", "Current (A)"), As::Thousandths),
];

/// The page.
pub fn page(id: Uuid) -> AnyView {
    one(super::CAR_ORDERS, id, body)
}

fn body(it: Subject) -> AnyView {
    // Its money has a life of its own.
    it.fetched.refresh_on(events::changed_of(&["payment", "refund"], it.fetched.text));
    let condition = view! { <span class="cell-tags" data-test="state">{live(move || cell(&it.cell("state")))}</span> };
    let column = |label, key| figure(label, move || it.cell(key));
    view! {
        <section class="el-card is-never-shadow body">
            {head(it, condition.into_any())}
            {live(move || flags(&it.cell("flags")))}
            <dl class="figures">
                {column(t("费用(元)", "Fee (yuan)"), "total")}
                {column(t("预付(元)", "Prepaid (yuan)"), "prepaid")}
                {column(t("已退(元)", "Refunded (yuan)"), "refunded")}
                {column(t("电量(kWh)", "Energy (kWh)"), "kwh")}
                {figure(DURATION.label, move || it.answer.with(|it| DURATION.cell(it)))}
                {figure(t("充电功率(kW)", "Power (kW)"), move || power(it))}
                {column(t("SOC(%)", "SoC (%)"), "soc")}
            </dl>
        </section>
        <div class="one-columns is-even">
            {card(tr("充电曲线", "Curve"), curve::curve(it.answer))}
            {card(tr("订单进程", "What happened"), it.made(timeline::timeline))}
        </div>
        {card(tr("订单信息", "Order"), view! { <div class="descriptions-three">{known(it)}</div> }.into_any())}
        {card(tr("计费明细", "Bill"), it.made(bill::bill))}
        {card(tr("计费规则", "Prices agreed at the start"), it.made(agreed))}
        {card(tr("支付明细", "Payments"), it.made(money::payments))}
        {card(tr("退费明细", "Refunds"), it.made(refunds))}
        {card(tr("开票明细", "Invoices"), it.made(money::invoices))}
        {card(tr("资金流水", "Ledger"), it.made(money::ledger))}
    }
    .into_any()
}

/// The power now, and on average once it is over.
fn power(it: Subject) -> Cell {
    let now = it.cell("power");
    if now == Cell::Empty { it.cell("avg_power") } else { now }
}

/// What somebody may have to look at.
fn flags(flags: &Cell) -> AnyView {
    if *flags == Cell::Empty {
        return ().into_any();
    }
    view! {
        <div class="el-alert el-alert--warning is-light one-alert" role="alert" data-test="flags">
            <span>{tr("请核实：", "Please look at: ")}</span>{cell(flags)}
        </div>
    }
    .into_any()
}

/// What is known of the order, besides what stands in the head.
fn known(it: Subject) -> AnyView {
    let more =
        |label: Text, read: fn(&Value) -> Cell| (say(label).to_owned(), live(move || cell(&it.answer.with(read))));
    let fact =
        |fact: &'static Fact| (say(fact.label).to_owned(), live(move || cell(&it.answer.with(|it| fact.cell(it)))));
    let mut items = it.items(&["station", "area"]);
    items.push(more(t("电桩编号", "Charger"), charger));
    items.extend(it.items(&["serial_no", "connector", "phone", "kind", "start_method", "card_no", "elec", "service"]));
    items.extend(it.items(&["avg_power", "peak_power"]));
    items.extend(MORE.iter().map(fact));
    items.extend(it.items(&["id", "started_at", "ended_at", "end_reason", "end_note"]));
    descriptions(items)
}

/// The charger, with the way there for those who may see it.
fn charger(answer: &Value) -> Cell {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if session::may("car.charger.view") {
        Cell::Link { text: text("charger_code"), to: format!("/car/chargers/{}", text("charger_id")) }
    } else {
        Cell::text(text("charger_code"))
    }
}

/// The tariff that the order is priced by, whatever has become of it since.
fn agreed(answer: &Value) -> AnyView {
    let tariff: Tariff = match answer::part(answer.get("tariff").unwrap_or(&Value::Null)) {
        Ok(tariff) => tariff,
        Err(reason) => return unreadable(reason),
    };
    let print = answer.get("tariff_hash").and_then(Value::as_str).unwrap_or_default();
    view! {
        {prices(&tariff)}
        <p class="form-help">
            {tr(
                "下单时约定的计费规则，之后的修改不影响本订单。规则指纹：",
                "Agreed when the order was made; later changes do not touch it. Fingerprint: ",
            )}
            <code>{print.chars().take(12).collect::<String>()}</code>
        </p>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kit::facts::tests::undocumented;

    /// An order of ten minutes as the server tells it, with what the parts of the page need.
    pub(super) fn order() -> Value {
        json!({
            "bill": {"elec_fen": 340, "service_fen": 200, "total_fen": 540, "kwh_total": "5.0000", "meter_anomalies": 0,
                "lines": [{"period": "uniform", "kwh": "5.0000", "elec_fen": 340, "service_fen": 200}]},
            "segments": [{"from": "2026-11-25T21:46:23Z", "to": "2026-11-25T21:56:23Z", "period": "uniform", "kwh": "5.0000",
                "elec_price": "0.68000", "service_price": "0.40000", "elec_fen": 340, "service_fen": 200}],
            "timeline": [{"kind": "created", "from_state": null, "to_state": "created", "actor": "driver", "detail": null,
                "created_at": "2026-11-25T21:46:20Z"},
                {"kind": "ended", "from_state": "charging", "to_state": "completed", "actor": "charger",
                "detail": {"reason": "full", "words": "EVDisconnected", "kwh": "5.1000"}, "created_at": "2026-11-25T21:56:23Z"}],
            "curve": [
                {"at": "2026-11-25T21:46:23Z", "wh": 1000, "power_w": null, "current_ma": null, "voltage_mv": null, "soc": 20},
                {"at": "2026-11-25T21:56:23Z", "wh": 6000, "power_w": 30_000, "current_ma": 75_500, "voltage_mv": 400_000, "soc": 31}],
        })
    }

    #[test]
    fn what_is_told_is_documented() {
        assert!(undocumented("CarOrderDetail", MORE).is_empty());
        assert!(undocumented("CarOrderDetail", &[DURATION]).is_empty());
    }
}
