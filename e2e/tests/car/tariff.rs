//! 3.2.7: tariffs.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use chrono::Utc;
use e2e::{Browser, walk};
use shared::fixed::Kwh;
use shared::pricing::{
    Bill, Period, Range, Tariff, UnitPrice, bill_by_period, effective_from, quote_each_period, trial,
};
use shared::time::{self, Clock, SLOTS, minute_text};
use thirtyfour::prelude::*;

const STATION: &str = "江畔充电站";
/// The prices of each period as they are typed.
const PRICES: [(Period, &str, &str); 4] = [
    (Period::Sharp, "1.25", "0.5"),
    (Period::Peak, "1.10555", "0.45"),
    (Period::Flat, "0.7", "0.4"),
    (Period::Valley, "0.31", "0.3"),
];

/// The tariff with one price all day that is filled in.
fn uniform() -> Result<Tariff> {
    Ok(Tariff::uniform(UnitPrice { elec: "0.95".parse()?, service: "0.45".parse()? }))
}

/// The tariff by the time of day that is painted: valley until 8, peak until 12, flat, and the last half hour sharp.
fn painted(peak: &str) -> Result<Tariff> {
    let mut prices = BTreeMap::new();
    for (period, elec, service) in PRICES {
        let elec = if period == Period::Peak { peak } else { elec };
        prices.insert(period, UnitPrice { elec: elec.parse()?, service: service.parse()? });
    }
    let range = |period, from, to| Range { from: Clock::of_slot(from), to: Clock::of_slot(to), period };
    let slots = vec![
        range(Period::Valley, 0, 16),
        range(Period::Peak, 16, 24),
        range(Period::Flat, 24, SLOTS - 1),
        range(Period::Sharp, SLOTS - 1, SLOTS),
    ];
    Ok(Tariff::time_of_use(prices, slots))
}

/// Tries a charge in what is open, and sees that it costs what `shared` says.
async fn sees_priced(it: &Browser, within: &str, kwh: &str, (from, minutes): (&str, &str), bill: &Bill) -> Result<()> {
    for (name, text) in [("trial-kwh", kwh), ("trial-start", from), ("trial-minutes", minutes)] {
        it.fill(&format!("{within} [name='{name}']"), text).await?;
    }
    let Bill { kwh_total, elec_fen, service_fen, total_fen, .. } = bill;
    let wanted = [kwh_total.to_string(), elec_fen.yuan(), service_fen.yuan(), total_fen.yuan()];
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    it.see_texts(&format!("{within} [data-test='bill-total'] td"), &wanted).await
}

/// What 20 kWh from 7:45 on cost, half in the valley and half at the peak.
fn across(tariff: &Tariff, kwh: Kwh) -> Result<Bill> {
    let start = time::midnight(time::business_day(Utc::now())) + chrono::TimeDelta::minutes(7 * 60 + 45);
    Ok(trial(tariff, start, 30 * 60, kwh)?)
}

async fn cell(it: &Browser, slot: usize) -> Result<WebElement> {
    it.see(&format!(".el-dialog [data-slot='{slot}']")).await
}

/// Paints half hours by pressing the mouse on the first and drawing it to the last, faster than it is seen in between.
async fn drag(it: &Browser, period: &str, from: usize, to: usize) -> Result<()> {
    it.click(&format!(".el-dialog [data-test='brush-{period}']")).await?;
    let first = cell(it, from).await?;
    first.scroll_into_view().await?;
    let hand = it.driver.action_chain_with_delay(None, Some(Duration::from_millis(20)));
    let hand = hand.move_to_element_center(&first).click_and_hold();
    Ok(hand.move_to_element_center(&cell(it, to).await?).release().perform().await?)
}

/// Presses keys where the focus is.
async fn press(it: &Browser, keys: impl Into<TypingData>) -> Result<()> {
    Ok(it.driver.active_element().await?.send_keys(keys).await?)
}

/// What is said of the half hours that are not painted yet.
async fn sees_open(it: &Browser, hours: &str) -> Result<()> {
    it.see_text(".el-dialog [data-test='open']", &format!("尚有 {hours} 小时未设置")).await.map(drop)
}

/// Whether a text tells that something comes into force at the 24:00 after these instants.
fn at_midnight(text: &str, between: [chrono::DateTime<Utc>; 2]) -> bool {
    between.iter().any(|it| text.contains(&minute_text(effective_from(*it))))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_tariffs_is_done_in_the_console() -> Result<()> {
    walk("3.2.7", async |walk| {
        walk.does("3.2.7/3 3.2.7/3.1 3.2.7/3.2 3.2.7/3.4", async |it| {
            it.open_station(STATION).await?;
            it.add_area(STATION, "快充区").await?;
            let before = Utc::now();
            it.fill_in_tariff(STATION, "默认区域", "统一电价").await?;
            it.see_text(".el-dialog .tariff-prices td", "1.4").await?;
            let told = it.see_text(".el-dialog .tariff-foot", "24:00").await?.text().await?;
            ensure!(at_midnight(&told, [before, Utc::now()]), "{told}");
            it.screenshot("tariff-uniform").await?;
            it.save().await?;
            let row = it.row("统一电价").await?.text().await?;
            ensure!(row.contains("统一计价") && row.contains("待生效"), "{row}");
            ensure!(at_midnight(&row, [before, Utc::now()]), "in force from the next 24:00 on: {row}");
            // An area has one.
            it.fill_in_tariff(STATION, "默认区域", "另一电价").await?;
            let why = it.refused().await?;
            ensure!(why.contains("区域"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.2.7/3.3", async |it| {
            it.add("car/tariffs").await?;
            it.choose("station_id", STATION).await?;
            it.choose("area_id", "快充区").await?;
            it.enter("name", "峰平谷电价").await?;
            it.click_text(".el-dialog .el-radio-button", "峰平谷计价").await?;
            sees_open(it, "24.0").await?;
            // By the mouse.
            drag(it, "valley", 0, 30).await?;
            sees_open(it, "8.5").await?;
            drag(it, "clear", 30, 16).await?;
            sees_open(it, "16.0").await?;
            it.driver.active_element().await?.send_keys(Key::Home + "").await?;
            for _ in 0..15 {
                press(it, Key::Right).await?;
            }
            // By keys, from where the mouse was let go: past what is painted, then painting in steps, then to the end.
            press(it, Key::Right).await?;
            press(it, "2").await?;
            for _ in 17..24 {
                press(it, Key::Shift + Key::Right).await?;
            }
            sees_open(it, "12.0").await?;
            press(it, Key::Right).await?;
            press(it, "3").await?;
            press(it, Key::Shift + Key::End).await?;
            it.see(".el-dialog [data-test='covered']").await?;
            // One half hour less, and it is no tariff.
            press(it, "0").await?;
            sees_open(it, "0.5").await?;
            for (period, elec, service) in PRICES.into_iter().skip(1) {
                it.enter(&format!("{period}-elec"), elec).await?;
                it.enter(&format!("{period}-service"), service).await?;
            }
            it.flip("effective_now").await?;
            it.screenshot("tariff-open").await?;
            it.click(".el-dialog [data-test='ok']").await?;
            it.see_text(".el-dialog [data-field='tariff'] .el-form-item__error", "须完整覆盖 24 小时").await?;
            it.screenshot("tariff-refused").await?;
            // The day is whole again, but its last half hour has no price.
            drag(it, "sharp", 47, 47).await?;
            it.see(".el-dialog [data-test='covered']").await?;
            it.click(".el-dialog [data-test='ok']").await?;
            it.see_text(".el-dialog [data-field='tariff'] .el-form-item__error", "单价").await?;
            let wrong = By::Css(".el-dialog .tariff [aria-invalid='true']");
            let wrong = it.driver.find_all(wrong).await?;
            ensure!(wrong.len() == 2, "the two prices that are missing are marked, and nothing else");
            let [(_, elec, service), ..] = PRICES;
            it.enter("sharp-elec", elec).await?;
            it.enter("sharp-service", service).await?;
            ensure!(it.complaints().await?.is_empty(), "what was wrong is forgotten");
            Ok(())
        })
        .await?;
        walk.does("3.2.7/5", async |it| {
            let tariff = painted("1.10555")?;
            // Before it is saved.
            it.click(".el-dialog .tariff-trial summary").await?;
            let bill = across(&tariff, "20".parse()?)?;
            sees_priced(it, ".el-dialog", "20", ("07:45", "30"), &bill).await?;
            it.screenshot("tariff-trial").await?;
            it.save().await?;
            let row = it.row("峰平谷电价").await?.text().await?;
            ensure!(row.contains("峰平谷计价") && row.contains("生效中"), "{row}");
            // And after that; energy alone costs something else in each period.
            it.act("峰平谷电价", "detail").await?;
            let each = quote_each_period(&tariff, "30".parse()?)?;
            let totals: Vec<String> = each.iter().map(|(_, bill)| bill.total_fen.yuan()).collect();
            let totals: Vec<&str> = totals.iter().map(String::as_str).collect();
            it.see_texts(".el-drawer .trial-result tbody td:last-child", &totals).await?;
            let bill = across(&tariff, "33.3333".parse()?)?;
            sees_priced(it, ".el-drawer", "33.3333", ("07:45", "30"), &bill).await?;
            it.click(".el-drawer__close-btn").await?;
            // One price all day needs no time.
            it.act("统一电价", "detail").await?;
            it.fill(".el-drawer [name='trial-kwh']", "12.3456").await?;
            let bill = bill_by_period(&uniform()?, [(Period::Uniform, "12.3456".parse()?)])?;
            it.see_text(".el-drawer [data-test='bill-total']", &bill.total_fen.yuan()).await?;
            it.fill(".el-drawer [name='trial-kwh']", "much").await?;
            it.see_text(".el-drawer .trial-result", "请填写电量").await?;
            it.click(".el-drawer__close-btn").await
        })
        .await?;
        walk.does("3.2.7/1 3.2.7/2", async |it| {
            it.open_station("钱江充电站").await?;
            it.page("car/tariffs").await?;
            let all = ["统一电价", "峰平谷电价"];
            it.search("name", "峰").await?;
            it.see_rows(&["峰平谷电价"]).await?;
            it.reset().await?;
            it.see_rows(&all).await?;
            it.switch("统一电价").await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            for (field, text, found) in [
                ("station_id", STATION, &all[..]),
                ("station_id", "钱江充电站", &[]),
                ("area_id", "快充区", &["峰平谷电价"]),
                ("mode", "统一计价", &["统一电价"]),
                ("enabled", "禁用", &["统一电价"]),
                ("enabled", "启用", &["峰平谷电价"]),
            ] {
                it.search_for(field, text).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            // Conditions count together.
            it.search_for("station_id", STATION).await?;
            it.search_for("mode", "峰平谷计价").await?;
            it.see_rows(&["峰平谷电价"]).await?;
            it.reset().await?;
            it.see_rows(&all).await?;
            it.screenshot("tariffs").await
        })
        .await?;
        walk.does("3.2.7/4", async |it| {
            it.act("峰平谷电价", "edit").await?;
            it.see(".el-dialog [data-test='covered']").await?;
            ensure!(
                cell(it, 15).await?.text().await? == "谷" && cell(it, 16).await?.text().await? == "峰",
                "as painted"
            );
            it.enter("name", "新峰平谷电价").await?;
            it.enter("peak-elec", "1.2").await?;
            it.save().await?;
            let row = it.row("新峰平谷电价").await?.text().await?;
            ensure!(row.contains("生效中，新版本待生效"), "the old prices count until 24:00: {row}");
            Ok(())
        })
        .await?;
        walk.does("3.2.7/6", async |it| {
            it.act("新峰平谷电价", "edit").await?;
            for amount in ["50", "10", "20", "30", "40", "60", "70", "80", "90", "100", "110", "120.5"] {
                it.fill(".el-dialog input[name='presets']", amount).await?;
                press(it, Key::Enter).await?;
            }
            it.see_text(".el-dialog [data-test='presets']", "120.50").await?;
            let add = it.see(".el-dialog [data-test='add-presets']").await?;
            ensure!(!add.is_enabled().await?, "twelve are enough");
            it.screenshot("tariff-presets").await?;
            it.click(".el-dialog [aria-label='移除 20.00']").await?;
            ensure!(add.is_enabled().await?, "now there is room");
            // What is typed and not added is neither dropped nor taken when it is no amount.
            it.enter("presets", "-20").await?;
            it.click(".el-dialog [data-test='ok']").await?;
            it.see_text(".el-dialog [data-field='presets'] .el-form-item__error", "0.01 到 1000.00 元").await?;
            it.enter("presets", "130").await?;
            it.save().await?;
            it.act("新峰平谷电价", "edit").await?;
            it.see_text(".el-dialog [data-test='presets']", "130.00").await?;
            it.click(".el-dialog [data-test='cancel']").await
        })
        .await?;
        walk.does("3.2.7/7", async |it| {
            it.act("新峰平谷电价", "detail").await?;
            for (name, text) in [
                ("计费名称", "新峰平谷电价"),
                ("所属电站", STATION),
                ("所属区域", "快充区"),
                ("计费方式", "峰平谷计价"),
                ("生效状态", "新版本待生效"),
                ("预付值(元)", "10.00 / 30.00 / 40.00 / 50.00 / 60.00"),
            ] {
                let told = it.fact(name).await?;
                ensure!(told.contains(text), "{name}: {told}");
            }
            let effective = it.fact("生效时间").await?;
            ensure!(at_midnight(&effective, [Utc::now(); 2]), "{effective}");
            let (tariff, prices) =
                (painted("1.2")?, it.texts(".el-drawer .detail-title + .plain-table tbody tr").await?);
            ensure!(prices.len() == tariff.prices.len(), "a line for each period: {prices:?}");
            for ((period, price), line) in tariff.prices.iter().zip(&prices) {
                let both = price.elec.plus(price.service)?;
                let wanted = format!("{} {} {both}", price.elec, price.service);
                ensure!(line.contains(&wanted), "{period} costs {wanted}: {line}");
            }
            // Each wording is kept, and the one in force is named.
            let versions = it.texts(".el-drawer .versions summary").await?;
            let [new, old] = versions.as_slice() else { bail!("presets alone are no new wording: {versions:?}") };
            ensure!(new.starts_with("版本 2 ") && !new.contains("生效中"), "{new}");
            ensure!(old.starts_with("版本 1 ") && old.contains("生效中"), "{old}");
            it.see_text(".el-drawer .history", "修改").await?;
            it.screenshot("tariff").await?;
            it.click(".el-drawer__close-btn").await
        })
        .await
    })
    .await
}
