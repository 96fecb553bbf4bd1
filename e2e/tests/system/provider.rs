//! 3.7.1: providers.

use anyhow::{Result, ensure};
use e2e::walk;

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_providers_is_done_in_the_console() -> Result<()> {
    walk("3.7.1", async |walk| {
        walk.does("3.7.1/3", async |it| {
            it.add("system/providers").await?;
            for (field, text) in
                [("name", "江南充电"), ("contact", "王敏"), ("phone", "13900000101"), ("email", "wang@example.com")]
            {
                it.enter(field, text).await?;
            }
            it.save().await?;
            it.see_rows(&["云栖充电", "江南充电"]).await?;
            // The number is nobody else's.
            it.click("[data-test='create']").await?;
            for (field, text) in [("name", "江北充电"), ("contact", "赵磊"), ("phone", "13900000101")] {
                it.enter(field, text).await?;
            }
            it.click(".el-dialog [data-test='ok']").await?;
            it.see_text("[data-field='phone'] .el-form-item__error", "已").await?;
            it.enter("phone", "13900000102").await?;
            it.save().await
        })
        .await?;
        walk.does("3.7.1/3.1", async |it| {
            it.click("[data-test='create']").await?;
            it.choose("parent_id", "云栖充电").await?;
            for (field, text) in [("name", "云栖萧山"), ("contact", "孙悦"), ("phone", "13900000103")] {
                it.enter(field, text).await?;
            }
            it.save().await?;
            it.see_rows(&["云栖充电", "云栖萧山", "江北充电", "江南充电"]).await?;
            it.screenshot("providers").await
        })
        .await?;
        walk.does("3.7.1/1 3.7.1/2", async |it| {
            it.search("name", "江").await?;
            it.see_rows(&["江北充电", "江南充电"]).await?;
            it.search("phone", "0102").await?;
            it.see_rows(&["江北充电"]).await?;
            it.reset().await?;
            it.see_rows(&["云栖充电", "云栖萧山", "江北充电", "江南充电"]).await?;
            it.search_for("merchant_type", "子商户").await?;
            it.see_rows(&["云栖萧山"]).await?;
            it.reset().await?;
            it.search_for("review", "审核通过").await?;
            it.see_rows(&["云栖充电"]).await?;
            it.reset().await?;
            it.search_for("enabled", "禁用").await?;
            it.see_rows(&[]).await?;
            it.reset().await
        })
        .await?;
        walk.does("3.7.1/4", async |it| {
            it.act("江南充电", "edit").await?;
            let phone = it.see(".el-dialog [name='phone']").await?;
            ensure!(!phone.is_enabled().await?, "the number stays");
            it.enter("contact", "周宁").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "周宁").await.map(drop)
        })
        .await?;
        walk.does("3.7.1/5", async |it| {
            it.act("江南充电", "approve").await?;
            let question = it.agree().await?;
            ensure!(question.contains("登录账号"), "{question}");
            let told = it.see_text("[data-test='secret']", "一次性密码").await?.text().await?;
            ensure!(told.contains("13900000101"), "{told}");
            it.screenshot("provider-approved").await?;
            it.click("[data-test='kept']").await?;
            it.search_for("review", "审核通过").await?;
            it.see_rows(&["云栖充电", "江南充电"]).await?;
            it.reset().await?;
            it.act("江北充电", "reject").await?;
            it.enter("note", "营业执照已过期").await?;
            it.save().await?;
            let detail = it.detail("江北充电").await?;
            ensure!(detail.contains("已驳回") && detail.contains("营业执照已过期"), "{detail}");
            // Who was approved has an account, who was rejected has none.
            it.page("system/users").await?;
            it.search("username", "139000001").await?;
            it.see_rows(&["13900000101"]).await
        })
        .await?;
        walk.does("3.7.1/7", async |it| {
            it.page("system/providers").await?;
            it.switch("江南充电").await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            ensure!(!it.is_on("江南充电").await?, "it is switched off");
            it.add("system/properties").await?;
            it.choose("provider_id", "江南充电").await?;
            for (field, text) in [("name", "江南物业"), ("contact", "吴迪"), ("phone", "13900000104")] {
                it.enter(field, text).await?;
            }
            let why = it.refused().await?;
            ensure!(why.contains("已禁用"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.7.1/6", async |it| {
            it.page("system/providers").await?;
            it.switch("江南充电").await?;
            it.agree().await?;
            it.told("启用成功").await?;
            it.add("system/properties").await?;
            it.choose("provider_id", "江南充电").await?;
            for (field, text) in [("name", "江南物业"), ("contact", "吴迪"), ("phone", "13900000104")] {
                it.enter(field, text).await?;
            }
            it.save().await?;
            it.see_text("[data-test='secret']", "13900000104").await?;
            it.click("[data-test='kept']").await?;
            it.see_rows(&["江南物业", "滨江物业"]).await
        })
        .await
    })
    .await
}
