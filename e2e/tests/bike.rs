//! E-bike charging (3.3 of the manual), by clicks and typing.

use anyhow::{Result, ensure};
use e2e::{Browser, walk};

async fn begin(it: &Browser, name: &str, short_name: &str) -> Result<()> {
    it.add("bike/stations").await?;
    it.choose("provider_id", "云栖充电").await?;
    it.choose("property_id", "滨江物业").await?;
    it.choose("nature", "公共").await?;
    for (field, text) in [("name", name), ("short_name", short_name), ("hotline", "057188880000")] {
        it.enter(field, text).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_e_bike_stations_is_done_in_the_console() -> Result<()> {
    walk("3.3.1", async |walk| {
        walk.does("3.3.1/3", async |it| {
            begin(it, "梧桐里单车站", "梧桐里").await?;
            for (field, text) in [
                ("business_hours", "06:00-22:00"),
                ("province", "浙江"),
                ("city", "杭州"),
                ("address", "滨江路 1 号"),
                ("lng", "120.21"),
                ("lat", "30.2"),
            ] {
                it.enter(field, text).await?;
            }
            it.screenshot("bike-station-form").await?;
            it.save().await?;
            begin(it, "湖滨单车站", "湖滨").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "梧桐里单车站").await?;
            // A name is there once.
            begin(it, "湖滨单车站", "湖滨").await?;
            let why = it.refused().await?;
            ensure!(why.contains("已"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.3.1/4", async |it| {
            it.act("湖滨单车站", "edit").await?;
            let provider = it.see(".el-dialog [data-test='provider_id'] input").await?;
            ensure!(!provider.is_enabled().await?, "whose it is stays");
            for (field, text) in [("name", "湖滨花园单车站"), ("short_name", "花园"), ("business_hours", "全天")]
            {
                it.enter(field, text).await?;
            }
            it.choose("nature", "专用").await?;
            it.save().await?;
            let line = it.row("湖滨花园单车站").await?.text().await?;
            ensure!(line.contains("花园") && line.contains("专用"), "{line}");
            Ok(())
        })
        .await?;
        walk.does("3.3.1/7", async |it| {
            it.act("梧桐里单车站", "approve").await?;
            it.agree().await?;
            it.told("审核通过").await?;
            it.switch("梧桐里单车站").await?;
            it.agree().await?;
            it.told("启用成功").await?;
            ensure!(it.is_on("梧桐里单车站").await?, "it is switched on");
            // What nobody has agreed to cannot be.
            it.act("湖滨花园单车站", "reject").await?;
            it.enter("note", "位置不详").await?;
            it.save().await?;
            it.switch("湖滨花园单车站").await?;
            it.agree().await?;
            it.told("审核").await
        })
        .await?;
        walk.does("3.3.1/1 3.3.1/2", async |it| {
            for (field, text, found) in [
                ("review", "已驳回", "湖滨花园单车站"),
                ("enabled", "启用", "梧桐里单车站"),
                ("provider_id", "云栖充电", "梧桐里单车站"),
                ("property_id", "滨江物业", "湖滨花园单车站"),
            ] {
                it.search_for(field, text).await?;
                it.see_text("tr.el-table__row", found).await?;
                let all = it.rows().await?.len();
                ensure!(all == if field.ends_with("_id") { 2 } else { 1 }, "{all} by {field}");
                it.reset().await?;
            }
            it.search("name", "花园").await?;
            it.see_text("tr.el-table__row", "湖滨花园单车站").await?;
            ensure!(it.rows().await?.len() == 1, "the other has another name");
            it.reset().await?;
            it.see_text("tr.el-table__row", "梧桐里单车站").await?;
            it.screenshot("bike-stations").await
        })
        .await?;
        walk.does("3.3.1/5", async |it| {
            it.act("梧桐里单车站", "invoicing").await?;
            it.fill_in_seller().await?;
            it.save().await?;
            it.told("发票配置已保存").await?;
            let detail = it.detail("梧桐里单车站").await?;
            ensure!(detail.contains("杭州云栖充电有限公司") && detail.contains("91330100MA2BXXXX0B"), "{detail}");
            Ok(())
        })
        .await?;
        walk.does("3.3.1/8", async |it| {
            it.switch("梧桐里单车站").await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            ensure!(!it.is_on("梧桐里单车站").await?, "it is switched off");
            Ok(())
        })
        .await?;
        walk.does("3.3.1/9", async |it| {
            let detail = it.detail("湖滨花园单车站").await?;
            for told in [
                "花园",
                "057188880000",
                "已驳回",
                "位置不详",
                "专用",
                "区域\n1",
                "设备\n0",
                "插座\n0",
                "变更记录",
                "湖滨单车站",
            ] {
                ensure!(detail.contains(told), "{told} is not in {detail}");
            }
            Ok(())
        })
        .await
    })
    .await
}
