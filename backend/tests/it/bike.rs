//! Stations for e-bikes.

use serde_json::{Value, json};

use crate::app::TestApp;

const STATIONS: &str = "/api/v1/bike/stations";

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_e_bike_station_is_made_found_changed_reviewed_and_switched() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let mut form = json!({"property_id": tenant.property, "name": "花园单车站", "short_name": "花园", "hotline": "057188880000",
        "nature": "public", "business_hours": "00:00-24:00", "city": "杭州", "address": "滨江路 1 号", "lng": 120.2, "lat": 30.2});
    let made = tenant.boss.post(STATIONS, form.clone()).await;
    let path = format!("{STATIONS}/{}", made.id());
    let (short_name, city) = (&made.json["short_name"], &made.json["city"]);
    assert_eq!((short_name, city), (&json!("花园"), &json!("杭州")));
    let below = ["areas", "devices", "sockets"].map(|it| made.json[it].clone());
    assert_eq!(below, [json!(1), json!(0), json!(0)], "a default area comes with it");
    assert_eq!(tenant.boss.post(STATIONS, form.clone()).await.fields(), [("name", "taken")]);
    // The lines stay apart: the same name is free among car stations, and neither list shows the other's.
    let car = json!({"property_id": tenant.property, "name": "花园单车站", "nature": "public"});
    let car = tenant.boss.post("/api/v1/car/stations", car).await.id();
    assert_eq!(names(&tenant.boss.get("/api/v1/car/stations").await.ok()), ["花园单车站"]);
    assert_eq!(tenant.boss.get(&format!("{STATIONS}/{car}")).await.status, 404);
    let area = json!({"station_id": made.id(), "name": "北区"});
    assert_eq!(tenant.boss.post("/api/v1/car/areas", area).await.fields(), [("station_id", "choice")]);

    form["version"] = json!(1);
    form["name"] = json!("湖滨单车站");
    form["short_name"] = Value::Null;
    let changed = tenant.boss.put(&path, form.clone()).await.ok();
    assert_eq!((&changed["name"], &changed["short_name"]), (&json!("湖滨单车站"), &Value::Null));
    assert_eq!(tenant.boss.put(&path, form).await.refused(), (409, "stale"));

    assert_eq!(tenant.boss.post(&format!("{path}/enable"), json!({})).await.refused(), (409, "not_approved"));
    app.admin.post(&format!("{path}/approve"), json!({})).await.ok();
    let again = app.admin.post(&format!("{path}/reject"), json!({"note": "重复"})).await;
    assert_eq!(again.refused(), (409, "already_reviewed"));
    tenant.boss.post(&format!("{path}/enable"), json!({})).await.ok();
    for (search, found) in
        [("name=%E6%B9%96", 1), ("name=%E8%8A%B1", 0), ("review=approved&enabled=true", 1), ("enabled=false", 0)]
    {
        let page = tenant.boss.get(&format!("{STATIONS}?{search}")).await.ok();
        assert_eq!(page["total"], found, "{search}");
    }
    tenant.boss.post(&format!("{path}/disable"), json!({})).await.ok();
    let history = tenant.boss.get(&format!("{path}/history")).await.ok();
    let told: Vec<&str> =
        history["items"].as_array().unwrap().iter().map(|it| it["action"].as_str().unwrap()).collect();
    assert_eq!(told, ["disable", "enable", "approve", "update", "create"]);
    assert_eq!(history["items"][3]["changes"][0]["after_text"], "湖滨单车站");

    let stranger = app.tenant().await;
    assert_eq!(stranger.boss.get(&path).await.status, 404);
    assert_eq!(names(&stranger.boss.get(STATIONS).await.ok()), Vec::<&str>::new());
}
