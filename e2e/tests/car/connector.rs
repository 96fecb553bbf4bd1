//! 3.2.6: connectors, at chargers that are online.

use anyhow::{Context, Result, ensure};
use backend::simulate::charger::Deed;
use backend::simulate::driver::Driver;
use e2e::charge::CAR;
use e2e::{Platform, until, walk_on};

/// Whether a driver may begin at the first connector of a charger.
async fn free(driver: &Driver, serial_no: &str) -> Result<bool> {
    let found = driver.scan(serial_no).await?.charger.connectors;
    Ok(found.iter().find(|it| it.number == 1).context("no connector")?.obstacle.is_none())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_connectors_is_done_in_the_console() -> Result<()> {
    let platform = Platform::start().await?;
    backend::demo::fill(&platform.app).await?;
    let world = platform.world("DEMO", 6, 180)?;
    let (here, there) = (world.chargers.get("DEMO0001").context("no charger")?, "DEMO0006");
    for charger in world.chargers.values() {
        charger.until(|it| it.online && it.told).await?;
    }
    here.act(Deed::Plug(1, CAR)).await?;
    let driver = platform.driver(&world, "13800000001").await?;
    walk_on(&platform, "3.2.6", async |walk| {
        walk.does("3.2.6/1 3.2.6/2", async |it| {
            it.page("car/connectors").await?;
            it.search("serial_no", &here.serial_no).await?;
            it.see_column(5, &[here.serial_no.as_str(); 2]).await?;
            let [second, first] = it.rows().await?.try_into().ok().context("two connectors")?;
            let (code, _) = first.rsplit_once('-').context("its code begins with the charger's")?;
            it.reset().await?;
            it.search("charger_code", code).await?;
            it.see_rows(&[&first, &second]).await?;
            it.reset().await?;
            for (field, text, found) in
                [("status", "已插枪", &[first.as_str()][..]), ("status", "故障", &[]), ("enabled", "禁用", &[])]
            {
                it.search_for(field, text).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            it.search_for("station_id", "钱江新城地库站").await?;
            it.see_column(6, &["钱江新城地库站"; 6]).await?;
            // Only areas of that station are offered, and conditions count together.
            it.search_for("area_id", "默认区域").await?;
            it.search("serial_no", there).await?;
            it.see_column(5, &[there; 2]).await?;
            it.reset().await?;
            it.screenshot("connectors").await
        })
        .await?;
        walk.does("3.2.6/3", async |it| {
            it.search("serial_no", &here.serial_no).await?;
            it.act("1号枪", "edit").await?;
            it.enter("name", "A 枪").await?;
            it.save().await?;
            it.act("A 枪", "detail").await?;
            for (name, text) in [
                ("电枪名称", "A 枪"),
                ("枪序号", "1"),
                ("所属电桩", "1号桩"),
                ("出厂标识", "DEMO0001"),
                ("所属电站", "滨江一号充电站"),
                ("所属区域", "默认区域"),
                ("电枪状态", "已插枪"),
                ("状态时间", "20"),
                ("启用状态", "启用"),
            ] {
                let told = it.fact(name).await?;
                ensure!(told.starts_with(text), "{name}: {told}");
            }
            it.see_text(".el-drawer .history", "A 枪").await?;
            it.screenshot("connector").await?;
            it.click(".el-drawer__close-btn").await
        })
        .await?;
        walk.does("3.2.6/5", async |it| {
            ensure!(free(&driver, "DEMO0001").await?, "a driver may begin");
            it.switch("A 枪").await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            ensure!(!free(&driver, "DEMO0001").await?, "drivers see it out of service");
            // The device is told, and answers.
            it.see_text("tr.el-table__row td:nth-child(8)", "禁用").await?;
            it.search_for("enabled", "禁用").await?;
            it.see_column(2, &["A 枪"]).await?;
            it.search_for("enabled", "启用").await?;
            it.see_column(2, &["2号枪"]).await?;
            it.search_for("enabled", "禁用").await
        })
        .await?;
        walk.does("3.2.6/4", async |it| {
            it.switch("A 枪").await?;
            it.agree().await?;
            it.told("启用成功").await?;
            it.search_for("enabled", "启用").await?;
            it.see_column(2, &["2号枪", "A 枪"]).await?;
            it.see_text("tr.el-table__row td:nth-child(8)", "已插枪").await?;
            until("a driver may begin again", async || free(&driver, "DEMO0001").await).await
        })
        .await
    })
    .await
}
