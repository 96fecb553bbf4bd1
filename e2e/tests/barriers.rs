//! No page keeps out who uses a screen reader or a keyboard: axe-core finds nothing serious on any page, on its form for
//! a new row, on the detail of its first row, in light and dark, in both languages.

use anyhow::{Result, ensure};
use e2e::axe::Violation;
use e2e::{Browser, Platform, in_browser};
use thirtyfour::By;

#[tokio::test(flavor = "multi_thread")]
async fn no_page_keeps_anybody_out() -> Result<()> {
    let platform = Platform::start().await?;
    backend::demo::fill(&platform.app).await?;
    let found = in_browser(&platform, "barriers", walk).await?;
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

/// What is wrong, page by page.
async fn walk(browser: &Browser) -> Result<Vec<String>> {
    let mut found = vec![];
    let mut look = async |place: &str| -> Result<()> {
        found.extend(browser.barriers().await?.iter().map(|it| line(place, it)));
        Ok(())
    };
    browser.go("/").await?;
    browser.see("[data-test='login']").await?;
    look("/login").await?;
    browser.log_in().await?;
    let pages = browser.pages().await?;
    ensure!(pages.len() > 10, "the menu is short: {pages:?}");
    for path in ["/account", "/password", "/nowhere"] {
        browser.go(path).await?;
        browser.see("#content").await?;
        browser.settled().await?;
        look(path).await?;
    }
    for path in &pages {
        browser.follow(path).await?;
        look(path).await?;
        if browser.driver.find(By::Css("[data-test='create']")).await.is_ok() {
            browser.click("[data-test='create']").await?;
            browser.see(".el-dialog").await?;
            look(&format!("{path}, a new row")).await?;
            browser.click(".el-dialog [data-test='cancel']").await?;
        }
        if browser.driver.find(By::Css("tr.el-table__row a.el-link")).await.is_ok() {
            browser.click("tr.el-table__row a.el-link").await?;
            browser.settled().await?;
            look(&format!("{path}, its first row")).await?;
        }
    }
    browser.go("/").await?;
    browser.settled().await?;
    browser.click("[data-test='language']").await?;
    browser.click("[data-test='theme']").await?;
    // Colours fade when the theme is changed: a page that is loaded in it has them at once.
    browser.go("/").await?;
    browser.settled().await?;
    for path in &pages {
        browser.follow(path).await?;
        look(&format!("{path}, dark and in English")).await?;
    }
    Ok(found)
}

fn line(place: &str, it: &Violation) -> String {
    let Violation { id, impact, help, targets } = it;
    format!("{place}: {id} ({}): {help}\n    {}", impact.as_deref().unwrap_or_default(), targets.join("\n    "))
}
