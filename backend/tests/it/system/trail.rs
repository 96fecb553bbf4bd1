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

    let logins = mine.boss.get(&format!("/api/v1/system/logins?username={username}")).await.ok();
    assert_eq!((&logins["total"], &logins["items"][0]["outcome"]), (&json!(1), &json!("succeeded")));
    log_in(&app, &username, "wrong-password").await;
    log_in(&app, "nobody-here", "wrong-password").await;
    let total = async |client: &Client| client.get("/api/v1/system/logins?outcome=wrong").await.ok()["total"].clone();
    assert_eq!(
        (total(&mine.boss).await, total(&theirs.boss).await, total(&app.admin).await),
        (json!(1), json!(0), json!(2))
    );
}
