//! The main job, as people do it: staff sets up a station in the console, a charger comes online, a driver pays and
//! charges, the console shows it live, the bill is proved and the rest given back.

use anyhow::{Context, Error, Result, ensure};
use backend::simulate::charger::Deed;
use e2e::charge::PREPAID;
use e2e::{Browser, Platform, in_browser, until};
use shared::driver_app::{DriverOrderDetail, LiveOrder};
use shared::order::OrderState;
use shared::payment::RefundState;

#[tokio::test(flavor = "multi_thread")]
async fn from_an_empty_platform_to_a_proved_bill() -> Result<()> {
    let platform = Platform::start().await?;
    platform.tenant("云栖充电", "滨江物业").await?;
    in_browser(&platform, "first-charge", async |browser| charge(&platform, browser).await).await
}

async fn charge(platform: &Platform, browser: &Browser) -> Result<()> {
    // Staff logs in and sets everything up.
    browser.go("/").await?;
    browser.see("[data-test='login']").await?;
    browser.screenshot("login").await?;
    browser.log_in().await?;
    browser.settled().await?;
    browser.screenshot("dashboard").await?;

    browser.open_station("江畔充电站").await?;
    browser.screenshot("stations").await?;
    browser.add_area("江畔充电站", "快充区").await?;

    // A charger knocks before anybody has entered it; staff finds it among the strangers and takes it in.
    let world = platform.world("E2E", 1, 480)?;
    let charger = world.chargers.get("E2E0001").context("no charger")?;
    browser.follow("/car/unregistered-devices").await?;
    let knocked = async || {
        browser.click("[data-test='search']").await?;
        browser.settled().await?;
        browser.see("[data-test='adopt'], [data-test='empty']").await?.attr("data-test").await.map_err(Error::from)
    };
    until("the charger knocks", async || Ok(knocked().await?.as_deref() == Some("adopt"))).await?;
    browser.screenshot("unregistered").await?;
    browser.click("[data-test='adopt']").await?;
    let serial_no = browser.see(".el-dialog [name='serial_no']").await?;
    ensure!(serial_no.prop("value").await?.as_deref() == Some("E2E0001"), "the serial number is filled in");
    browser.fill_in_charger("江畔充电站", "快充区", "一号桩").await?;
    browser.screenshot("charger-form").await?;
    browser.click(".el-dialog [data-test='ok']").await?;
    // It is told the password that was made up for it; an installer enters it at the charger.
    let password = browser.charger_password().await?;
    charger.act(Deed::Password(password)).await?;
    charger.until(|it| it.online).await?;
    browser.click("[data-test='search']").await?;
    browser.see("[data-test='empty']").await?;

    browser.fill_in_tariff("江畔充电站", "快充区", "统一电价").await?;
    browser.flip("effective_now").await?;
    browser.screenshot("tariff-form").await?;
    browser.save().await?;
    browser.see_text("tr.el-table__row", "统一电价").await?;

    // The charger is renamed and told something, and its page says so.
    browser.follow("/car/chargers").await?;
    browser.see_text("tr.el-table__row", "在线").await?;
    browser.screenshot("chargers").await?;
    browser.click("tr.el-table__row a.el-link").await?;
    browser.see_text("[data-test='state']", "在线").await?;
    ensure!(browser.fact("型号").await? == "SIM-480kW", "it has told what it is");
    browser.click("[data-test='edit']").await?;
    let count = browser.see(".el-dialog [name='connectors']").await?;
    ensure!(count.prop("value").await?.as_deref() == Some("2"), "the form knows how many connectors there are");
    browser.enter("name", "一号快充桩").await?;
    browser.click(".el-dialog [data-test='ok']").await?;
    browser.see_text("h1", "一号快充桩").await?;
    browser.click("[data-test='sync-clock']").await?;
    browser.see_text("[role='tabpanel']", "已执行").await?;
    browser.click("[data-test='tab-frames']").await?;
    browser.see_text("[role='tabpanel']", "Heartbeat").await?;
    browser.click("[data-test='tab-history']").await?;
    browser.see_text("[role='tabpanel'] ins", "一号快充桩").await?;
    browser.screenshot("charger").await?;

    // A driver plugs in; the list shows it, and the menu that somebody has just opened there stays open.
    browser.click("[data-test='back']").await?;
    browser.click("[data-test='more']").await?;
    let charging = platform.ordered(&world, "13800000001", "E2E0001", 1).await?;
    browser.see_text("tr.el-table__row", "1 / 0 / 0 / 2").await?;
    browser.see("[role='menu']").await?;

    // The driver pays and charges.
    charging.pay()?;
    let (driver, order) = (&charging.driver, charging.id());
    let live = driver.until(order, |it| it.state == OrderState::Charging && it.kwh.units() > 0).await?;

    // Staff watches it without reloading.
    browser.follow("/orders/car").await?;
    browser.see_text("tr.el-table__row", "充电中").await?;
    browser.screenshot("orders-running").await?;
    browser.go(&format!("/orders/car/{order}")).await?;
    browser.see_text("body", charging.no()).await?;
    let before = live.kwh;
    let later: LiveOrder = driver.until(order, |it| it.kwh.units() > before.units() + 2000).await?;
    browser.see_text("body", &format!("{}", later.kwh).chars().take(3).collect::<String>()).await?;
    browser.screenshot("order-running").await?;

    // It ends, and the money is where it belongs.
    driver.stop(order).await?;
    driver.until(order, |it| it.state == OrderState::Completed).await?;
    browser.see_text("body", "订单完成").await?;
    let refunded = async || -> Result<bool> {
        let refunds = driver.detail(order).await?.refunds;
        Ok(!refunds.is_empty() && refunds.iter().all(|it| it.state == RefundState::Succeeded))
    };
    until("the rest is given back", refunded).await?;
    browser.see_text("body", "退款成功").await?;
    let detail: DriverOrderDetail = driver.detail(order).await?;
    let total: i64 = detail.lines.iter().map(|it| it.elec_fen.0 + it.service_fen.0).sum();
    ensure!(total == detail.charged_fen.0 && total > 0, "the lines add up to the bill");
    let back: i64 = detail.refunds.iter().map(|it| it.amount_fen.0).sum();
    ensure!(back + total == PREPAID.0, "charged {total} and gave back {back}");
    ensure!(world.bank.books().refunds.values().map(|it| it.amount_fen.0).sum::<i64>() == back, "the channel's books");
    browser.see_text("[data-test='proof']", "核对一致").await?;
    browser.screenshot("order-completed").await?;
    let broken = backend::verify::run(&platform.app).await?;
    ensure!(broken.is_empty(), "{broken:#?}");
    world.stopping.cancel();
    Ok(())
}
