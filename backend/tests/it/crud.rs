//! The building blocks, shown on stations: list, change, switch, sheet in and out, audit.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use reqwest::Method;
use schema::audits;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Tenant, TestApp};

fn form(tenant: &Tenant, name: &str) -> Value {
    json!({"provider_id": tenant.provider, "property_id": tenant.property, "name": name, "nature": "public"})
}

/// The rows of a sheet as texts.
pub fn sheet_text(bytes: &[u8]) -> Vec<Vec<String>> {
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(bytes)).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    sheet.rows().map(|row| row.iter().map(Data::to_string).collect()).collect()
}

#[tokio::test]
async fn a_station_is_created_changed_approved_and_switched_on() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let created = tenant.boss.post("/api/v1/car/stations", form(&tenant, "甲站")).await;
    let path = format!("/api/v1/car/stations/{}", created.id());
    assert_eq!((created.status, &created.json["areas"]), (201, &json!(1)), "a default area comes with it");

    let mut change = form(&tenant, "乙站");
    change["version"] = json!(1);
    let changed = tenant.boss.put(&path, change.clone()).await.ok();
    assert_eq!((&changed["name"], &changed["version"]), (&json!("乙站"), &json!(2)));
    assert_eq!(tenant.boss.put(&path, change).await.refused(), (409, "stale"));

    assert_eq!(tenant.boss.post(&format!("{path}/enable"), json!({})).await.refused(), (409, "not_approved"));
    let no_reason = app.admin.post(&format!("{path}/reject"), json!({"note": " "})).await;
    assert_eq!(no_reason.fields(), [("note", "required")]);
    app.admin.post(&format!("{path}/approve"), json!({})).await.ok();
    assert_eq!(app.admin.post(&format!("{path}/approve"), json!({})).await.refused(), (409, "already_reviewed"));
    let enabled = tenant.boss.post(&format!("{path}/enable"), json!({})).await.ok();
    assert_eq!(enabled["enabled"], true);
    let impact = tenant.boss.get(&format!("{path}/impact")).await.ok();
    assert_eq!(
        impact,
        json!({"running_orders": 0, "reservations": 0, "stations": 0, "chargers": 0, "users": 0, "cards": 0})
    );

    let mut conn = app.conn().await;
    let actions: Vec<String> = audits::table
        .filter(audits::object_id.eq(created.id()))
        .order(audits::id)
        .select(audits::action)
        .load(&mut conn)
        .await
        .unwrap();
    assert_eq!(actions, ["create", "update", "approve", "enable"]);
    let (before, after): (Option<Value>, Option<Value>) = audits::table
        .filter(audits::action.eq("update"))
        .select((audits::before, audits::after))
        .first(&mut conn)
        .await
        .unwrap();
    assert_eq!((&before.unwrap()["name"], &after.unwrap()["name"]), (&json!("甲站"), &json!("乙站")));
}

#[tokio::test]
async fn a_rejected_station_asks_anew_when_it_is_changed() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let created = tenant.boss.post("/api/v1/car/stations", form(&tenant, "甲站")).await;
    let path = format!("/api/v1/car/stations/{}", created.id());
    let rejected = app.admin.post(&format!("{path}/reject"), json!({"note": "地址不全"})).await.ok();
    assert_eq!((&rejected["review"], &rejected["review_note"]), (&json!("rejected"), &json!("地址不全")));
    let mut change = form(&tenant, "甲站");
    change["version"] = rejected["version"].clone();
    let changed = tenant.boss.put(&path, change).await.ok();
    assert_eq!((&changed["review"], &changed["review_note"]), (&json!("pending"), &json!(null)));
    app.admin.post(&format!("{path}/approve"), json!({})).await.ok();
}

#[tokio::test]
async fn bad_input_names_the_field_and_changes_nothing() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let post = async |body: Value| tenant.boss.post("/api/v1/car/stations", body).await;
    // Whose it is follows from the caller as far as it can.
    assert_eq!(
        post(json!({})).await.fields(),
        [("property_id", "required"), ("name", "required"), ("nature", "required")]
    );
    let mut bad = form(&tenant, &"长".repeat(51));
    bad["contact_phone"] = json!("12");
    bad["lat"] = json!(91.0);
    bad["colour"] = json!("red");
    let answer = post(bad).await;
    let expected = [("colour", "unknown"), ("name", "too_long"), ("contact_phone", "format"), ("lat", "range")];
    assert_eq!((answer.status, answer.fields()), (422, expected.to_vec()));
    let raw = tenant.boss.send(Method::POST, "/api/v1/car/stations", Some(b"{".to_vec()), &[]).await;
    assert_eq!(raw.refused(), (400, "unreadable"));
    post(form(&tenant, "甲站")).await.ok();
    assert_eq!(post(form(&tenant, "甲站")).await.fields(), [("name", "taken")]);
    let total = tenant.boss.get("/api/v1/car/stations").await.ok()["total"].clone();
    assert_eq!(total, 1);
}

#[tokio::test]
async fn nothing_is_made_under_what_is_not_ones_own() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let stolen = mine.boss.post("/api/v1/car/stations", form(&theirs, "甲站")).await;
    assert_eq!(stolen.fields(), [("provider_id", "choice")]);
    let mut mixed = form(&mine, "甲站");
    mixed["property_id"] = json!(theirs.property);
    assert_eq!(mine.boss.post("/api/v1/car/stations", mixed.clone()).await.fields(), [("property_id", "choice")]);
    assert_eq!(app.admin.post("/api/v1/car/stations", mixed).await.fields(), [("property_id", "choice")]);
    // Fixed fields cannot be changed afterwards either.
    let created = mine.boss.post("/api/v1/car/stations", form(&mine, "甲站")).await;
    let mut given = form(&theirs, "甲站");
    given["version"] = json!(1);
    let path = format!("/api/v1/car/stations/{}", created.id());
    assert_eq!(mine.boss.put(&path, given).await.fields(), [("provider_id", "fixed"), ("property_id", "fixed")]);
}

#[tokio::test]
async fn lists_search_sort_and_page() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    for name in ["丙站", "甲站", "乙站", "甲二站"] {
        tenant.boss.post("/api/v1/car/stations", form(&tenant, name)).await.ok();
    }
    let list = async |query: &str| tenant.boss.get(&format!("/api/v1/car/stations?{query}")).await;
    let names = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
    };
    let page = list("").await.ok();
    assert_eq!(names(&page), ["甲二站", "乙站", "甲站", "丙站"], "newest first");
    assert_eq!(names(&list("name=甲").await.ok()), ["甲二站", "甲站"]);
    assert_eq!(names(&list("name=甲&sort=id").await.ok()), ["甲站", "甲二站"]);
    assert_eq!(names(&list("review=approved").await.ok()), Vec::<String>::new());
    let second = list("size=3&page=2").await.ok();
    assert_eq!((names(&second), &second["total"]), (vec!["丙站".to_owned()], &json!(4)));
    let first = list("size=3").await.ok();
    let beyond = list(&format!("size=3&cursor={}", first["next_cursor"].as_str().unwrap())).await.ok();
    assert_eq!(names(&beyond), ["丙站"]);
    for (query, field) in
        [("size=201", "size"), ("page=0", "page"), ("sort=colour", "sort"), ("nmae=x", "nmae"), ("review=x", "review")]
    {
        let answer = list(query).await;
        assert_eq!((answer.status, answer.fields()[0].0), (422, field), "{query}");
    }
    assert_eq!(list("enabled=maybe").await.status, 422);
    assert_eq!(tenant.boss.get("/api/v1/car/stations/not-an-id").await.refused(), (404, "not_found"));
    assert_eq!(tenant.boss.get(&format!("/api/v1/car/stations/{}", Uuid::now_v7())).await.status, 404);
}
