//! Many windows of one browser: each is answered, the one that is looked at hears of what happens, and all are of whoever is
//! logged in.

use std::time::Duration;

use anyhow::{Result, ensure};
use backend::demo;
use e2e::platform::PASSWORD;
use e2e::{Browser, Platform, in_browser};

/// A browser opens no more lines than this to one server.
const LINES: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn more_windows_than_a_browser_has_lines_are_all_answered() -> Result<()> {
    let platform = Platform::start().await?;
    in_browser(&platform, "windows", windows).await
}

async fn windows(browser: &Browser) -> Result<()> {
    browser.log_in().await?;
    for _ in 0..LINES + 2 {
        let window = browser.driver.new_tab().await?;
        browser.driver.switch_to_window(window).await?;
        browser.go("/system/users").await?;
        browser.see_rows(&["admin"]).await?;
    }
    // Who comes back to the first one sees it anew.
    let windows = browser.driver.windows().await?;
    if let Some(first) = windows.first() {
        browser.driver.switch_to_window(first.clone()).await?;
        browser.page("system/posts").await?;
        browser.see("[data-test='empty']").await?;
    }
    Ok(())
}

/// The demo data's provider.
const OTHER: &str = "13900000001";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_logs_out_or_in_does_so_in_all_windows() -> Result<()> {
    let platform = Platform::start().await?;
    demo::fill(&platform.app).await?;
    in_browser(&platform, "accounts", accounts).await
}

async fn accounts(it: &Browser) -> Result<()> {
    it.log_in().await?;
    it.page("car/stations").await?;
    it.search("name", "滨江").await?;
    let first = it.driver.window().await?;
    let second = it.driver.new_tab().await?;
    it.driver.switch_to_window(second.clone()).await?;
    it.go("/system/users").await?;
    it.see("[data-test='system/users']").await?;
    it.log_out().await?;
    // The first window did not have to be touched.
    it.driver.switch_to_window(first.clone()).await?;
    it.see("[data-test='login']").await?;
    it.log_in_as(OTHER, PASSWORD).await?;
    it.see("[data-test='user']").await?;
    let tabs = it.texts(".tabs a").await?;
    ensure!(tabs == ["首页"], "what the last one has opened: {tabs:?}");
    // Somebody else logs in in the second one, where the login page has stayed.
    it.driver.switch_to_window(second).await?;
    it.fill("[name='username']", "admin").await?;
    it.fill("[name='password']", PASSWORD).await?;
    it.click("[data-test='login']").await?;
    it.see_text(".user-name", "管理员").await?;
    it.driver.switch_to_window(first).await?;
    it.see_text(".user-name", "管理员").await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_goes_on_at_once_is_called_back() -> Result<()> {
    let platform = Platform::start().await?;
    platform.tenant("云栖充电", "滨江物业").await?;
    in_browser(&platform, "called-back", at_once).await
}

async fn at_once(it: &Browser) -> Result<()> {
    it.log_in().await?;
    it.add("system/users").await?;
    it.choose("kind", "服务商").await?;
    it.choose("provider_id", "云栖充电").await?;
    it.enter("username", "zhou.ning").await?;
    it.enter("name", "周宁").await?;
    it.choose("role_ids", "系统管理员").await?;
    it.save().await?;
    let given = it.one_time_password().await?;
    it.log_out().await?;
    it.log_in_as("zhou.ning", &given).await?;
    it.see("[name='old_password']").await?;
    // Whoever asks who they are waits for the answer.
    let slow = "const ask = window.fetch; window.fetch = (to, how) => String(to).includes('/auth/me') \
        ? new Promise((answer) => setTimeout(answer, 1500)).then(() => ask(to, how)) : ask(to, how);";
    it.driver.execute(slow, vec![]).await?;
    it.fill("[name='old_password']", &given).await?;
    it.fill("[name='new_password']", "an own password of mine").await?;
    it.fill("[name='repeated']", "an own password of mine").await?;
    it.click("[data-test='ok']").await?;
    it.see_text("[data-test='toast']", "密码已修改").await?;
    it.page("car/stations").await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    it.see("[data-test='car/stations']").await.map(drop)
}
