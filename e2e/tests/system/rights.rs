//! Rights as they come and go while somebody looks at a page.

use anyhow::{Result, ensure};
use e2e::{Browser, Platform, in_browser, until};
use thirtyfour::prelude::*;

use crate::{provider_role, provider_user};

#[tokio::test(flavor = "multi_thread")]
async fn menu_buttons_and_pages_follow_the_rights_live() -> Result<()> {
    let platform = Platform::start().await?;
    platform.tenant("云栖充电", "滨江物业").await?;
    in_browser(&platform, "rights", async |admin| {
        in_browser(&platform, "rights-other", async |other| rights(admin, other).await).await
    })
    .await
}

/// Turns one right of the role on or off.
async fn turn(admin: &Browser, label: &str) -> Result<()> {
    admin.act("场站值班", "edit").await?;
    let row = "//div[contains(@class,'el-dialog')]//div[@role='treeitem'][@data-value='car.station']";
    let node = format!("{row}//span[contains(@class,'el-tree-node__label')][normalize-space()='{label}']");
    admin.driver.query(By::XPath(node)).and_displayed().first().await?.click().await?;
    admin.save().await
}

async fn rights(admin: &Browser, other: &Browser) -> Result<()> {
    admin.log_in().await?;
    provider_role(admin, "场站值班", "汽车管理").await?;
    let given = provider_user(admin, "zhou.ning", "周宁", Some("场站值班")).await?;
    other.log_in_first("zhou.ning", &given, "an own password of mine").await?;
    other.page("car/stations").await?;
    other.see("[data-test='create']").await?;

    // A right to do something is taken: its button goes, and the page says why.
    admin.page("system/roles").await?;
    turn(admin, "添加").await?;
    other.see_text("[data-test='toast']", "您的权限有变更").await?;
    let gone = async |css: &'static str| Ok(other.driver.find(By::Css(css)).await.is_err());
    until("the button is gone", async || gone("[data-test='create']").await).await?;
    other.see("[data-test='car/stations']").await?;
    other.screenshot("right-taken").await?;

    // The right to see it is taken: the open page says so, and the menu leads there no more.
    turn(admin, "查看").await?;
    other.see_text("[data-test='notice']", "没有权限").await?;
    other.screenshot("page-taken").await?;
    until("the menu is shorter", async || gone("[data-test='menu-car/stations']").await).await?;

    // It is given back.
    turn(admin, "查看").await?;
    other.see("[data-test='menu-car/stations']").await?;
    other.see("[data-test='car/stations']").await?;
    ensure!(gone("[data-test='create']").await?, "what was not given back is not there");
    Ok(())
}
