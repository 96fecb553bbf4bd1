//! 3.2.1: car stations.

use anyhow::{Context, Result, ensure};
use backend::simulate::charger::Deed;
use e2e::{Browser, until, walk};
use shared::fixed::Fen;
use thirtyfour::By;

const STATION: &str = "江畔充电站";

/// What the form of a station asks for besides what it needs, and what its detail tells of that.
const MORE: [(&str, &str, &str); 10] = [
    ("contact", "联系人", "周工"),
    ("contact_phone", "联系人手机号", "13900000101"),
    ("hotline", "服务热线", "400-800-1234"),
    ("business_hours", "营业时间", "06:00-23:00"),
    ("max_power_w", "最大功率(kW)", "960"),
    ("capacity_w", "容量负荷(kW)", "1250"),
    ("province", "省份", "浙江省"),
    ("city", "城市", "杭州市"),
    ("address", "地址", "滨江区闻涛路 1 号"),
    ("intro", "电站简介", "江边停车场内，24 小时有人值守"),
];

/// Nothing is added to a station that is switched off, or not yet on.
async fn takes_nothing(it: &Browser) -> Result<()> {
    it.add("car/areas").await?;
    it.choose("station_id", STATION).await?;
    it.enter("name", "慢充区").await?;
    let mut told = vec![it.refused().await?];
    it.add("car/chargers").await?;
    it.enter("serial_no", "SN0009").await?;
    it.fill_in_charger(STATION, "默认区域", "九号桩").await?;
    told.push(it.refused().await?);
    it.fill_in_tariff(STATION, "默认区域", "另一电价").await?;
    told.push(it.refused().await?);
    ensure!(told.iter().all(|it| it.contains("电站未启用，不能添加")), "{told:?}");
    it.page("car/stations").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_stations_is_done_in_the_console() -> Result<()> {
    walk("3.2.1", async |walk| {
        let platform = walk.platform;
        walk.does("3.2.1/3", async |it| {
            it.fill_in_station("car/stations", "滨江物业", STATION).await?;
            for (field, _, text) in MORE {
                it.enter(field, text).await?;
            }
            it.screenshot("station-form").await?;
            it.save().await?;
            let row = it.row(STATION).await?.text().await?;
            ensure!(row.contains("待审核") && row.contains("云栖充电") && row.contains("滨江物业"), "{row}");
            ensure!(!it.is_on(STATION).await?, "somebody looks at it first");
            takes_nothing(it).await?;
            it.fill_in_station("car/stations", "滨江物业", "钱江充电站").await?;
            it.save().await?;
            it.act("钱江充电站", "reject").await?;
            it.enter("note", "地址不全").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "已驳回").await.map(drop)
        })
        .await?;
        let mut password = String::new();
        walk.does("3.2.1/8", async |it| {
            it.act(STATION, "approve").await?;
            it.agree().await?;
            it.told("已审核通过").await?;
            it.switch(STATION).await?;
            it.agree().await?;
            it.told("启用成功").await?;
            password = it.add_charger(STATION, "默认区域", "SN0001", "一号桩").await?;
            it.fill_in_tariff(STATION, "默认区域", "统一电价").await?;
            it.flip("effective_now").await?;
            it.save().await?;
            it.page("car/stations").await
        })
        .await?;
        walk.does("3.2.1/1 3.2.1/2", async |it| {
            let all = [STATION, "钱江充电站"];
            it.search("name", "江畔").await?;
            it.see_column(2, &[STATION]).await?;
            it.reset().await?;
            for (field, text, found) in [
                ("review", "审核通过", &[STATION][..]),
                ("review", "已驳回", &["钱江充电站"]),
                ("review", "待审核", &[]),
                ("enabled", "启用", &[STATION]),
                ("enabled", "禁用", &["钱江充电站"]),
                ("provider_id", "云栖充电", &all),
                ("property_id", "滨江物业", &all),
            ] {
                it.search_for(field, text).await?;
                it.see_column(2, found).await?;
                it.reset().await?;
            }
            // Conditions count together.
            it.search("name", "江").await?;
            it.search_for("review", "已驳回").await?;
            it.see_column(2, &["钱江充电站"]).await?;
            it.reset().await?;
            it.see_column(2, &all).await?;
            it.screenshot("stations").await
        })
        .await?;
        walk.does("3.2.1/4", async |it| {
            it.act(STATION, "edit").await?;
            let property = it.see(".el-dialog [data-test='property_id'] input").await?;
            ensure!(!property.is_enabled().await?, "the property stays");
            it.enter("name", "江畔超级充电站").await?;
            it.enter("hotline", "400-800-4321").await?;
            it.choose("nature", "专用").await?;
            it.save().await?;
            it.act("江畔超级充电站", "edit").await?;
            it.enter("name", STATION).await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "400-800-4321").await?;
            // What was rejected and is then changed asks anew.
            it.act("钱江充电站", "edit").await?;
            it.enter("address", "上城区富春路 701 号").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "待审核").await.map(drop)
        })
        .await?;
        walk.does("3.2.1/5", async |it| {
            it.act(STATION, "invoicing").await?;
            it.fill_in_seller().await?;
            it.enter("elec_code", "123").await?;
            it.click(".el-dialog [data-test='ok']").await?;
            it.see_text(".el-form-item__error", "19 位").await?;
            it.enter("elec_code", "1100101020100000000").await?;
            it.screenshot("station-seller").await?;
            it.save().await?;
            it.told("发票配置已保存").await?;
            // What is kept is there again.
            it.act(STATION, "invoicing").await?;
            let drawer = it.see(".el-dialog [name='drawer']").await?;
            until("the form is filled in", async || Ok(drawer.prop("value").await?.as_deref() == Some("周洁"))).await?;
            it.click(".el-dialog [data-test='cancel']").await
        })
        .await?;
        let world = platform.world("SN", 1, 480)?;
        let charger = world.chargers.get("SN0001").context("no charger")?;
        charger.act(Deed::Password(password)).await?;
        let charging = platform.charging(&world, "13800000001", "SN0001", 1, Fen(1)).await?;
        walk.does("3.2.1/9", async |it| {
            it.switch(STATION).await?;
            let question = it.agree().await?;
            ensure!(question.contains("1 台已启用的电桩"), "{question}");
            ensure!(question.contains("1 个进行中的订单"), "what runs goes on: {question}");
            it.told("禁用成功").await?;
            ensure!(charging.driver.scan("SN0001").await.is_err(), "drivers do not find it any more");
            charging.end(1).await?;
            takes_nothing(it).await?;
            it.switch(STATION).await?;
            it.agree().await?;
            it.told("启用成功").await?;
            charging.driver.scan("SN0001").await.map(drop)
        })
        .await?;
        walk.does("3.2.1/10", async |it| {
            it.add_area(STATION, "快充区").await?;
            it.page("car/stations").await?;
            it.act(STATION, "detail").await?;
            let kept = MORE.iter().filter(|it| it.0 != "hotline").map(|it| (it.1, it.2));
            let told = [
                ("电站名称", STATION),
                ("服务商", "云栖充电"),
                ("集团物业", "滨江物业"),
                ("运营性质", "专用"),
                ("服务热线", "400-800-4321"),
                ("审核状态", "审核通过"),
                ("电站状态", "启用"),
                ("区域", "2"),
                ("电桩", "1"),
                ("电枪", "2"),
                ("车位", "0"),
                ("发票配置", "杭州云栖充电有限公司"),
                ("售方税号", "91330100MA2BXXXX0B"),
            ];
            for (name, text) in told.into_iter().chain(kept) {
                let told = it.fact(name).await?;
                ensure!(told.starts_with(text), "{name}: {told}");
            }
            // What was done to it, and what was changed.
            let history = it.see(".el-drawer .history").await?;
            let done = history.find_all(By::Css(".history-head .el-tag")).await?;
            let mut deeds = vec![];
            for it in done {
                deeds.push(it.text().await?);
            }
            let wanted = ["启用", "禁用", "发票配置", "修改", "修改", "启用", "审核通过", "添加"];
            ensure!(deeds == wanted, "the newest first: {deeds:?}");
            let changes = history.text().await?;
            ensure!(changes.contains("400-800-4321") && changes.contains("江畔超级充电站"), "{changes}");
            it.screenshot("station").await?;
            it.click(".el-drawer__close-btn").await
        })
        .await
    })
    .await
}
