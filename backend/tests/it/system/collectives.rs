//! Collectives, the fourth kind of node, and sub-merchants.

use super::*;

/// A user at a collective, logged in, and their id.
async fn member(app: &TestApp, of: &Tenant, collective: Uuid) -> (Client, Value) {
    let mut form = user_form("property", of, &format!("member{}", app.next()));
    (form["kind"], form["collective_id"]) = (json!("collective"), json!(collective));
    let role = app.admin.get(&format!("{ROLES}?collective_id={collective}")).await.ok()["items"][0].clone();
    form["role_ids"] = json!([role["id"]]);
    let made = of.boss.post(USERS, form.clone()).await.ok();
    (first_login(app, text(&form["username"]), text(&made["initial_password"])).await, made)
}

#[tokio::test]
async fn a_collective_is_kept_by_its_property_and_has_users_who_see_nothing_else() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let site = app.site(&mine).await;
    let form = json!({"name": "滨江物流车队", "contact": "周洁", "phone": "0571-88001234", "note": "月结"});
    let created = mine.keeper.post(COLLECTIVES, form.clone()).await.ok();
    assert_eq!(created["property_id"], mine.property.to_string());
    assert_eq!(mine.keeper.post(COLLECTIVES, form.clone()).await.fields(), [("name", "taken")]);
    let mut stolen = form;
    (stolen["provider_id"], stolen["property_id"]) = (json!(theirs.provider), json!(theirs.property));
    assert_eq!(mine.keeper.post(COLLECTIVES, stolen).await.fields(), [("provider_id", "choice")]);
    let path = format!("{COLLECTIVES}/{}", text(&created["id"]));
    let id: Uuid = text(&created["id"]).parse().unwrap();
    let total =
        async |client: &Client, query: &str| client.get(&format!("{COLLECTIVES}?{query}")).await.ok()["total"].clone();
    assert_eq!((total(&app.admin, "name=物流&phone=8800").await, total(&theirs.boss, "").await), (json!(1), json!(0)));
    assert_eq!(total(&mine.boss, &format!("property_id={}&enabled=true", mine.property)).await, json!(1));

    let (client, user) = member(&app, &mine, id).await;
    let other = collective(&app, &mine).await;
    assert_eq!(client.get("/api/v1/auth/me").await.ok()["permissions"], json!(["member.collective.view"]));
    assert_eq!(ids(&client.get(COLLECTIVES).await.ok()), [text(&created["id"])]);
    assert_eq!(client.get(&format!("{COLLECTIVES}/{other}")).await.status, 404);
    assert_eq!(client.put(&path, json!({})).await.status, 403);
    for path in ["/api/v1/car/stations", USERS, ROLES, "/api/v1/system/audits"] {
        assert_eq!(client.get(path).await.status, 403, "{path}");
    }
    // Its people belong to it; a role of the property is not theirs, and no station can be.
    assert_eq!(app.admin.get(&format!("{USERS}?collective_id={id}&kind=collective")).await.ok()["total"], 1);
    let user: Uuid = text(&user["id"]).parse().unwrap();
    assert_eq!(bind(&mine.boss, user, &[site.station]).await.fields(), [("car_station_ids", "choice")]);
    let of_property = role(&mine.boss, "property", &mine, "物业角色", &["car.station.view"]).await;
    let given =
        mine.boss.post(&format!("{ROLES}/{}/assign", text(&of_property["id"])), json!({"user_ids": [user]})).await;
    assert_eq!(given.fields(), [("user_ids", "choice")]);
    let mut strong = json!({"kind": "collective", "property_id": mine.property, "collective_id": id, "name": "强"});
    strong["permissions"] = json!(["car.station.view"]);
    assert_eq!(mine.boss.post(ROLES, strong).await.fields(), [("permissions", "choice")]);

    assert_eq!(mine.keeper.get(&format!("{path}/impact")).await.ok()["users"], 1);
    mine.keeper.post(&format!("{path}/disable"), json!({})).await.ok();
    let mut late = user_form("property", &mine, "latecomer");
    (late["kind"], late["collective_id"]) = (json!("collective"), json!(id));
    assert_eq!(mine.boss.post(USERS, late).await.refused(), (409, "collective_disabled"));
    assert_eq!(client.get(&path).await.status, 200, "those who are there go on working");
}

#[tokio::test]
async fn a_sub_merchant_belongs_to_a_provider_and_is_a_node_of_its_own() {
    let app = TestApp::new().await;
    let (parent, other) = (app.tenant().await, app.tenant().await);
    let form = |above: Uuid| json!({"parent_id": above, "name": "子商户", "contact": "赵强", "phone": phone(&app)});
    let created = app.admin.post(PROVIDERS, form(parent.provider)).await.ok();
    assert_eq!(created["merchant_type"], "sub_merchant");
    let path = format!("{PROVIDERS}/{}", text(&created["id"]));
    let approved = app.admin.post(&format!("{path}/approve"), json!({})).await.ok();
    let total =
        async |query: &str| app.admin.get(&format!("{PROVIDERS}?{query}")).await.ok()["total"].as_i64().unwrap();
    assert_eq!((total("merchant_type=sub_merchant").await, total("merchant_type=provider").await), (1, 2));
    assert_eq!(total(&format!("parent_id={}", parent.provider)).await, 1);
    assert_eq!(total(&format!("parent_id={}", other.provider)).await, 0);
    // One level, and fixed.
    let sub: Uuid = text(&created["id"]).parse().unwrap();
    let mut below = form(sub);
    below["name"] = json!("子子商户");
    assert_eq!(app.admin.post(PROVIDERS, below).await.fields(), [("parent_id", "choice")]);
    let mut moved = form(other.provider);
    (moved["phone"], moved["version"]) = (created["phone"].clone(), approved["version"].clone());
    assert_eq!(app.admin.put(&path, moved).await.fields(), [("parent_id", "fixed")]);

    // Neither sees the other's.
    let boss = first_login(&app, text(&created["phone"]), text(&approved["initial_password"])).await;
    let property = json!({"name": "子物业", "contact": "李蕾", "phone": phone(&app)});
    let property = boss.post(PROPERTIES, property).await.ok();
    assert_eq!(ids(&boss.get(PROPERTIES).await.ok()), [text(&property["id"])]);
    assert_eq!(ids(&parent.boss.get(PROPERTIES).await.ok()), [parent.property.to_string()]);
    assert_eq!(parent.boss.get(&format!("{PROPERTIES}/{}", text(&property["id"]))).await.status, 404);

    // What is switched off above takes nothing new below, and says so before.
    let station = json!({"property_id": property["id"], "name": "子站", "nature": "public"});
    let station = boss.post("/api/v1/car/stations", station).await.ok();
    for verb in ["approve", "enable"] {
        app.admin.post(&format!("/api/v1/car/stations/{}/{verb}", text(&station["id"])), json!({})).await.ok();
    }
    let impact = app.admin.get(&format!("{PROVIDERS}/{}/impact", parent.provider)).await.ok();
    assert_eq!(impact["stations"], 1);
    app.admin.post(&format!("{PROVIDERS}/{}/disable", parent.provider), json!({})).await.ok();
    let again = json!({"name": "又一个", "contact": "李蕾", "phone": phone(&app)});
    assert_eq!(boss.post(PROPERTIES, again.clone()).await.refused(), (409, "provider_disabled"));
    let late = app
        .admin
        .post(PROVIDERS, json!({"parent_id": parent.provider, "name": "晚", "contact": "赵强", "phone": phone(&app)}));
    assert_eq!(late.await.refused(), (409, "provider_disabled"));
    app.admin.post(&format!("{PROVIDERS}/{}/enable", parent.provider), json!({})).await.ok();
    assert_eq!(boss.post(PROPERTIES, again).await.status, 201);
}
