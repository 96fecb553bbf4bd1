//! 3.4.1: car orders in all their states, and what staff does to them.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use backend::config::Config;
use backend::simulate::charger::Deed;
use e2e::charge::PREPAID;
use e2e::{Browser, Charging, Platform, in_browser, until, walk_on};
use shared::fixed::Fen;
use shared::order::OrderState;
use thirtyfour::prelude::*;

const STATION: &str = "滨江一号充电站";
/// The platform waits so many seconds for a charger to start, and hears nothing of it for so many before it suspends what
/// runs there.
const PATIENCE: (i64, i64) = (20, 15);
/// What was charged before anything happens.
const FEE: Fen = Fen(30);
/// To whom an order is invoiced.
const TITLE: &str = "杭州滨江物流有限公司";

/// Searches for the orders of a state, and sees these.
async fn sees_state(it: &Browser, state: &str, orders: &[&Charging]) -> Result<()> {
    it.page("orders/car").await?;
    it.search_for("state", state).await?;
    it.see_rows(&orders.iter().map(|it| it.no()).collect::<Vec<_>>()).await
}

/// What the list shows of an order in a column, counted from 1.
async fn cell(it: &Browser, order: &Charging, column: usize) -> Result<String> {
    Ok(it.row(order.no()).await?.find(By::Css(format!("td:nth-child({column})"))).await?.text().await?)
}

/// The energy of an order in the list.
async fn kwh(it: &Browser, order: &Charging) -> Result<String> {
    cell(it, order, 6).await
}

/// Ends an order in a state; it is settled with what was reported last, and cannot be ended again.
async fn end(it: &Browser, state: &str, order: &Charging) -> Result<()> {
    it.page("orders/car").await?;
    it.search("order_no", order.no()).await?;
    it.see_text("tr.el-table__row", state).await?;
    it.act(order.no(), "end").await?;
    it.enter("note", "车主来电，电桩不通").await?;
    it.save().await?;
    it.told("订单已结束").await?;
    it.see_text("tr.el-table__row", "订单完成").await?;
    ensure!(!it.offers(order.no(), "end").await?, "it has ended");
    it.reset().await
}

/// Asks for a refund of an order that the list shows.
async fn fill_in_refund(it: &Browser, order: &Charging, amount: Fen) -> Result<()> {
    it.act(order.no(), "refund").await?;
    it.enter("amount_fen", &amount.yuan()).await?;
    it.enter("reason", "充电中途断电，补偿").await
}

/// The amounts of a column in a card of an order's page.
async fn amounts(it: &Browser, card: &str, column: usize) -> Result<i64> {
    let table = format!("//section[h2[normalize-space()='{card}']]//tbody/tr/td[{column}]");
    let mut sum = 0;
    for it in it.driver.find_all(By::XPath(table)).await? {
        let fen = it.text().await?.replace('.', "");
        sum += if fen == "-" { 0 } else { fen.parse::<i64>().with_context(|| fen.clone())? };
    }
    Ok(sum)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_car_orders_is_done_in_the_console() -> Result<()> {
    let impatient = |it: &mut Config| (it.charging.start_seconds, it.charging.silent_seconds) = PATIENCE;
    let platform = Platform::start_with(impatient).await?;
    backend::demo::fill(&platform.app).await?;
    let world = platform.world("DEMO", 6, 180)?;
    let away = Deed::Cut(Duration::from_secs(3600));
    walk_on(&platform, "3.4.1", async |walk| {
        // A charger that is gone when its driver has paid does not answer the start.
        let starting = platform.ordered(&world, "13800000001", "DEMO0001", 1).await?;
        walk.does("3.4.1/8.1", async |it| {
            starting.charger.act(away.clone()).await?;
            starting.charger.until(|it| !it.online).await?;
            starting.pay()?;
            sees_state(it, "启动中", &[&starting]).await?;
            end(it, "启动中", &starting).await?;
            ensure!(cell(it, &starting, 10).await? == "0.00", "what never began costs nothing");
            Ok(())
        })
        .await?;
        let charging = platform.charging(&world, "13800000002", "DEMO0002", 1, FEE).await?;
        walk.does("3.4.1/8.2", async |it| {
            sees_state(it, "充电中", &[&charging]).await?;
            let before = kwh(it, &charging).await?;
            until("the list counts on by itself", async || Ok(kwh(it, &charging).await? != before)).await?;
            it.screenshot("orders-charging").await
        })
        .await?;
        // One that is gone while two charge there: one driver asks it to stop, the other waits.
        let stopping = platform.charging(&world, "13800000003", "DEMO0003", 1, FEE).await?;
        let suspended = platform.charging(&world, "13800000004", "DEMO0003", 2, FEE).await?;
        walk.does("3.4.1/8.3", async |it| {
            it.page("orders/car").await?;
            stopping.charger.act(away.clone()).await?;
            stopping.charger.until(|it| !it.online).await?;
            stopping.driver.stop(stopping.id()).await?;
            sees_state(it, "结束中", &[&stopping]).await?;
            end(it, "结束中", &stopping).await
        })
        .await?;
        walk.does("3.4.1/8.6", async |it| sees_state(it, "订单挂起", &[&suspended]).await).await?;
        // One at which nothing is plugged in any more refuses to start.
        let failed = platform.ordered(&world, "13800000005", "DEMO0006", 1).await?;
        walk.does("3.4.1/8.5", async |it| {
            failed.charger.act(Deed::Unplug(1)).await?;
            failed.charger.until(|it| it.plugged.is_empty() && it.told).await?;
            failed.pay()?;
            sees_state(it, "订单异常", &[&failed]).await?;
            it.screenshot("orders-failed").await
        })
        .await?;
        walk.does("3.4.1/5", async |it| {
            end(it, "订单异常", &failed).await?;
            let reported = kwh(it, &suspended).await?;
            end(it, "订单挂起", &suspended).await?;
            ensure!(kwh(it, &suspended).await? == reported, "what was reported last is what is charged");
            end(it, "充电中", &charging).await?;
            charging.charger.until(|it| it.charging.is_empty()).await
        })
        .await?;
        let reserved = platform.reserved(&world, ("13800000006", "浙A00006"), "DEMO0006", 2).await?;
        let reservation = reserved.no().to_owned();
        let whole = reserved.order(&world).await?.charge(FEE).await?;
        walk.does("3.4.1/8.4", async |it| {
            whole.end(2).await?;
            sees_state(it, "订单完成", &[&starting, &charging, &stopping, &suspended, &failed, &whole]).await
        })
        .await?;
        let fee = whole.driver.detail(whole.id()).await?.charged_fen;
        walk.does("3.4.1/4 3.4.1/4.1 3.4.1/4.2", async |it| {
            let back = Fen(PREPAID.0 - fee.0);
            until("the rest is given back", async || Ok(cell(it, &whole, 11).await? == back.yuan())).await?;
            ensure!(!it.offers(starting.no(), "refund").await?, "what cost nothing is not refunded");
            let part = Fen(10);
            fill_in_refund(it, &whole, Fen(fee.0 + 1)).await?;
            let why = it.refused().await?;
            ensure!(why.contains(&fee.yuan()), "at most {}: {why}", fee.yuan());
            it.act(whole.no(), "refund").await?;
            let told = format!("最多 {}", fee.yuan());
            it.see(&format!(".el-dialog [name='amount_fen'][placeholder='{told}']")).await?;
            it.click(".el-dialog [data-test='cancel']").await?;
            fill_in_refund(it, &whole, part).await?;
            // The form says whose money it is about, and how much of it there is.
            let title = it.see(".el-dialog__title").await?.text().await?;
            ensure!(title == format!("退费 · {}", whole.no()), "{title}");
            let facts = it.see_text(".el-dialog [data-test='facts']", "可退").await?.text().await?;
            ensure!(facts.contains("13800000006") && facts.contains(&fee.yuan()), "{facts}");
            it.screenshot("refund-form").await?;
            it.save().await?;
            it.told("退费申请已提交").await?;
            let back = Fen(back.0 + part.0);
            until("the part is given back", async || Ok(cell(it, &whole, 11).await? == back.yuan())).await?;
            // What went back already is not given again.
            fill_in_refund(it, &whole, fee).await?;
            let why = it.refused().await?;
            ensure!(why.contains(&Fen(fee.0 - part.0).yuan()), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.4.1/3", async |it| {
            ensure!(!it.offers(starting.no(), "invoice").await?, "what cost nothing is not invoiced");
            it.act(whole.no(), "invoice").await?;
            it.click(".el-dialog [data-test='ok']").await?;
            it.see(".el-dialog .el-form-item__error").await?;
            let missing = it.complaints().await?;
            ensure!(missing.len() == 3, "title, tax id and e-mail are asked for: {missing:?}");
            for (field, text) in [("title", TITLE), ("tax_id", "91330108MA27XXXX1B"), ("email", "finance@example.com")]
            {
                it.enter(field, text).await?;
            }
            it.screenshot("invoice-form").await?;
            it.save().await?;
            it.told("开票申请已提交").await?;
            until("it is issued", async || Ok(cell(it, &whole, 12).await? == "开票成功")).await?;
            ensure!(!it.offers(whole.no(), "invoice").await?, "it is invoiced once");
            // What is invoiced is not refunded.
            fill_in_refund(it, &whole, Fen(1)).await?;
            let why = it.refused().await?;
            ensure!(why.contains("请先作废发票"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.4.1/1 3.4.1/2", async |it| {
            let all = [&starting, &charging, &stopping, &suspended, &failed, &whole].map(|it| it.no());
            it.reset().await?;
            it.see_rows(&all).await?;
            let heads = it.texts(".page thead th").await?;
            for head in ["订单编号", "电站", "手机号", "预付", "费用", "状态", "创建时间", "功率", "电量"]
            {
                ensure!(heads.iter().any(|it| it.contains(head)), "no column {head}: {heads:?}");
            }
            let gun = cell(it, &charging, 4).await?;
            let (pile, _) = gun.rsplit_once('-').context("the connector's code begins with the charger's")?;
            for (field, text, found) in [
                ("order_no", whole.no(), &[whole.no()][..]),
                ("phone", "13800000004", &[suspended.no()]),
                ("charger_code", pile, &[charging.no()]),
                ("serial_no", "DEMO0003", &[stopping.no(), suspended.no()]),
                ("connector_code", &gun, &[charging.no()]),
                ("card_no", "8001", &[]),
                ("reservation_no", &reservation, &[whole.no()]),
                ("reservation_no", "R1", &[]),
            ] {
                it.search(field, text).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            for (field, text, found) in [
                ("state", "启动中", &[][..]),
                ("station_id", STATION, &[starting.no(), charging.no(), stopping.no(), suspended.no()]),
                ("start_method", "扫码", &all),
                ("start_method", "刷卡", &[]),
                ("kind", "预约订单", &[whole.no()]),
                ("kind", "普通订单", &all[..5]),
            ] {
                it.search_for(field, text).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            for (days, found) in [("昨天", &[][..]), ("今天", &all)] {
                it.search_days("created", days).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            it.see_rows(&all).await
        })
        .await?;
        walk.does("3.4.1/6", async |it| {
            it.search("phone", "13800000006").await?;
            let sheet = it.exported("汽车订单").await?;
            let [row] = sheet.as_slice() else { bail!("one order: {sheet:?}") };
            for (head, text) in [
                ("订单编号", whole.no()),
                ("手机号", "13800000006"),
                ("电站", "钱江新城地库站"),
                ("区域", "默认区域"),
                ("电桩编号", "C"),
                ("出厂标识", "DEMO0006"),
                ("预付(元)", "50"),
                ("电费(元)", "0."),
                ("服务费(元)", "0."),
                ("电量(kWh)", "0."),
                ("创建时间", ""),
                ("开始时间", ""),
                ("结束时间", ""),
            ] {
                row.tells(head, text)?;
            }
            it.reset().await
        })
        .await?;
        walk.does("3.4.1/7", async |it| sees_detail(it, &whole, &reservation, fee).await).await?;
        let broken = backend::verify::run(&platform.app).await?;
        ensure!(broken.is_empty(), "{broken:#?}");
        Ok(())
    })
    .await
}

/// The page of an order that was made under a reservation, that its driver ended and of whose fee a part was refunded.
async fn sees_detail(it: &Browser, order: &Charging, reservation: &str, fee: Fen) -> Result<()> {
    it.page("orders/car").await?;
    it.click_text("tr.el-table__row a.el-link", order.no()).await?;
    it.see_text("h1", order.no()).await?;
    it.see_text("[data-test='state']", "订单完成").await?;
    it.settled().await?;
    for (name, text) in [
        ("电站", "钱江新城地库站"),
        ("区域", "默认区域"),
        ("出厂标识", "DEMO0006"),
        ("手机号", "13800000006"),
        ("订单类型", "预约订单"),
        ("预约订单", reservation),
        ("车牌号码", "浙A00006"),
        ("启动方式", "扫码"),
        ("计费规则", "电价"),
        ("费用(元)", &fee.yuan()),
        ("预付(元)", "50.00"),
        ("结束描述", "车主结束充电"),
        ("充电时长", ":"),
        ("创建时间", "20"),
        ("开始时间", "20"),
        ("结束时间", "20"),
        ("电桩编号", "C"),
        ("电枪编号", "-2"),
    ] {
        let told = it.fact(name).await?;
        ensure!(told.contains(text), "{name}: {told}");
    }
    it.see("#content canvas").await?;
    let steps = it.texts("[data-test='timeline'] li b").await?;
    ensure!(steps.first().is_some_and(|it| it == "设备上报充电结束"), "the newest is on top: {steps:?}");
    ensure!(steps.last().is_some_and(|it| it == "创建订单"), "{steps:?}");
    for step in ["支付成功，下发启动指令", "开始充电", "请求结束充电"] {
        ensure!(steps.iter().any(|it| it == step), "{step}: {steps:?}");
    }
    // The bill, stretch by stretch, and its proof.
    ensure!(amounts(it, "计费明细", 8).await? == fee.0, "the stretches add up to the fee");
    it.see_text("[data-test='proof']", "核对一致").await?;
    // Where the money is: paid, given back, and in the books.
    ensure!(amounts(it, "支付明细", 3).await? == PREPAID.0, "what was paid");
    ensure!(amounts(it, "退费明细", 3).await? == PREPAID.0 - fee.0 + 10, "the rest and the part");
    let (debit, credit) = (amounts(it, "资金流水", 4).await?, amounts(it, "资金流水", 5).await?);
    ensure!(debit == credit && debit > 0, "debits {debit} and credits {credit}");
    // What of it was invoiced: the fee less the part that was given back.
    ensure!(amounts(it, "开票明细", 4).await? == fee.0 - 10, "what was invoiced");
    for text in [TITLE, "开票成功", "系统管理员"] {
        it.see_text("section", text).await?;
    }
    it.screenshot("order").await?;
    let prices = it.driver.find_all(By::XPath("//section[h2[normalize-space()='计费规则']]//tbody/tr")).await?;
    ensure!(prices.len() > 1, "the prices that were agreed");
    it.click("[data-test='back']").await?;
    it.see("[data-test='orders/car']").await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_moves_under_the_hand() -> Result<()> {
    let platform = Platform::start().await?;
    backend::demo::fill(&platform.app).await?;
    let world = platform.world("DEMO", 6, 180)?;
    let first = platform.ordered(&world, "13800000001", "DEMO0001", 1).await?;
    in_browser(&platform, "hand", async |it| {
        it.log_in().await?;
        it.page("orders/car").await?;
        it.see_rows(&[first.no()]).await?;
        // The hand is over what can be done to the row, and another order comes.
        let more = it.row(first.no()).await?.find(By::Css("[data-test='detail']")).await?;
        it.driver.action_chain().move_to_element_center(&more).perform().await?;
        let second = platform.ordered(&world, "13800000002", "DEMO0002", 1).await?;
        it.see("[data-test='show-latest']").await?;
        it.see_rows(&[first.no()]).await?;
        it.screenshot("orders-held").await?;
        it.click("[data-test='show-latest']").await?;
        it.see_texts("tr.el-table__row td:first-child", &[second.no(), first.no()]).await?;
        // So it is while the form of a row is open, wherever the hand is.
        first.pay()?;
        first.driver.until(first.id(), |it| it.state == OrderState::Charging).await?;
        it.see_text("tr.el-table__row", "充电中").await?;
        it.act(first.no(), "end").await?;
        it.see(".el-dialog").await?;
        let third = platform.ordered(&world, "13800000003", "DEMO0003", 1).await?;
        until("it is announced", async || Ok(it.driver.find(By::Css("[data-test='show-latest']")).await.is_ok()))
            .await?;
        it.see_texts("tr.el-table__row td:first-child", &[second.no(), first.no()]).await?;
        it.click(".el-dialog [data-test='cancel']").await?;
        // And when the hand has gone, the list is as it should be.
        let search = it.see(".search [name='phone']").await?;
        it.driver.action_chain().move_to_element_center(&search).click().perform().await?;
        it.see_texts("tr.el-table__row td:first-child", &[third.no(), second.no(), first.no()]).await?;
        let stays = "const box = document.querySelector('.table-scroll'); box.style.maxHeight = '110px'; \
            box.scrollTo(300, 60); const at = (it) => document.querySelector(it).getBoundingClientRect(); \
            const own = box.getBoundingClientRect(); return box.scrollLeft > 100 && box.scrollTop > 20 \
            && Math.abs(at('.table thead th:nth-child(3)').top - own.top) < 3 \
            && Math.abs(at('.table td:first-child').left - own.left) < 3";
        let stays = it.driver.execute(stays, vec![]).await?;
        ensure!(stays.json().as_bool() == Some(true), "headings and first column stay in sight");
        it.screenshot("orders-scrolled").await
    })
    .await
}
