//! What charging costs: wordings and when they are in force, presets, trial.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{areas, stations};
use serde_json::{Value, json};

use crate::app::{Site, TestApp};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn uniform(elec: &str, service: &str) -> Value {
    json!({"mode": "uniform", "prices": {"uniform": {"elec": elec, "service": service}}})
}

fn time_of_use() -> Value {
    json!({
        "mode": "time_of_use",
        "prices": {"peak": {"elec": "1.0125", "service": "0.4"}, "flat": {"elec": "0.6987", "service": "0.35"}},
        "slots": [
            {"from": "10:00", "to": "12:00", "period": "peak"},
            {"from": "12:00", "to": "10:00", "period": "flat"},
        ],
    })
}

fn tariff_form(site: &Site, name: &str, tariff: Value) -> Value {
    json!({"station_id": site.station, "area_id": site.area, "name": name, "tariff": tariff})
}

#[tokio::test]
async fn a_tariff_is_in_force_from_the_next_midnight_and_the_last_saved_wins() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let mut conn = app.conn().await;
    let by = backend::auth::caller::Caller {
        user_id: uuid::Uuid::now_v7(),
        name: "陈晨".to_owned(),
        scope: backend::auth::scope::Scope::ALL,
        permissions: vec![],
        family: uuid::Uuid::now_v7(),
        must_change_password: false,
    };
    let form = |elec: &str| -> shared::tariff::CarTariffForm {
        serde_json::from_value(tariff_form(&site, "统一电价", uniform(elec, "0.4"))).unwrap()
    };
    let saved = at("2026-11-20T09:00:00+08:00");
    let midnight = at("2026-11-21T00:00:00+08:00");
    let id = backend::tariff::create(&mut conn, &by, &form("0.6"), saved).await.unwrap();
    backend::tariff::update(&mut conn, &by, id, &form("0.7"), saved + TimeDelta::hours(3)).await.unwrap();
    // Saving the same again, or only presets, is no new wording.
    backend::tariff::update(&mut conn, &by, id, &form("0.7"), saved + TimeDelta::hours(4)).await.unwrap();
    backend::tariff::update(&mut conn, &by, id, &form("0.8"), midnight).await.unwrap();

    let mut elec_at = async |instant: DateTime<Utc>| {
        let found = backend::tariff::in_force(&mut conn, site.area, instant).await.unwrap();
        found.map(|it| it.tariff.price_at(instant).unwrap().1.elec.to_string())
    };
    assert_eq!(elec_at(midnight - TimeDelta::seconds(1)).await, None, "nothing is in force on the day of saving");
    assert_eq!(elec_at(midnight).await.as_deref(), Some("0.70000"));
    assert_eq!(elec_at(midnight + TimeDelta::hours(23)).await.as_deref(), Some("0.70000"));
    assert_eq!(elec_at(midnight + TimeDelta::hours(24)).await.as_deref(), Some("0.80000"));
    let wordings: i64 = schema::tariff_versions::table.count().get_result(&mut conn).await.unwrap();
    assert_eq!(wordings, 3);
    let found = backend::tariff::in_force(&mut conn, site.area, midnight).await.unwrap().unwrap();
    assert_eq!(found.hash, backend::tariff::hash(&found.tariff).unwrap());

    let mut at_once = form("0.9");
    at_once.effective_now = Some(true);
    let refused = backend::tariff::update(&mut conn, &by, id, &at_once, midnight + TimeDelta::hours(1)).await;
    assert!(matches!(refused, Err(backend::error::Error::Field(field, "in_force", _)) if field == "effective_now"));
    diesel::update(schema::tariffs::table).set(schema::tariffs::enabled.eq(false)).execute(&mut conn).await.unwrap();
    assert_eq!(backend::tariff::in_force(&mut conn, site.area, midnight).await.unwrap(), None);
}

#[tokio::test]
async fn the_first_tariff_may_be_in_force_at_once_and_an_area_has_one() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let mut form = tariff_form(&site, "统一电价", uniform("0.65", "0.4"));
    form["effective_now"] = json!(true);
    form["presets"] = json!([1000, 3000, 5000]);
    let created = tenant.boss.post("/api/v1/car/tariffs", form.clone()).await;
    let path = format!("/api/v1/car/tariffs/{}", created.id());
    let detail = tenant.boss.get(&path).await.ok();
    assert_eq!(
        (&detail["number"], &detail["number_in_force"], &detail["mode"]),
        (&json!(1), &json!(1), &json!("uniform"))
    );
    assert_eq!(detail["versions"][0]["saved_at"], detail["versions"][0]["effective_at"]);
    assert_eq!(detail["tariff"]["prices"]["uniform"]["elec"], "0.65000");
    assert_eq!(detail["presets"], json!([1000, 3000, 5000]));

    form["version"] = detail["version"].clone();
    assert_eq!(tenant.boss.put(&path, form.clone()).await.fields(), [("effective_now", "in_force")]);
    form["effective_now"] = json!(false);
    form["tariff"] = time_of_use();
    let changed = tenant.boss.put(&path, form.clone()).await.ok();
    assert_eq!((&changed["number"], &changed["number_in_force"]), (&json!(2), &json!(1)), "the old one counts today");
    assert_eq!(changed["versions"].as_array().unwrap().len(), 2);
    assert_eq!(tenant.boss.put(&path, form).await.refused(), (409, "stale"));

    let second = tariff_form(&site, "另一个", uniform("0.5", "0.4"));
    assert_eq!(tenant.boss.post("/api/v1/car/tariffs", second.clone()).await.refused(), (409, "area_has_tariff"));
    tenant.boss.post(&format!("{path}/disable"), json!({})).await.ok();
    tenant.boss.post("/api/v1/car/tariffs", second).await.ok();
    assert_eq!(tenant.boss.post(&format!("{path}/enable"), json!({})).await.refused(), (409, "area_has_tariff"));
    let page = tenant.boss.get("/api/v1/car/tariffs?enabled=false&mode=time_of_use").await.ok();
    assert_eq!(page["total"], 1);
}

#[tokio::test]
async fn a_tariff_that_makes_no_sense_names_its_fields_in_both_languages() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let mut gap = time_of_use();
    gap["slots"][1]["to"] = json!("09:30");
    let mut form = tariff_form(&site, "缺半小时", gap);
    form["presets"] = json!([3000, 1000]);
    let body = form.to_string().into_bytes();
    for (language, sentence) in
        [("zh-CN", "须完整覆盖 24 小时：09:30 起没有时段"), ("en", "All 24 hours must be covered: nothing from 09:30")]
    {
        let headers = [("accept-language", language)];
        let answer = tenant.boss.send(reqwest::Method::POST, "/api/v1/car/tariffs", Some(body.clone()), &headers).await;
        assert_eq!(answer.fields(), [("tariff.slots", "gap"), ("presets.1", "order")]);
        assert_eq!(answer.json["errors"][0]["message"], sentence);
    }
    form["tariff"] = uniform("0.123456", "0");
    form["presets"] = json!([]);
    assert_eq!(tenant.boss.post("/api/v1/car/tariffs", form.clone()).await.fields()[0].0, "tariff.prices.uniform.elec");
    form["tariff"] = uniform("0", "0");
    assert_eq!(
        tenant.boss.post("/api/v1/car/tariffs", form.clone()).await.fields(),
        [("tariff.prices.uniform", "zero")]
    );
    form["tariff"]["free"] = json!(true);
    tenant.boss.post("/api/v1/car/tariffs", form).await.ok();
}

#[tokio::test]
async fn a_trial_prices_what_is_told_and_says_what_is_missing() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let created = tenant.boss.post("/api/v1/car/tariffs", tariff_form(&site, "峰平", time_of_use())).await;
    let path = format!("/api/v1/car/tariffs/{}/trial", created.id());
    let half_hour = json!({"kwh": "30", "start": "2026-11-20T11:40:00+08:00", "duration_seconds": 1800});
    let bill = tenant.boss.post(&path, half_hour).await.ok();
    assert_eq!(
        (&bill["elec_fen"], &bill["service_fen"], &bill["total_fen"]),
        (&json!(2724), &json!(1150), &json!(3874))
    );
    let by_period = tenant.boss.post(&path, json!({"kwh_by_period": {"peak": "20", "flat": "10"}})).await.ok();
    assert_eq!(by_period["total_fen"], 3874);
    let alone = tenant.boss.post(&path, json!({"kwh": "10"})).await.ok();
    assert_eq!(alone.get("total_fen"), None);
    let each: Vec<_> =
        alone["each_period"].as_array().unwrap().iter().map(|it| (&it["period"], &it["bill"]["total_fen"])).collect();
    assert_eq!(each, [(&json!("peak"), &json!(1413)), (&json!("flat"), &json!(1049))]);
    assert_eq!(tenant.boss.post(&path, json!({})).await.fields(), [("kwh", "required")]);
    assert_eq!(
        tenant.boss.post(&path, json!({"kwh": "1", "duration_seconds": 60})).await.fields(),
        [("start", "required")]
    );
    let valley = tenant.boss.post(&path, json!({"kwh_by_period": {"valley": "1"}})).await;
    assert_eq!(valley.fields(), [("kwh_by_period.valley", "unexpected")]);

    let unsaved = json!({"kwh": "10", "tariff": uniform("0.9505", "0.4505")});
    let bill = tenant.boss.post("/api/v1/car/tariffs/trial", unsaved).await.ok();
    assert_eq!((&bill["total_fen"], &bill["each_period"]), (&json!(1402), &json!([])));
    let flawed = tenant.boss.post("/api/v1/car/tariffs/trial", json!({"kwh": "10", "tariff": uniform("0", "0")})).await;
    assert_eq!(flawed.fields(), [("tariff.prices.uniform", "zero")]);
}

#[tokio::test]
async fn nothing_is_added_under_what_is_disabled_or_foreign() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let (site, foreign) = (app.site(&mine).await, app.site(&theirs).await);
    let post =
        async |site: &Site| mine.boss.post("/api/v1/car/tariffs", tariff_form(site, "电价", uniform("1", "0"))).await;
    assert_eq!(post(&foreign).await.fields(), [("station_id", "choice")]);
    let mixed =
        json!({"station_id": site.station, "area_id": foreign.area, "name": "电价", "tariff": uniform("1", "0")});
    assert_eq!(mine.boss.post("/api/v1/car/tariffs", mixed).await.fields(), [("area_id", "choice")]);
    let mut conn = app.conn().await;
    diesel::update(areas::table.find(site.area)).set(areas::enabled.eq(false)).execute(&mut conn).await.unwrap();
    assert_eq!(post(&site).await.refused(), (409, "area_disabled"));
    diesel::update(stations::table.find(site.station))
        .set(stations::enabled.eq(false))
        .execute(&mut conn)
        .await
        .unwrap();
    assert_eq!(post(&site).await.refused(), (409, "station_disabled"));
}
