//! What is recorded, who is online, and what can be set: audit trail, login log, online users, settings.

use anyhow::{Result, ensure};
use e2e::{Browser, Platform, in_browser, until};
use thirtyfour::By;

#[tokio::test(flavor = "multi_thread")]
async fn records_online_users_and_settings_are_kept_in_the_console() -> Result<()> {
    let platform = Platform::start().await?;
    platform.tenant("云栖充电", "滨江物业").await?;
    in_browser(&platform, "records", async |here| {
        in_browser(&platform, "records-there", async |there| records(here, there).await).await
    })
    .await
}

async fn records(here: &Browser, there: &Browser) -> Result<()> {
    here.log_in_as("admin", "not the password").await?;
    here.see_text("[data-test='login-error']", "密码").await?;
    here.log_in().await?;

    // The trail tells what was changed, from what to what.
    here.page("system/properties").await?;
    here.act("滨江物业", "edit").await?;
    here.enter("contact", "何静").await?;
    here.save().await?;
    here.page("system/audits").await?;
    here.search("object", "滨江").await?;
    here.search_for("resource", "集团物业").await?;
    here.search_days("created", "今天").await?;
    let rows = here.rows().await?;
    ensure!(rows.len() == 1, "one change: {rows:?}");
    let told = here.detail("滨江物业").await?;
    ensure!(told.contains("李蕾") && told.contains("何静") && told.contains("联系人"), "{told}");
    here.search("user", "nobody").await?;
    here.see_rows(&[]).await?;
    here.reset().await?;

    // The login log knows the wrong password and the right one.
    here.page("system/logins").await?;
    here.search("username", "admin").await?;
    let rows = here.rows().await?;
    ensure!(rows.len() == 2, "two attempts: {rows:?}");
    here.screenshot("logins").await?;

    // Somebody who is online is logged out, effective on their next request.
    there.log_in().await?;
    here.page("system/sessions").await?;
    let sessions = async || Ok(here.rows().await?.len() == 2);
    until("both are online", async || {
        here.click("[data-test='search']").await?;
        here.settled().await?;
        sessions().await
    })
    .await?;
    here.screenshot("sessions").await?;
    // The newest stands first.
    here.click("tr.el-table__row [data-test='end']").await?;
    here.agree().await?;
    there.follow("/system/users").await.ok();
    there.see("[data-test='login']").await?;

    // Settings count at once, on the login page too.
    here.follow("/system/settings").await?;
    here.see("[data-test='settings']").await?;
    here.settled().await?;
    here.fill("[name='session_days']", "0").await?;
    here.click("[data-test='ok']").await?;
    here.see("[data-field='session_days'] .el-form-item__error").await?;
    here.fill("[name='session_days']", "7").await?;
    here.fill("[name='name']", "浙里充").await?;
    let logo = std::env::temp_dir().join(format!("wattyard-logo-{}.png", std::process::id()));
    std::fs::write(&logo, PIXEL)?;
    let place = here.driver.find(By::Css("[data-field='logo'] input[type='file']")).await?;
    place.send_keys(logo.display().to_string()).await?;
    here.see("[data-field='logo'] .picture-now img").await?;
    here.screenshot("settings").await?;
    here.click("[data-test='ok']").await?;
    here.told("保存成功").await?;
    std::fs::remove_file(&logo)?;
    here.see_text(".logo-name", "浙里充").await?;
    here.see(".logo-mark img").await?;
    there.go("/login").await?;
    there.see_text(".login-claim h1", "浙里充").await?;
    there.see(".login-mark img").await?;
    there.screenshot("login-branded").await?;
    here.page("system/audits").await?;
    here.search_for("resource", "平台设置").await?;
    let told = here.detail("浙里充").await?;
    ensure!(told.contains("Wattyard") && told.contains("浙里充"), "{told}");
    Ok(())
}

/// A picture of one pixel.
const PIXEL: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82";
