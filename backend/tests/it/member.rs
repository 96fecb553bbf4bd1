//! Those who charge, as staff sees them.

use backend::app::new_id;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{car_orders, driver_visits, drivers, user_stations};
use serde_json::{Value, json};
use shared::user::UserKind;
use uuid::Uuid;

use crate::app::{Client, Site, Tenant, TestApp};

const DRIVERS: &str = "/api/v1/members/drivers";

/// A driver who has charged at a site so often; gives id and telephone.
pub async fn visitor(app: &TestApp, tenant: &Tenant, site: &Site, orders: i64) -> (Uuid, String) {
    let (id, phone) = (new_id(Utc::now()), format!("136{:08}", app.next()));
    diesel::insert_into(drivers::table)
        .values((drivers::id.eq(id), drivers::phone.eq(&phone)))
        .execute(&mut app.conn().await)
        .await
        .unwrap();
    visit(app, id, tenant, site, orders, Utc::now()).await;
    (id, phone)
}

/// A driver has charged at another site as well.
pub async fn visit(app: &TestApp, driver: Uuid, tenant: &Tenant, site: &Site, orders: i64, last_at: DateTime<Utc>) {
    let row = (
        driver_visits::driver_id.eq(driver),
        driver_visits::station_id.eq(site.station),
        driver_visits::provider_id.eq(tenant.provider),
        driver_visits::property_id.eq(tenant.property),
        driver_visits::orders.eq(orders),
        driver_visits::last_at.eq(last_at),
    );
    diesel::insert_into(driver_visits::table).values(row).execute(&mut app.conn().await).await.unwrap();
}

/// The telephones that a search finds, in its order.
async fn found(client: &Client, search: &str) -> String {
    let page = client.get(&format!("{DRIVERS}{search}")).await.ok();
    let phones: Vec<&str> = page["items"].as_array().unwrap().iter().map(|it| it["phone"].as_str().unwrap()).collect();
    phones.join(" ")
}

#[tokio::test]
async fn drivers_are_seen_where_they_have_charged_and_found_by_what_is_known_of_them() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let (near, far) = (app.site(&mine).await, app.site(&mine).await);
    let foreign = app.site(&theirs).await;
    let (first, one) = visitor(&app, &mine, &near, 3).await;
    let (_, other) = visitor(&app, &mine, &far, 1).await;
    let (_, stranger) = visitor(&app, &theirs, &foreign, 2).await;
    let earlier = Utc::now() - TimeDelta::days(1);
    visit(&app, first, &theirs, &foreign, 40, Utc::now()).await;
    visit(&app, first, &mine, &far, 4, earlier).await;
    let row = diesel::update(drivers::table.find(first));
    let known = (drivers::plate.eq("浙A12345"), drivers::name.eq("王芳"), drivers::gender.eq("female"));
    row.set(known).execute(&mut app.conn().await).await.unwrap();
    let (nobody, registered) = (new_id(Utc::now()), "13500000000".to_owned());
    let new = (drivers::id.eq(nobody), drivers::phone.eq(&registered));
    diesel::insert_into(drivers::table).values(new).execute(&mut app.conn().await).await.unwrap();

    assert_eq!(found(&app.admin, "").await, format!("{registered} {stranger} {other} {one}"));
    assert_eq!(found(&mine.boss, "").await, format!("{other} {one}"));
    assert_eq!(found(&mine.keeper, "?sort=id").await, format!("{one} {other}"));
    assert_eq!(found(&theirs.boss, "").await, format!("{stranger} {one}"));
    let bound = app.user(UserKind::Provider, Some(mine.provider), None, None).await;
    let id: Uuid = bound.get("/api/v1/auth/me").await.id();
    let to_near = (user_stations::user_id.eq(id), user_stations::station_id.eq(near.station));
    diesel::insert_into(user_stations::table).values(to_near).execute(&mut app.conn().await).await.unwrap();
    assert_eq!(found(&bound, "").await, one);

    assert_eq!(found(&app.admin, &format!("?phone={one}")).await, one);
    assert_eq!(found(&app.admin, "?plate=%E6%B5%99a12345").await, one);
    assert_eq!(found(&app.admin, &format!("?phone={other}&plate=%E6%B5%99A12345")).await, "");
    let at_theirs = format!("?provider_id={}", theirs.provider);
    assert_eq!(found(&app.admin, &at_theirs).await, format!("{stranger} {one}"));
    assert_eq!(found(&app.admin, &format!("?property_id={}", mine.property)).await, format!("{other} {one}"));
    // Who else somebody charges with is not told.
    assert_eq!(found(&mine.boss, &at_theirs).await, "");
    assert_eq!(app.admin.get(&format!("{DRIVERS}?name=x")).await.fields(), [("name", "unknown")]);

    // What they have done elsewhere does not count.
    let orders = async |client: &Client| {
        let page = client.get(&format!("{DRIVERS}?phone={one}")).await.ok();
        (page["items"][0]["orders"].as_i64().unwrap(), page["items"][0]["last_charge_at"].clone())
    };
    assert_eq!(orders(&app.admin).await.0, 47);
    assert_eq!((orders(&mine.boss).await.0, orders(&bound).await.0), (7, 3));
    let last: DateTime<Utc> = orders(&mine.boss).await.1.as_str().unwrap().parse().unwrap();
    assert!(last > earlier, "the later of both visits");
    let page = app.admin.get(&format!("{DRIVERS}?phone={registered}")).await.ok();
    assert_eq!((&page["items"][0]["orders"], &page["items"][0]["last_charge_at"]), (&json!(0), &Value::Null));
    let cursor = app.admin.get(&format!("{DRIVERS}?size=2")).await.ok()["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(found(&app.admin, &format!("?size=2&cursor={cursor}")).await, format!("{other} {one}"));
}

#[tokio::test]
async fn a_driver_is_shown_with_what_they_have_spent_and_done_last() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let (site, foreign) = (app.site(&mine).await, app.site(&theirs).await);
    let (driver, phone) = visitor(&app, &mine, &site, 6).await;
    let mut placed = vec![];
    for _ in 0..6 {
        placed.push(app.placed(&mine, &site).await.order);
    }
    let elsewhere = app.placed(&theirs, &foreign).await.order;
    let orders = car_orders::table.filter(car_orders::id.eq_any(placed.iter().chain([&elsewhere])));
    diesel::update(orders).set(car_orders::driver_id.eq(driver)).execute(&mut app.conn().await).await.unwrap();

    let shown = mine.boss.get(&format!("{DRIVERS}/{driver}")).await.ok();
    assert_eq!(
        (&shown["phone"], &shown["gender"], &shown["certified"]),
        (&json!(phone), &json!("unknown"), &json!(false))
    );
    assert_eq!((&shown["orders"], &shown["charged_fen"]), (&json!(6), &json!(6 * 3345)));
    let latest: Vec<&str> = shown["latest"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    let newest: Vec<String> = placed.iter().rev().take(5).map(Uuid::to_string).collect();
    assert_eq!(latest, newest);
    let all = app.admin.get(&format!("{DRIVERS}/{driver}")).await.ok();
    assert_eq!((&all["charged_fen"], &all["latest"][0]["id"]), (&json!(7 * 3345), &json!(elsewhere)));
    assert_eq!(theirs.boss.get(&format!("{DRIVERS}/{driver}")).await.status, 404);
}

#[tokio::test]
async fn the_platform_adds_changes_certifies_and_switches_drivers() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let form = json!({"phone": "13700000009", "nickname": "小林", "gender": "female"});
    let made = app.admin.post(DRIVERS, form.clone()).await;
    let path = format!("{DRIVERS}/{}", made.id());
    assert_eq!((&made.json["phone"], &made.json["certified"]), (&json!("13700000009"), &json!(false)));
    assert_eq!(app.admin.post(DRIVERS, form.clone()).await.fields(), [("phone", "taken")]);
    assert_eq!(
        app.admin.post(DRIVERS, json!({"phone": "1"})).await.fields(),
        [("phone", "format"), ("gender", "required")]
    );

    // Whoever is to be certified has a name and a plate.
    let certify = format!("{path}/certify");
    assert_eq!(app.admin.post(&certify, json!({})).await.refused(), (409, "incomplete"));
    let mut form = form;
    for (field, value) in [("name", json!("林晓")), ("plate", json!("浙a12345")), ("version", json!(1))] {
        form[field] = value;
    }
    let changed = app.admin.put(&path, form.clone()).await.ok();
    assert_eq!((&changed["plate"], &changed["name"]), (&json!("浙A12345"), &json!("林晓")));
    assert_eq!(app.admin.put(&path, form.clone()).await.refused(), (409, "stale"));
    let certified = app.admin.post(&certify, json!({})).await.ok();
    assert_eq!((&certified["certified"], &certified["version"]), (&json!(true), &json!(3)));

    // A disabled driver is issued no card.
    let product = crate::card::product(&app, &tenant, "person").await;
    let issue = async |number: &str| {
        let card = json!({"issued_to": "person", "product_id": product, "phone": "13700000009", "holder": "林晓",
            "card_no": number});
        tenant.keeper.post("/api/v1/members/cards", card).await
    };
    issue("8001").await.ok();
    let impact = app.admin.get(&format!("{path}/impact")).await.ok();
    assert_eq!((&impact["cards"], &impact["running_orders"]), (&json!(1), &json!(0)));
    app.admin.post(&format!("{path}/disable"), json!({})).await.ok();
    assert_eq!(issue("8002").await.fields(), [("phone", "disabled")]);
    app.admin.post(&format!("{path}/enable"), json!({})).await.ok();
    issue("8002").await.ok();

    // Tenants see who has charged with them, and change nobody.
    visit(&app, made.id(), &tenant, &site, 1, Utc::now()).await;
    form["version"] = json!(5);
    for client in [&tenant.boss, &tenant.keeper] {
        assert_eq!(client.get(&path).await.status, 200);
        assert_eq!(client.post(DRIVERS, form.clone()).await.status, 403);
        assert_eq!(client.put(&path, form.clone()).await.status, 403);
        for verb in ["certify", "enable", "disable"] {
            assert_eq!(client.post(&format!("{path}/{verb}"), json!({})).await.status, 403, "{verb}");
        }
    }
}
