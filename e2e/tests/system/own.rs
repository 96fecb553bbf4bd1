//! One's own account: profile, password, and where one is logged in.

use anyhow::{Result, ensure};
use e2e::platform::PASSWORD;
use e2e::{Browser, Platform, in_browser};
use thirtyfour::By;

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_account_is_kept_in_the_console() -> Result<()> {
    let platform = Platform::start().await?;
    in_browser(&platform, "own", async |here| {
        in_browser(&platform, "own-there", async |there| account(here, there).await).await
    })
    .await
}

async fn account(here: &Browser, there: &Browser) -> Result<()> {
    here.log_in().await?;
    there.log_in().await?;
    here.click("[data-test='user']").await?;
    here.click("[data-test='account']").await?;
    here.see_text("[data-test='account'].one", "admin").await?;
    here.settled().await?;
    here.screenshot("account").await?;

    // The profile; what is wrong is told at its field.
    here.fill("[name='name']", "林总").await?;
    here.fill("[name='phone']", "123").await?;
    here.click("[data-test='ok']").await?;
    here.see("[data-field='phone'] .el-form-item__error").await?;
    here.fill("[name='phone']", "13900000009").await?;
    here.click("[data-test='ok']").await?;
    here.told("保存成功").await?;
    here.see_text(".user-name", "林总").await?;

    // Where one is logged in: here and there, until one ends it.
    let logins = here.see("[data-test='logins']").await?;
    ensure!(logins.find_all(By::Css("tbody tr")).await?.len() == 2, "two logins");
    ensure!(logins.text().await?.contains("本次登录"), "this one is marked");
    here.click("[data-test='end-others']").await?;
    here.agree().await?;
    here.told("已退出").await?;
    there.follow("/system/users").await.ok();
    there.see("[data-test='login']").await?;

    // A password that everybody uses is not taken, a good one is.
    here.click("[data-test='password']").await?;
    for (new, repeated, wrong) in [
        ("password123", "password123", Some("new_password")),
        ("better than before", "better then before", Some("repeated")),
        ("better than before", "better than before", None),
    ] {
        here.fill("[name='old_password']", PASSWORD).await?;
        here.fill("[name='new_password']", new).await?;
        here.fill("[name='repeated']", repeated).await?;
        here.click("[data-test='ok']").await?;
        match wrong {
            Some(field) => here.see(&format!("[data-field='{field}'] .el-form-item__error")).await.map(drop)?,
            None => here.told("密码已修改").await?,
        }
    }
    here.log_out().await?;
    here.log_in_as("admin", "better than before").await?;
    here.see("nav [data-test='menu-']").await.map(drop)
}
