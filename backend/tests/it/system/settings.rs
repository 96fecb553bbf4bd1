//! Settings of the platform: who may change them, and that they count at once.

use backend::jobs::{Job, Outcome};
use backend::retention::Housekeep;
use schema::login_records;

use super::*;

const SETTINGS: &str = "/api/v1/system/settings";

async fn change(app: &TestApp, changes: &[(&str, Value)]) -> crate::app::Answer {
    let mut form = app.admin.get(SETTINGS).await.ok();
    for (name, value) in changes {
        form[*name] = value.clone();
    }
    app.admin.put(SETTINGS, form).await
}

#[tokio::test]
async fn settings_are_the_platforms_and_their_public_part_everybodys() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    assert_eq!((tenant.boss.get(SETTINGS).await.status, app.guest().get(SETTINGS).await.status), (403, 401));
    let public = async || app.guest().get(&format!("{SETTINGS}/public")).await.ok();
    assert_eq!(public().await, json!({"name": "Wattyard", "logo": null, "language": "zh"}));
    let before = app.admin.get(SETTINGS).await.ok();
    let png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";
    let changed =
        change(&app, &[("name", json!("云栖充电平台")), ("logo", json!(png)), ("language", json!("en"))]).await.ok();
    assert_eq!(changed["version"], 2);
    assert_eq!(public().await, json!({"name": "云栖充电平台", "logo": png, "language": "en"}));
    assert_eq!(app.admin.put(SETTINGS, before).await.refused(), (409, "stale"));

    let wrong = [
        ("logo", json!("data:image/svg+xml;base64,PHN2Zz4="), "format"),
        ("logo", json!("data:image/png;base64,PHNjcmlwdD4="), "format"),
        ("logo", json!(format!("data:image/png;base64,{}", "A".repeat(180_000))), "too_long"),
        ("name", json!(""), "required"),
        ("access_minutes", json!(0), "range"),
        ("audit_days", json!(30), "range"),
        ("language", json!("fr"), "choice"),
    ];
    for (name, value, code) in wrong {
        assert_eq!(change(&app, &[(name, value)]).await.fields(), [(name, code)]);
    }
    let trail = app.admin.get("/api/v1/system/audits?resource=system/settings").await.ok();
    assert_eq!(trail["total"], 1);
    let deed = app.admin.get(&format!("/api/v1/system/audits/{}", ids(&trail)[0])).await.ok();
    let told: Vec<_> =
        deed["changes"].as_array().unwrap().iter().map(|it| (text(&it["label"]), &it["after_text"])).collect();
    assert_eq!((told[0], told[2]), (("默认语言", &json!("英文")), ("平台名称", &json!("云栖充电平台"))));
    assert!(text(&deed["after"]["logo"]).starts_with("sha256 "), "the trail names the picture, and does not keep it");
}

#[tokio::test]
async fn tokens_and_logins_follow_the_settings_in_every_process() {
    let app = TestApp::new().await;
    let second = TestApp::start(app.app.config.clone(), app.app.database_url.clone()).await;
    let limits = [("access_minutes", json!(3)), ("session_days", json!(2)), ("sessions_per_user", json!(2))];
    change(&app, &limits).await.ok();
    let (_, username) = app.user_named(UserKind::Platform, None, None, None).await;
    let mut logins = vec![];
    for app in [&app, &second, &app] {
        let tokens = log_in(app, &username, crate::app::PASSWORD).await.ok();
        assert_eq!(tokens["expires_in"], 180);
        logins.push(app.bearer(text(&tokens["access_token"])));
    }
    assert_eq!(logins[0].get("/api/v1/auth/me").await.status, 401, "one too many ends the oldest");
    let mine = logins[1].get("/api/v1/account/sessions").await.ok();
    assert_eq!(mine.as_array().unwrap().len(), 2);
    let time = |name: &str| text(&mine[0][name]).parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert_eq!((time("expires_at") - time("seen_at")).num_hours(), 48);
}

#[tokio::test]
async fn records_are_forgotten_when_their_time_is_over() {
    let app = TestApp::new().await;
    change(&app, &[("login_days", json!(200)), ("audit_days", json!(300))]).await.ok();
    let mut conn = app.conn().await;
    let id = |days: i64| backend::app::new_id(chrono::Utc::now() - chrono::TimeDelta::days(days));
    for days in [199, 201, 301] {
        diesel::sql_query(format!(
            "insert into login_records (id, username, ip, agent, outcome) values ('{}', 'old', '', '', 'wrong')",
            id(days)
        ))
        .execute(&mut conn)
        .await
        .unwrap();
        diesel::sql_query(format!(
            "insert into audits (id, user_name, ip, request_id, resource, object_id, object_name, action) \
             values ('{}', '', '', '', 'old', '{}', '', '')",
            id(days),
            Uuid::nil()
        ))
        .execute(&mut conn)
        .await
        .unwrap();
    }
    diesel::sql_query(
        "insert into sessions (id, family, user_id, token_hash, ip, agent, expires_at) \
         select gen_random_uuid(), gen_random_uuid(), id, 'old', '', '', now() - interval '31 days' from users",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    assert!(matches!(Housekeep {}.run(&app.app).await.unwrap(), Outcome::Again(_)));
    let logins: i64 =
        login_records::table.filter(login_records::username.eq("old")).count().get_result(&mut conn).await.unwrap();
    let deeds: i64 = audits::table.filter(audits::resource.eq("old")).count().get_result(&mut conn).await.unwrap();
    let sessions: i64 = schema::sessions::table.count().get_result(&mut conn).await.unwrap();
    assert_eq!((logins, deeds, sessions), (1, 2, 1), "the administrator is still logged in");
}
