//! 3.7.2: properties.

use anyhow::{Result, ensure};
use e2e::{Browser, walk};

async fn fill(it: &Browser, name: &str, phone: &str) -> Result<()> {
    it.add("system/properties").await?;
    it.choose("provider_id", "云栖充电").await?;
    for (field, text) in [
        ("name", name),
        ("contact", "吴迪"),
        ("phone", phone),
        ("email", "wu@example.com"),
        ("province", "浙江省"),
        ("city", "杭州市"),
        ("address", "文三路 90 号"),
    ] {
        it.enter(field, text).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_properties_is_done_in_the_console() -> Result<()> {
    walk("3.7.2", async |walk| {
        walk.does("3.7.2/3", async |it| {
            fill(it, "高新物业", "13900000201").await?;
            it.save().await?;
            // Its account is there at once.
            let told = it.see_text("[data-test='secret']", "一次性密码").await?.text().await?;
            ensure!(told.contains("13900000201"), "{told}");
            it.click("[data-test='kept']").await?;
            it.see_rows(&["高新物业", "滨江物业"]).await?;
            fill(it, "西溪物业", "13900000201").await?;
            let why = it.refused().await?;
            ensure!(why.contains("已"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.7.2/1 3.7.2/2", async |it| {
            it.search("name", "高新").await?;
            it.see_rows(&["高新物业"]).await?;
            it.reset().await?;
            it.search("phone", "0201").await?;
            it.see_rows(&["高新物业"]).await?;
            it.reset().await?;
            it.search_for("provider_id", "云栖充电").await?;
            it.see_rows(&["高新物业", "滨江物业"]).await?;
            it.search_for("enabled", "禁用").await?;
            it.see_rows(&[]).await?;
            it.reset().await?;
            it.see_rows(&["高新物业", "滨江物业"]).await?;
            it.screenshot("properties").await
        })
        .await?;
        walk.does("3.7.2/4", async |it| {
            it.act("高新物业", "edit").await?;
            ensure!(!it.see(".el-dialog [name='phone']").await?.is_enabled().await?, "the number stays");
            it.enter("name", "高新园区物业").await?;
            it.enter("address", "天目山路 1 号").await?;
            it.save().await?;
            let detail = it.detail("高新园区物业").await?;
            ensure!(detail.contains("天目山路 1 号"), "{detail}");
            Ok(())
        })
        .await?;
        walk.does("3.7.2/6", async |it| {
            it.switch("高新园区物业").await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            it.fill_in_station("car/stations", "高新园区物业", "文三站").await?;
            let why = it.refused().await?;
            ensure!(why.contains("已禁用"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.7.2/5", async |it| {
            it.page("system/properties").await?;
            it.switch("高新园区物业").await?;
            it.agree().await?;
            it.told("启用成功").await?;
            it.fill_in_station("car/stations", "高新园区物业", "文三站").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "文三站").await.map(drop)
        })
        .await
    })
    .await
}
