//! 3.4.4: connectors that drivers have reserved, and what staff does about it.

use anyhow::{Context, Result, bail, ensure};
use backend::jobs::Job;
use backend::reservation::Expire;
use chrono::{TimeDelta, Utc};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use e2e::{Browser, Platform, Reserved, walk_on};
use schema::reservations;
use shared::fixed::Fen;

/// Searches for the reservations of a state, and sees these.
async fn sees_state(it: &Browser, state: &str, found: &[&str]) -> Result<()> {
    it.page("orders/reservations").await?;
    it.search_for("state", state).await?;
    it.see_rows(found).await?;
    it.reset().await
}

/// Ends a reservation in a state, which cannot be ended again.
async fn end(it: &Browser, state: &str, reservation: &Reserved) -> Result<()> {
    it.page("orders/reservations").await?;
    it.search("reservation_no", reservation.no()).await?;
    it.see_text("tr.el-table__row", state).await?;
    it.act(reservation.no(), "end").await?;
    it.enter("note", "电桩检修").await?;
    it.screenshot("reservation-end").await?;
    it.save().await?;
    it.told("预约已结束").await?;
    it.see_text("tr.el-table__row", "预约完成").await?;
    ensure!(!it.offers(reservation.no(), "end").await?, "it has ended");
    it.reset().await
}

/// Two hours pass without the car.
async fn pass(platform: &Platform, reservation: &Reserved) -> Result<()> {
    let row = diesel::update(reservations::table.find(reservation.made.id));
    let past = reservations::created_at.eq(Utc::now() - TimeDelta::minutes(121));
    row.set(past).execute(&mut platform.app.conn().await?).await?;
    Expire { reservation_id: reservation.made.id }.run(&platform.app).await.map(drop)
}

/// Seconds out of `00:01:05`.
fn seconds(text: &str) -> Result<i64> {
    let parts =
        text.split(':').map(str::parse::<i64>).collect::<Result<Vec<_>, _>>().with_context(|| text.to_owned())?;
    let [hours, minutes, seconds] = parts[..] else { bail!("{text}") };
    Ok(hours * 3600 + minutes * 60 + seconds)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_reservations_is_done_in_the_console() -> Result<()> {
    let platform = Platform::start().await?;
    backend::demo::fill(&platform.app).await?;
    let world = platform.world("DEMO", 6, 180)?;
    walk_on(&platform, "3.4.4", async |walk| {
        let waiting = platform.reserved(&world, ("13800000001", "浙A00001"), "DEMO0001", 1).await?;
        walk.does("3.4.4/5.1", async |it| sees_state(it, "预约中", &[waiting.no()]).await).await?;
        let coming = platform.reserved(&world, ("13800000002", "浙A00002"), "DEMO0001", 2).await?;
        let standing = platform.reserved(&world, ("13800000003", "浙A00003"), "DEMO0002", 1).await?;
        let (came, stood) = (coming.no().to_owned(), standing.no().to_owned());
        let charging = coming.order(&world).await?;
        walk.does("3.4.4/5.2", async |it| {
            standing.come().await?;
            it.page("orders/reservations").await?;
            it.search_for("state", "占位中").await?;
            // The list follows by itself.
            it.see_rows(&[&came, &stood]).await?;
            it.reset().await
        })
        .await?;
        let charging = charging.charge(Fen(30)).await?;
        walk.does("3.4.4/5.3", async |it| {
            it.page("orders/reservations").await?;
            charging.end(2).await?;
            it.see_text("tr.el-table__row", "预约完成").await?;
            sees_state(it, "预约完成", &[&came]).await
        })
        .await?;
        let given_up = platform.reserved(&world, ("13800000004", "浙A00004"), "DEMO0003", 1).await?;
        walk.does("3.4.4/5.4", async |it| {
            given_up.driver.give_up(given_up.made.id).await?;
            sees_state(it, "预约取消", &[given_up.no()]).await
        })
        .await?;
        let forgotten = platform.reserved(&world, ("13800000005", "浙A00005"), "DEMO0003", 2).await?;
        walk.does("3.4.4/5.5", async |it| {
            pass(&platform, &forgotten).await?;
            sees_state(it, "预约超时", &[forgotten.no()]).await
        })
        .await?;
        walk.does("3.4.4/3", async |it| {
            end(it, "预约中", &waiting).await?;
            end(it, "占位中", &standing).await?;
            standing.leave().await?;
            ensure!(!it.offers(given_up.no(), "end").await?, "it was given up");
            ensure!(!it.offers(forgotten.no(), "end").await?, "it ran out");
            Ok(())
        })
        .await?;
        walk.does("3.4.4/1 3.4.4/2", async |it| {
            let all = [waiting.no(), &came, &stood, given_up.no(), forgotten.no()];
            it.see_rows(&all).await?;
            it.screenshot("reservations").await?;
            let heads = it.texts(".page thead th").await?;
            for head in ["预约单号", "订单状态", "电站名称", "手机号", "车牌号", "占位时长", "创建时间"]
            {
                ensure!(heads.iter().any(|it| it.contains(head)), "no column {head}: {heads:?}");
            }
            let pile = &waiting.made.charger_code;
            for (field, text, found) in [
                ("reservation_no", given_up.no(), &[given_up.no()][..]),
                ("phone", "13800000002", &[&came]),
                ("plate", "浙a00005", &[forgotten.no()]),
                ("charger_code", pile, &[waiting.no(), &came]),
            ] {
                it.search(field, text).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            it.search_for("station_id", "滨江一号充电站").await?;
            it.see_rows(&all).await?;
            it.reset().await?;
            it.search_for("station_id", "钱江新城地库站").await?;
            it.see_rows(&[]).await?;
            it.reset().await?;
            for (days, found) in [("昨天", &[][..]), ("今天", &all)] {
                it.search_days("created", days).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            // Conditions count together.
            it.search_for("state", "预约完成").await?;
            it.search("phone", "13800000002").await?;
            it.see_rows(&[&came]).await?;
            it.reset().await?;
            it.see_rows(&all).await
        })
        .await?;
        walk.does("3.4.4/4 3.4.4/6", async |it| {
            it.act(&came, "detail").await?;
            for (name, text) in [
                ("预约单号", came.as_str()),
                ("电站名称", "滨江一号充电站"),
                ("手机号", "13800000002"),
                ("车牌号", "浙A00002"),
                ("电桩编号", "C"),
                ("电枪编号", "C"),
                ("订单状态", "预约完成"),
                ("结束原因", "车辆离开"),
                ("创建时间", "20"),
                ("进入(开闸)时间", "20"),
                ("离开(关闸)时间", "20"),
                ("结束时间", "20"),
            ] {
                let told = it.fact(name).await?;
                ensure!(told.starts_with(text), "{name}: {told}");
            }
            let row = it.see_text(".el-drawer tbody tr", charging.no()).await?.text().await?;
            ensure!(row.contains("订单完成"), "{row}");
            // What was charged is not counted as standing there.
            let shown = charging.driver.detail(charging.id()).await?.order;
            let charged = (shown.ended_at.context("ended")? - shown.started_at.context("started")?).num_seconds();
            let stay = {
                let row = reservations::table.filter(reservations::reservation_no.eq(&came));
                let times = row.select((reservations::entered_at, reservations::left_at));
                let times: (Option<chrono::DateTime<Utc>>, Option<chrono::DateTime<Utc>>) =
                    times.first(&mut platform.app.conn().await?).await?;
                (times.1.context("left")? - times.0.context("came")?).num_seconds()
            };
            let occupied = seconds(&it.fact("占位时长").await?)?;
            ensure!(
                (stay - charged - 1..=stay - charged + 1).contains(&occupied),
                "{stay} - {charged} is not {occupied}"
            );
            it.screenshot("reservation").await?;
            it.click_text(".el-drawer a", charging.no()).await?;
            it.see_text("h1", charging.no()).await?;
            ensure!(it.fact("预约订单").await? == came, "the order names its reservation");
            Ok(())
        })
        .await?;
        let broken = backend::verify::run(&platform.app).await?;
        ensure!(broken.is_empty(), "{broken:#?}");
        Ok(())
    })
    .await
}
