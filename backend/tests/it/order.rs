//! Car orders as staff works with them: looking, ending, sheets.

use backend::app::first_id;
use backend::charging;
use chrono::{TimeDelta, Utc};
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use serde_json::{Value, json};
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep};

use crate::app::{Answer, TestApp};
use crate::charging::{Placed, Scene};
use crate::crud::sheet_text;

impl Scene {
    /// Staff ends an order.
    pub async fn end(&self, order: &Placed) -> Answer {
        let path = format!("/api/v1/orders/car/{}/end", order.id);
        self.tenant.boss.post(&path, json!({"note": "车主来电"})).await
    }

    /// An order that charges; 6 kWh at one yuan each were reported.
    pub async fn charging(&self) -> (Placed, i32) {
        let order = self.paid(5000).await;
        let transaction = self.began(&order, 1_000_000).await;
        self.metered(transaction, 600, 1_006_000).await;
        (order, transaction)
    }
}

/// The energy and the service fee, and what goes back.
const SIX_KWH: ([i64; 2], [i64; 1]) = ([360, 240], [4400]);
const NOTHING: ([i64; 2], [i64; 1]) = ([0, 0], [5000]);

#[tokio::test(flavor = "multi_thread")]
async fn staff_ends_orders_in_five_states_with_what_was_reported_last() {
    let scene = Scene::new().await;
    // A charger that is there is waited for: that is another story.
    let end_away = async |order: &Placed| {
        scene.online(false).await;
        let answer = scene.end(order).await.ok();
        scene.online(true).await;
        answer
    };
    let fees = async |order: &Placed, (fees, back): ([i64; 2], [i64; 1])| {
        let seen = scene.seen(order).await;
        assert_eq!(seen.state, OrderState::Completed);
        assert_eq!(([seen.elec_fen.0, seen.service_fen.0], scene.refunds(order).await), (fees, back.to_vec()));
        assert_eq!(scene.timeline(order).await.last(), Some(&OrderStep::EndedByStaff));
        scene.sound().await;
        seen
    };

    let starting = scene.paid(5000).await;
    let ended = scene.end(&starting).await.ok();
    assert_eq!(
        (&ended["state"], &ended["end_reason"], &ended["end_note"]),
        (&json!("completed"), &json!("staff"), &json!("车主来电"))
    );
    fees(&starting, NOTHING).await;

    let (charging, transaction) = scene.charging().await;
    end_away(&charging).await;
    fees(&charging, SIX_KWH).await;
    assert_eq!(scene.commands(&charging).await, ["start", "stop"]);
    // The charger's own record comes later, and is kept beside the bill.
    scene.stopped(transaction, 700, 1_007_000).await;
    let seen = scene.seen(&charging).await;
    assert_eq!((seen.elec_fen.0, seen.flags.as_slice()), (360, [OrderFlag::Uncollected].as_slice()));
    scene.sound().await;

    let (stopping, _) = scene.charging().await;
    let mut conn = scene.conn().await;
    conn.transaction(async |conn| charging::stop(conn, stopping.id, EndReason::Driver, scene.after(650)).await)
        .await
        .unwrap();
    drop(conn);
    assert_eq!(scene.seen(&stopping).await.state, OrderState::Stopping);
    end_away(&stopping).await;
    fees(&stopping, SIX_KWH).await;

    let (suspended, _) = scene.charging().await;
    scene.watch(&suspended, 600 + 16 * 60).await;
    assert_eq!(scene.seen(&suspended).await.state, OrderState::Suspended);
    end_away(&suspended).await;
    fees(&suspended, SIX_KWH).await;

    let failed = scene.paid(5000).await;
    scene.watch(&failed, 61).await;
    assert_eq!(scene.seen(&failed).await.state, OrderState::Failed);
    scene.sound().await;
    scene.end(&failed).await.ok();
    assert_eq!(fees(&failed, NOTHING).await.end_reason, Some(EndReason::StartTimeout), "why it failed stays known");

    assert_eq!(scene.end(&failed).await.refused(), (409, "order_state"), "it has ended");
    let unpaid = scene.create(5000).await;
    let unpaid = Placed { id: unpaid.order_id, no: unpaid.order_no };
    assert_eq!(scene.end(&unpaid).await.refused(), (409, "order_state"), "there is nothing to end");
}

#[tokio::test]
async fn orders_are_found_by_what_they_are_and_those_of_a_week_by_default() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let (site, other) = (app.site(&tenant).await, app.site(&tenant).await);
    let (one, two, old) =
        (app.placed(&tenant, &site).await, app.placed(&tenant, &other).await, app.placed(&tenant, &site).await);
    let (day, id) = (Utc::now() - TimeDelta::days(10), first_id(Utc::now() - TimeDelta::days(10)));
    let mut conn = app.conn().await;
    conn.batch_execute(&format!(
        "set session_replication_role = replica;
        update car_orders set id = '{id}', start_method = 'card', card_no = '8001' where id = '{0}';
        update charge_sessions set order_id = '{id}' where order_id = '{0}';
        update car_orders set state = 'suspended' where id = '{1}'; reset session_replication_role",
        old.order, two.order
    ))
    .await
    .unwrap();
    drop(conn);
    let found = async |query: &str| -> Vec<String> {
        let page = tenant.boss.get(&format!("/api/v1/orders/car?{query}")).await.ok();
        page["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    let (one_id, two_id, old_id) = (one.order.to_string(), two.order.to_string(), id.to_string());
    assert_eq!(found("").await, [two_id.clone(), one_id.clone()], "of ten days ago nobody asked");
    let detail: Value = tenant.boss.get(&format!("/api/v1/orders/car/{one_id}")).await.ok();
    let text = |key: &str| detail[key].as_str().unwrap().to_owned();
    for (query, ids) in [
        (format!("created_from={}", shared::time::day_text(day)), vec![&two_id, &one_id, &old_id]),
        (format!("created_to={}", shared::time::day_text(day)), vec![&old_id]),
        (format!("order_no={}", text("order_no").to_lowercase()), vec![&one_id]),
        (format!("phone={}", text("phone")), vec![&one_id]),
        (format!("station_id={}", site.station), vec![&one_id]),
        (format!("charger_code={}", text("charger_code")), vec![&one_id, &old_id]),
        (format!("serial_no={}", text("serial_no")), vec![&one_id, &old_id]),
        (format!("connector_code={}", text("connector_code")), vec![&one_id, &old_id]),
        ("state=suspended".to_owned(), vec![&two_id]),
        ("start_method=scan&state=completed".to_owned(), vec![&one_id]),
        (format!("card_no=8001&created_from={}", shared::time::day_text(day)), vec![&old_id]),
        ("card_no=8002".to_owned(), vec![]),
        ("phone=13000000000".to_owned(), vec![]),
    ] {
        assert_eq!(found(&query).await.iter().collect::<Vec<_>>(), ids, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detail_tells_all_of_an_order_and_a_sheet_lists_them() {
    let scene = Scene::new().await;
    let (order, transaction) = scene.charging().await;
    scene.stopped(transaction, 1805, 1_013_000).await;
    let boss = &scene.tenant.boss;
    let it = boss.get(&format!("/api/v1/orders/car/{}", order.id)).await.ok();
    for (key, value) in [
        ("order_no", json!(order.no)),
        ("area_name", json!("默认区域")),
        ("serial_no", json!(scene.site.serial_no)),
        ("start_method", json!("scan")),
        ("phone", json!(scene.phone)),
        ("charge_seconds", json!(1800)),
        ("kwh", json!("13.0000")),
        ("power_w", Value::Null),
        ("avg_power_w", json!(26_000)),
        ("peak_power_w", json!(40_000)),
        ("prepaid_fen", json!(5000)),
        ("elec_fen", json!(780)),
        ("service_fen", json!(520)),
        ("total_fen", json!(1300)),
        ("charged_fen", json!(1300)),
        ("refundable_fen", json!(1300)),
        ("state", json!("completed")),
        ("end_reason", json!("remote")),
        ("proved", json!(true)),
    ] {
        assert_eq!(it[key], value, "{key}");
    }
    assert_eq!(it["tariff"]["prices"]["uniform"], json!({"elec": "0.60000", "service": "0.40000"}));
    assert_eq!(it["bill"]["lines"][0]["elec_fen"], 780);
    assert_eq!(
        (it["payments"][0]["amount_fen"].as_i64(), it["refunds"][0]["amount_fen"].as_i64()),
        (Some(5000), Some(3700))
    );
    let entries = it["ledger"].as_array().unwrap().iter().map(|it| it["kind"].as_str().unwrap());
    assert_eq!(entries.collect::<Vec<_>>(), ["pay", "pay", "settle", "settle", "settle", "settle"]);
    assert_eq!((it["timeline"].as_array().unwrap().len(), it["curve"].as_array().unwrap().len()), (4, 3));

    let sheet = sheet_text(&boss.get("/api/v1/orders/car/export.xlsx").await.bytes);
    let cell = |heading: &str| {
        let column =
            sheet[0].iter().position(|it| it == heading).unwrap_or_else(|| panic!("{heading}: {:?}", sheet[0]));
        sheet[1][column].as_str()
    };
    assert_eq!(sheet.len(), 2);
    for (heading, value) in [
        ("订单编号", order.no.as_str()),
        ("手机号", &scene.phone),
        ("区域", "默认区域"),
        ("电费(元)", "7.8"),
        ("服务费(元)", "5.2"),
        ("预付(元)", "50"),
        ("费用(元)", "13"),
        ("电量(kWh)", "13"),
        ("平均功率(kW)", "26"),
        ("峰值功率(kW)", "40"),
        ("订单状态", "订单完成"),
    ] {
        assert_eq!(cell(heading), value, "{heading}");
    }
    for heading in ["电站", "电桩编号", "开始时间", "结束时间", "创建时间"] {
        assert!(!cell(heading).is_empty(), "{heading}");
    }
}
