//! 3.1: the first page, whose numbers agree with what there is.

use anyhow::{Context, Result, ensure};
use e2e::{Browser, Charging, Platform, until, walk_on};
use shared::fixed::{Fen, Kwh};
use thirtyfour::By;

const OFTEN: &str = "13800000001";
const ONCE: &str = "13800000002";

/// The numbers of a tile, in their order.
async fn tile(it: &Browser, title: &str) -> Result<Vec<String>> {
    let numbers = format!("//section[header/h2[normalize-space()='{title}']]//dd");
    let mut shown = vec![];
    for it in it.driver.find_all(By::XPath(numbers)).await? {
        shown.push(it.text().await?);
    }
    Ok(shown)
}

/// The numbers of a chart, a line a label, which are there for those who do not see it.
async fn chart(it: &Browser, title: &str) -> Result<Vec<Vec<String>>> {
    let lines = format!("//figure[@aria-label='{title}']//tbody/tr");
    let mut shown = vec![];
    for line in it.driver.find_all(By::XPath(lines)).await? {
        let mut cells = vec![];
        for it in line.find_all(By::Css("td")).await? {
            cells.push(it.prop("textContent").await?.unwrap_or_default());
        }
        shown.push(cells);
    }
    Ok(shown)
}

/// How many rows a list has.
async fn listed(it: &Browser, path: &str) -> Result<String> {
    it.page(path).await?;
    it.settled().await?;
    let total = it.see_text("[data-test='total']", "共").await?.text().await?;
    Ok(total.chars().filter(char::is_ascii_digit).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_agrees_with_what_there_is() -> Result<()> {
    let platform = Platform::start().await?;
    backend::demo::fill(&platform.app).await?;
    let world = platform.world("DEMO", 3, 180)?;
    walk_on(&platform, "3.1", async |walk| {
        // Charges are counted when they have ended.
        let mut kwh = Kwh::ZERO;
        for (phone, chargers) in [(OFTEN, &["DEMO0001", "DEMO0002"][..]), (ONCE, &["DEMO0003"])] {
            let mut driver = platform.driver(&world, phone).await?;
            for serial_no in chargers {
                let it = Charging::order(driver, &world, serial_no, 1).await?.charge(Fen(10)).await?;
                it.end(1).await?;
                kwh = kwh.plus(it.driver.live_order(it.id()).await?.kwh)?;
                driver = it.driver;
            }
        }
        walk.does("3.1.1/1", async |it| {
            let mut there = vec![];
            for path in ["car/stations", "car/areas", "car/chargers"] {
                there.push(listed(it, path).await?);
            }
            it.follow("/").await?;
            it.see(".dashboard").await?;
            let told = tile(it, "汽车充电").await?;
            ensure!(told == there && told == ["4", "4", "16"], "{told:?} instead of {there:?}");
            Ok(())
        })
        .await?;
        walk.does("3.1.1/2", async |it| {
            let told = tile(it, "单车充电").await?;
            ensure!(told == ["0", "0", "0"], "there are none: {told:?}");
            Ok(())
        })
        .await?;
        walk.does("3.1.1/3", async |it| {
            ensure!(listed(it, "orders/car").await? == "3", "all are listed");
            // The numbers are some seconds old.
            until("the three are counted", async || {
                it.page("orders/car").await?;
                it.follow("/").await?;
                it.see(".dashboard").await?;
                Ok(tile(it, "订单").await? == ["3", "3", "0"])
            })
            .await
        })
        .await?;
        walk.does("3.1.1/4", async |it| {
            // Neither members nor cards yet, two drivers, and both are new.
            it.see_texts(".dashboard .tile-violet dd", &["0", "0", "2", "2"]).await
        })
        .await?;
        walk.does("3.1.2/1", async |it| {
            until("the refunds are counted", async || {
                let days = chart(it, "最近 7 天订单数量").await?;
                Ok(days.last().is_some_and(|it| it == &["3", "0", "3"]))
            })
            .await?;
            let days = chart(it, "最近 7 天订单数量").await?;
            ensure!(days.len() == 7 && days.iter().take(6).all(|it| it == &["0", "0", "0"]), "{days:?}");
            Ok(())
        })
        .await?;
        walk.does("3.1.2/2", async |it| {
            let days = chart(it, "最近 5 天充电量").await?;
            let today = days.last().context("five days")?;
            ensure!(days.len() == 5 && *today == [kwh.to_string(), Kwh::ZERO.to_string()], "{kwh}: {days:?}");
            Ok(())
        })
        .await?;
        walk.does("3.1.3/1", async |it| {
            let ranking = it.texts(".ranking li").await?;
            let [first, second] = ranking.as_slice() else { anyhow::bail!("two drivers: {ranking:?}") };
            ensure!(first.contains(OFTEN) && first.contains("2 次"), "{first}");
            ensure!(second.contains(ONCE) && second.contains("1 次"), "{second}");
            it.see(".dashboard canvas").await?;
            it.screenshot("first-page").await
        })
        .await
    })
    .await
}
