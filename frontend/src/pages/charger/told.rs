//! What a charger tells of itself, and what is broken.

use leptos::prelude::*;
use serde_json::Value;
use shared::codes::Code;
use shared::describe::{As, Cell, Fact};
use shared::device::ConnectorStatus;
use shared::fault::FaultNote;
use shared::text::{Lang, t};

use crate::answer;
use crate::kit::cell::plain_table;
use crate::kit::facts::{facts, items};
use crate::lang::{lang, tr};

/// What the device tells.
const TOLD: &[Fact] = &[
    Fact::new("device/vendor", t("厂商", "Vendor"), As::Text),
    Fact::new("device/model", t("型号", "Model"), As::Text),
    Fact::new("device/firmware", t("固件版本", "Firmware"), As::Text),
    Fact::new("device/serial_no", t("设备序列号", "Serial number"), As::Text),
    Fact::new("device/iccid", t("SIM 卡 ICCID", "ICCID"), As::Text),
    Fact::new("device/remote_address", t("接入地址", "Address"), As::Text),
    Fact::new("device/connected_at", t("连接时间", "Connected"), As::Time),
    Fact::new("device/booted_at", t("启动时间", "Started"), As::Time),
    Fact::new("device/status", t("整桩状态", "Status"), As::Code(ConnectorStatus::CHOICES)),
    Fact::new("device/status_at", t("状态时间", "Since"), As::Time),
    Fact::new(
        "device/relative_meter_since",
        t("电量按单次充电计数（自）", "Meter values count per charge, since"),
        As::Time,
    ),
];

/// What is broken, in words; nothing where nothing is.
pub fn faults(answer: &Value) -> AnyView {
    let faults: Vec<FaultNote> = items(answer, "faults").iter().filter_map(|it| answer::part(it).ok()).collect();
    let line =
        |it: &FaultNote| view! { <li><b>{place(it.connector)}</b>" "{it.text(lang()).to_owned()}</li> }.into_any();
    if faults.is_empty() {
        return ().into_any();
    }
    view! {
        <div class="el-alert el-alert--error is-light one-alert" role="alert" data-test="faults">
            <ul>{faults.iter().map(line).collect_view()}</ul>
        </div>
    }
    .into_any()
}

fn place(connector: i32) -> String {
    match (connector, lang()) {
        (0, Lang::Zh) => "整桩：".to_owned(),
        (0, Lang::En) => "Charger:".to_owned(),
        (number, Lang::Zh) => format!("{number} 号枪："),
        (number, Lang::En) => format!("Connector {number}:"),
    }
}

/// What the device told, as facts; its settings behind a fold.
pub fn device(answer: &Value) -> AnyView {
    view! {
        <div class="descriptions-single">{facts(TOLD, answer)}</div>
        {answer.pointer("/device/configuration/keys").and_then(settings)}
    }
    .into_any()
}

/// The settings of the device, as it told them: names with values.
fn settings(keys: &Value) -> Option<AnyView> {
    let keys = keys.as_object().filter(|it| !it.is_empty())?;
    let text = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    let line = |(name, it): (&String, &Value)| {
        let value = it.get("value").filter(|it| !it.is_null()).map(text).unwrap_or_default();
        let readonly = it.get("readonly").and_then(Value::as_bool).unwrap_or_default();
        vec![Cell::text(name), Cell::text(value), if readonly { Cell::flag(true) } else { Cell::Empty }]
    };
    let lines: Vec<Vec<Cell>> = keys.iter().map(line).collect();
    let heads = [t("配置项", "Setting"), t("值", "Value"), t("只读", "Read-only")];
    Some(
        view! {
            <details class="fold-part">
                <summary>{tr("设备配置", "Settings of the device")}" ("{lines.len()}")"</summary>
                {plain_table(&heads, &lines, &[])}
            </details>
        }
        .into_any(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::facts::tests::undocumented;

    #[test]
    fn the_device_tells_what_the_document_says() {
        assert!(undocumented("CarChargerDetail", TOLD).is_empty());
    }
}
