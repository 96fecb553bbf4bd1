//! The main job, as people do it: staff sets up a station in the console, a charger comes online, a driver pays and
//! charges, the console shows it live, the bill is proved and the rest given back.

use std::time::Duration;

use anyhow::{Context, Error, Result, ensure};
use backend::simulate::charger::Deed;
use backend::simulate::connector::Car;
use backend::simulate::driver::{Driver, Manner};
use e2e::{Browser, Platform, in_browser, until};
use shared::driver_app::{DriverOrderDetail, LiveOrder, OrderToPay};
use shared::fixed::Fen;
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

    browser.add("car/stations").await?;
    browser.choose("provider_id", "云栖充电").await?;
    browser.choose("property_id", "滨江物业").await?;
    browser.enter("name", "江畔充电站").await?;
    browser.choose("nature", "公共").await?;
    browser.enter("lng", "120.2").await?;
    browser.enter("lat", "30.25").await?;
    browser.screenshot("station-form").await?;
    browser.save().await?;
    browser.see_text("tr.el-table__row", "江畔充电站").await?;
    browser.click("[data-test='approve'], [data-test='more']").await?;
    if browser.driver.find(thirtyfour::By::Css("[data-test='confirm-yes']")).await.is_err() {
        browser.click("[data-test='approve']").await?;
    }
    browser.click("[data-test='confirm-yes']").await?;
    browser.see_text("tr.el-table__row", "审核通过").await?;
    browser.click("tr.el-table__row .el-switch").await?;
    browser.click("[data-test='confirm-yes']").await?;
    browser.see("tr.el-table__row .el-switch.is-checked").await?;
    browser.screenshot("stations").await?;

    browser.add("car/areas").await?;
    browser.choose("station_id", "江畔充电站").await?;
    browser.enter("name", "快充区").await?;
    browser.save().await?;
    browser.see_text("tr.el-table__row", "快充区").await?;

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
    browser.choose("station_id", "江畔充电站").await?;
    browser.choose("area_id", "快充区").await?;
    browser.enter("name", "一号桩").await?;
    browser.enter("connectors", "2").await?;
    browser.enter("output_power_w", "480").await?;
    for (field, text) in [("nature", "公共"), ("current_type", "直流"), ("interface", "国标直流"), ("speed", "超充")]
    {
        browser.choose(field, text).await?;
    }
    browser.screenshot("charger-form").await?;
    browser.click(".el-dialog [data-test='ok']").await?;
    browser.see("[data-test='empty']").await?;

    browser.add("car/tariffs").await?;
    browser.choose("station_id", "江畔充电站").await?;
    browser.choose("area_id", "快充区").await?;
    browser.enter("name", "统一电价").await?;
    browser.enter("uniform-elec", "0.9500").await?;
    browser.enter("uniform-service", "0.4500").await?;
    browser.click(".el-dialog .el-switch:has([name='effective_now'])").await?;
    browser.screenshot("tariff-form").await?;
    browser.save().await?;
    browser.see_text("tr.el-table__row", "统一电价").await?;

    // The charger comes online; it is renamed and told something, and its page says so.
    charger.until(|it| it.online).await?;
    browser.follow("/car/chargers").await?;
    browser.see_text("tr.el-table__row", "在线").await?;
    browser.screenshot("chargers").await?;
    browser.click("tr.el-table__row a.el-link").await?;
    browser.see_text("[data-test='state']", "在线").await?;
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
    let car = Car { capacity_wh: 90_000, soc: 20, max_power_w: 480_000, asleep: false };
    charger.act(Deed::Plug(1, car)).await?;
    charger.until(|it| it.told).await?;
    browser.see_text("tr.el-table__row", "1 / 0 / 0 / 2").await?;
    browser.see("[role='menu']").await?;

    // The driver pays and charges.
    let manner = Manner {
        platform: platform.url.clone(),
        charge: Duration::ZERO..Duration::from_secs(1),
        away: Duration::ZERO..Duration::from_secs(1),
        prepaid: Fen(5000),
        look: Duration::from_millis(200),
        patience: Duration::from_secs(60),
    };
    let mut driver =
        Driver::new("13800000001".to_owned(), manner.into(), world.bank.clone(), platform.app.http.clone());
    driver.log_in().await?;
    let found = driver.scan("E2E0001").await?;
    let connector = found.charger.connectors.first().context("no connector")?;
    ensure!(connector.obstacle.is_none(), "cannot start: {:?}", connector.obstacle);
    let made: OrderToPay = driver.order(connector.id).await?;
    driver.pay(&made.payment)?;
    let order = made.order.id;
    let live = driver.until(order, |it| it.state == OrderState::Charging && it.kwh.units() > 0).await?;

    // Staff watches it without reloading.
    browser.follow("/orders/car").await?;
    browser.see_text("tr.el-table__row", "充电中").await?;
    browser.screenshot("orders-running").await?;
    browser.go(&format!("/orders/car/{order}")).await?;
    browser.see_text("body", &made.order.order_no).await?;
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
    ensure!(back + total == 5000, "charged {total} and gave back {back}");
    ensure!(world.bank.books().refunds.values().map(|it| it.amount_fen.0).sum::<i64>() == back, "the channel's books");
    browser.see_text("[data-test='proof']", "核对一致").await?;
    browser.screenshot("order-completed").await?;
    let broken = backend::verify::run(&platform.app).await?;
    ensure!(broken.is_empty(), "{broken:#?}");
    world.stopping.cancel();
    Ok(())
}
