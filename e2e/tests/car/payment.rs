//! 3.4.3 and 3.4.6: what drivers paid, and what they got back.

use anyhow::{Result, bail, ensure};
use e2e::charge::PREPAID;
use e2e::{Charging, Platform, Walk, until, walk_on};
use shared::fixed::Fen;

const PAID: &str = "13800000001";
const UNPAID: &str = "13800000002";

/// A platform on which one driver has charged for this much and got the rest back, and another has ordered and not paid.
async fn with_payments(
    section: &str,
    steps: impl AsyncFnOnce(&mut Walk<'_>, &Charging, &Charging, Fen) -> Result<()>,
) -> Result<()> {
    let platform = Platform::start().await?;
    backend::demo::fill(&platform.app).await?;
    let world = platform.world("DEMO", 6, 180)?;
    let whole = platform.charging(&world, PAID, "DEMO0001", 1, Fen(20)).await?;
    whole.end(1).await?;
    let fee = whole.driver.detail(whole.id()).await?.charged_fen;
    let unpaid = platform.ordered(&world, UNPAID, "DEMO0006", 1).await?;
    walk_on(&platform, section, async |walk| steps(walk, &whole, &unpaid, fee).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_payments_is_done_in_the_console() -> Result<()> {
    with_payments("3.4.3", async |walk, whole, unpaid, fee| {
        let both = [whole.no(), unpaid.no()];
        let number = &whole.made.payment.payment_no;
        walk.does("3.4.3/1 3.4.3/2", async |it| {
            it.page("orders/payments").await?;
            it.see_column(2, &both).await?;
            for (field, text, found) in [
                ("order_no", whole.no(), &[whole.no()][..]),
                ("phone", UNPAID, &[unpaid.no()]),
                ("phone", PAID, &[whole.no()]),
            ] {
                it.search(field, text).await?;
                it.see_column(2, found).await?;
                it.reset().await?;
            }
            for (field, text, found) in [
                ("station_id", "钱江新城地库站", &[unpaid.no()][..]),
                ("order_kind", "汽车", &both),
                ("order_kind", "单车", &[]),
                ("channel", "模拟", &both),
                ("state", "支付中", &[unpaid.no()]),
                ("state", "已支付", &[whole.no()]),
            ] {
                it.search_for(field, text).await?;
                it.see_column(2, found).await?;
                it.reset().await?;
            }
            for (field, days, found) in [
                ("created", "昨天", &[][..]),
                ("created", "今天", &both),
                ("paid", "昨天", &[]),
                ("paid", "今天", &[whole.no()]),
            ] {
                it.search_days(field, days).await?;
                it.see_column(2, found).await?;
                it.reset().await?;
            }
            it.see_column(2, &both).await?;
            it.screenshot("payments").await
        })
        .await?;
        walk.does("3.4.3/3", async |it| {
            it.search("order_no", whole.no()).await?;
            let sheet = it.exported("支付订单").await?;
            let [row] = sheet.as_slice() else { bail!("one row: {sheet:?}") };
            for (head, text) in [
                ("支付编号", number.as_str()),
                ("订单编号", whole.no()),
                ("订单类型", "汽车"),
                ("支付类型", ""),
                ("支付金额", "50"),
                ("手机号", PAID),
                ("电站", "滨江一号充电站"),
                ("支付状态", "已支付"),
                ("第三方支付单号", ""),
                ("第三方回调", ""),
                ("发起时间", ""),
                ("支付时间", ""),
            ] {
                row.tells(head, text)?;
            }
            it.reset().await
        })
        .await?;
        walk.does("3.4.3/4", async |it| {
            let back = Fen(PREPAID.0 - fee.0).yuan();
            until("the rest is given back", async || Ok(it.row(whole.no()).await?.text().await?.contains(&back)))
                .await?;
            it.act(whole.no(), "detail").await?;
            it.see_text(".el-drawer tbody tr", "退款成功").await?;
            for (name, text) in [
                ("支付编号", number.as_str()),
                ("订单编号", whole.no()),
                ("订单类型", "汽车"),
                ("电站", "滨江一号充电站"),
                ("区域", "默认区域"),
                ("电桩名称", "1号桩"),
                ("支付金额", "50.00"),
                ("已退金额", &back),
                ("手机号", PAID),
                ("充电时长", "00:00:"),
                ("支付时间", "20"),
                ("支付状态", "已支付"),
            ] {
                let told = it.fact(name).await?;
                ensure!(told.starts_with(text), "{name}: {told}");
            }
            it.screenshot("payment").await?;
            // The order's number leads to the order.
            it.click_text(".el-drawer a", whole.no()).await?;
            it.see_text("h1", whole.no()).await.map(drop)
        })
        .await
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_refunds_is_done_in_the_console() -> Result<()> {
    with_payments("3.4.6", async |walk, whole, _, fee| {
        let part = Fen(5);
        let rest = Fen(PREPAID.0 - fee.0).yuan();
        walk.does("3.4.6/1 3.4.6/2", async |it| {
            it.page("orders/car").await?;
            it.act(whole.no(), "refund").await?;
            it.enter("amount_fen", &part.yuan()).await?;
            it.enter("reason", "充电中途断电，补偿").await?;
            it.save().await?;
            it.page("orders/refunds").await?;
            let both = [rest.as_str(), &part.yuan()];
            it.see_column(9, &both).await?;
            until("both have arrived", async || {
                let rows = it.texts("tr.el-table__row").await.unwrap_or_default();
                Ok(rows.len() == 2 && rows.iter().all(|it| it.contains("退款成功")))
            })
            .await?;
            for (field, text, found) in
                [("order_no", whole.no(), &both[..]), ("phone", PAID, &both), ("phone", UNPAID, &[])]
            {
                it.search(field, text).await?;
                it.see_column(9, found).await?;
                it.reset().await?;
            }
            for (field, text, found) in [
                ("station_id", "滨江一号充电站", &both[..]),
                ("station_id", "钱江新城地库站", &[]),
                ("kind", "余额", &[&rest]),
                ("kind", "人工", &[&part.yuan()]),
                ("state", "退款成功", &both),
                ("state", "退款失败", &[]),
            ] {
                it.search_for(field, text).await?;
                it.see_column(9, found).await?;
                it.reset().await?;
            }
            for (field, days, found) in [
                ("created", "昨天", &[][..]),
                ("created", "今天", &both),
                ("finished", "昨天", &[]),
                ("finished", "今天", &both),
            ] {
                it.search_days(field, days).await?;
                it.see_column(9, found).await?;
                it.reset().await?;
            }
            it.see_column(9, &both).await?;
            it.screenshot("refunds").await
        })
        .await?;
        walk.does("3.4.6/3", async |it| {
            it.search_for("kind", "人工").await?;
            let sheet = it.exported("退费管理").await?;
            let [row] = sheet.as_slice() else { bail!("one row: {sheet:?}") };
            for (head, text) in [
                ("订单编号", whole.no()),
                ("收款人", PAID),
                ("订单费用", ""),
                ("支付金额", "50"),
                ("退费金额", "0.05"),
                ("操作者", "系统管理员"),
                ("申请时间", ""),
                ("退费状态", "退款成功"),
                ("退费时间", ""),
                ("第三方退款单号", ""),
                ("退款原因", "充电中途断电，补偿"),
            ] {
                row.tells(head, text)?;
            }
            it.reset().await
        })
        .await?;
        walk.does("3.4.6/4", async |it| {
            it.act("系统管理员", "detail").await?;
            for (name, text) in [
                ("订单编号", whole.no()),
                ("支付编号", &whole.made.payment.payment_no),
                ("电站", "滨江一号充电站"),
                ("区域", "默认区域"),
                ("订单费用", ""),
                ("支付金额", "50.00"),
                ("退费金额", "0.05"),
                ("退费类型", "人工"),
                ("操作者", "系统管理员"),
                ("退费时间", "20"),
                ("退款原因", "充电中途断电，补偿"),
                ("退费状态", "退款成功"),
                ("退款单号", "R"),
                ("收款人", PAID),
                // Of a fee the service part is given up first.
                ("其中服务费(元)", "0.05"),
                ("其中电费(元)", "0.00"),
            ] {
                let told = it.fact(name).await?;
                ensure!(told.starts_with(text) && told != "-", "{name}: {told}");
            }
            it.screenshot("refund").await?;
            it.click(".el-drawer__close-btn").await
        })
        .await
    })
    .await
}
