//! Searches as people type them: parts of numbers, small letters, spaces and dashes that came along with what was copied.

use diesel_async::SimpleAsyncConnection;
use serde_json::{Value, json};

use crate::app::{Placed, Tenant, TestApp};

const ORDERS: &str = "/api/v1/orders/car";
const DRIVERS: &str = "/api/v1/members/drivers";

/// The ids of what is found, in the order in which it is shown.
async fn found(tenant: &Tenant, path: &str, condition: &str, typed: &str) -> Vec<String> {
    let query = encoded(&[(condition, typed)]);
    let page = tenant.boss.get(&format!("{path}?{query}")).await.ok();
    page["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("http://x").unwrap();
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap().to_owned()
}

async fn row(tenant: &Tenant, it: &Placed) -> Value {
    tenant.boss.get(&format!("{ORDERS}/{}", it.order)).await.ok()
}

#[tokio::test]
async fn orders_are_found_by_numbers_as_people_type_them() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let (site, other) = (app.site(&tenant).await, app.site(&tenant).await);
    let (one, two) = (app.placed(&tenant, &site).await, app.placed(&tenant, &other).await);
    let mut conn = app.conn().await;
    conn.batch_execute(&format!(
        "update car_orders set phone = '13912345678', card_no = 'AB0012CD' where id = '{0}';
        update drivers set phone = '13912345678' where id = (select driver_id from car_orders where id = '{0}');
        update chargers set serial_no = 'WY-DC 120-0001' where id = '{1}'",
        one.order, site.charger
    ))
    .await
    .unwrap();
    drop(conn);
    let it = row(&tenant, &one).await;
    let text = |key: &str| it[key].as_str().unwrap().to_owned();
    let (no, charger, connector) = (text("order_no"), text("charger_code"), text("connector_code"));
    let number = |at: usize| format!("{} {}", &no[..at].to_lowercase(), &no[at..]);
    for (condition, typed) in [
        ("order_no", number(7)),
        ("order_no", format!(" {}-{} ", &no[..7], &no[7..])),
        ("phone", "139 1234 5678".to_owned()),
        ("phone", "+86 139-1234-5678".to_owned()),
        ("phone", "1391".to_owned()),
        ("phone", "5678".to_owned()),
        ("charger_code", charger.to_lowercase()),
        ("charger_code", format!("{} {}", &charger[..4], &charger[4..])),
        ("connector_code", connector.to_lowercase()),
        ("connector_code", connector.replace('-', " – ")),
        ("serial_no", "wydc1200001".to_owned()),
        ("serial_no", "WY DC-120 0001".to_owned()),
        ("card_no", "ab00 12cd".to_owned()),
    ] {
        assert_eq!(found(&tenant, ORDERS, condition, &typed).await, [one.order.to_string()], "{condition}={typed}");
    }
    // The day is a part that both begin with; the newest comes first.
    let both = [two.order.to_string(), one.order.to_string()];
    assert_eq!(found(&tenant, ORDERS, "order_no", &no[..7].to_lowercase()).await, both);
    for (condition, typed) in [
        ("order_no", &no[1..]),
        ("order_no", "%"),
        ("phone", "3912"),
        ("phone", "nobody"),
        ("card_no", "AB0012"),
        ("charger_code", "-"),
    ] {
        assert_eq!(found(&tenant, ORDERS, condition, typed).await, Vec::<String>::new(), "{condition}={typed}");
    }
    let theirs = app.tenant().await;
    assert_eq!(found(&theirs, ORDERS, "order_no", &no).await, Vec::<String>::new());
    assert_eq!(found(&theirs, ORDERS, "phone", "5678").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_search_by_a_number_looks_on_all_days() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let old = app.placed(&tenant, &site).await;
    let id = backend::app::first_id(chrono::Utc::now() - chrono::TimeDelta::days(40));
    app.conn()
        .await
        .batch_execute(&format!(
            "set session_replication_role = replica;
            update car_orders set id = '{id}', card_no = '8001' where id = '{0}';
            update charge_sessions set order_id = '{id}' where order_id = '{0}'; reset session_replication_role",
            old.order
        ))
        .await
        .unwrap();
    let it = tenant.boss.get(&format!("{ORDERS}/{id}")).await.ok();
    for key in ["order_no", "phone", "charger_code", "serial_no", "connector_code", "card_no"] {
        let typed = it[key].as_str().unwrap();
        assert_eq!(found(&tenant, ORDERS, key, typed).await, [id.to_string()], "{key}");
    }
    assert_eq!(tenant.boss.get(ORDERS).await.ok()["total"], 0, "of forty days ago nobody asked");
    let here = format!("{ORDERS}?station_id={}", site.station);
    assert_eq!(tenant.boss.get(&here).await.ok()["total"], 0, "a station is no number");
}

#[tokio::test]
async fn a_part_that_too_many_begin_with_is_refused() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let many = "insert into drivers (id, phone) select gen_random_uuid(), '136' || lpad(n::text, 8, '0') \
        from generate_series(1, 1001) n";
    app.conn().await.batch_execute(many).await.unwrap();
    assert_eq!(tenant.boss.get(&format!("{ORDERS}?phone=136")).await.fields(), [("phone", "too_many")]);
    assert_eq!(tenant.boss.get(&format!("{ORDERS}?phone=13600000")).await.ok()["total"], 0);
    assert_eq!(app.admin.get(&format!("{DRIVERS}?phone=136")).await.ok()["total"], 1001, "drivers are just listed");
}

#[tokio::test]
async fn drivers_are_found_by_parts_and_by_the_collective_whose_card_they_use() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let form = |phone: &str, plate: &str| json!({"phone": phone, "gender": "female", "plate": plate});
    let one = app.admin.post(DRIVERS, form("13912345678", "浙a·d1234 5")).await;
    let two = app.admin.post(DRIVERS, form("13687654321", "沪C88888")).await;
    assert_eq!(one.json["plate"], "浙AD12345");
    let total = async |condition: &str, typed: &str| {
        let query = encoded(&[(condition, typed)]);
        let page = app.admin.get(&format!("{DRIVERS}?{query}")).await.ok();
        page["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (one, two) = (one.id().to_string(), two.id().to_string());
    for (condition, typed, id) in [
        ("phone", "1391", &one),
        ("phone", "4321", &two),
        ("phone", "136 8765 4321", &two),
        ("plate", "浙a", &one),
        ("plate", "浙A·D", &one),
        ("plate", "12345", &one),
        ("plate", "c88888", &two),
    ] {
        assert_eq!(total(condition, typed).await, std::slice::from_ref(id), "{condition}={typed}");
    }
    assert_eq!(total("plate", "D123").await, Vec::<String>::new(), "the middle is no part that people know");
    assert_eq!(total("phone", "-").await, Vec::<String>::new());

    let (collective, card) = crate::card::issued_to_collective(&app, &tenant).await;
    let card = tenant.boss.get(&format!("/api/v1/members/cards/{card}")).await.ok();
    let holder = card["driver_id"].as_str().unwrap().to_owned();
    assert_eq!(total("collective_id", &collective.to_string()).await, [holder]);
    assert_eq!(total("collective_id", &uuid::Uuid::nil().to_string()).await, Vec::<String>::new());
    let theirs = app.tenant().await;
    let asked = format!("{DRIVERS}?collective_id={collective}");
    assert_eq!(theirs.boss.get(&asked).await.ok()["total"], 0, "who uses whose card is not told");
}

#[tokio::test]
async fn whoever_changes_name_or_plate_is_certified_anew() {
    let app = TestApp::new().await;
    let mut form =
        json!({"phone": "13912345678", "gender": "male", "name": "林晓", "plate": "浙A12345", "nickname": "小林"});
    let path = format!("{DRIVERS}/{}", app.admin.post(DRIVERS, form.clone()).await.id());
    let certify = async || app.admin.post(&format!("{path}/certify"), json!({})).await.ok();
    let change = async |form: &mut Value, field: &str, value: Value| {
        form[field] = value;
        form["version"] = app.admin.get(&path).await.ok()["version"].clone();
        app.admin.put(&path, form.clone()).await.ok()["certified"].clone()
    };
    certify().await;
    assert_eq!(change(&mut form, "nickname", json!("晓晓")).await, true);
    assert_eq!(change(&mut form, "plate", json!(" 浙a·12345")).await, true, "the same plate, written otherwise");
    assert_eq!(change(&mut form, "plate", json!("浙AD12345")).await, false);
    certify().await;
    assert_eq!(change(&mut form, "name", json!("林晓晓")).await, false);
    certify().await;
    assert_eq!(change(&mut form, "plate", Value::Null).await, false);
    assert_eq!(change(&mut form, "plate", json!("浙AD12345")).await, false, "it does not come back by itself");
    form["plate"] = json!("xx");
    assert_eq!(app.admin.put(&path, form.clone()).await.fields(), [("plate", "format")]);
}
