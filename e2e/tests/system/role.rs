//! 3.7.4: roles.

use anyhow::{Result, ensure};
use e2e::{Browser, walk};
use thirtyfour::By;

use crate::provider_user;

async fn begin(it: &Browser, kind: &str, name: &str) -> Result<()> {
    it.add("system/roles").await?;
    it.choose("kind", kind).await?;
    if kind == "系统" {
        let provider = it.driver.find(By::Css(".el-dialog [data-field='provider_id']")).await?;
        ensure!(!provider.is_displayed().await?, "what does not concern the kind is not asked for");
    } else {
        it.choose("provider_id", "云栖充电").await?;
    }
    if kind == "物业" {
        it.choose("property_id", "滨江物业").await?;
    }
    it.enter("name", name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_roles_is_done_in_the_console() -> Result<()> {
    walk("3.7.4", async |walk| {
        walk.does("3.7.4/3", async |it| {
            for (kind, name, part) in
                [("系统", "审计", "系统管理"), ("服务商", "场站值班", "汽车管理"), ("物业", "抄表", "汽车管理")]
            {
                begin(it, kind, name).await?;
                it.click_text(".el-dialog .el-tree-node__label", part).await?;
                it.screenshot(&format!("role-{kind}")).await?;
                it.save().await?;
            }
            // A role of a provider is not offered what providers may not have.
            begin(it, "服务商", "越权").await?;
            let tree = it.see(".el-dialog .rights").await?.text().await?;
            ensure!(tree.contains("汽车电站") && !tree.contains("平台设置"), "{tree}");
            let why = it.refused().await?;
            ensure!(why.contains("必填"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.7.4/1 3.7.4/2", async |it| {
            it.search("name", "值班").await?;
            it.see_rows(&["场站值班"]).await?;
            it.reset().await?;
            for (field, text, there) in
                [("kind", "物业", "抄表"), ("provider_id", "云栖充电", "场站值班"), ("property_id", "滨江物业", "抄表")]
            {
                it.search_for(field, text).await?;
                it.see_text("tr.el-table__row", there).await?;
                ensure!(!it.rows().await?.contains(&"审计".to_owned()), "{field} leaves others out");
                it.reset().await?;
            }
            it.search_for("enabled", "禁用").await?;
            it.see_rows(&[]).await?;
            it.reset().await?;
            it.search_days("created", "昨天").await?;
            it.see_rows(&[]).await?;
            it.reset().await?;
            it.search_days("created", "今天").await?;
            it.see_text("tr.el-table__row", "抄表").await?;
            it.reset().await
        })
        .await?;
        walk.does("3.7.4/4", async |it| {
            let rights = async || -> Result<String> {
                Ok(it.row("值班").await?.find(By::Css("td:nth-child(5)")).await?.text().await?)
            };
            let before = rights().await?;
            it.act("场站值班", "edit").await?;
            it.enter("name", "值班主管").await?;
            it.click_text(".el-dialog .el-tree-node__label", "订单管理").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "值班主管").await?;
            let after = rights().await?;
            ensure!(before.parse::<u32>()? < after.parse()?, "{before} rights became {after}");
            it.screenshot("roles").await
        })
        .await?;
        walk.does("3.7.4/8", async |it| {
            provider_user(it, "first.one", "张一", None).await?;
            provider_user(it, "second.one", "张二", None).await?;
            it.page("system/roles").await?;
            it.act("值班主管", "assign").await?;
            it.see_text(".el-dialog [data-test='left'] .transfer-item", "张一").await?;
            let offered = it.items("user_ids", "left").await?;
            ensure!(
                !offered.iter().any(|it| it.contains("admin")),
                "users of other nodes are not offered: {offered:?}"
            );
            it.carry("user_ids", "left", "张一").await?;
            it.carry("user_ids", "left", "张二").await?;
            it.screenshot("role-users").await?;
            it.save().await?;
            it.page("system/users").await?;
            it.search_for("role_id", "值班主管").await?;
            it.see_rows(&["first.one", "second.one"]).await?;
            it.page("system/roles").await?;
            it.act("值班主管", "revoke").await?;
            it.see_text(".el-dialog [data-test='left'] .transfer-item", "张二").await?;
            ensure!(it.items("user_ids", "left").await?.len() == 2, "those who have it are offered");
            it.carry("user_ids", "left", "张二").await?;
            it.save().await?;
            it.page("system/users").await?;
            it.search_for("role_id", "值班主管").await?;
            it.see_rows(&["first.one"]).await?;
            it.reset().await
        })
        .await?;
        walk.does("3.7.4/6", async |it| {
            it.page("system/roles").await?;
            it.switch("抄表").await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            // It is given to nobody.
            it.add("system/users").await?;
            it.choose("kind", "物业").await?;
            it.choose("provider_id", "云栖充电").await?;
            it.choose("property_id", "滨江物业").await?;
            it.enter("username", "meter").await?;
            it.enter("name", "表工").await?;
            it.choose("role_ids", "抄表").await?;
            let why = it.refused().await?;
            ensure!(why.contains("角色已禁用"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.7.4/5", async |it| {
            it.page("system/roles").await?;
            it.switch("抄表").await?;
            it.agree().await?;
            it.told("启用成功").await
        })
        .await?;
        walk.does("3.7.4/7", async |it| {
            it.act("值班主管", "delete").await?;
            it.agree().await?;
            it.told("角色已授权给用户，请先取消授权").await?;
            it.act("抄表", "delete").await?;
            it.agree().await?;
            it.told("已删除").await?;
            it.search("name", "抄表").await?;
            it.see_rows(&[]).await
        })
        .await
    })
    .await
}
