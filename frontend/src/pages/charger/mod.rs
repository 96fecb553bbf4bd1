//! The page of a charger: how it is, what it tells of itself, its connectors, and what is kept of it.

mod frames;
mod told;

use leptos::prelude::*;
use serde_json::Value;
use shared::codes::Code;
use shared::connector::CarConnectors;
use shared::describe::{As, Cell, Fact};
use shared::device::{CommandKind, CommandState, ConnectionReason, outcome_text};
use shared::text::{Text, t};
use uuid::Uuid;

use crate::kit::cell::{cell, figure};
use crate::kit::crud::{Source, Subject, browse, card, excerpt, head, history, one, records};
use crate::kit::facts::table;
use crate::kit::fetched::{fetched, part};
use crate::kit::query::Query;
use crate::kit::tabs::{Tab, tabs};
use crate::lang::tr;
use crate::run::live;
use crate::{events, session};

/// Who and where it is.
const PLACE: &[&str] = &[
    "code",
    "serial_no",
    "name",
    "station",
    "area",
    "nature",
    "model",
    "device_version",
    "sim",
    "communication",
    "id",
    "updated_at",
];
/// What it can do.
const POWER: &[&str] = &[
    "output_power",
    "current_type",
    "output_voltage",
    "output_current",
    "interface",
    "speed",
    "mounting",
    "protection",
    "occupancy_fee",
    "reservable",
];

/// A command and what became of it.
const COMMANDS: &[Fact] = &[
    Fact::new("kind", t("指令", "Command"), As::Code(CommandKind::CHOICES)),
    Fact::new("state", t("状态", "State"), As::Code(CommandState::CHOICES)),
    Fact::new("outcome", t("执行结果", "Outcome"), As::Words(outcome_text)),
    Fact::new("requested_by", t("操作者", "By"), As::Actor),
    Fact::new("created_at", t("下发时间", "Asked"), As::Time),
    Fact::new("finished_at", t("完成时间", "Ended"), As::Time),
];
/// It came or went.
const CONNECTIONS: &[Fact] = &[
    Fact::new("created_at", t("时间", "Time"), As::Time),
    Fact::new("online", t("在线", "Online"), As::Flag),
    Fact::new("reason", t("原因", "Reason"), As::Code(ConnectionReason::CHOICES)),
    Fact::new("remote_address", t("接入地址", "Address"), As::Text),
];

/// The page.
pub fn page(id: Uuid) -> AnyView {
    one(super::CHARGERS, id, body)
}

fn body(it: Subject) -> AnyView {
    let tag = |key| live(move || cell(&it.cell(key)));
    let condition = view! {
        <span class="cell-tags" data-test="state">{tag("condition")}{tag("enabled")}{tag("access")}</span>
        <span class="one-note">{tr("最近通信 ", "Last heard of ")}{tag("last_seen_at")}</span>
    };
    view! {
        <section class="el-card is-never-shadow body">
            {head(it, condition.into_any())}
            {it.made(told::faults)}
            <dl class="figures">
                {count(it, t("空闲枪", "Free"), "available")}
                {count(it, t("充电中", "Charging"), "charging")}
                {count(it, t("已插枪", "Plugged in"), "plugged")}
                {count(it, t("故障", "Broken"), "faulted")}
                {count(it, t("枪总数", "Connectors"), "total")}
            </dl>
        </section>
        {session::may("car.connector.view").then(|| card(tr("充电枪", "Connectors"), connectors(it)))}
        <div class="one-columns">
            <div>
                {card(tr("基本信息", "Charger"), it.facts(PLACE))}
                {card(tr("电气与安装", "Power and mounting"), it.facts(POWER))}
            </div>
            {card(tr("设备上报信息", "What the device tells of itself"), it.made(told::device))}
        </div>
        <section class="el-card is-never-shadow body">{logs(it)}</section>
    }
    .into_any()
}

/// How many of its connectors are doing something.
fn count(it: Subject, label: Text, name: &'static str) -> AnyView {
    figure(label, move || {
        let count = it.answer.with(|it| it.get("connectors")?.get(name)?.as_i64());
        count.map_or(Cell::Empty, Cell::number)
    })
}

/// Its connectors with what they are doing.
fn connectors(it: Subject) -> AnyView {
    const SOURCE: Source = browse::<CarConnectors>();
    let query = Query::default().with("charger_id", &it.id.to_string()).with("size", "200").with("sort", "code");
    let read = fetched(move || Some(query.after(SOURCE.path)));
    read.refresh_on(it.desk.changed);
    read.refresh_on(events::changed_of(&["connector", "charger"], read.text));
    let show = |text: &str| {
        let page = SOURCE.page(text)?;
        Ok(excerpt(SOURCE, &page.items, &["code", "name", "status", "status_at", "order", "faults", "enabled"]))
    };
    part(read, show)
}

/// What is kept of it.
fn logs(it: Subject) -> AnyView {
    let (id, desk) = (it.id, it.desk);
    let below = move |rest: &str| format!("{}/{id}/{rest}", desk.source.path);
    let all = || Memo::new(|_| Query::default());
    let commands = move || {
        let show = |rows: &[Value]| Ok(table(COMMANDS, rows));
        records(below("commands"), all(), &[desk.changed, events::changed(&["command"])], Box::new(show))
    };
    let connections = move || {
        let show = |rows: &[Value]| Ok(table(CONNECTIONS, rows));
        records(below("connections"), all(), &[events::changed_of(&["charger"], it.fetched.text)], Box::new(show))
    };
    let mut parts = vec![Tab::new("commands", tr("指令记录", "Commands"), commands)];
    if desk.may("frames") {
        parts.push(Tab::new("frames", tr("报文记录", "Messages"), move || frames::frames(below("frames"))));
    }
    parts.push(Tab::new("connections", tr("上下线记录", "Connections"), connections));
    parts.push(Tab::new("history", tr("变更记录", "Changes"), move || history(desk, id)));
    tabs(tr("电桩记录", "What is kept of the charger"), parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::facts::tests::undocumented;

    #[test]
    fn what_is_kept_is_documented() {
        assert!(undocumented("DeviceCommandRow", COMMANDS).is_empty());
        assert!(undocumented("ConnectionRecordRow", CONNECTIONS).is_empty());
    }

    #[test]
    fn every_column_has_its_place_on_the_page() {
        // The head tells how it is.
        let head = &["condition", "enabled", "access", "connectors", "last_seen_at"][..];
        let shown: Vec<&str> = [PLACE, POWER, head].concat();
        let mut columns: Vec<&str> = crate::pages::CHARGERS.columns.iter().map(|it| it.key).collect();
        columns.retain(|it| !shown.contains(it));
        assert!(columns.is_empty(), "{columns:?}");
        let connectors: Vec<&str> = browse::<CarConnectors>().columns.iter().map(|it| it.key).collect();
        assert!(["status", "order", "faults"].iter().all(|it| connectors.contains(it)));
    }
}
