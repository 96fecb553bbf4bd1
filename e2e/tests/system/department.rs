//! 3.7.5: departments.

use anyhow::{Result, ensure};
use e2e::{Browser, walk};

async fn fill(it: &Browser, name: &str, parent: &str, position: &str) -> Result<()> {
    it.add("system/departments").await?;
    it.choose("kind", "服务商").await?;
    it.choose("provider_id", "云栖充电").await?;
    if !parent.is_empty() {
        it.choose("parent_id", parent).await?;
    }
    it.enter("name", name).await?;
    it.enter("position", position).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_departments_is_done_in_the_console() -> Result<()> {
    walk("3.7.5", async |walk| {
        walk.does("3.7.5/3 3.7.5/3.1 3.7.5/3.2", async |it| {
            fill(it, "运维部", "", "2").await?;
            for (field, text) in [("leader", "陈晨"), ("phone", "400-800-1234"), ("email", "ops@example.com")] {
                it.enter(field, text).await?;
            }
            it.flip("enabled").await?;
            it.save().await?;
            fill(it, "财务部", "", "1").await?;
            it.flip("enabled").await?;
            it.save().await?;
            // One below another; a switch that is left alone leaves it switched off.
            fill(it, "运维一组", "运维部", "1").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "运维一组").await.map(drop)
        })
        .await?;
        walk.does("3.7.5/6", async |it| {
            it.search("name", "部").await?;
            it.see_rows(&["财务部", "运维部"]).await?;
            it.reset().await?;
            it.search_for("provider_id", "云栖充电").await?;
            it.see_text("tr.el-table__row", "运维一组").await?;
            // In the order of the tree: a department before what is below it, siblings by their place.
            let order = it.rows().await?;
            let place = |name: &str| order.iter().position(|it| it == name);
            ensure!(place("财务部") < place("运维部") && place("运维部") < place("运维一组"), "{order:?}");
            it.screenshot("departments").await?;
            it.click("[data-test='fold-all']").await?;
            ensure!(!it.rows().await?.contains(&"运维一组".to_owned()), "all is folded");
            it.click("[data-test='fold-all']").await?;
            it.see_text("tr.el-table__row", "运维一组").await?;
            it.act("运维部", "fold").await?;
            ensure!(!it.rows().await?.contains(&"运维一组".to_owned()), "one is folded");
            it.act("运维部", "fold").await?;
            it.see_text("tr.el-table__row", "运维一组").await.map(drop)
        })
        .await?;
        walk.does("3.7.5/1 3.7.5/2", async |it| {
            it.reset().await?;
            it.search("name", "财务").await?;
            it.see_rows(&["财务部"]).await?;
            it.reset().await?;
            it.search_for("enabled", "禁用").await?;
            it.see_rows(&["运维一组"]).await?;
            it.reset().await?;
            it.search_for("property_id", "滨江物业").await?;
            ensure!(!it.rows().await?.iter().any(|it| it.contains('部') && it != "滨江物业"), "those of the property");
            it.reset().await?;
            it.see_text("tr.el-table__row", "财务部").await.map(drop)
        })
        .await?;
        walk.does("3.7.5/4", async |it| {
            it.act("运维一组", "edit").await?;
            it.enter("name", "运维二组").await?;
            it.enter("leader", "李蕾").await?;
            it.choose("parent_id", "财务部").await?;
            it.save().await?;
            let detail = it.detail("运维二组").await?;
            ensure!(detail.contains("李蕾") && detail.contains("财务部"), "{detail}");
            Ok(())
        })
        .await?;
        walk.does("3.7.5/3.3", async |it| {
            // Nothing is put below a department that is switched off.
            fill(it, "运维三组", "运维二组", "1").await?;
            let why = it.refused().await?;
            ensure!(why.contains("部门已禁用"), "{why}");
            it.switch("运维二组").await?;
            it.agree().await?;
            it.told("启用成功").await
        })
        .await?;
        walk.does("3.7.5/5", async |it| {
            it.act("财务部", "delete").await?;
            it.agree().await?;
            it.told("请先删除或移走下级部门").await?;
            it.act("运维二组", "delete").await?;
            it.agree().await?;
            it.told("已删除").await?;
            it.search("name", "运维二组").await?;
            it.see_rows(&[]).await
        })
        .await
    })
    .await
}
