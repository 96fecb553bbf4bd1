//! 3.2.2: areas of car stations.

use anyhow::{Result, ensure};
use e2e::{Browser, walk};
use thirtyfour::By;

const STATION: &str = "江畔充电站";
const AREA: &str = "快充区";

/// Fills in a charger of the area.
async fn fill_in_charger(it: &Browser, serial_no: &str) -> Result<()> {
    it.add("car/chargers").await?;
    it.enter("serial_no", serial_no).await?;
    it.fill_in_charger(STATION, AREA, serial_no).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_areas_is_done_in_the_console() -> Result<()> {
    walk("3.2.2", async |walk| {
        let platform = walk.platform;
        let world = platform.world("SN", 0, 480)?;
        walk.does("3.2.2/3.1", async |it| {
            it.open_station(STATION).await?;
            it.open_station("钱江充电站").await?;
            it.page("car/areas").await?;
            it.see_column(2, &["默认区域", "默认区域"]).await
        })
        .await?;
        walk.does("3.2.2/3", async |it| {
            it.add("car/areas").await?;
            it.choose("station_id", STATION).await?;
            for (field, text) in [("name", AREA), ("phone", "0571-88880001"), ("power_w", "720.5")] {
                it.enter(field, text).await?;
            }
            it.screenshot("area-form").await?;
            it.save().await?;
            it.see_column(2, &[AREA, "默认区域", "默认区域"]).await?;
            // A station does not have two of one name.
            it.add("car/areas").await?;
            it.choose("station_id", STATION).await?;
            it.enter("name", AREA).await?;
            let why = it.refused().await?;
            ensure!(why.contains("已"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.2.2/1 3.2.2/2", async |it| {
            let all = [AREA, "默认区域", "默认区域"];
            let code = it.row(AREA).await?.find(By::Css("td:first-child")).await?.text().await?;
            for (field, text, found) in [
                ("station_name", "江畔", &[AREA, "默认区域"][..]),
                ("code", &code, &[AREA]),
                ("name", "默认", &["默认区域", "默认区域"]),
            ] {
                it.search(field, text).await?;
                it.see_column(2, found).await?;
                it.reset().await?;
            }
            for (field, text, found) in
                [("enabled", "启用", &all[..]), ("enabled", "禁用", &[]), ("station_id", "钱江充电站", &["默认区域"])]
            {
                it.search_for(field, text).await?;
                it.see_column(2, found).await?;
                it.reset().await?;
            }
            // Conditions count together.
            it.search("station_name", "江畔").await?;
            it.search("name", "默认").await?;
            it.see_column(3, &[STATION]).await?;
            it.reset().await?;
            it.see_column(2, &all).await?;
            it.screenshot("areas").await
        })
        .await?;
        walk.does("3.2.2/4", async |it| {
            it.act(AREA, "edit").await?;
            let station = it.see(".el-dialog [data-test='station_id'] input").await?;
            ensure!(!station.is_enabled().await?, "the station stays");
            it.enter("phone", "0571-88880002").await?;
            it.enter("power_w", "960").await?;
            it.save().await?;
            let row = it.row("0571-88880002").await?.text().await?;
            ensure!(row.contains(AREA) && row.contains("960"), "{row}");
            Ok(())
        })
        .await?;
        let driver = platform.driver(&world, "13800000001").await?;
        walk.does("3.2.2/6", async |it| {
            it.add_charger(STATION, AREA, "SN0001", "一号桩").await?;
            driver.scan("SN0001").await?;
            it.page("car/areas").await?;
            it.switch(AREA).await?;
            let question = it.agree().await?;
            ensure!(question.contains("1 台已启用的电桩"), "{question}");
            it.told("禁用成功").await?;
            ensure!(driver.scan("SN0001").await.is_err(), "drivers do not find its chargers any more");
            fill_in_charger(it, "SN0002").await?;
            let why = it.refused().await?;
            ensure!(why.contains("区域已禁用，不能添加"), "{why}");
            it.fill_in_tariff(STATION, AREA, "统一电价").await?;
            let why = it.refused().await?;
            ensure!(why.contains("区域已禁用，不能添加"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.2.2/5", async |it| {
            it.page("car/areas").await?;
            it.switch(AREA).await?;
            it.agree().await?;
            it.told("启用成功").await?;
            driver.scan("SN0001").await?;
            fill_in_charger(it, "SN0002").await?;
            it.save().await?;
            it.charger_password().await.map(drop)
        })
        .await?;
        walk.does("3.2.2/7", async |it| {
            it.page("car/areas").await?;
            it.act(AREA, "detail").await?;
            for (name, text) in [
                ("区域编号", "A"),
                ("区域名称", AREA),
                ("所属电站", STATION),
                ("联系电话", "0571-88880002"),
                ("区域功率(kW)", "960"),
                ("车位", "0"),
                ("电桩", "2"),
                ("电枪", "4"),
                ("区域状态", "启用"),
                ("创建时间", "20"),
                ("修改时间", "20"),
            ] {
                let told = it.fact(name).await?;
                ensure!(told.starts_with(text), "{name}: {told}");
            }
            let history = it.see(".el-drawer .history").await?.text().await?;
            ensure!(
                ["添加", "修改", "禁用", "启用", "0571-88880001"].iter().all(|it| history.contains(it)),
                "{history}"
            );
            it.screenshot("area").await?;
            it.click(".el-drawer__close-btn").await
        })
        .await
    })
    .await
}
