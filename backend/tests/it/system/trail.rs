//! Audits and logins: who did what, told to those who may know.

use super::*;

#[tokio::test]
async fn the_trail_tells_who_did_what_to_those_who_may_know() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let (one, two) = (app.site(&mine).await.station, app.site(&mine).await.station);
    for station in [one, two] {
        mine.boss.post(&format!("/api/v1/car/stations/{station}/disable"), json!({})).await.ok();
    }
    let list = async |client: &Client, query: &str| client.get(&format!("/api/v1/system/audits?{query}")).await.ok();
    let found = list(&mine.boss, &format!("object_id={one}")).await;
    assert_eq!((&found["total"], &found["items"][0]["action"]), (&json!(1), &json!("disable")));
    let detail = mine.boss.get(&format!("/api/v1/system/audits/{}", ids(&found)[0])).await.ok();
    assert_eq!((&detail["before"]["enabled"], &detail["after"]["enabled"]), (&json!(true), &json!(false)));
    assert_eq!(detail["resource"], "car/stations");

    let boss = me(&mine.boss).await;
    assert_eq!(list(&mine.boss, &format!("user_id={boss}&resource=car/stations&action=disable")).await["total"], 2);
    assert_eq!(list(&mine.boss, "action=enable").await["total"], 0);
    let today = shared::time::business_day(chrono::Utc::now());
    let tomorrow = today.succ_opt().unwrap();
    assert_eq!(list(&mine.boss, &format!("created_from={today}&created_to={today}")).await["total"], 2);
    assert_eq!(list(&mine.boss, &format!("created_from={tomorrow}")).await["total"], 0);
    assert_eq!(list(&mine.keeper, "").await["total"], 0, "what the provider did is not the property's");
    assert_eq!(list(&theirs.boss, "").await["total"], 0);
    assert_eq!(list(&app.admin, &format!("object_id={two}")).await["total"], 1);

    // Whoever is bound to a station sees what was done to it, and no more.
    let (user, username) = app.user_named(UserKind::Provider, Some(mine.provider), None, None).await;
    bind(&mine.boss, user, &[one]).await.ok();
    let session = app.login(&username).await;
    let seen = list(&session, "").await;
    assert_eq!((&seen["total"], &seen["items"][0]["object_id"]), (&json!(1), &json!(one)));

    // What changed is told field by field, in the language of the request.
    let version = mine.boss.get(&format!("/api/v1/car/stations/{one}")).await.ok()["version"].clone();
    let change = json!({"property_id": mine.property, "name": "改名站", "nature": "dedicated", "max_power_w": 120_000, "version": version});
    mine.boss.put(&format!("/api/v1/car/stations/{one}"), change).await.ok();
    let deed = ids(&list(&mine.boss, "action=update&object=改名").await)[0].to_owned();
    let path = format!("/api/v1/system/audits/{deed}");
    let changes = mine.boss.get(&path).await.ok()["changes"].clone();
    let told = |changes: &Value| -> Vec<(String, String)> {
        let row = |it: &Value| (text(&it["label"]).to_owned(), text(&it["after_text"]).to_owned());
        changes.as_array().unwrap().iter().filter(|it| it["label"].is_string()).map(row).collect()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    let chinese = told(&changes);
    for wanted in [pair("电站名称", "改名站"), pair("运营性质", "专用"), pair("最大功率(kW)", "120.0")]
    {
        assert!(chinese.contains(&wanted), "{chinese:?}");
    }
    let english = [("accept-language", "en")];
    let changes = mine.boss.send(reqwest::Method::GET, &path, None, &english).await.ok()["changes"].clone();
    assert!(told(&changes).contains(&pair("Nature", "Dedicated")));
    let history = mine.boss.get(&format!("/api/v1/car/stations/{one}/history")).await.ok();
    assert_eq!(told(&history["items"][0]["changes"]), chinese);

    let logins = mine.boss.get(&format!("/api/v1/system/logins?username={username}")).await.ok();
    assert_eq!(logins["items"][0]["user_id"], json!(user));
    assert_eq!(list(&theirs.boss, "").await["total"], 0);
    assert_eq!((&logins["total"], &logins["items"][0]["outcome"]), (&json!(1), &json!("succeeded")));
    log_in(&app, &username, "wrong-password").await;
    log_in(&app, "nobody-here", "wrong-password").await;
    let total = async |client: &Client| client.get("/api/v1/system/logins?outcome=wrong").await.ok()["total"].clone();
    assert_eq!(
        (total(&mine.boss).await, total(&theirs.boss).await, total(&app.admin).await),
        (json!(1), json!(0), json!(2))
    );
    mine.boss.delete(&format!("{USERS}/{user}")).await;
    let logins = mine.boss.get(&format!("/api/v1/system/logins?user_id={user}")).await.ok();
    assert_eq!(logins["total"], 2, "the record outlives the user");
}
