//! Electric cards (3.5.1 and 3.5.2 of the manual), by clicks and typing: a property issues them.

use anyhow::{Result, ensure};
use e2e::{Browser, walk};
use thirtyfour::By;

const OWN: &str = "an own password of mine";

async fn product(it: &Browser, name: &str, kind: &str, issued_to: &str, (price, face): (&str, &str)) -> Result<()> {
    it.add("members/card-products").await?;
    it.enter("name", name).await?;
    it.choose("kind", kind).await?;
    it.choose("issued_to", issued_to).await?;
    it.enter("price_fen", price).await?;
    it.enter("face_fen", face).await
}

/// Begins to issue a card.
async fn issue(it: &Browser, issued_to: &str, product: &str, phone: &str, holder: &str) -> Result<()> {
    it.add("members/cards").await?;
    it.choose("issued_to", issued_to).await?;
    it.choose("product_id", product).await?;
    it.enter("phone", phone).await?;
    it.enter("holder", holder).await
}

async fn station(it: &Browser, path: &str, name: &str) -> Result<()> {
    it.add(path).await?;
    let whose = it.driver.find(By::Css(".el-dialog [data-field='property_id']")).await?;
    ensure!(!whose.is_displayed().await?, "whose it is need not be said");
    it.enter("name", name).await?;
    it.choose("nature", "公共").await?;
    it.save().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_card_products_is_done_in_the_console() -> Result<()> {
    walk("3.5.1", async |walk| {
        walk.does("3.5.1/3", async |it| {
            it.become_keeper(OWN).await?;
            station(it, "car/stations", "江畔站").await?;
            station(it, "bike/stations", "梧桐里单车站").await?;
            product(it, "滨江充电卡", "实体卡", "个人", ("450", "500")).await?;
            for (field, name) in [("car_station_ids", "江畔站"), ("bike_station_ids", "梧桐里单车站")] {
                it.choose(field, name).await?;
                it.click(".el-dialog__header").await?;
            }
            // The tiers stand in their order, however they are typed.
            for (from, bonus) in [("300", "20"), ("100", "5"), ("500", "60")] {
                it.enter("tiers", from).await?;
                it.enter("tiers-1", bonus).await?;
                it.click(".el-dialog [data-test='add-tiers']").await?;
            }
            it.click(".el-dialog [data-test='tiers'] .is-closable:nth-of-type(3) button").await?;
            let tiers = it.see(".el-dialog [data-test='tiers']").await?.text().await?;
            ensure!(tiers.lines().map(str::trim).eq(["满 100.00 送 5.00", "满 300.00 送 20.00", "添加"]), "{tiers}");
            it.screenshot("card-product-form").await?;
            // A tier that is typed and not added is refused or taken up, and never dropped.
            it.enter("tiers", "800").await?;
            it.click(".el-dialog [data-test='ok']").await?;
            it.see_text(".el-dialog [data-field='tiers'] .el-form-item__error", "金额").await?;
            it.enter("tiers-1", "100").await?;
            it.save().await?;
            it.act("滨江充电卡", "edit").await?;
            it.see_text(".el-dialog [data-test='tiers']", "满 800.00 送 100.00").await?;
            it.click(".el-dialog [data-test='cancel']").await?;
            product(it, "车队卡", "虚拟卡", "集体户", ("200", "200")).await?;
            it.save().await?;
            product(it, "车队卡", "虚拟卡", "个人", ("1", "1")).await?;
            let why = it.refused().await?;
            ensure!(why.contains("已"), "{why}");
            it.see_rows(&["车队卡", "滨江充电卡"]).await
        })
        .await?;
        walk.does("3.5.1/1 3.5.1/2", async |it| {
            it.search("name", "车队").await?;
            it.see_rows(&["车队卡"]).await?;
            it.reset().await?;
            for (field, text, found) in [("kind", "实体卡", "滨江充电卡"), ("issued_to", "集体户", "车队卡")]
            {
                it.search_for(field, text).await?;
                it.see_rows(&[found]).await?;
                it.reset().await?;
            }
            it.see_rows(&["车队卡", "滨江充电卡"]).await
        })
        .await?;
        walk.does("3.5.1/4", async |it| {
            it.act("滨江充电卡", "edit").await?;
            for (field, text) in [("name", "滨江会员卡"), ("price_fen", "420"), ("face_fen", "480")] {
                it.enter(field, text).await?;
            }
            it.choose("kind", "虚拟卡").await?;
            it.choose("issued_to", "集体户").await?;
            it.click(".el-dialog [data-test='tiers'] .is-closable:nth-of-type(1) button").await?;
            it.save().await?;
            let line = it.row("滨江会员卡").await?.text().await?;
            for told in ["虚拟卡", "集体户", "420.00", "480.00"] {
                ensure!(line.contains(told), "{told} is not in {line}");
            }
            let detail = it.detail("滨江会员卡").await?;
            for told in ["江畔站、梧桐里单车站", "满 300.00 送 20.00"] {
                ensure!(detail.contains(told), "{told} is not in {detail}");
            }
            ensure!(!detail.contains("满 100.00"), "it was taken away: {detail}");
            it.screenshot("card-products").await
        })
        .await?;
        walk.does("3.5.1/6", async |it| {
            product(it, "日卡", "虚拟卡", "个人", ("20", "20")).await?;
            it.save().await?;
            it.switch("日卡").await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            issue(it, "个人", "日卡", "13700000001", "林晓").await?;
            let why = it.refused().await?;
            ensure!(why.contains("已禁用"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.5.1/5", async |it| {
            it.page("members/card-products").await?;
            it.switch("日卡").await?;
            it.agree().await?;
            it.told("启用成功").await?;
            issue(it, "个人", "日卡", "13700000001", "林晓").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "13700000001").await.map(drop)
        })
        .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_cards_is_done_in_the_console() -> Result<()> {
    walk("3.5.2", async |walk| {
        walk.does("3.5.2/3", async |it| {
            it.become_keeper(OWN).await?;
            product(it, "滨江充电卡", "实体卡", "个人", ("450", "500")).await?;
            it.enter("tiers", "100").await?;
            it.enter("tiers-1", "5").await?;
            it.click(".el-dialog [data-test='add-tiers']").await?;
            it.save().await?;
            product(it, "车队卡", "虚拟卡", "集体户", ("200", "200")).await?;
            it.save().await?;
            it.add("members/collectives").await?;
            for (field, text) in [("name", "滨江出租"), ("contact", "郑浩"), ("phone", "13900000301")] {
                it.enter(field, text).await?;
            }
            it.save().await?;

            issue(it, "个人", "滨江充电卡", "13700000001", "林晓").await?;
            let collective = it.see(".el-dialog [data-test='card_no'], .el-dialog [name='card_no']").await?;
            ensure!(collective.is_enabled().await?, "a number can be typed");
            for (field, text) in [("card_no", "8800001"), ("chip_uid", "04A1B2C3"), ("valid_days", "365")] {
                it.enter(field, text).await?;
            }
            it.screenshot("card-form").await?;
            it.save().await?;
            let line = it.row("13700000001").await?.text().await?;
            for told in ["8800001", "滨江充电卡", "实体卡", "个人", "林晓", "500.00"] {
                ensure!(line.contains(told), "{told} is not in {line}");
            }
            // A collective pays out of its account, and what is not in there it cannot pay.
            issue(it, "集体户", "车队卡", "13700000002", "吴迪").await?;
            it.choose("collective_id", "滨江出租").await?;
            let why = it.refused().await?;
            ensure!(why.contains("余额不足"), "{why}");
            it.page("members/collectives").await?;
            it.act("滨江出租", "recharge").await?;
            it.enter("amount_fen", "300").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "300.00").await?;
            issue(it, "集体户", "车队卡", "13700000002", "吴迪").await?;
            it.choose("collective_id", "滨江出租").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "滨江出租").await?;
            it.page("members/collectives").await?;
            it.see_text("tr.el-table__row", "100.00").await.map(drop)
        })
        .await?;
        walk.does("3.5.2/1 3.5.2/2", async |it| {
            it.page("members/cards").await?;
            let alone = async |phone: &str| -> Result<()> {
                it.see_text("tr.el-table__row", phone).await?;
                let rows = it.rows().await?.len();
                ensure!(rows == 1, "{rows} instead of the one of {phone}");
                it.reset().await
            };
            for (field, text, phone) in [
                ("number", "8800001", "13700000001"),
                ("number", "a1b2", "13700000001"),
                ("product", "车队", "13700000002"),
                ("phone", "13700000002", "13700000002"),
            ] {
                it.search(field, text).await?;
                alone(phone).await?;
            }
            for (field, text, phone) in [("kind", "虚拟卡", "13700000002"), ("issued_to", "个人", "13700000001")] {
                it.search_for(field, text).await?;
                alone(phone).await?;
            }
            it.see_text("tr.el-table__row", "13700000001").await?;
            ensure!(it.rows().await?.len() == 2, "all are there again");
            it.screenshot("cards").await
        })
        .await?;
        walk.does("3.5.2/4", async |it| {
            it.act("13700000001", "edit").await?;
            ensure!(!it.see(".el-dialog [name='phone']").await?.is_enabled().await?, "whose it is stays");
            it.enter("card_no", "8800009").await?;
            it.enter("chip_uid", "04FFEE").await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "8800009").await.map(drop)
        })
        .await?;
        walk.does("3.5.2/8", async |it| {
            for (amount, balance) in [("99.99", "599.99"), ("100", "704.99")] {
                it.act("8800009", "recharge").await?;
                it.enter("amount_fen", amount).await?;
                it.save().await?;
                it.see_text("tr.el-table__row", balance).await?;
            }
            Ok(())
        })
        .await?;
        walk.does("3.5.2/7 3.5.2/9", async |it| {
            it.act("8800009", "detail").await?;
            it.settled().await?;
            it.see_text(".el-drawer", "充值及消费明细").await?;
            it.see_text(".el-drawer .plain-table", "发卡").await?;
            it.screenshot("card").await?;
            let detail = it.see(".el-drawer").await?.text().await?;
            for told in ["04FFEE", "李蕾", "物业下的全部电站", "649.99", "55.00", "有效期至", "变更记录"]
            {
                ensure!(detail.contains(told), "{told} is not in {detail}");
            }
            let moved = it.see(".el-drawer .plain-table").await?.text().await?;
            let words: Vec<&str> = moved.split_whitespace().skip(4).collect();
            let lines: Vec<&[&str]> = words.chunks(5).filter_map(|it| it.get(2..)).collect();
            let expected = [["充值", "100.00", "5.00"], ["充值", "99.99", "0.00"], ["发卡", "450.00", "50.00"]];
            ensure!(lines == expected, "{moved}");
            it.click(".el-drawer__close-btn").await
        })
        .await?;
        walk.does("3.5.2/6", async |it| {
            it.switch("8800009").await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            it.act("8800009", "recharge").await?;
            it.enter("amount_fen", "1").await?;
            let why = it.refused().await?;
            ensure!(why.contains("已禁用"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.5.2/5", async |it| {
            it.switch("8800009").await?;
            it.agree().await?;
            it.told("启用成功").await?;
            ensure!(it.is_on("8800009").await?, "it is switched on");
            Ok(())
        })
        .await
    })
    .await
}
