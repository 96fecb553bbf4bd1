//! The first page: everybody sees the numbers of what they may see, and no others.

use chrono::{Days, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{areas, driver_totals, drivers, order_days, stations, user_stations};
use serde_json::{Value, json};
use shared::fixed::Kwh;
use shared::time::business_day;
use shared::user::UserKind;
use uuid::Uuid;

use crate::app::{Client, Site, Tenant, TestApp};
use crate::charging::Scene;
use crate::member::{visit, visitor};

const DASHBOARD: &str = "/api/v1/dashboard";

/// What a site did on a day that lies so far back: orders, refunds, and kWh in tenths.
async fn day(app: &TestApp, tenant: &Tenant, site: &Site, line: &str, ago: u64, sums: (i64, i64, i64)) {
    let (orders, refunds, tenths) = sums;
    let row = (
        order_days::day.eq(today() - Days::new(ago)),
        order_days::line.eq(line),
        order_days::station_id.eq(site.station),
        order_days::provider_id.eq(tenant.provider),
        order_days::property_id.eq(tenant.property),
        order_days::orders.eq(orders),
        order_days::refunds.eq(refunds),
        order_days::kwh.eq(Kwh::from_wh(tenths * 100).unwrap()),
    );
    diesel::insert_into(order_days::table).values(row).execute(&mut app.conn().await).await.unwrap();
}

fn today() -> NaiveDate {
    business_day(Utc::now())
}

/// The numbers, without those of the single days and customers.
fn totals(numbers: &Value) -> [Value; 4] {
    ["car", "bike", "orders", "users"].map(|part| numbers[part].clone())
}

async fn bound_to(app: &TestApp, tenant: &Tenant, site: &Site) -> Client {
    let client = app.user(UserKind::Provider, Some(tenant.provider), None, None).await;
    let id: Uuid = client.get("/api/v1/auth/me").await.id();
    let binding = (user_stations::user_id.eq(id), user_stations::station_id.eq(site.station));
    diesel::insert_into(user_stations::table).values(binding).execute(&mut app.conn().await).await.unwrap();
    client
}

#[tokio::test]
async fn the_first_page_counts_what_its_reader_may_see() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let (near, far, foreign) = (app.site(&mine).await, app.site(&mine).await, app.site(&theirs).await);
    // A station for e-bikes is one of its own line, with all that is in it.
    let bikes = app.site(&mine).await;
    let of_bikes = diesel::update(stations::table.find(bikes.station));
    of_bikes.set(stations::line.eq("bike")).execute(&mut app.conn().await).await.unwrap();
    let of_bikes = diesel::update(areas::table.find(bikes.area));
    of_bikes.set(areas::line.eq("bike")).execute(&mut app.conn().await).await.unwrap();

    day(&app, &mine, &near, "car", 0, (3, 2, 125)).await;
    day(&app, &mine, &far, "car", 0, (10, 0, 1)).await;
    day(&app, &mine, &bikes, "bike", 4, (7, 1, 33)).await;
    day(&app, &mine, &near, "car", 6, (5, 4, 99)).await;
    // Too long ago for the week, but not for the totals.
    day(&app, &mine, &near, "car", 7, (100, 50, 10)).await;
    day(&app, &theirs, &foreign, "car", 1, (20, 6, 2000)).await;
    let (first, phone) = visitor(&app, &mine, &near, 8).await;
    let (second, _) = visitor(&app, &mine, &far, 9).await;
    visit(&app, first, &mine, &far, 2, Utc::now()).await;
    visit(&app, first, &theirs, &foreign, 1, Utc::now()).await;
    let row = diesel::update(drivers::table.find(first));
    row.set(drivers::nickname.eq("小王")).execute(&mut app.conn().await).await.unwrap();

    let numbers = mine.boss.get(DASHBOARD).await.ok();
    assert_eq!(
        totals(&numbers),
        [
            json!({"stations": 2, "areas": 2, "chargers": 2}),
            json!({"stations": 1, "areas": 1, "devices": 1}),
            json!({"car": 118, "bike": 7, "total": 125}),
            json!({"members": 0, "cards": 0, "drivers": 2, "newcomers": 2}),
        ]
    );
    let on = |ago: u64| (today() - Days::new(ago)).to_string();
    assert_eq!(
        numbers["last7"],
        json!([
            {"day": on(6), "car": 5, "bike": 0, "refunds": 4},
            {"day": on(5), "car": 0, "bike": 0, "refunds": 0},
            {"day": on(4), "car": 0, "bike": 7, "refunds": 1},
            {"day": on(3), "car": 0, "bike": 0, "refunds": 0},
            {"day": on(2), "car": 0, "bike": 0, "refunds": 0},
            {"day": on(1), "car": 0, "bike": 0, "refunds": 0},
            {"day": on(0), "car": 13, "bike": 0, "refunds": 2},
        ])
    );
    let energy = numbers["last5"].as_array().unwrap();
    assert_eq!(energy.len(), 5);
    assert_eq!(energy[0], json!({"day": on(4), "car_kwh": "0.0000", "bike_kwh": "3.3000"}));
    assert_eq!(energy[4], json!({"day": on(0), "car_kwh": "12.6000", "bike_kwh": "0.0000"}));
    let top: Vec<(&Value, &Value)> =
        numbers["top"].as_array().unwrap().iter().map(|it| (&it["driver_id"], &it["count"])).collect();
    assert_eq!(top, [(&json!(first), &json!(10)), (&json!(second), &json!(9))]);
    assert_eq!((&numbers["top"][0]["phone"], &numbers["top"][0]["name"]), (&json!(phone), &json!("小王")));

    let numbers = theirs.keeper.get(DASHBOARD).await.ok();
    assert_eq!(
        totals(&numbers),
        [
            json!({"stations": 1, "areas": 1, "chargers": 1}),
            json!({"stations": 0, "areas": 0, "devices": 0}),
            json!({"car": 20, "bike": 0, "total": 20}),
            json!({"members": 0, "cards": 0, "drivers": 1, "newcomers": 1}),
        ]
    );
    assert_eq!(numbers["last5"][3]["car_kwh"], "200.0000");
    assert_eq!((&numbers["top"][0]["driver_id"], &numbers["top"][0]["count"]), (&json!(first), &json!(1)));

    let numbers = app.admin.get(DASHBOARD).await.ok();
    assert_eq!((&numbers["car"]["stations"], &numbers["orders"]["total"]), (&json!(3), &json!(145)));
    assert_eq!((&numbers["top"][0]["count"], &numbers["top"][1]["count"]), (&json!(11), &json!(9)));

    let numbers = bound_to(&app, &mine, &far).await.get(DASHBOARD).await.ok();
    assert_eq!(
        totals(&numbers),
        [
            json!({"stations": 1, "areas": 1, "chargers": 1}),
            json!({"stations": 0, "areas": 0, "devices": 0}),
            json!({"car": 10, "bike": 0, "total": 10}),
            json!({"members": 0, "cards": 0, "drivers": 2, "newcomers": 2}),
        ]
    );
    let top: Vec<&Value> = numbers["top"].as_array().unwrap().iter().map(|it| &it["count"]).collect();
    assert_eq!(top, [&json!(9), &json!(2)]);
}

#[tokio::test]
async fn a_charge_is_counted_when_it_has_ended() {
    let scene = Scene::new().await;
    let order = scene.paid(5000).await;
    let transaction = scene.began(&order, 1_000_000).await;
    scene.metered(transaction, 65, 1_001_000).await;
    scene.stopped(transaction, 65, 1_001_000).await;
    let numbers = scene.app.admin.get(DASHBOARD).await.ok();
    assert_eq!(numbers["orders"], json!({"car": 1, "bike": 0, "total": 1}));
    assert_eq!((&numbers["top"][0]["phone"], &numbers["top"][0]["count"]), (&json!(scene.phone), &json!(1)));
    let days = order_days::table.select((order_days::day, order_days::orders, order_days::kwh));
    let days: Vec<(NaiveDate, i64, Kwh)> = days.load(&mut scene.conn().await).await.unwrap();
    assert_eq!(days, [(business_day(scene.after(65)), 1, Kwh::from_wh(1000).unwrap())]);
    let nodes = driver_totals::table.filter(driver_totals::driver_id.eq(scene.driver)).select(driver_totals::node_id);
    let mut nodes: Vec<Uuid> = nodes.load(&mut scene.conn().await).await.unwrap();
    nodes.sort_unstable();
    let mut expected = [Uuid::nil(), scene.tenant.provider, scene.tenant.property];
    expected.sort_unstable();
    assert_eq!(nodes, expected);
}
