//! 3.5.4 and 3.5.5: drivers, and collectives.

use anyhow::{Result, ensure};
use e2e::platform::PASSWORD;
use e2e::{Browser, Platform, walk, walk_on};
use shared::fixed::Fen;

const HERE: &str = "13800000001";
const THERE: &str = "13800000002";
const NEW: &str = "13800000003";

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_drivers_is_done_in_the_console() -> Result<()> {
    let platform = Platform::start().await?;
    backend::demo::fill(&platform.app).await?;
    let world = platform.world("DEMO", 16, 180)?;
    // One charges at one provider's station, another at another's.
    let here = platform.charging(&world, HERE, "DEMO0001", 1, Fen(10)).await?;
    here.end(1).await?;
    let there = platform.charging(&world, THERE, "DEMO0016", 1, Fen(10)).await?;
    there.end(1).await?;
    walk_on(&platform, "3.5.4", async |walk| {
        walk.does("3.5.4/1 3.5.4/2", async |it| {
            it.page("members/drivers").await?;
            let both = [HERE, THERE];
            it.see_rows(&both).await?;
            for (field, text, found) in
                [("phone", HERE, &[HERE][..]), ("phone", THERE, &[THERE]), ("plate", "浙A12345", &[])]
            {
                it.search(field, text).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            for (field, text, found) in [
                ("provider_id", "云栖充电", &[HERE][..]),
                ("provider_id", "风行新能源", &[THERE]),
                ("property_id", "滨江物业", &[HERE]),
                ("property_id", "高新物业", &[]),
            ] {
                it.search_for(field, text).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            it.see_rows(&both).await?;
            it.screenshot("drivers").await?;
            it.act(HERE, "detail").await?;
            let spent = here.driver.detail(here.id()).await?.charged_fen.yuan();
            for (name, text) in [
                ("手机号", HERE),
                ("充电次数", "1"),
                ("最近充电", "20"),
                ("最近登录", "20"),
                ("注册时间", "20"),
                ("状态", "启用"),
                ("累计消费(元)", &spent),
            ] {
                let told = it.fact(name).await?;
                ensure!(told.starts_with(text), "{name}: {told}");
            }
            it.screenshot("driver").await?;
            let order = it.see_text(".el-drawer tbody tr", here.no()).await?.text().await?;
            ensure!(
                order.contains("订单完成") && order.contains("滨江一号充电站") && order.contains(&spent),
                "{order}"
            );
            it.click_text(".el-drawer a", here.no()).await?;
            it.see_text("h1", here.no()).await.map(drop)
        })
        .await?;
        walk.does("3.5.4/3", async |it| {
            it.add("members/drivers").await?;
            for (field, text) in [("phone", NEW), ("nickname", "小林"), ("name", "林小")] {
                it.enter(field, text).await?;
            }
            it.choose("gender", "女").await?;
            it.screenshot("driver-form").await?;
            it.save().await?;
            it.see_rows(&[HERE, THERE, NEW]).await
        })
        .await?;
        walk.does("3.5.4/4", async |it| {
            it.act(NEW, "certify").await?;
            it.agree().await?;
            it.told("请先填写姓名和车牌号").await?;
            it.act(NEW, "edit").await?;
            for (field, text) in [("nickname", "晓晓"), ("name", "林晓"), ("plate", "浙a12345")] {
                it.enter(field, text).await?;
            }
            it.choose("gender", "男").await?;
            it.save().await?;
            let told = it.detail(NEW).await?;
            for text in ["晓晓", "林晓", "浙A12345", "男"] {
                ensure!(told.contains(text), "{text}: {told}");
            }
            Ok(())
        })
        .await?;
        walk.does("3.5.4/5", async |it| {
            it.act(NEW, "certify").await?;
            let question = it.agree().await?;
            ensure!(question.contains("可以在小程序预约充电"), "{question}");
            it.told("认证成功").await?;
            it.see_text("tr.el-table__row", "是").await?;
            ensure!(!it.offers(NEW, "certify").await?, "they are certified");
            it.screenshot("drivers-certified").await
        })
        .await?;
        walk.does("3.5.4/7", async |it| {
            it.switch(NEW).await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            it.log_out().await?;
            become_property(it).await?;
            it.add("members/card-products").await?;
            for (field, text) in [("name", "滨江充电卡"), ("price_fen", "100"), ("face_fen", "100")] {
                it.enter(field, text).await?;
            }
            it.choose("kind", "虚拟卡").await?;
            it.choose("issued_to", "个人").await?;
            it.save().await?;
            issue_to_person(it).await?;
            let why = it.refused().await?;
            ensure!(why.contains("已禁用"), "{why}");
            it.log_out().await
        })
        .await?;
        walk.does("3.5.4/6", async |it| {
            it.log_in().await?;
            it.page("members/drivers").await?;
            it.switch(NEW).await?;
            it.agree().await?;
            it.told("启用成功").await?;
            it.log_out().await?;
            become_property(it).await?;
            issue_to_person(it).await?;
            it.save().await?;
            it.see_text("tr.el-table__row", NEW).await.map(drop)
        })
        .await
    })
    .await
}

/// Logs in as who runs the demo data's first property.
async fn become_property(it: &Browser) -> Result<()> {
    it.log_in_as("13900000002", PASSWORD).await?;
    it.see("[data-test='user']").await.map(drop)
}

/// Begins to issue a card to the new driver.
async fn issue_to_person(it: &Browser) -> Result<()> {
    it.add("members/cards").await?;
    it.choose("issued_to", "个人").await?;
    it.choose("product_id", "滨江充电卡").await?;
    it.enter("phone", NEW).await?;
    it.enter("holder", "林晓").await
}

const OWN: &str = "an own password of mine";

/// Begins to issue a card that the collective pays for.
async fn issue(it: &Browser) -> Result<()> {
    it.add("members/cards").await?;
    it.choose("issued_to", "集体户").await?;
    it.choose("product_id", "车队卡").await?;
    it.choose("collective_id", "江虹物流").await?;
    it.enter("phone", "13700000001").await?;
    it.enter("holder", "林晓").await
}

/// Fills in a collective of the property.
async fn fill_in(it: &Browser, name: &str, phone: &str) -> Result<()> {
    it.add("members/collectives").await?;
    it.choose("provider_id", "云栖充电").await?;
    it.choose("property_id", "滨江物业").await?;
    for (field, text) in [("name", name), ("contact", "郑浩"), ("phone", phone)] {
        it.enter(field, text).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_collectives_is_done_in_the_console() -> Result<()> {
    walk("3.5.5", async |walk| {
        walk.does("3.5.5/3", async |it| {
            fill_in(it, "滨江出租", "13900000301").await?;
            for (field, text) in
                [("email", "taxi@example.com"), ("address", "江南大道 1 号"), ("note", "夜班车队，月结")]
            {
                it.enter(field, text).await?;
            }
            it.screenshot("collective-form").await?;
            it.save().await?;
            fill_in(it, "江虹物流", "13900000302").await?;
            it.save().await?;
            it.see_rows(&["滨江出租", "江虹物流"]).await
        })
        .await?;
        walk.does("3.5.5/1 3.5.5/2", async |it| {
            let both = ["滨江出租", "江虹物流"];
            for (field, text, found) in [("name", "出租", &["滨江出租"][..]), ("phone", "0302", &["江虹物流"])]
            {
                it.search(field, text).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            for (field, text, found) in
                [("provider_id", "云栖充电", &both[..]), ("property_id", "滨江物业", &both), ("enabled", "禁用", &[])]
            {
                it.search_for(field, text).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            // Conditions count together.
            it.search_for("property_id", "滨江物业").await?;
            it.search("name", "物流").await?;
            it.see_rows(&["江虹物流"]).await?;
            it.reset().await?;
            it.see_rows(&both).await
        })
        .await?;
        walk.does("3.5.5/4", async |it| {
            it.act("滨江出租", "edit").await?;
            for (field, text) in [
                ("name", "滨江出租车队"),
                ("contact", "郑浩然"),
                ("email", "fleet@example.com"),
                ("address", "江南大道 2 号"),
            ] {
                it.enter(field, text).await?;
            }
            it.save().await?;
            let told = it.detail("滨江出租车队").await?;
            for text in ["郑浩然", "fleet@example.com", "江南大道 2 号", "夜班车队，月结"] {
                ensure!(told.contains(text), "{text}: {told}");
            }
            it.screenshot("collectives").await
        })
        .await?;
        walk.does("3.5.5/5", async |it| {
            it.act("江虹物流", "recharge").await?;
            it.enter("amount_fen", "1000.50").await?;
            it.save().await?;
            let line = it.row("1000.50").await?.text().await?;
            ensure!(line.contains("江虹物流"), "{line}");
            Ok(())
        })
        .await?;
        walk.does("3.5.5/8", async |it| {
            it.act("江虹物流", "lock").await?;
            let question = it.agree().await?;
            ensure!(question.contains("无法发卡"), "{question}");
            it.see_text("tr.el-table__row", "已锁定").await?;
            // Who runs the property issues cards, and not to a locked or disabled one.
            it.become_keeper(OWN).await?;
            it.add("members/card-products").await?;
            for (field, text) in [("name", "车队卡"), ("price_fen", "200"), ("face_fen", "200")] {
                it.enter(field, text).await?;
            }
            it.choose("kind", "虚拟卡").await?;
            it.choose("issued_to", "集体户").await?;
            it.save().await?;
            issue(it).await?;
            let why = it.refused().await?;
            ensure!(why.contains("已锁定"), "{why}");
            it.page("members/collectives").await?;
            it.act("江虹物流", "unlock").await?;
            it.see_text("tr.el-table__row", "江虹物流").await.map(drop)
        })
        .await?;
        walk.does("3.5.5/7", async |it| {
            it.switch("江虹物流").await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            issue(it).await?;
            let why = it.refused().await?;
            ensure!(why.contains("已禁用"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.5.5/6", async |it| {
            it.page("members/collectives").await?;
            it.switch("江虹物流").await?;
            it.agree().await?;
            it.told("启用成功").await?;
            issue(it).await?;
            it.save().await?;
            it.see_text("tr.el-table__row", "江虹物流").await?;
            it.page("members/collectives").await?;
            it.see_text("tr.el-table__row", "800.50").await.map(drop)
        })
        .await
    })
    .await
}
