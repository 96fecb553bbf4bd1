//! Providers and properties: their review, their accounts, what a disabled one forbids.

use super::*;

#[tokio::test]
async fn approving_a_provider_opens_its_account_and_tells_the_password_once() {
    let app = TestApp::new().await;
    let created = pending(&app).await;
    let (id, username) = (text(&created["id"]), text(&created["phone"]));
    assert_eq!((&created["review"], &created["initial_password"]), (&json!("pending"), &Value::Null));
    let path = format!("{PROVIDERS}/{id}");
    // Nothing can be made below it yet.
    let property = json!({"provider_id": id, "name": "物业", "contact": "李蕾", "phone": phone(&app)});
    assert_eq!(app.admin.post(PROPERTIES, property).await.refused(), (409, "provider_disabled"));

    let approved = app.admin.post(&format!("{path}/approve"), json!({})).await.ok();
    let password = text(&approved["initial_password"]);
    assert_eq!(approved["review"], "approved");
    assert_eq!(app.admin.get(&path).await.ok()["initial_password"], Value::Null);
    assert_eq!(app.admin.post(&format!("{path}/approve"), json!({})).await.refused(), (409, "already_reviewed"));
    let trail: Vec<(Option<Value>, Option<Value>)> =
        audits::table.select((audits::before, audits::after)).load(&mut app.conn().await).await.unwrap();
    assert!(!format!("{trail:?}").contains(password), "the password is nowhere in the audit trail");

    let tokens = log_in(&app, username, password).await.ok();
    assert_eq!((&tokens["user"]["kind"], &tokens["user"]["must_change_password"]), (&json!("provider"), &json!(true)));
    let boss = app.bearer(text(&tokens["access_token"]));
    assert_eq!(boss.get(PROPERTIES).await.refused(), (409, "must_change_password"));
    let boss = {
        let change = json!({"old_password": password, "new_password": "my own password"});
        boss.post("/api/v1/auth/password", change).await.ok();
        boss
    };
    assert_eq!(boss.get(PROPERTIES).await.status, 200);
    let mine = boss.get("/api/v1/auth/me").await.ok();
    assert_eq!(mine["permissions"].as_array().unwrap().len(), shared::permission::codes_for(UserKind::Provider).len());
    assert_eq!(boss.get(PROVIDERS).await.status, 403, "providers are the platform's");
}

#[tokio::test]
async fn a_rejected_provider_asks_anew_when_it_is_changed() {
    let app = TestApp::new().await;
    let created = pending(&app).await;
    let path = format!("{PROVIDERS}/{}", text(&created["id"]));
    assert_eq!(app.admin.post(&format!("{path}/reject"), json!({"note": " "})).await.fields(), [("note", "required")]);
    let rejected = app.admin.post(&format!("{path}/reject"), json!({"note": "名称不实"})).await.ok();
    assert_eq!((&rejected["review"], &rejected["review_note"]), (&json!("rejected"), &json!("名称不实")));
    assert_eq!(log_in(&app, text(&created["phone"]), "whatever-it-is").await.status, 401, "no account was opened");
    assert_eq!(app.admin.post(&format!("{path}/approve"), json!({})).await.refused(), (409, "already_reviewed"));
    let change = json!({"name": "真名", "contact": "王敏", "phone": created["phone"], "version": rejected["version"]});
    let changed = app.admin.put(&path, change).await.ok();
    assert_eq!((&changed["review"], &changed["review_note"]), (&json!("pending"), &Value::Null));
    app.admin.post(&format!("{path}/approve"), json!({})).await.ok();
}

#[tokio::test]
async fn mobile_numbers_are_unique_fixed_and_nobody_elses_account() {
    let app = TestApp::new().await;
    let created = pending(&app).await;
    let again = json!({"name": "别名", "contact": "王敏", "phone": created["phone"]});
    assert_eq!(app.admin.post(PROVIDERS, again).await.fields(), [("phone", "taken")]);
    let other = json!({"name": "别名", "contact": "王敏", "phone": phone(&app), "version": 1});
    let path = format!("{PROVIDERS}/{}", text(&created["id"]));
    assert_eq!(app.admin.put(&path, other).await.fields(), [("phone", "fixed")]);
    // A user may have taken the number as their account's name in the meantime.
    let user = json!({"kind": "platform", "username": created["phone"], "phone": created["phone"], "name": "先来"});
    app.admin.post(USERS, user).await.ok();
    assert_eq!(app.admin.post(&format!("{path}/approve"), json!({})).await.refused(), (409, "account_taken"));
    let provider = json!({"name": "另一个", "contact": "王敏", "phone": created["phone"]});
    assert_eq!(app.admin.post(PROVIDERS, provider).await.fields(), [("phone", "taken")]);
}

#[tokio::test]
async fn a_property_has_its_account_from_the_beginning() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let number = phone(&app);
    let form = json!({"name": "新物业", "contact": "李蕾", "phone": number, "city": "杭州市"});
    // The provider need not be named by its own people; another's cannot be.
    let created = mine.boss.post(PROPERTIES, form.clone()).await.ok();
    assert_eq!(created["provider_id"], mine.provider.to_string());
    let mut stolen = form.clone();
    stolen["provider_id"] = json!(theirs.provider);
    assert_eq!(mine.boss.post(PROPERTIES, stolen).await.fields(), [("provider_id", "choice")]);
    let mut twice = form;
    twice["name"] = json!("又一个");
    assert_eq!(mine.boss.post(PROPERTIES, twice).await.fields(), [("phone", "taken")]);

    let keeper = first_login(&app, &number, text(&created["initial_password"])).await;
    let me = keeper.get("/api/v1/auth/me").await.ok();
    assert_eq!((&me["kind"], &me["property_id"]), (&json!("property"), &created["id"]));
    let station = json!({"name": "甲站", "nature": "public"});
    assert_eq!(keeper.post("/api/v1/car/stations", station).await.status, 201);
    assert_eq!(ids(&mine.boss.get(PROPERTIES).await.ok()), [text(&created["id"]), &mine.property.to_string()]);
    let path = format!("{PROPERTIES}/{}", text(&created["id"]));
    assert_eq!(theirs.boss.get(&path).await.status, 404);
    assert_eq!(mine.boss.get(&path).await.ok()["initial_password"], Value::Null);
}

#[tokio::test]
async fn a_property_is_changed_but_for_its_number_and_provider() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let form = json!({"name": "新物业", "contact": "李蕾", "phone": phone(&app), "city": "杭州市"});
    let created = mine.boss.post(PROPERTIES, form.clone()).await.ok();
    let path = format!("{PROPERTIES}/{}", text(&created["id"]));
    let change = async |client: &Client, changes: &[(&str, Value)]| {
        let mut form = form.clone();
        form["version"] = created["version"].clone();
        for (name, value) in changes {
            form[*name] = value.clone();
        }
        client.put(&path, form).await
    };
    assert_eq!(change(&mine.boss, &[("phone", json!(phone(&app)))]).await.fields(), [("phone", "fixed")]);
    let moved = change(&app.admin, &[("provider_id", json!(theirs.provider))]).await;
    assert_eq!(moved.fields(), [("provider_id", "fixed")]);
    let changes = [("name", json!("滨江物业")), ("contact", json!("王敏")), ("address", json!("江南大道 288 号"))];
    let changed = change(&mine.boss, &changes).await.ok();
    for (name, value) in changes {
        assert_eq!(changed[name], value, "{name}");
    }
}

#[tokio::test]
async fn disabled_tenants_take_nothing_new_and_go_on_working() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let impact = app.admin.get(&format!("{PROVIDERS}/{}/impact", tenant.provider)).await.ok();
    assert_eq!(
        impact,
        json!({"running_orders": 0, "reservations": 0, "stations": 1, "chargers": 1, "users": 0, "cards": 0})
    );
    assert_eq!(tenant.boss.get(&format!("{PROPERTIES}/{}/impact", tenant.property)).await.ok()["stations"], 1);

    tenant.boss.post(&format!("{PROPERTIES}/{}/disable", tenant.property), json!({})).await.ok();
    let station = json!({"property_id": tenant.property, "name": "乙站", "nature": "public"});
    let user = json!({"kind": "property", "property_id": tenant.property, "username": "newone", "name": "新人"});
    let role =
        json!({"kind": "property", "property_id": tenant.property, "name": "新", "permissions": ["car.station.view"]});
    let department = json!({"kind": "property", "property_id": tenant.property, "name": "新部门"});
    let root =
        tenant.boss.get(&format!("{DEPARTMENTS}?property_id={}", tenant.property)).await.ok()["items"][0].clone();
    let mut post = department.clone();
    post["department_id"] = root["id"].clone();
    let collective =
        json!({"property_id": tenant.property, "name": "新户", "contact": "周洁", "phone": "400-800-1234"});
    for (path, form) in [
        ("/api/v1/car/stations", &station),
        (USERS, &user),
        (ROLES, &role),
        (DEPARTMENTS, &department),
        (POSTS, &post),
        (COLLECTIVES, &collective),
    ] {
        assert_eq!(tenant.boss.post(path, form.clone()).await.refused(), (409, "property_disabled"), "{path}");
    }
    app.admin.post(&format!("{PROVIDERS}/{}/disable", tenant.provider), json!({})).await.ok();
    let property = json!({"name": "新物业", "contact": "李蕾", "phone": phone(&app)});
    assert_eq!(tenant.boss.post(PROPERTIES, property).await.refused(), (409, "provider_disabled"));
    for (path, form) in [(USERS, &user), (ROLES, &role), (DEPARTMENTS, &department), (POSTS, &post)] {
        let mut form = form.clone();
        (form["kind"], form["property_id"]) = (json!("provider"), Value::Null);
        assert_eq!(tenant.boss.post(path, form).await.refused(), (409, "provider_disabled"), "{path}");
    }
    // Those who are there go on working.
    let path = format!("/api/v1/car/stations/{}", site.station);
    assert_eq!((tenant.boss.get(&path).await.status, tenant.keeper.get(&path).await.status), (200, 200));
    app.admin.post(&format!("{PROVIDERS}/{}/enable", tenant.provider), json!({})).await.ok();
    tenant.boss.post(&format!("{PROPERTIES}/{}/enable", tenant.property), json!({})).await.ok();
    assert_eq!(tenant.boss.post(USERS, user).await.status, 201);
}

#[tokio::test]
async fn imported_properties_have_accounts_without_a_password() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let number = phone(&app);
    let sheet = sheet(&[&["物业名称", "联系人", "联系电话", "城市"], &["滨江", "李蕾", &number, "杭州市"]]);
    let imported = tenant.boss.send(reqwest::Method::POST, &format!("{PROPERTIES}/import"), Some(sheet), &[]).await;
    assert_eq!(imported.ok()["imported"], 1);
    assert_eq!(log_in(&app, &number, "").await.status, 401);
    let user = tenant.boss.get(&format!("{USERS}?username={number}")).await.ok()["items"][0].clone();
    assert_eq!(user["roles"], json!(["系统管理员"]));
    let reset = tenant.boss.post(&format!("{USERS}/{}/reset-password", text(&user["id"])), json!({})).await.ok();
    first_login(&app, &number, text(&reset["initial_password"])).await;
}

#[tokio::test]
async fn the_account_of_a_tenant_is_disabled_rather_than_deleted() {
    let app = TestApp::new().await;
    let created = pending(&app).await;
    app.admin.post(&format!("{PROVIDERS}/{}/approve", text(&created["id"])), json!({})).await.ok();
    let user = app.admin.get(&format!("{USERS}?username={}", text(&created["phone"]))).await.ok()["items"][0].clone();
    let path = format!("{USERS}/{}", text(&user["id"]));
    assert_eq!(app.admin.delete(&path).await.refused(), (409, "tenant_account"));
    assert_eq!(app.admin.post(&format!("{path}/disable"), json!({})).await.status, 200);
}
