//! Logging in, staying logged in, and losing rights while logged in.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{roles, sessions, users};
use serde_json::json;
use shared::user::UserKind;

use crate::app::{PASSWORD, TestApp};

#[tokio::test]
async fn wrong_passwords_and_unknown_users_look_alike() {
    let app = TestApp::new().await;
    let wrong = app.guest().post("/api/v1/auth/login", json!({"username": "admin", "password": "nope-nope"})).await;
    let nobody = app.guest().post("/api/v1/auth/login", json!({"username": "nobody", "password": "nope-nope"})).await;
    assert_eq!(wrong.refused(), (401, "unauthenticated"));
    assert_eq!(nobody.refused(), (401, "unauthenticated"));
    assert_eq!(wrong.json["detail"], nobody.json["detail"]);
}

#[tokio::test]
async fn missing_fields_are_named_in_the_language_of_the_request() {
    let app = TestApp::new().await;
    let answer = app.guest().post("/api/v1/auth/login", json!({"username": "admin"})).await;
    assert_eq!((answer.status, answer.fields()), (422, vec![("password", "required")]));
    assert_eq!(answer.json["errors"][0]["message"], "必填");
    let body = json!({"username": "admin"}).to_string().into_bytes();
    let english = [("accept-language", "en-US")];
    let answer = app.guest().send(reqwest::Method::POST, "/api/v1/auth/login", Some(body), &english).await;
    assert_eq!(answer.json["errors"][0]["message"], "Required");
}

#[tokio::test]
async fn the_account_is_locked_after_too_many_wrong_passwords() {
    let app = TestApp::with(|it| it.auth.lock_after = 3).await;
    let (_, username) = app.user_named(UserKind::Platform, None, None, None).await;
    let login = async |password: &str| {
        app.guest().post("/api/v1/auth/login", json!({"username": username, "password": password})).await
    };
    for _ in 0..2 {
        assert_eq!(login("wrong-wrong").await.status, 401);
    }
    let locked = login("wrong-wrong").await;
    assert_eq!(locked.refused(), (429, "limited"));
    assert!(locked.headers.contains_key("retry-after"));
    assert_eq!(login(PASSWORD).await.status, 429, "the right password does not help while it is locked");
}

#[tokio::test]
async fn an_address_may_not_try_without_end() {
    let app = TestApp::with(|it| it.auth.logins_per_minute = 5).await;
    let mut statuses = vec![];
    for n in 0..6 {
        let name = format!("nobody{n}");
        statuses.push(app.guest().post("/api/v1/auth/login", json!({"username": name, "password": "x"})).await.status);
    }
    // The administrator logged in once when the server started.
    assert_eq!(statuses, [401, 401, 401, 401, 429, 429]);
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_family() {
    let app = TestApp::new().await;
    let first = app.guest().post("/api/v1/auth/login", json!({"username": "admin", "password": PASSWORD})).await.ok();
    let second = app.guest().post("/api/v1/auth/refresh", json!({"refresh_token": first["refresh_token"]})).await.ok();
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let client = app.bearer(second["access_token"].as_str().unwrap());
    assert_eq!(client.get("/api/v1/auth/me").await.status, 200);
    later(&app).await;
    let reused = app.guest().post("/api/v1/auth/refresh", json!({"refresh_token": first["refresh_token"]})).await;
    assert_eq!(reused.status, 401);
    assert_eq!(client.get("/api/v1/auth/me").await.status, 401, "the whole family has ended");
    let after = app.guest().post("/api/v1/auth/refresh", json!({"refresh_token": second["refresh_token"]})).await;
    assert_eq!(after.status, 401);
}

/// Has so much time pass since the last renewals that a repeat of one is none any more.
pub async fn later(app: &TestApp) {
    let earlier = chrono::Utc::now() - chrono::TimeDelta::seconds(11);
    let spent = diesel::update(sessions::table.filter(sessions::spent_at.is_not_null()));
    spent.set(sessions::spent_at.eq(earlier)).execute(&mut app.conn().await).await.unwrap();
}

#[tokio::test]
async fn renewing_twice_at_once_logs_nobody_out() {
    let app = TestApp::new().await;
    let first = app.guest().post("/api/v1/auth/login", json!({"username": "admin", "password": PASSWORD})).await.ok();
    let renew = async |token: &serde_json::Value| {
        app.guest().post("/api/v1/auth/refresh", json!({"refresh_token": token})).await
    };
    let token = &first["refresh_token"];
    let (one, two, three) = tokio::join!(renew(token), renew(token), renew(token));
    let (one, again) = (one.ok(), [two.ok(), three.ok(), renew(token).await.ok()]);
    assert_ne!(one["refresh_token"], *token);
    for it in &again {
        assert_eq!(it["refresh_token"], one["refresh_token"]);
        assert_eq!(app.bearer(it["access_token"].as_str().unwrap()).get("/api/v1/auth/me").await.status, 200);
    }
    let stored: Vec<String> = sessions::table.select(sessions::token_hash).load(&mut app.conn().await).await.unwrap();
    assert!(!stored.iter().any(|it| one["refresh_token"] == **it), "no token is stored");
    let next = renew(&one["refresh_token"]).await.ok();
    // What has been ended stays so, however soon it is sent again.
    let client = app.bearer(next["access_token"].as_str().unwrap());
    client.post("/api/v1/auth/logout", json!({})).await;
    assert_eq!(renew(&one["refresh_token"]).await.status, 401);
}

#[tokio::test]
async fn the_name_of_the_scheme_may_be_written_in_any_case() {
    let app = TestApp::new().await;
    for scheme in ["bearer", "BEARER", "Bearer"] {
        let header = format!("{scheme} {}", app.admin.token);
        let answer =
            app.guest().send(reqwest::Method::GET, "/api/v1/auth/me", None, &[("authorization", &header)]).await;
        assert_eq!(answer.status, 200, "{scheme}");
    }
    let basic = format!("Basic {}", app.admin.token);
    let headers = [("authorization", basic.as_str()), ("accept-language", "en")];
    let answer = app.guest().send(reqwest::Method::GET, "/api/v1/auth/me", None, &headers).await;
    assert_eq!((answer.status, &answer.json["title"]), (401, &json!("Not logged in")));
    assert_eq!(answer.json["request_id"].as_str(), answer.headers["x-request-id"].to_str().ok());
}

#[tokio::test]
async fn logging_out_ends_the_session_at_once() {
    let app = TestApp::new().await;
    let client = app.login("admin").await;
    assert_eq!(client.post("/api/v1/auth/logout", json!({})).await.status, 204);
    assert_eq!(client.get("/api/v1/auth/me").await.status, 401);
}

#[tokio::test]
async fn rights_are_lost_on_the_next_request() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    assert_eq!(tenant.boss.get("/api/v1/car/stations").await.status, 200);
    let mut conn = app.conn().await;
    let of_boss = roles::table.filter(roles::provider_id.eq(tenant.provider)).filter(roles::property_id.is_null());
    diesel::update(of_boss).set(roles::enabled.eq(false)).execute(&mut conn).await.unwrap();
    let refused = tenant.boss.get("/api/v1/car/stations").await;
    assert_eq!(refused.refused(), (403, "forbidden"));
    diesel::update(users::table.filter(users::provider_id.eq(tenant.provider)))
        .set(users::enabled.eq(false))
        .execute(&mut conn)
        .await
        .unwrap();
    assert_eq!(tenant.boss.get("/api/v1/car/stations").await.status, 401);
}

#[tokio::test]
async fn a_password_that_must_be_changed_is_changed_first() {
    let app = TestApp::new().await;
    let (id, username) = app.user_named(UserKind::Platform, None, None, None).await;
    let mut conn = app.conn().await;
    diesel::update(users::table.find(id)).set(users::must_change_password.eq(true)).execute(&mut conn).await.unwrap();
    let client = app.login(&username).await;
    assert_eq!(client.get("/api/v1/car/stations").await.refused(), (409, "must_change_password"));
    let change = async |old: &str, new: &str| {
        client.post("/api/v1/auth/password", json!({"old_password": old, "new_password": new})).await
    };
    assert_eq!(change(PASSWORD, "short").await.fields(), [("new_password", "too_short")]);
    assert_eq!(change("wrong-old-one", "long enough now").await.fields(), [("old_password", "wrong")]);
    assert_eq!(change(PASSWORD, "long enough now").await.status, 204);
    assert_eq!(client.get("/api/v1/car/stations").await.status, 200);
}
