//! One's own account, who is logged in, and how a session ends.

use super::*;

const SESSIONS: &str = "/api/v1/system/sessions";

#[tokio::test]
async fn people_keep_their_own_account() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let works = department(&tenant.boss, "provider", &tenant, &[("name", json!("运维部"))]).await;
    let mut form = user_form("provider", &tenant, "chenchen");
    form["department_id"] = works["id"].clone();
    let made = tenant.boss.post(USERS, form).await.ok();
    let chen = first_login(&app, "chenchen", text(&made["initial_password"])).await;
    let account = chen.get("/api/v1/account").await.ok();
    assert_eq!((&account["username"], &account["department_name"]), (&json!("chenchen"), &json!("运维部")));
    let change = |version: &Value| json!({"name": "陈晨", "email": "chen@example.com", "version": version});
    let changed = chen.put("/api/v1/account", change(&account["version"])).await.ok();
    assert_eq!((&changed["name"], &changed["email"]), (&json!("陈晨"), &json!("chen@example.com")));
    assert_eq!(chen.put("/api/v1/account", change(&account["version"])).await.refused(), (409, "stale"));
    // Neither name of the account, roles nor node are one's own to change.
    let lift = json!({"name": "陈晨", "kind": "platform", "role_ids": [], "version": changed["version"]});
    assert_eq!(chen.put("/api/v1/account", lift).await.fields(), [("kind", "unknown"), ("role_ids", "unknown")]);
    let actions: Vec<String> = audits::table
        .filter(audits::object_id.eq(me(&chen).await))
        .order(audits::id)
        .select(audits::action)
        .load(&mut app.conn().await)
        .await
        .unwrap();
    assert_eq!(actions, ["create", "change-password", "update"]);

    // The account of a tenant is named by its mobile number.
    let created = pending(&app).await;
    let approved = app.admin.post(&format!("{PROVIDERS}/{}/approve", text(&created["id"])), json!({})).await.ok();
    let boss = first_login(&app, text(&created["phone"]), text(&approved["initial_password"])).await;
    let version = boss.get("/api/v1/account").await.ok()["version"].clone();
    let moved = json!({"name": "王敏", "phone": phone(&app), "version": version});
    assert_eq!(boss.put("/api/v1/account", moved).await.fields(), [("phone", "mismatch")]);
    let kept = json!({"name": "王小敏", "phone": created["phone"], "version": version});
    assert_eq!(boss.put("/api/v1/account", kept).await.ok()["name"], "王小敏");
}

#[tokio::test]
async fn people_end_their_own_logins() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let (_, username) = app.user_named(UserKind::Provider, Some(tenant.provider), None, None).await;
    let (one, two, three) = (app.login(&username).await, app.login(&username).await, app.login(&username).await);
    let list = async |client: &Client| client.get("/api/v1/account/sessions").await.ok().as_array().unwrap().clone();
    let seen = list(&two).await;
    assert_eq!(seen.iter().map(|it| it["current"] == true).collect::<Vec<_>>(), [false, true, false], "newest first");
    let path = |row: &Value| format!("/api/v1/account/sessions/{}", text(&row["id"]));
    assert_eq!(tenant.boss.delete(&path(&seen[0])).await.status, 404, "nobody else's");
    assert_eq!(two.delete(&path(&seen[0])).await.status, 204);
    assert_eq!((three.get("/api/v1/auth/me").await.status, one.get("/api/v1/auth/me").await.status), (401, 200));
    assert_eq!(two.delete(&path(&seen[0])).await.status, 404, "it has ended");
    assert_eq!(one.post("/api/v1/account/sessions/end-others", json!({})).await.status, 204);
    assert_eq!((two.get("/api/v1/auth/me").await.status, list(&one).await.len()), (401, 1));
}

#[tokio::test]
async fn who_is_online_is_seen_by_their_keepers_and_can_be_logged_out() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let total = async |client: &Client, query: &str| {
        client.get(&format!("{SESSIONS}?{query}")).await.ok()["total"].as_i64().unwrap()
    };
    assert_eq!((total(&app.admin, "").await, total(&mine.boss, "").await, total(&mine.keeper, "").await), (5, 2, 1));
    assert_eq!(total(&app.admin, &format!("provider_id={}&kind=property", theirs.provider)).await, 1);
    let (user, username) = app.user_named(UserKind::Property, Some(mine.provider), Some(mine.property), None).await;
    let tokens = log_in(&app, &username, crate::app::PASSWORD).await.ok();
    let session = app.bearer(text(&tokens["access_token"]));
    let found = mine.keeper.get(&format!("{SESSIONS}?username={username}")).await.ok()["items"][0].clone();
    assert_eq!(
        (&found["user_id"], &found["user_name"]),
        (&json!(user), &session.get("/api/v1/account").await.ok()["name"])
    );
    // A login stays one however often its tokens are renewed.
    let again = app.guest().post("/api/v1/auth/refresh", json!({"refresh_token": tokens["refresh_token"]})).await.ok();
    assert_eq!(ids(&mine.keeper.get(&format!("{SESSIONS}?user_id={user}")).await.ok()), [text(&found["id"])]);

    let end = format!("{SESSIONS}/{}/end", text(&found["id"]));
    assert_eq!(theirs.boss.post(&end, json!({})).await.status, 404);
    let weak = ["system.session.view", "system.session.end"];
    let weak = app.user(UserKind::Property, Some(mine.provider), Some(mine.property), Some(&weak)).await;
    assert_eq!(weak.post(&end, json!({})).await.status, 403, "whoever may do more is out of reach");
    assert_eq!(mine.keeper.post(&end, json!({})).await.status, 204);
    assert_eq!(session.get("/api/v1/auth/me").await.status, 401);
    assert_eq!(app.bearer(text(&again["access_token"])).get("/api/v1/auth/me").await.status, 401);
    let refresh = json!({"refresh_token": again["refresh_token"]});
    assert_eq!(app.guest().post("/api/v1/auth/refresh", refresh).await.status, 401);
    assert_eq!(mine.keeper.post(&end, json!({})).await.status, 404);
    let trail = mine.keeper.get("/api/v1/system/audits?resource=system/sessions&action=end").await.ok();
    assert_eq!(trail["total"], 1);
}

#[tokio::test]
async fn guessable_passwords_are_refused_and_old_hashes_renewed() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let mut form = user_form("provider", &tenant, "chen.chen");
    for (password, code) in [("password1", "common"), ("11111111", "common"), ("Chen.Chen1", "named")] {
        form["password"] = json!(password);
        assert_eq!(tenant.boss.post(USERS, form.clone()).await.fields(), [("password", code)], "{password}");
    }
    let long = "长密码也可以".repeat(20);
    form["password"] = json!(long);
    let made = tenant.boss.post(USERS, form).await.ok();
    let client = app.bearer(text(&log_in(&app, "chen.chen", &long).await.ok()["access_token"]));
    for (password, code) in [("short", "too_short"), ("qwertyuiop", "common"), ("chen.chen!!", "named")] {
        let change = json!({"old_password": long, "new_password": password});
        assert_eq!(client.post("/api/v1/auth/password", change).await.fields(), [("new_password", code)]);
    }

    let user: Uuid = text(&made["id"]).parse().unwrap();
    let hash = async || -> String {
        users::table.find(user).select(users::password_hash).first(&mut app.conn().await).await.unwrap()
    };
    let old = {
        use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(1024, 1, 1, None).unwrap());
        weak.hash_password(b"an old password").unwrap().to_string()
    };
    diesel::update(users::table.find(user))
        .set(users::password_hash.eq(&old))
        .execute(&mut app.conn().await)
        .await
        .unwrap();
    assert_eq!(log_in(&app, "chen.chen", "not the password").await.status, 401);
    assert_eq!(hash().await, old, "only whoever knows it can renew it");
    log_in(&app, "chen.chen", "an old password").await.ok();
    let renewed = hash().await;
    assert!(renewed != old && !backend::auth::password::Hasher::is_outdated(&renewed));
    log_in(&app, "chen.chen", "an old password").await.ok();
    assert_eq!(hash().await, renewed, "once is enough");
}
