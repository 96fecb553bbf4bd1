//! Users: where they are made, their names and passwords, and that leaving ends everything.

use super::*;

#[tokio::test]
async fn users_are_made_at_ones_own_node_or_below_it_and_nowhere_else() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let post = async |client: &Client, form: Value| client.post(USERS, form).await;
    for kind in ["platform", "provider", "property"] {
        assert_eq!(post(&app.admin, user_form(kind, &mine, &format!("admin-{kind}"))).await.status, 201);
    }
    assert_eq!(post(&mine.boss, user_form("platform", &mine, "above")).await.fields()[0].0, "provider_id");
    let mut above = user_form("provider", &mine, "above");
    assert_eq!(post(&mine.boss, above.clone()).await.status, 201);
    above["username"] = json!("above2");
    assert_eq!(post(&mine.keeper, above).await.fields()[0].0, "property_id");
    for kind in ["provider", "property"] {
        let beside = post(&mine.boss, user_form(kind, &theirs, "beside")).await;
        assert_eq!(beside.fields(), [("provider_id", "choice")], "{kind}");
    }
    let mut mixed = user_form("property", &mine, "mixed");
    mixed["property_id"] = json!(theirs.property);
    for client in [&mine.boss, &mine.keeper, &app.admin] {
        assert_eq!(post(client, mixed.clone()).await.fields(), [("property_id", "choice")]);
    }
    // Whose they are need not be said where it follows, and cannot be changed afterwards.
    let made = post(&mine.keeper, json!({"kind": "property", "username": "mine", "name": "新人"})).await.ok();
    assert_eq!(made["property_id"], mine.property.to_string());
    let mut moved = user_form("property", &theirs, "mine");
    moved["version"] = json!(1);
    let moved = app.admin.put(&format!("{USERS}/{}", text(&made["id"])), moved).await;
    assert_eq!(moved.fields(), [("provider_id", "fixed"), ("property_id", "fixed")]);
    // Everybody sees their own node and what is below it.
    let count = async |client: &Client| client.get(USERS).await.ok()["total"].as_i64().unwrap();
    assert_eq!((count(&mine.keeper).await, count(&mine.boss).await, count(&theirs.boss).await), (3, 6, 2));
    assert_eq!(count(&app.admin).await, 1 + 1 + 6 + 2);
}

#[tokio::test]
async fn account_names_are_unique_in_any_case_and_passwords_are_generated_or_chosen() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let made = tenant.boss.post(USERS, user_form("provider", &tenant, "Chen.Chen")).await.ok();
    assert_eq!(
        tenant.boss.post(USERS, user_form("provider", &tenant, "chen.chen")).await.fields(),
        [("username", "taken")]
    );
    first_login(&app, "chen.chen", text(&made["initial_password"])).await;
    let mut form = user_form("provider", &tenant, "li.lei");
    form["password"] = json!("short");
    assert_eq!(tenant.boss.post(USERS, form.clone()).await.fields(), [("password", "too_short")]);
    form["password"] = json!("chosen for her");
    let made = tenant.boss.post(USERS, form.clone()).await.ok();
    assert_eq!(made["initial_password"], Value::Null);
    let lei = first_login(&app, "li.lei", "chosen for her").await;
    // A new password by somebody else ends her sessions and must be changed again.
    let path = format!("{USERS}/{}", text(&made["id"]));
    form["version"] = tenant.boss.get(&path).await.ok()["version"].clone();
    form["password"] = json!("chosen once more");
    let changed = tenant.boss.put(&path, form).await.ok();
    assert_eq!(changed["must_change_password"], true);
    assert_eq!(lei.get("/api/v1/auth/me").await.status, 401);
    first_login(&app, "li.lei", "chosen once more").await;
    let actions: Vec<String> = audits::table
        .filter(audits::object_id.eq(text(&made["id"]).parse::<Uuid>().unwrap()))
        .order(audits::id)
        .select(audits::action)
        .load(&mut app.conn().await)
        .await
        .unwrap();
    let told = ["create", "change-password", "update", "reset-password", "change-password"];
    assert_eq!(actions, told);
}

#[tokio::test]
async fn switching_a_user_off_or_removing_them_ends_their_sessions_at_once() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let (user, username) = app.user_named(UserKind::Property, Some(tenant.provider), Some(tenant.property), None).await;
    let tokens = log_in(&app, &username, crate::app::PASSWORD).await.ok();
    let session = app.bearer(text(&tokens["access_token"]));
    let path = format!("{USERS}/{user}");
    tenant.keeper.post(&format!("{path}/disable"), json!({})).await.ok();
    assert_eq!(session.get("/api/v1/auth/me").await.status, 401);
    let refresh = json!({"refresh_token": tokens["refresh_token"]});
    assert_eq!(app.guest().post("/api/v1/auth/refresh", refresh).await.status, 401);
    assert_eq!(log_in(&app, &username, crate::app::PASSWORD).await.status, 401);
    tenant.keeper.post(&format!("{path}/enable"), json!({})).await.ok();
    assert_eq!(session.get("/api/v1/auth/me").await.status, 401, "what was ended stays ended");

    let session = app.login(&username).await;
    assert_eq!(tenant.keeper.delete(&path).await.status, 204);
    assert_eq!(session.get("/api/v1/auth/me").await.status, 401);
    assert_eq!(tenant.keeper.get(&path).await.status, 404);
    let trail = tenant.keeper.get(&format!("/api/v1/system/audits?object_id={user}&action=delete")).await.ok();
    assert_eq!(trail["total"], 1, "the trail outlives the user");
    // The name is free again.
    let again = user_form("property", &tenant, &username);
    assert_eq!(tenant.keeper.post(USERS, again).await.status, 201);
}

#[tokio::test]
async fn searches_find_by_each_condition() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let provider = app.admin.get(&format!("{PROVIDERS}/{}", mine.provider)).await.ok();
    let total =
        async |path: &str, query: &str| app.admin.get(&format!("{path}?{query}")).await.ok()["total"].as_i64().unwrap();
    pending(&app).await;
    assert_eq!(total(PROVIDERS, "").await, 3);
    assert_eq!(total(PROVIDERS, &format!("name={}", text(&provider["name"]))).await, 1);
    assert_eq!(total(PROVIDERS, &format!("phone={}", text(&provider["phone"]))).await, 1);
    assert_eq!((total(PROVIDERS, "review=pending").await, total(PROVIDERS, "enabled=false").await), (1, 0));
    assert_eq!(total(PROPERTIES, &format!("provider_id={}&enabled=true", theirs.provider)).await, 1);
    assert_eq!(total(USERS, "kind=property").await, 2);
    assert_eq!(total(USERS, &format!("property_id={}&enabled=true&reach=node", mine.property)).await, 1);
    let today = shared::time::business_day(chrono::Utc::now());
    assert_eq!(total(USERS, &format!("created_from={today}")).await, 5);
    assert_eq!(total(USERS, &format!("created_to={}", today.pred_opt().unwrap())).await, 0);
    assert_eq!(total(ROLES, &format!("provider_id={}", mine.provider)).await, 4, "theirs, and those of the nodes");
    assert_eq!(total(ROLES, &format!("kind=provider&enabled=true&created_from={today}&created_to={today}")).await, 4);
    let sheet = mine.boss.get(&format!("{USERS}/export.xlsx")).await;
    assert_eq!(crate::crud::sheet_text(&sheet.bytes).len(), 3, "a heading, the boss and the keeper");
}
