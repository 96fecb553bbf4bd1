//! A password that is told once, where the browser has no clipboard for us: over plain HTTP by name.

use anyhow::{Context, Result, ensure};
use e2e::{Browser, Platform, in_browser};
use thirtyfour::prelude::*;

use crate::provider_user;

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_told_once_can_be_copied_and_is_not_lost() -> Result<()> {
    let mut platform = Platform::start().await?;
    platform.tenant("云栖充电", "滨江物业").await?;
    platform.url = platform.url.replacen("127.0.0.1", "console.test", 1);
    in_browser(&platform, "secret", steps).await
}

async fn steps(it: &Browser) -> Result<()> {
    it.log_in().await?;
    let bare = it.driver.execute("return navigator.clipboard === undefined", vec![]).await?;
    ensure!(bare.json().as_bool() == Some(true), "this browser has a clipboard here");
    provider_user(it, "zhou.ning", "周宁", Some("系统管理员")).await?;
    it.act("zhou.ning", "reset-password").await?;
    it.agree().await?;
    let given = it.see("[data-test='password']").await?.text().await?;
    // Neither the key for it nor a click beside it closes it.
    it.driver.active_element().await?.send_keys(Key::Escape + "").await?;
    it.click("[data-test='secret'] [data-test='copy']").await?;
    it.see_text("[data-test='secret']", "已复制").await?;
    it.screenshot("one-time-password").await?;
    it.driver.active_element().await?.send_keys(Key::Escape + "").await?;
    ensure!(it.one_time_password().await? == given, "it stays until it is kept");
    ensure!(it.driver.find(By::Css("[data-test='secret']")).await.is_err(), "and goes then");
    // What was copied is the password.
    let search = it.see(".search [name='username']").await?;
    search.send_keys(Key::Control + "v").await?;
    ensure!(search.prop("value").await?.context("no value")? == given, "something else was copied");
    Ok(())
}
