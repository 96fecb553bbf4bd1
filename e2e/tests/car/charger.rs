//! 3.2.5: chargers, one of which is online.

use anyhow::{Result, ensure};
use e2e::{Browser, until, walk};
use shared::fixed::Fen;
use thirtyfour::By;

const STATION: &str = "江畔充电站";
const ONLINE: &str = "SN0001";

/// What the form of a charger asks for besides what it needs, and what its page tells of that.
const MORE: [(&str, &str, &str); 7] = [
    ("model", "设备型号", "YW-480"),
    ("device_version", "设备版本", "V2.1"),
    ("sim", "SIM 卡号", "89860000000000000001"),
    ("output_current_a", "输出电流(A)", "600"),
    ("output_voltage_v", "输出电压(V)", "1000"),
    ("protection", "防护等级", "IP54"),
    ("output_power_w", "输出功率(kW)", "480"),
];

/// Does something to the charger that is online, and sees on its page that it was done.
async fn command(it: &Browser, verb: &str, label: &str) -> Result<()> {
    it.page("car/chargers").await?;
    it.act(ONLINE, verb).await?;
    if verb == "reboot" {
        it.see_text(".el-dialog", "确定重启该设备吗").await?;
        it.save().await?;
    }
    it.told("指令已下发").await?;
    open(it).await?;
    until("the device has answered", async || {
        let told = it.texts("[role='tabpanel'] tbody tr:first-child").await.unwrap_or_default();
        Ok(told.iter().any(|it| it.contains(label) && it.contains("已执行") && it.contains("系统管理员")))
    })
    .await
}

/// Opens the page of the charger that is online.
async fn open(it: &Browser) -> Result<()> {
    it.page("car/chargers").await?;
    it.act(ONLINE, "detail").await?;
    it.see("[data-test='tab-commands']").await?;
    it.settled().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_chargers_is_done_in_the_console() -> Result<()> {
    walk("3.2.5", async |walk| {
        let platform = walk.platform;
        walk.does("3.2.5/3", async |it| {
            it.open_station(STATION).await?;
            it.open_station("钱江充电站").await?;
            it.add_area(STATION, "快充区").await?;
            it.add("car/chargers").await?;
            it.enter("serial_no", ONLINE).await?;
            it.fill_in_charger(STATION, "快充区", "一号桩").await?;
            for (field, _, text) in MORE {
                it.enter(field, text).await?;
            }
            it.enter("password", &backend::demo::password(&platform.config, ONLINE)).await?;
            it.choose("mounting", "落地").await?;
            it.choose("communication", "4G").await?;
            it.flip("occupancy_fee").await?;
            it.screenshot("charger-form").await?;
            it.save().await?;
            it.add_charger(STATION, "默认区域", "SN0002", "二号桩").await?;
            it.add_charger("钱江充电站", "默认区域", "QJ0001", "三号桩").await?;
            it.see_column(2, &[ONLINE, "SN0002", "QJ0001"]).await?;
            // A serial number is given once.
            it.add("car/chargers").await?;
            it.enter("serial_no", ONLINE).await?;
            it.fill_in_charger(STATION, "快充区", "又一号桩").await?;
            let why = it.refused().await?;
            ensure!(why.contains("不可用"), "{why}");
            it.fill_in_tariff(STATION, "快充区", "统一电价").await?;
            it.flip("effective_now").await?;
            it.save().await
        })
        .await?;
        let world = platform.world("SN", 1, 480)?;
        let charging = platform.charging(&world, "13800000001", ONLINE, 1, Fen(1)).await?;
        walk.does("3.2.5/1 3.2.5/2", async |it| {
            it.page("car/chargers").await?;
            let all = [ONLINE, "SN0002", "QJ0001"];
            it.see_text("tr.el-table__row", "在线").await?;
            it.screenshot("chargers").await?;
            let code = it.row("三号桩").await?.find(By::Css("td:first-child")).await?.text().await?;
            for (field, text, found) in [
                ("code", code.as_str(), &["QJ0001"][..]),
                ("serial_no", "SN", &[ONLINE, "SN0002"]),
                ("name", "二号", &["SN0002"]),
            ] {
                it.search(field, text).await?;
                it.see_column(2, found).await?;
                it.reset().await?;
            }
            for (field, text, found) in [
                ("station_id", "钱江充电站", &["QJ0001"][..]),
                ("area_id", "快充区", &[ONLINE]),
                ("speed", "超充", &all),
                ("speed", "慢充", &[]),
                ("condition", "在线", &[ONLINE]),
                ("condition", "离线", &["SN0002", "QJ0001"]),
                ("condition", "故障", &[]),
                ("access", "密码认证", &all),
                ("access", "无密码", &[]),
                ("enabled", "禁用", &[]),
            ] {
                it.search_for(field, text).await?;
                it.see_column(2, found).await?;
                it.reset().await?;
            }
            it.see_column(2, &all).await
        })
        .await?;
        walk.does("3.2.5/15", async |it| {
            open(it).await?;
            it.see_text("[data-test='state']", "在线").await?;
            for (_, name, text) in MORE {
                let told = it.fact(name).await?;
                ensure!(told.starts_with(text), "{name}: {told}");
            }
            for (name, text) in [
                ("所属电站", STATION),
                ("所属区域", "快充区"),
                ("电流类型", "直流"),
                ("充电类型", "国标直流"),
                ("充电速度", "超充"),
                ("安装方式", "落地"),
                ("通讯方式", "4G"),
                ("占位收费", "是"),
                ("预约充电", "否"),
                ("枪总数", "2"),
                ("充电中", "1"),
                ("型号", "SIM-480kW"),
            ] {
                let told = it.fact(name).await?;
                ensure!(told.contains(text), "{name}: {told}");
            }
            it.see_text("tbody tr", charging.no()).await?;
            it.click("[data-test='tab-history']").await?;
            it.see_text("[role='tabpanel'] .history", "添加").await?;
            it.screenshot("charger").await
        })
        .await?;
        walk.does("3.2.5/9", async |it| command(it, "sync-clock", "同步时钟").await).await?;
        walk.does("3.2.5/14", async |it| command(it, "refresh", "刷新状态").await).await?;
        walk.does("3.2.5/6", async |it| {
            it.page("car/chargers").await?;
            it.switch(ONLINE).await?;
            let question = it.agree().await?;
            ensure!(question.contains("1 个进行中的订单"), "what runs goes on: {question}");
            it.told("禁用成功").await?;
            charging.end(1).await?;
            let found = charging.driver.scan(ONLINE).await?;
            let out = found
                .charger
                .connectors
                .iter()
                .all(|it| it.obstacle.as_ref().is_some_and(|it| it.code == "out_of_service"));
            ensure!(out, "drivers see it out of service");
            // No connector is added to it.
            it.act(ONLINE, "edit").await?;
            it.enter("connectors", "3").await?;
            let why = it.refused().await?;
            ensure!(why.contains("电桩已禁用"), "{why}");
            it.search_for("enabled", "禁用").await?;
            it.see_column(2, &[ONLINE]).await?;
            it.reset().await
        })
        .await?;
        walk.does("3.2.5/5", async |it| {
            it.switch(ONLINE).await?;
            it.agree().await?;
            it.told("启用成功").await?;
            let free = async || {
                let found = charging.driver.scan(ONLINE).await?.charger.connectors;
                Ok(found.iter().all(|it| it.obstacle.as_ref().is_some_and(|it| it.code == "connector_not_plugged")))
            };
            until("drivers may plug in again", free).await
        })
        .await?;
        walk.does("3.2.5/4", async |it| {
            it.act(ONLINE, "edit").await?;
            ensure!(!it.see(".el-dialog [name='serial_no']").await?.is_enabled().await?, "the serial number stays");
            for (field, text) in [("name", "一号快充桩"), ("connectors", "3"), ("model", "YW-600")] {
                it.enter(field, text).await?;
            }
            it.choose("speed", "快充").await?;
            it.flip("reservable").await?;
            it.save().await?;
            open(it).await?;
            it.see_text("h1", "一号快充桩").await?;
            for (name, text) in [("设备型号", "YW-600"), ("枪总数", "3"), ("充电速度", "快充"), ("预约充电", "是")]
            {
                let told = it.fact(name).await?;
                ensure!(told.contains(text), "{name}: {told}");
            }
            Ok(())
        })
        .await?;
        walk.does("3.2.5/8", async |it| {
            it.page("car/chargers").await?;
            ensure!(!it.offers("SN0002", "more").await?, "what is offline cannot be told anything");
            command(it, "reboot", "重启设备").await?;
            // It was gone for a moment, and is back.
            charging.charger.until(|it| it.online).await?;
            it.see_text("[data-test='state']", "在线").await?;
            it.click("[data-test='tab-connections']").await?;
            until("it has come twice", async || {
                let came = it.texts("[role='tabpanel'] tbody tr").await.unwrap_or_default();
                Ok(came.iter().filter(|it| it.contains("是")).count() == 2)
            })
            .await?;
            it.screenshot("charger-rebooted").await
        })
        .await
    })
    .await
}
