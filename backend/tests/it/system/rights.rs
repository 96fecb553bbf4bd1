//! Roles and bindings: that nobody gets further than they may, and a change counts at once.

use super::*;

#[tokio::test]
async fn nobody_gives_what_they_lack_and_no_role_leaves_its_node() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let limited =
        ["system.role.create", "system.role.update", "system.user.create", "system.role.view", "car.station.view"];
    let limited = app.user(UserKind::Provider, Some(mine.provider), None, Some(&limited)).await;
    let form = |permissions: &[&str]| json!({"kind": "provider", "provider_id": mine.provider, "name": "角色", "permissions": permissions});
    let refused = async |client: &Client, permissions: &[&str]| {
        let answer = client.post(ROLES, form(permissions)).await;
        assert_eq!(answer.status, 422, "{permissions:?} {}", answer.json);
        answer.json["errors"][0]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(&limited, &["car.station.delete-all"]).await, "choice");
    assert_eq!(refused(&limited, &["system.provider.view"]).await, "choice");
    assert_eq!(refused(&mine.boss, &["system.provider.approve"]).await, "choice");
    assert_eq!(refused(&limited, &["car.station.view", "car.station.update"]).await, "not_held");
    let made = limited.post(ROLES, form(&["car.station.view"])).await.ok();
    let mut more = form(&["car.station.view", "car.station.update"]);
    more["version"] = json!(1);
    let path = format!("{ROLES}/{}", text(&made["id"]));
    assert_eq!(limited.put(&path, more.clone()).await.fields(), [("permissions", "not_held")]);
    // Once it holds more than they do, they cannot touch it at all.
    mine.boss.put(&path, more.clone()).await.ok();
    more["version"] = json!(2);
    assert_eq!(limited.put(&path, more).await.status, 403);
    let mut strong = user_form("provider", &mine, "strong");
    strong["role_ids"] = json!([made["id"]]);
    assert_eq!(limited.post(USERS, strong).await.status, 403);

    // Roles of another node or tenant, or that are switched off, are given to nobody.
    let at_property = role(&mine.boss, "property", &mine, "物业角色", &["car.station.view"]).await;
    let foreign = role(&theirs.boss, "provider", &theirs, "他人角色", &["car.station.view"]).await;
    for id in [&at_property["id"], &foreign["id"]] {
        let mut form = user_form("provider", &mine, "somebody");
        form["role_ids"] = json!([id]);
        assert_eq!(mine.boss.post(USERS, form).await.fields(), [("role_ids", "choice")]);
    }
    let off = role(&mine.boss, "provider", &mine, "停用", &["car.station.view"]).await;
    let off_path = format!("{ROLES}/{}", text(&off["id"]));
    mine.boss.post(&format!("{off_path}/disable"), json!({})).await.ok();
    let mut form = user_form("provider", &mine, "somebody");
    form["role_ids"] = json!([off["id"]]);
    assert_eq!(mine.boss.post(USERS, form).await.fields(), [("role_ids", "disabled")]);
    for (client, wanted) in [(&mine.keeper, 404), (&theirs.boss, 404)] {
        assert_eq!(client.get(&off_path).await.status, wanted);
    }
}

#[tokio::test]
async fn roles_are_given_taken_and_not_removed_while_somebody_has_them() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let role = role(&mine.boss, "provider", &mine, "看站", &["car.station.view"]).await;
    let path = format!("{ROLES}/{}", text(&role["id"]));
    let (user, username) = app.user_named(UserKind::Provider, Some(mine.provider), None, Some(&[])).await;
    let session = app.login(&username).await;
    assert_eq!(session.get("/api/v1/car/stations").await.status, 403);

    let before = mine.boss.get(&format!("{USERS}/{user}")).await.ok();
    let given = mine.boss.post(&format!("{path}/assign"), json!({"user_ids": [user]})).await.ok();
    assert_eq!(given["users"], 1);
    assert_eq!(session.get("/api/v1/car/stations").await.status, 200, "the next request of an open session");
    // Whoever had the user's form open does not undo it unawares.
    let mut stale = user_form("provider", &mine, &username);
    (stale["version"], stale["role_ids"]) = (before["version"].clone(), before["role_ids"].clone());
    assert_eq!(mine.boss.put(&format!("{USERS}/{user}"), stale).await.refused(), (409, "stale"));
    assert_eq!(ids(&mine.boss.get(&format!("{USERS}?role_id={}", text(&role["id"]))).await.ok()), [user.to_string()]);
    assert_eq!(mine.boss.get(&format!("{path}/impact")).await.ok()["users"], 1);
    assert_eq!(mine.boss.delete(&path).await.refused(), (409, "role_in_use"));

    mine.boss.post(&format!("{path}/disable"), json!({})).await.ok();
    assert_eq!(session.get("/api/v1/car/stations").await.status, 403);
    mine.boss.post(&format!("{path}/enable"), json!({})).await.ok();
    mine.boss.post(&format!("{path}/revoke"), json!({"user_ids": [user]})).await.ok();
    assert_eq!(session.get("/api/v1/car/stations").await.status, 403);
    assert_eq!(mine.boss.delete(&path).await.status, 204);

    let foreign = me(&theirs.boss).await;
    let below = me(&mine.keeper).await;
    let role = self::role(&mine.boss, "provider", &mine, "看站", &["car.station.view"]).await;
    let path = format!("{ROLES}/{}/assign", text(&role["id"]));
    for id in [foreign, below, Uuid::now_v7()] {
        assert_eq!(mine.boss.post(&path, json!({"user_ids": [id]})).await.fields(), [("user_ids", "choice")]);
    }
    assert_eq!(mine.boss.post(&path, json!({"user_ids": []})).await.fields(), [("user_ids", "required")]);
}

#[tokio::test]
async fn built_in_roles_and_the_last_administrator_stay() {
    let app = TestApp::new().await;
    let admin = me(&app.admin).await;
    let builtin = app.admin.get(&format!("{ROLES}?kind=platform&name=系统管理员")).await.ok()["items"][0].clone();
    assert_eq!(builtin["builtin"], true);
    let path = format!("{ROLES}/{}", text(&builtin["id"]));
    let weaker = json!({"kind": "platform", "name": "弱", "permissions": ["car.station.view"], "version": 1});
    assert_eq!(app.admin.put(&path, weaker).await.refused(), (409, "builtin"));
    assert_eq!(app.admin.post(&format!("{path}/disable"), json!({})).await.refused(), (409, "builtin"));
    assert_eq!(app.admin.delete(&path).await.refused(), (409, "builtin"));

    // A second user with all permissions is not an administrator, but strong enough to try.
    let second = app.user(UserKind::Platform, None, None, None).await;
    let user = format!("{USERS}/{admin}");
    assert_eq!(app.admin.post(&format!("{user}/disable"), json!({})).await.refused(), (409, "yourself"));
    assert_eq!(app.admin.delete(&user).await.refused(), (409, "yourself"));
    assert_eq!(app.admin.post(&format!("{user}/reset-password"), json!({})).await.refused(), (409, "yourself"));
    let last = (409, "last_administrator");
    assert_eq!(second.post(&format!("{user}/disable"), json!({})).await.refused(), last);
    assert_eq!(second.delete(&user).await.refused(), last);
    assert_eq!(second.post(&format!("{path}/revoke"), json!({"user_ids": [admin]})).await.refused(), last);
    let mut form = json!({"kind": "platform", "username": "admin", "name": "系统管理员", "role_ids": []});
    form["version"] = app.admin.get(&user).await.ok()["version"].clone();
    assert_eq!(app.admin.put(&user, form).await.refused(), last);
    let site = app.site(&app.tenant().await).await;
    let bind = json!({"car_station_ids": [site.station]});
    assert_eq!(second.post(&format!("{user}/bind-stations"), bind).await.refused(), last);

    // With another administrator each of them can go, but not both at once.
    let third = app.user(UserKind::Platform, None, None, None).await;
    app.admin.post(&format!("{path}/assign"), json!({"user_ids": [me(&second).await]})).await.ok();
    let both = [format!("{user}/disable"), format!("{USERS}/{}/disable", me(&second).await)];
    let (one, other) = tokio::join!(third.post(&both[0], json!({})), third.post(&both[1], json!({})));
    let mut outcomes = [one.status, other.status];
    outcomes.sort_unstable();
    assert_eq!(outcomes, [200, 409]);
}

#[tokio::test]
async fn whoever_may_do_more_is_out_of_reach() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let everything = shared::permission::codes_for(UserKind::Provider);
    let most: Vec<&str> = everything.iter().map(String::as_str).filter(|it| *it != "car.station.update").collect();
    let helper = app.user(UserKind::Provider, Some(tenant.provider), None, Some(&most)).await;
    for stronger in [me(&tenant.boss).await, me(&tenant.keeper).await] {
        let path = format!("{USERS}/{stronger}");
        let user = helper.get(&path).await.ok();
        for (verb, body) in [("disable", json!({})), ("reset-password", json!({})), ("bind-stations", json!({}))] {
            assert_eq!(helper.post(&format!("{path}/{verb}"), body).await.status, 403, "{verb}");
        }
        let fields = ["kind", "provider_id", "property_id", "username", "name", "role_ids", "version"];
        let mut form: Value = fields.into_iter().map(|it| (it.to_owned(), user[it].clone())).collect();
        form["password"] = json!("taken over now");
        assert_eq!(helper.put(&path, form).await.status, 403);
        assert_eq!(helper.delete(&path).await.status, 403);
        let role = text(&user["role_ids"][0]);
        let revoke = helper.post(&format!("{ROLES}/{role}/revoke"), json!({"user_ids": [stronger]})).await;
        assert_eq!(revoke.status, 403);
        assert_eq!(helper.post(&format!("{ROLES}/{role}/disable"), json!({})).await.status, 403);
    }
    // Nor can they lift themselves.
    let strong = tenant.boss.get(&format!("{USERS}/{}", me(&tenant.boss).await)).await.ok()["role_ids"][0].clone();
    let lift =
        helper.post(&format!("{ROLES}/{}/assign", text(&strong)), json!({"user_ids": [me(&helper).await]})).await;
    assert_eq!(lift.status, 403);
}

#[tokio::test]
async fn bound_users_see_their_stations_and_lift_nobody() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let sites: Vec<Site> = [app.site(&mine).await, app.site(&mine).await, app.site(&theirs).await].into();
    let [one, two, foreign] = [0, 1, 2].map(|it| sites[it].station);
    let (user, username) = app.user_named(UserKind::Provider, Some(mine.provider), None, None).await;
    let session = app.login(&username).await;
    assert_eq!(ids(&session.get("/api/v1/car/stations").await.ok()).len(), 2);

    assert_eq!(bind(&mine.boss, user, &[foreign]).await.fields(), [("car_station_ids", "choice")]);
    assert_eq!(
        bind(&app.admin, user, &[foreign]).await.fields(),
        [("car_station_ids", "choice")],
        "not at the user's node"
    );
    let bound = bind(&mine.boss, user, &[one]).await.ok();
    assert_eq!(bound["car_station_ids"], json!([one]));
    assert_eq!(ids(&session.get("/api/v1/car/stations").await.ok()), [one.to_string()], "narrowed at once");
    assert_eq!(session.get(&format!("/api/v1/car/stations/{two}")).await.status, 404);
    assert_eq!(ids(&mine.boss.get(&format!("{USERS}?reach=stations")).await.ok()), [user.to_string()]);

    // They cannot free themselves, widen themselves, or make somebody who sees more.
    assert_eq!(bind(&session, user, &[]).await.fields(), [("car_station_ids", "required")]);
    assert_eq!(bind(&session, user, &[one, two]).await.fields(), [("car_station_ids", "choice")]);
    let colleague = session.post(USERS, user_form("provider", &mine, "colleague")).await.ok();
    assert_eq!(colleague["car_station_ids"], json!([one]), "bound as their maker is");
    let colleague: Uuid = text(&colleague["id"]).parse().unwrap();
    assert_eq!(bind(&session, colleague, &[]).await.fields(), [("car_station_ids", "required")]);
    let empty = json!({"name": "空物业", "contact": "李蕾", "phone": phone(&app)});
    let empty = mine.boss.post(PROPERTIES, empty).await.ok();
    let mut elsewhere = user_form("property", &mine, "elsewhere");
    elsewhere["property_id"] = empty["id"].clone();
    assert_eq!(session.post(USERS, elsewhere).await.fields(), [("car_station_ids", "required")]);
    // Whoever sees more is out of their reach.
    let (free, _) = app.user_named(UserKind::Provider, Some(mine.provider), None, Some(&[])).await;
    for verb in ["reset-password", "disable", "bind-stations"] {
        let answer = session.post(&format!("{USERS}/{free}/{verb}"), json!({})).await;
        assert_eq!(answer.refused(), (409, "wider_reach"), "{verb}");
    }
    assert_eq!(session.post(&format!("{USERS}/{colleague}/reset-password"), json!({})).await.status, 200);
    // Properties are those of the bound stations, and none are added.
    assert_eq!(ids(&session.get(PROPERTIES).await.ok()), [mine.property.to_string()]);
    let more = json!({"name": "更多", "contact": "李蕾", "phone": phone(&app)});
    assert_eq!(session.post(PROPERTIES, more).await.refused(), (409, "bound"));

    bind(&mine.boss, user, &[]).await.ok();
    assert_eq!(ids(&session.get("/api/v1/car/stations").await.ok()).len(), 2);
}

#[tokio::test]
async fn users_are_bound_to_stations_of_both_lines() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let (car, bike) = (app.site(&mine).await.station, app.bike_station(&mine).await);
    let foreign = app.bike_station(&theirs).await;
    app.bike_station(&mine).await;
    let (user, username) = app.user_named(UserKind::Provider, Some(mine.provider), None, None).await;
    let session = app.login(&username).await;
    let bind = async |cars: &[Uuid], bikes: &[Uuid]| {
        let form = json!({"car_station_ids": cars, "bike_station_ids": bikes});
        mine.boss.post(&format!("{USERS}/{user}/bind-stations"), form).await
    };
    assert_eq!(bind(&[bike], &[]).await.fields(), [("car_station_ids", "choice")]);
    assert_eq!(bind(&[], &[car]).await.fields(), [("bike_station_ids", "choice")]);
    assert_eq!(bind(&[car], &[foreign]).await.fields(), [("bike_station_ids", "choice")]);
    let bound = bind(&[car], &[bike]).await.ok();
    assert_eq!((&bound["car_station_ids"], &bound["bike_station_ids"]), (&json!([car]), &json!([bike])));
    assert_eq!(ids(&session.get("/api/v1/car/stations").await.ok()), [car.to_string()]);
    assert_eq!(ids(&session.get("/api/v1/bike/stations").await.ok()), [bike.to_string()]);
    // Bound to stations of one line alone, they see nothing of the other.
    let bound = bind(&[], &[bike]).await.ok();
    assert_eq!((&bound["car_station_ids"], &bound["reach"]), (&json!([]), &json!("stations")));
    assert_eq!(ids(&session.get("/api/v1/car/stations").await.ok()), Vec::<&str>::new());
    assert_eq!(session.get(&format!("/api/v1/car/stations/{car}")).await.status, 404);
    assert_eq!(ids(&session.get("/api/v1/bike/stations").await.ok()), [bike.to_string()]);
    assert_eq!(bind(&[], &[]).await.ok()["reach"], "node");
    assert_eq!(ids(&session.get("/api/v1/car/stations").await.ok()).len(), 1);
}
