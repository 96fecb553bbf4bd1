//! What many do at the same time has one outcome, and nothing of it is lost.

use futures_util::future::join_all;

use super::*;

#[tokio::test]
async fn of_fifty_changes_of_one_row_one_wins() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let made = tenant.boss.post(USERS, user_form("provider", &tenant, "contested")).await.ok();
    let path = format!("{USERS}/{}", text(&made["id"]));
    let mut version = app.admin.get(&path).await.ok()["version"].as_i64().unwrap();
    let mut names = vec![text(&made["name"]).to_owned()];
    for round in 0..3 {
        let changes = (0..50).map(|it| {
            let mut form = user_form("provider", &tenant, "contested");
            (form["version"], form["name"]) = (json!(version), json!(format!("第{round}轮第{it}个")));
            tenant.boss.put(&path, form)
        });
        let outcomes = join_all(changes).await;
        let won: Vec<_> = outcomes.iter().filter(|it| it.status == 200).collect();
        assert_eq!(won.len(), 1);
        assert!(outcomes.iter().filter(|it| it.status != 200).all(|it| it.refused() == (409, "stale")));
        let now = app.admin.get(&path).await.ok();
        assert_eq!((&now["name"], &now["version"]), (&won[0].json["name"], &json!(version + 1)));
        names.push(text(&now["name"]).to_owned());
        version += 1;
    }
    // The trail tells each change that won, each from where the last one left off, and no other.
    let trail = format!("/api/v1/system/audits?object_id={}&action=update&sort=id", text(&made["id"]));
    let mut told = vec![];
    for id in ids(&app.admin.get(&trail).await.ok()) {
        let deed = app.admin.get(&format!("/api/v1/system/audits/{id}")).await.ok();
        told.push((text(&deed["before"]["name"]).to_owned(), text(&deed["after"]["name"]).to_owned()));
    }
    let expected: Vec<_> = names.windows(2).map(|it| (it[0].clone(), it[1].clone())).collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_request_that_runs_while_its_right_is_taken_is_done_or_refused() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let station = app.site(&tenant).await.station;
    let path = format!("/api/v1/car/stations/{station}");
    for round in 0..5 {
        let name = format!("改站{round}");
        let role = role(&tenant.boss, "provider", &tenant, &name, &["car.station.view", "car.station.update"]).await;
        let role = format!("{ROLES}/{}", text(&role["id"]));
        let (user, username) = app.user_named(UserKind::Provider, Some(tenant.provider), None, Some(&[])).await;
        tenant.boss.post(&format!("{role}/assign"), json!({"user_ids": [user]})).await.ok();
        let session = app.login(&username).await;
        let before = tenant.boss.get(&path).await.ok();
        let change = json!({
            "provider_id": tenant.provider, "property_id": tenant.property, "name": name, "nature": "public",
            "version": before["version"],
        });
        let (taken, revoke) = (format!("{role}/revoke"), json!({"user_ids": [user]}));
        let (reads, changed, revoked) = tokio::join!(
            join_all((0..10).map(|_| session.get(&path))),
            session.put(&path, change),
            tenant.boss.post(&taken, revoke),
        );
        assert_eq!(revoked.status, 200);
        assert!(reads.iter().all(|it| [200, 403].contains(&it.status)));
        let after = tenant.boss.get(&path).await.ok();
        match changed.status {
            200 => assert_eq!((&after["name"], &after["version"]), (&json!(name), &changed.json["version"])),
            status => {
                assert_eq!((status, &after["version"]), (403, &before["version"]));
                assert_eq!(after["name"], before["name"]);
            }
        }
        assert_eq!(session.get(&path).await.status, 403, "what begins afterwards is refused");
    }
}

#[tokio::test]
async fn a_role_is_given_or_removed_and_never_both() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let (user, _) = app.user_named(UserKind::Provider, Some(tenant.provider), None, Some(&[])).await;
    for round in 0..10 {
        let role = role(&tenant.boss, "provider", &tenant, &format!("角色甲{round}"), &["car.station.view"]).await;
        let path = format!("{ROLES}/{}", text(&role["id"]));
        let (assign, disable) = (format!("{path}/assign"), format!("{path}/disable"));
        let assign = tenant.boss.post(&assign, json!({"user_ids": [user]}));
        let end = async {
            if round % 2 == 0 { tenant.boss.delete(&path).await } else { tenant.boss.post(&disable, json!({})).await }
        };
        let (given, ended) = tokio::join!(assign, end);
        let holders = tenant.boss.get(&format!("{USERS}?role_id={}", text(&role["id"]))).await.ok()["total"].clone();
        match (given.status, ended.status, round % 2 == 0) {
            // Given first: it can be switched off afterwards, but not removed.
            (200, 409, true) => assert_eq!((ended.refused().1, holders), ("role_in_use", json!(1))),
            (200, 200, false) => assert_eq!(holders, 1),
            // Removed first: it is no more.
            (404 | 422 | 409, 204, true) => assert_eq!(holders, 0),
            (422 | 409, 200, false) => assert_eq!(holders, 0),
            other => panic!("{other:?} {} {}", given.json, ended.json),
        }
    }
}

#[tokio::test]
async fn a_department_is_entered_or_removed_and_never_both() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    for round in 0..10 {
        let department = department(&tenant.boss, "provider", &tenant, &[]).await;
        let mut form = user_form("provider", &tenant, &format!("entrant{round}"));
        form["department_id"] = department["id"].clone();
        let path = format!("{DEPARTMENTS}/{}", text(&department["id"]));
        let (entered, removed) = tokio::join!(tenant.boss.post(USERS, form), tenant.boss.delete(&path));
        match (entered.status, removed.status) {
            (201, 409) => assert_eq!(removed.refused().1, "has_users"),
            (422, 204) => assert_eq!(entered.fields(), [("department_id", "choice")]),
            other => panic!("{other:?} {} {}", entered.json, removed.json),
        }
    }
}

#[tokio::test]
async fn one_mobile_number_becomes_one_account() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let number = phone(&app);
    let properties = (0..10).map(|it| {
        let form = json!({"name": format!("物业甲{it}"), "contact": "李蕾", "phone": number});
        tenant.boss.post(PROPERTIES, form)
    });
    let outcomes = join_all(properties).await;
    assert_eq!(outcomes.iter().filter(|it| it.status == 201).count(), 1);
    assert!(outcomes.iter().filter(|it| it.status != 201).all(|it| it.fields() == [("phone", "taken")]));
    assert_eq!(tenant.boss.get(&format!("{USERS}?username={number}")).await.ok()["total"], 1);
    assert_eq!(tenant.boss.get(PROPERTIES).await.ok()["total"], 2);
}
