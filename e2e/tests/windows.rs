//! Many windows of one browser: each is answered, and the one that is looked at hears of what happens.

use anyhow::Result;
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
