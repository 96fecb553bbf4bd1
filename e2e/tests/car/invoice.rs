//! 3.4.5: invoices that drivers and staff asked for.

use anyhow::{Result, ensure};
use backend::simulate::fiscal::Habits;
use e2e::sheet::Saved;
use e2e::{Browser, Platform, until, walk_on};
use shared::fixed::Fen;

const COMPANY: &str = "杭州滨江物流有限公司";

/// Asks for an invoice of an order that the list shows.
async fn ask(it: &Browser, order: &str) -> Result<()> {
    it.page("orders/car").await?;
    it.act(order, "invoice").await?;
    for (field, text) in [("title", COMPANY), ("tax_id", "91330108MA27XXXX1B"), ("email", "finance@example.com")] {
        it.enter(field, text).await?;
    }
    it.save().await?;
    it.page("orders/invoices").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_invoices_is_done_in_the_console() -> Result<()> {
    let platform = Platform::start().await?;
    backend::demo::fill(&platform.app).await?;
    let world = platform.world("DEMO", 6, 180)?;
    let own = platform.charging(&world, "13800000001", "DEMO0001", 1, Fen(20)).await?;
    own.end(1).await?;
    let asked = own.driver.ask_for_invoice(&[own.id()], "张三").await?;
    let staff = platform.charging(&world, "13800000002", "DEMO0006", 1, Fen(20)).await?;
    staff.end(1).await?;
    let fee = staff.driver.detail(staff.id()).await?.charged_fen.yuan();
    walk_on(&platform, "3.4.5", async |walk| {
        walk.does("3.4.5/4", async |it| {
            world.fiscal.set(Habits { refuses: true, ..Habits::default() });
            ask(it, staff.no()).await?;
            it.see_text("tr.el-table__row", "开票失败").await?;
            ensure!(it.offers(COMPANY, "reissue").await? && !it.offers("张三", "reissue").await?, "only what failed");
            let detail = it.detail(COMPANY).await?;
            ensure!(detail.contains("开票员未登录电子税务局"), "{detail}");
            it.screenshot("invoice-failed").await?;
            world.fiscal.set(Habits::default());
            it.act(COMPANY, "reissue").await?;
            it.agree().await?;
            it.told("重开申请已提交").await?;
            until("both are issued", async || {
                let rows = it.texts("tr.el-table__row").await.unwrap_or_default();
                Ok(rows.len() == 2 && rows.iter().all(|it| it.contains("开票成功")))
            })
            .await
        })
        .await?;
        walk.does("3.4.5/3", async |it| {
            until("the file is there", async || it.offers(COMPANY, "download").await).await?;
            let saved = Saved::by(it).await?;
            it.act(COMPANY, "download").await?;
            let file = saved.file("F", ".pdf").await?;
            ensure!(std::fs::read(file)?.starts_with(b"%PDF-"), "it is a PDF");
            Ok(())
        })
        .await?;
        walk.does("3.4.5/6", async |it| {
            it.act(COMPANY, "detail").await?;
            for (name, text) in [
                ("发票编号", "F"),
                ("开票状态", "开票成功"),
                ("发票类型", "数电普票"),
                ("配置类型", "汽车"),
                ("电站", "钱江新城地库站"),
                ("发票抬头", COMPANY),
                ("纳税人识别号", "91330108MA27XXXX1B"),
                ("邮箱", "finance@example.com"),
                ("手机号", "13800000002"),
                ("商户号", "ZS100001"),
                ("开票金额(元)", &fee),
                ("发票号码", "26332"),
                ("发票代码", "-"),
                ("发票订单号", "F"),
                ("流水号", "2"),
                ("申请人", "系统管理员"),
                ("申请时间", "20"),
                ("开票时间", "20"),
            ] {
                let told = it.fact(name).await?;
                ensure!(told.starts_with(text), "{name}: {told}");
            }
            it.see_text(".el-drawer tbody tr", "电费").await?;
            it.see_text(".el-drawer tbody tr", staff.no()).await?;
            it.screenshot("invoice").await?;
            it.click(".el-drawer__close-btn").await
        })
        .await?;
        walk.does("3.4.5/1 3.4.5/2", async |it| {
            let both = [COMPANY, "张三"];
            for (field, text, found) in [
                ("title", "物流", &[COMPANY][..]),
                ("tax_id", "91330108MA27XXXX1B", &[COMPANY]),
                ("invoice_no", &asked.invoice_no, &["张三"]),
                ("number", "26332000000000000000", &[]),
                ("requested_by", "13800000001", &["张三"]),
                ("requested_by", "管理员", &[COMPANY]),
            ] {
                it.search(field, text).await?;
                it.see_column(5, found).await?;
                it.reset().await?;
            }
            for (field, text, found) in [
                ("state", "开票成功", &both[..]),
                ("state", "已作废", &[]),
                ("kind", "普票", &both),
                ("kind", "专票", &[]),
                ("station_id", "钱江新城地库站", &[COMPANY]),
            ] {
                it.search_for(field, text).await?;
                it.see_column(5, found).await?;
                it.reset().await?;
            }
            for (field, days, found) in [
                ("created", "昨天", &[][..]),
                ("created", "今天", &both),
                ("finished", "昨天", &[]),
                ("finished", "今天", &both),
            ] {
                it.search_days(field, days).await?;
                it.see_column(5, found).await?;
                it.reset().await?;
            }
            it.see_column(5, &both).await?;
            it.screenshot("invoices").await
        })
        .await?;
        walk.does("3.4.5/5", async |it| {
            it.act(COMPANY, "void").await?;
            it.enter("reason", "抬头填写错误").await?;
            it.screenshot("invoice-void").await?;
            it.save().await?;
            it.told("作废申请已提交").await?;
            it.see_text("tr.el-table__row", "已作废").await?;
            ensure!(!it.offers(COMPANY, "void").await?, "it is undone once");
            // The order can be invoiced anew.
            ask(it, staff.no()).await?;
            it.see_column(5, &[COMPANY, COMPANY, "张三"]).await
        })
        .await?;
        let broken = backend::verify::run(&platform.app).await?;
        ensure!(broken.is_empty(), "{broken:#?}");
        Ok(())
    })
    .await
}
