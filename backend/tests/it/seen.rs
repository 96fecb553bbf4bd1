//! What is told of others by the way: in counts, in names beside a row, and by how a refusal is worded.

use chrono::Utc;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{cards, chargers, providers, reservations, user_stations};
use serde_json::{Value, json};
use shared::user::UserKind;
use uuid::Uuid;

use crate::access::{Operation, foreign_row, operations};
use crate::app::{Answer, Client, Site, Tenant, TestApp};

/// Somebody of a tenant's provider who is bound to one station.
async fn bound(app: &TestApp, of: &Tenant, station: Uuid) -> Client {
    let (user, name) = app.user_named(UserKind::Provider, Some(of.provider), None, None).await;
    bind(app, user, station).await;
    app.login(&name).await
}

async fn bind(app: &TestApp, user: Uuid, station: Uuid) {
    let row = (user_stations::user_id.eq(user), user_stations::station_id.eq(station));
    diesel::insert_into(user_stations::table).values(row).execute(&mut app.conn().await).await.unwrap();
}

/// A running order and a card of a driver at a site, and a reservation of somebody else.
async fn busy(app: &TestApp, tenant: &Tenant, site: &Site, driver: Uuid) {
    let order = app.placed(tenant, site).await.order;
    let reservation = crate::reservation::reserved(app, tenant, site).await;
    let card = crate::card::issued(app, tenant).await;
    let mut conn = app.conn().await;
    let statements = [
        format!("update car_orders set state = 'charging', driver_id = '{driver}' where id = '{order}'"),
        format!("update reservations set state = 'reserved' where id = '{reservation}'"),
        "update stations set enabled = true".to_owned(),
    ];
    for statement in statements {
        diesel::sql_query(statement).execute(&mut conn).await.unwrap();
    }
    let card = diesel::update(cards::table.find(card)).set(cards::driver_id.eq(driver));
    card.execute(&mut conn).await.unwrap();
}

/// How many of a kind somebody can count themselves.
async fn counted(by: &Client, kind: &str) -> i64 {
    let queries: &[&str] = match kind {
        "running_orders" => &["orders/car?state=charging"],
        "reservations" => &["orders/reservations?state=reserved"],
        "stations" => &["car/stations?enabled=true", "bike/stations?enabled=true"],
        "chargers" => &["car/chargers?enabled=true"],
        "users" => &["system/users?"],
        "cards" => &["members/cards?enabled=true"],
        kind => panic!("nobody counts {kind}"),
    };
    let mut sum = 0;
    for query in queries {
        sum += by.get(&format!("/api/v1/{query}")).await.ok()["total"].as_i64().unwrap();
    }
    sum
}

#[tokio::test]
async fn impacts_count_only_what_their_reader_sees() {
    let app = TestApp::new().await;
    let (mine, theirs, below) = (app.tenant().await, app.tenant().await, app.tenant().await);
    let parent = diesel::update(providers::table.find(below.provider)).set(providers::parent_id.eq(mine.provider));
    parent.execute(&mut app.conn().await).await.unwrap();
    // One driver charges at all of them now, but at mine not any more.
    let (site, other) = (app.site(&mine).await, app.site(&mine).await);
    let (driver, _) = crate::member::visitor(&app, &mine, &site, 1).await;
    for tenant in [&theirs, &below] {
        let there = app.site(tenant).await;
        crate::member::visit(&app, driver, tenant, &there, 1, Utc::now()).await;
        busy(&app, tenant, &there, driver).await;
    }
    // A driver has one reservation at a time.
    let reserved = diesel::update(reservations::table.filter(reservations::provider_id.eq(theirs.provider)));
    reserved.set(reservations::driver_id.eq(driver)).execute(&mut app.conn().await).await.unwrap();
    // At another station of mine somebody else does.
    let (second, _) = crate::member::visitor(&app, &mine, &other, 1).await;
    crate::member::visit(&app, second, &mine, &site, 1, Utc::now()).await;
    busy(&app, &mine, &other, second).await;
    let narrow = bound(&app, &mine, site.station).await;
    let (overseer, name) = app.user_named(UserKind::Platform, None, None, None).await;
    bind(&app, overseer, site.station).await;
    let overseer = app.login(&name).await;

    let document = app.guest().get("/api/openapi.json").await.ok();
    let impacts: Vec<Operation> = operations(&document).into_iter().filter(|it| it.path.ends_with("/impact")).collect();
    assert!(impacts.len() > 10);
    for reader in [&mine.boss, &mine.keeper, &narrow, &overseer, &theirs.boss] {
        for operation in &impacts {
            let drivers = operation.tag == "members/drivers";
            let rows = match operation.tag.as_str() {
                "members/drivers" => vec![driver, second],
                "system/providers" => vec![mine.provider],
                _ => vec![foreign_row(&app, operation, &mine, &site).await],
            };
            for row in rows {
                let answer = reader.get(&operation.path.replace("{id}", &row.to_string())).await;
                // Not everything of mine is seen by all of them, but the driver is who was there.
                assert!(answer.status == 200 || !drivers || row == second, "{} {}", operation.id, answer.status);
                if answer.status != 200 {
                    continue;
                }
                for (kind, count) in answer.json.as_object().unwrap() {
                    let seen = counted(reader, kind).await;
                    let count = count.as_i64().unwrap();
                    assert!(count <= seen, "{} counts {count} {kind} of which {seen} are seen", operation.id);
                }
            }
        }
    }
    let impact = format!("/api/v1/members/drivers/{driver}/impact");
    let told = async |by: &Client| {
        let told = by.get(&impact).await.ok();
        [&told["running_orders"], &told["reservations"], &told["cards"]].map(|it| it.as_i64().unwrap())
    };
    assert_eq!((told(&mine.boss).await, told(&theirs.boss).await, told(&app.admin).await), ([0; 3], [1; 3], [2, 1, 2]));
    let whole = async |by: &Client| {
        let told = by.get(&format!("/api/v1/system/providers/{}/impact", mine.provider)).await.ok();
        ["running_orders", "stations", "chargers"].map(|it| told[it].as_i64().unwrap())
    };
    // The platform is told of the sub-merchant too; of it whoever is bound to one station is told of that.
    assert_eq!((whole(&app.admin).await, whole(&overseer).await), ([2, 3, 3], [0, 1, 1]));
}

#[tokio::test]
async fn whoever_is_bound_to_stations_learns_of_no_other() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let (near, far) = (app.site(&tenant).await, app.site(&tenant).await);
    let bike = app.bike_station(&tenant).await;
    let reader = bound(&app, &tenant, near.station).await;
    let colleague = app.user_named(UserKind::Provider, Some(tenant.provider), None, None).await.0;
    let users = "/api/v1/system/users";
    let bindings = json!({"car_station_ids": [near.station, far.station], "bike_station_ids": [bike]});
    tenant.boss.post(&format!("{users}/{colleague}/bind-stations"), bindings).await.ok();
    let name = async |line: &str, id: Uuid| {
        let station = tenant.boss.get(&format!("/api/v1/{line}/stations/{id}")).await.ok();
        station["name"].as_str().unwrap().to_owned()
    };
    let seen = name("car", near.station).await;
    let hidden = [far.station.to_string(), bike.to_string(), name("car", far.station).await, name("bike", bike).await];
    let collective = tenant.boss.post(
        "/api/v1/members/collectives",
        json!({"property_id": tenant.property, "name": "车队", "contact": "周洁", "phone": "13900000009"}),
    );
    let collective = collective.await.id();

    let mine = reader.get(&format!("{users}/{colleague}")).await.ok();
    assert_eq!((&mine["car_station_ids"], &mine["bike_station_ids"]), (&json!([near.station]), &json!([])));
    assert_eq!((&mine["stations"], &mine["reach"]), (&json!([seen]), &json!("stations")));
    let history = reader.get(&format!("{users}/{colleague}/history")).await.ok();
    let change = &history["items"][0]["changes"];
    assert!(change.to_string().contains(&seen), "{change}");
    let list = reader.get(users).await.ok();
    let sheet = crate::crud::sheet_text(&reader.get(&format!("{users}/export.xlsx")).await.bytes);
    for text in [mine.to_string(), history.to_string(), list.to_string(), format!("{sheet:?}")] {
        assert!(text.contains(&seen), "{text}");
        for hidden in &hidden {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
    let whole = tenant.boss.get(&format!("{users}/{colleague}/history")).await.ok();
    assert!(hidden.iter().all(|it| whole.to_string().contains(it)), "{whole}");

    for path in ["departments", "departments/tree", "roles", "posts", "users", "sessions", "logins", "audits"] {
        let answer = reader.get(&format!("/api/v1/system/{path}")).await.ok();
        let text = answer.to_string();
        assert!(!text.contains(&collective.to_string()) && !text.contains("车队"), "{path}: {text}");
    }
    for path in ["departments", "roles"] {
        let answer = tenant.boss.get(&format!("/api/v1/system/{path}")).await.ok();
        let row = answer["items"].as_array().unwrap().iter().find(|it| it["collective_id"] == json!(collective));
        let row = row.unwrap()["id"].as_str().unwrap().to_owned();
        assert_eq!(reader.get(&format!("/api/v1/system/{path}/{row}")).await.status, 404);
    }
}

/// What a refusal says, but for the id of the request.
fn said(answer: &Answer) -> Value {
    let mut said = answer.json.clone();
    said.as_object_mut().unwrap().remove("request_id");
    said
}

#[tokio::test]
async fn what_is_anothers_is_refused_as_what_is_not_there() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let (site, foreign) = (app.site(&mine).await, app.site(&theirs).await);
    let row = |tag: &'static str| crate::access::row(&app, tag, &theirs, &foreign);
    let (role, department, post) =
        (row("system/roles").await, row("system/departments").await, row("system/posts").await);
    let product = row("members/card-products").await;
    let user = |n: u64| json!({"kind": "provider", "username": format!("someone{n}"), "name": "陈晨", "role_ids": []});
    let mut employed = user(app.next());
    employed["department_id"] = json!(crate::access::row(&app, "system/departments", &mine, &site).await);
    let charger = json!({
        "station_id": site.station, "area_id": site.area, "serial_no": "OWN-1", "name": "桩", "connectors": 1,
        "nature": "public", "output_power_w": 60_000, "current_type": "dc", "interface": "gbt_dc", "speed": "fast",
    });
    let area = json!({"station_id": site.station, "name": "东区"});
    let card = json!({"issued_to": "person", "product_id": product, "phone": "13700000001", "holder": "林晓", "card_no": "8801"});
    let station = json!({"property_id": mine.property, "name": "站", "nature": "public"});
    let cases = [
        ("system/users", user(app.next()), "role_ids", json!([role])),
        ("system/users", user(app.next()), "department_id", json!(department)),
        ("system/users", employed, "post_id", json!(post)),
        ("system/departments", json!({"kind": "provider", "name": "部"}), "parent_id", json!(department)),
        ("car/chargers", charger.clone(), "station_id", json!(foreign.station)),
        ("car/chargers", charger.clone(), "area_id", json!(foreign.area)),
        ("car/areas", area, "station_id", json!(foreign.station)),
        ("car/stations", station.clone(), "property_id", json!(theirs.property)),
        ("car/stations", station, "provider_id", json!(theirs.provider)),
        ("members/cards", card, "product_id", json!(product)),
    ];
    for (path, form, field, foreign) in cases {
        let unknown = if foreign.is_array() { json!([Uuid::now_v7()]) } else { json!(Uuid::now_v7()) };
        let mut answers = vec![];
        for value in [foreign, unknown] {
            let mut form = form.clone();
            form[field] = value;
            // Cards are sold at the counter of a property.
            let by = if path == "members/cards" { &mine.keeper } else { &mine.boss };
            answers.push(by.post(&format!("/api/v1/{path}"), form).await);
        }
        assert_eq!((answers[0].status, answers[0].fields()), (422, vec![(field, "choice")]), "{path} {field}");
        assert_eq!(said(&answers[0]), said(&answers[1]), "{path} {field}");
    }

    let taken: String =
        chargers::table.find(foreign.charger).select(chargers::serial_no).first(&mut app.conn().await).await.unwrap();
    let mut answers = vec![];
    for serial in [taken.to_lowercase(), site.serial_no.clone()] {
        let mut form = charger.clone();
        form["serial_no"] = json!(serial);
        answers.push(mine.boss.post("/api/v1/car/chargers", form).await);
    }
    assert_eq!(answers[0].fields(), [("serial_no", "unavailable")]);
    assert_eq!(said(&answers[0]), said(&answers[1]), "nobody is told whose it is");
    assert!(!answers[0].json.to_string().contains("已被使用"));
}
