//! The mini-program's API: logging in by code, finding a charger, orders of one's own.

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{
    areas, charge_sessions, charger_states, chargers, code_counts, connectors, drivers, login_codes, stations,
    tariff_versions,
};
use serde_json::{Value, json};

use crate::app::{TestApp, driver};
use crate::channel::{Channel, Mood};
use crate::payment::{World, eventually};

const PHONE: &str = "13800001111";

async fn with_channel() -> (Channel, TestApp) {
    let channel = Channel::start();
    let app = TestApp::with(|config| channel.configure(config)).await;
    (channel, app)
}

async fn ask_code(app: &TestApp, phone: &str) -> crate::app::Answer {
    app.guest().post("/api/app/v1/auth/code", json!({"phone": phone})).await
}

async fn try_code(app: &TestApp, code: &str) -> crate::app::Answer {
    app.guest().post("/api/app/v1/auth/login", json!({"phone": PHONE, "code": code})).await
}

#[tokio::test]
async fn a_code_makes_a_driver_and_is_good_once() {
    let (channel, app) = with_channel().await;
    assert_eq!(ask_code(&app, "12345").await.fields(), [("phone", "format")]);
    let sent = ask_code(&app, PHONE).await.ok();
    assert_eq!((sent["expires_in"].as_i64(), sent["retry_after"].as_i64()), (Some(300), Some(60)));
    assert_eq!(ask_code(&app, PHONE).await.refused(), (429, "limited"));
    let code = channel.code(PHONE);
    let stored: String =
        login_codes::table.find(PHONE).select(login_codes::code_hash).first(&mut app.conn().await).await.unwrap();
    assert!(!stored.contains(&code));
    let tokens = try_code(&app, &code).await.ok();
    assert_eq!(tokens["driver"]["phone"], PHONE);
    assert_eq!(try_code(&app, &code).await.status, 401);

    let client = app.bearer(tokens["access_token"].as_str().unwrap());
    assert_eq!(client.get("/api/app/v1/me").await.ok()["id"], tokens["driver"]["id"]);
    let old = json!({"refresh_token": tokens["refresh_token"]});
    let next = app.guest().post("/api/app/v1/auth/refresh", old.clone()).await.ok();
    let client = app.bearer(next["access_token"].as_str().unwrap());
    assert_eq!(client.get("/api/app/v1/me").await.status, 200);
    // A driver's token is none of the console's, and using a refresh token twice ends the session.
    assert_eq!(client.get("/api/v1/auth/me").await.status, 401);
    // At once it is a repeat, which is told the same again.
    let again = app.guest().post("/api/app/v1/auth/refresh", old.clone()).await.ok();
    assert_eq!(again["refresh_token"], next["refresh_token"]);
    assert_eq!(client.get("/api/app/v1/me").await.status, 200);
    crate::auth::later(&app).await;
    assert_eq!(app.guest().post("/api/app/v1/auth/refresh", old).await.status, 401);
    assert_eq!(client.get("/api/app/v1/me").await.status, 401);
}

/// Asks for a code from an address, as a trusted proxy tells it.
async fn ask_code_from(app: &TestApp, from: &str, phone: &str) -> (u16, String) {
    let body = Some(json!({"phone": phone}).to_string().into_bytes());
    let sent = app.guest();
    let answer = sent.send(reqwest::Method::POST, "/api/app/v1/auth/code", body, &[("x-forwarded-for", from)]).await;
    (answer.status, answer.refused().1.to_owned())
}

async fn with_limits(limits: impl FnOnce(&mut backend::config::Sms)) -> (Channel, TestApp) {
    let channel = Channel::start();
    let app = TestApp::with(|config| {
        channel.configure(config);
        config.http.trusted_proxies = vec![[127, 0, 0, 1].into()];
        limits(&mut config.sms);
    })
    .await;
    (channel, app)
}

#[tokio::test]
async fn a_telephone_is_sent_a_few_codes_a_day() {
    let (_channel, app) = with_limits(|it| it.codes_per_phone = 3).await;
    for n in 0..4 {
        // Hours pass in between.
        let row = diesel::update(login_codes::table.find(PHONE));
        let earlier = Utc::now() - TimeDelta::hours(2);
        let earlier = (login_codes::sent_at.eq(earlier), login_codes::counted_from.eq(earlier));
        row.set(earlier).execute(&mut app.conn().await).await.unwrap();
        let (status, _) = ask_code_from(&app, &format!("203.0.113.{n}"), PHONE).await;
        assert_eq!(status, if n < 3 { 200 } else { 429 }, "code {n}");
    }
    let row = diesel::update(code_counts::table).set(code_counts::counted_from.eq(Utc::now() - TimeDelta::hours(25)));
    row.execute(&mut app.conn().await).await.unwrap();
    let row = diesel::update(login_codes::table.find(PHONE));
    let earlier = login_codes::sent_at.eq(Utc::now() - TimeDelta::hours(2));
    row.set(earlier).execute(&mut app.conn().await).await.unwrap();
    assert_eq!(ask_code_from(&app, "203.0.113.1", PHONE).await.0, 200, "the next day is another one");
}

#[tokio::test]
async fn an_address_is_held_to_the_codes_that_nobody_used() {
    let (channel, app) = with_limits(|it| it.unused_per_address = 2).await;
    let ask = async |from: &str, n: u32| ask_code_from(&app, from, &format!("1380000222{n}")).await.0;
    // Drivers who share an address and log in are not held up, however many they are.
    for n in 0..5 {
        assert_eq!(ask("203.0.113.1", n).await, 200);
        let phone = format!("1380000222{n}");
        let form = json!({"phone": phone, "code": channel.code(&phone)});
        app.guest().post("/api/app/v1/auth/login", form).await.ok();
    }
    let statuses = [ask("203.0.113.1", 5).await, ask("203.0.113.1", 6).await, ask("203.0.113.1", 7).await];
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(ask("203.0.113.2", 7).await, 200, "what was refused counts for nobody else");
}

#[tokio::test]
async fn the_codes_of_a_day_are_limited_in_all_processes_together() {
    let (channel, app) = with_limits(|it| it.codes_per_day = 3).await;
    let mut config = app.app.config.clone();
    config.http.address = ([127, 0, 0, 1], 0).into();
    let other = TestApp::start(config, app.app.database_url.clone()).await;
    channel.set(Mood::LosesRequests);
    assert_eq!(ask_code_from(&app, "203.0.113.9", "13800003339").await.0, 503);
    channel.set(Mood::Fine);
    let ask =
        async |app: &TestApp, n: u32| ask_code_from(app, &format!("203.0.113.{n}"), &format!("1380000333{n}")).await;
    for n in 0..3 {
        let app = if n == 1 { &other } else { &app };
        assert_eq!(ask(app, n).await.0, 200, "one that was not sent does not count");
    }
    for app in [&app, &other] {
        assert_eq!(ask(app, 4).await, (503, "sms_unavailable".to_owned()));
    }
}

#[tokio::test]
async fn codes_cannot_be_guessed() {
    let (channel, app) = with_channel().await;
    ask_code(&app, PHONE).await.ok();
    let right = channel.code(PHONE);
    let wrong = |n: u32| format!("{:06}", (right.parse::<u32>().unwrap() + 1 + n) % 1_000_000);
    // However many try at once, five tries are all there is.
    let tries = futures_util::future::join_all((0..20).map(|n| {
        let code = wrong(n);
        let app = &app;
        async move { try_code(app, &code).await.status }
    }));
    assert!(tries.await.iter().all(|it| *it == 401));
    assert_eq!(try_code(&app, &right).await.status, 401);
    let attempts: i32 =
        login_codes::table.find(PHONE).select(login_codes::attempts).first(&mut app.conn().await).await.unwrap();
    assert_eq!(attempts, 5);
    assert_eq!(drivers::table.count().get_result::<i64>(&mut app.conn().await).await.unwrap(), 0);

    // A later code is good again, until there were too many within the hour.
    for sends in 2..=6 {
        let row = diesel::update(login_codes::table.find(PHONE));
        let earlier = login_codes::sent_at.eq(Utc::now() - TimeDelta::seconds(61));
        row.set(earlier).execute(&mut app.conn().await).await.unwrap();
        let status = ask_code(&app, PHONE).await.status;
        assert_eq!(status, if sends <= 5 { 200 } else { 429 }, "code {sends}");
    }
    let expired = login_codes::expires_at.eq(Utc::now());
    let row = diesel::update(login_codes::table.find(PHONE));
    row.set(expired).execute(&mut app.conn().await).await.unwrap();
    assert_eq!(try_code(&app, &channel.code(PHONE)).await.status, 401);
}

#[tokio::test]
async fn a_code_that_was_not_sent_does_not_count() {
    let (channel, app) = with_channel().await;
    channel.set(Mood::LosesRequests);
    assert_eq!(ask_code(&app, PHONE).await.refused(), (503, "sms_unavailable"));
    channel.set(Mood::Fine);
    ask_code(&app, PHONE).await.ok();
    let tokens = try_code(&app, &channel.code(PHONE)).await.ok();
    let disabled = drivers::enabled.eq(false);
    diesel::update(drivers::table).set(disabled).execute(&mut app.conn().await).await.unwrap();
    let client = app.bearer(tokens["access_token"].as_str().unwrap());
    assert_eq!(client.get("/api/app/v1/me").await.status, 401);
}

fn ids(found: &Value) -> Vec<&str> {
    found.as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn stations_are_found_by_distance() {
    let world = World::new().await;
    let far = world.app.site(&world.tenant).await;
    let hidden = world.app.site(&world.tenant).await;
    let mut conn = world.app.conn().await;
    // A tenth of a degree of latitude is 11.1 km.
    let row = diesel::update(stations::table.find(far.station));
    row.set((stations::lat.eq(30.35), stations::name.eq("远郊站"))).execute(&mut conn).await.unwrap();
    let row = diesel::update(stations::table.find(hidden.station));
    row.set(stations::enabled.eq(false)).execute(&mut conn).await.unwrap();
    let near = |query: &'static str| world.driver.get(query);
    let found = near("/api/app/v1/stations?lng=120.2&lat=30.25").await.ok();
    assert_eq!(ids(&found), [world.site.station.to_string()]);
    assert_eq!((found[0]["distance_m"].as_i64(), found[0]["connectors"].as_i64()), (Some(0), Some(2)));
    assert_eq!((found[0]["free"].as_i64(), found[0]["price"]["total"].as_str()), (Some(2), Some("1.00000")));
    let found = near("/api/app/v1/stations?lng=120.2&lat=30.25&radius_m=12000").await.ok();
    assert_eq!(ids(&found), [world.site.station.to_string(), far.station.to_string()]);
    let distance = found[1]["distance_m"].as_i64().unwrap();
    assert!((11_100..11_140).contains(&distance), "{distance}");
    assert_eq!((found[1]["free"].as_i64(), &found[1]["price"]), (Some(0), &Value::Null));
    let found = near("/api/app/v1/stations?lng=120.2&lat=30.25&radius_m=12000&q=%E8%BF%9C%E9%83%8A").await.ok();
    assert_eq!(ids(&found), [far.station.to_string()]);
    assert_eq!(near("/api/app/v1/stations?lng=190&lat=-91&radius_m=0").await.fields().len(), 3);
    assert_eq!(near("/api/app/v1/stations?lat=30").await.fields(), [("lng", "required")]);

    let taken = diesel::update(connectors::table.find(world.site.connectors[1]));
    taken.set(connectors::status.eq("charging")).execute(&mut conn).await.unwrap();
    let found = near("/api/app/v1/stations?lng=120.2&lat=30.25").await.ok();
    assert_eq!(found[0]["free"], 1);
    let off = diesel::update(areas::table.find(world.site.area));
    off.set(areas::enabled.eq(false)).execute(&mut conn).await.unwrap();
    let found = near("/api/app/v1/stations?lng=120.2&lat=30.25").await.ok();
    assert_eq!((found[0]["connectors"].as_i64(), &found[0]["price"]), (Some(0), &Value::Null));
}

#[tokio::test]
async fn a_code_leads_to_its_charger_and_says_what_is_wrong() {
    let world = World::new().await;
    let mut conn = world.app.conn().await;
    let (charger, connector) = (world.site.charger, world.site.connectors[0]);
    let code: String = chargers::table.find(charger).select(chargers::code).first(&mut conn).await.unwrap();
    let gun: String = connectors::table.find(connector).select(connectors::code).first(&mut conn).await.unwrap();
    let look = |code: String| {
        let driver = &world.driver;
        async move { driver.get(&format!("/api/app/v1/chargers/by-code/{code}")).await }
    };
    let scanned = format!("https%3A%2F%2Fcharge.example.com%2Fq%2F{gun}");
    for (code, names) in [
        (code.clone(), None),
        (code.to_lowercase(), None),
        (world.site.serial_no.to_lowercase(), None),
        (gun.clone(), Some(connector)),
        (gun.to_lowercase(), Some(connector)),
        (scanned, Some(connector)),
    ] {
        let found = look(code).await.ok();
        assert_eq!(found["charger"]["id"], charger.to_string());
        assert!(!found.to_string().contains(&world.site.serial_no), "whoever knows that could claim to be the charger");
        assert_eq!(found["connector_id"].as_str().map(str::to_owned), names.map(|it| it.to_string()));
        assert_eq!(found["charger"]["connectors"][0]["obstacle"], Value::Null);
        assert_eq!(found["tariff"]["presets"], json!([1000, 3000, 5000]));
    }
    let mistyped = look("nothing".to_owned()).await;
    assert_eq!(
        (mistyped.refused(), mistyped.json["detail"].as_str()),
        ((404, "not_found"), Some("没有找到该电枪，请核对编号"))
    );
    for (status, obstacle) in [("available", "connector_not_plugged"), ("faulted", "connector_faulted")] {
        let row = diesel::update(connectors::table.find(connector));
        row.set(connectors::status.eq(status)).execute(&mut conn).await.unwrap();
        let found = look(gun.clone()).await.ok();
        let shown = &found["charger"]["connectors"][0]["obstacle"];
        assert_eq!(shown["code"], obstacle);
        // The order is refused in the same words.
        let refused = world.ask(5000).await;
        assert_eq!((refused.refused(), &refused.json["detail"]), ((409, obstacle), &shown["message"]));
    }
    let row = diesel::update(charger_states::table.find(charger));
    row.set(charger_states::online.eq(false)).execute(&mut conn).await.unwrap();
    assert_eq!(look(gun.clone()).await.ok()["charger"]["connectors"][1]["obstacle"]["code"], "charger_offline");
    assert_eq!(world.ask(5000).await.refused(), (409, "charger_offline"));
    let station = world.driver.get(&format!("/api/app/v1/stations/{}", world.site.station)).await.ok();
    assert_eq!(station["areas"][0]["chargers"][0]["connectors"].as_array().unwrap().len(), 2);
    assert!(!station.to_string().contains(&world.site.serial_no));
    let row = diesel::update(stations::table.find(world.site.station));
    row.set(stations::enabled.eq(false)).execute(&mut conn).await.unwrap();
    assert_eq!(look(gun).await.status, 404);
    assert_eq!(world.driver.get(&format!("/api/app/v1/stations/{}", world.site.station)).await.status, 404);
}

#[tokio::test]
async fn a_quote_says_how_far_the_money_goes() {
    let world = World::new().await;
    let path = format!("/api/app/v1/connectors/{}/quote", world.site.connectors[0]);
    let quote = world.driver.get(&format!("{path}?prepaid_fen=5000")).await.ok();
    // 49 yuan at 1.00 a kWh, delivered with 60 kW; the last yuan is kept.
    assert_eq!(quote["reach"], json!({"kwh": "49.0000", "seconds": 2940}));
    assert_eq!(quote["tariff"]["now"]["total"], "1.00000");
    assert_eq!(world.driver.get(&format!("{path}?prepaid_fen=0")).await.fields(), [("prepaid_fen", "range")]);
    let quote = world.driver.get(&path).await.ok();
    assert_eq!((&quote["reach"], &quote["tariff"]["presets"][0]), (&Value::Null, &json!(1000)));
}

#[tokio::test]
async fn a_driver_is_shown_the_price_that_the_order_pays() {
    let world = World::new().await;
    let tariff = world.app.tariff(&world.tenant, &world.site).await;
    let mut conn = world.app.conn().await;
    let mut first_begins = async |at| {
        let first =
            tariff_versions::table.filter(tariff_versions::tariff_id.eq(tariff)).filter(tariff_versions::number.eq(1));
        diesel::update(first).set(tariff_versions::effective_at.eq(at)).execute(&mut conn).await.unwrap();
    };
    // The first was saved for the coming midnight, the second, on the same day, to be in force at once.
    first_begins(Utc::now() + TimeDelta::days(1)).await;
    let path = format!("/api/v1/car/tariffs/{tariff}");
    let mut form = world.tenant.boss.get(&path).await.ok();
    form["tariff"]["prices"]["uniform"]["elec"] = json!("1.60000");
    let wanted = ["station_id", "area_id", "name", "tariff", "presets", "version"];
    let mut changed: Value = wanted.iter().map(|it| ((*it).to_owned(), form[*it].clone())).collect();
    changed["effective_now"] = json!(true);
    world.tenant.boss.put(&path, changed).await.ok();
    // Midnight has passed: the first has come into force after the second, which was saved later and so replaces it.
    first_begins(Utc::now()).await;

    assert_eq!(world.tenant.boss.get(&path).await.ok()["number_in_force"], 2);
    let found = world.driver.get("/api/app/v1/stations?lng=120.2&lat=30.25").await.ok();
    assert_eq!(found[0]["price"]["total"], "2.00000");
    let station = world.driver.get(&format!("/api/app/v1/stations/{}", world.site.station)).await.ok();
    assert_eq!(station["areas"][0]["tariff"]["now"]["total"], "2.00000");
    let quote = world.driver.get(&format!("/api/app/v1/connectors/{}/quote", world.site.connectors[0])).await.ok();
    assert_eq!(quote["tariff"]["now"]["total"], "2.00000");
    let order = world.order(5000).await;
    let agreed: shared::pricing::Tariff =
        charge_sessions::table.find(order.order).select(charge_sessions::tariff).first(&mut conn).await.unwrap();
    assert_eq!(agreed.price_at(Utc::now()).unwrap().1.elec.to_string(), "1.60000");
}

#[tokio::test]
async fn an_order_is_made_once_and_is_its_drivers_own() {
    let world = World::new().await;
    let form = json!({"connector_id": world.site.connectors[0], "prepaid_fen": 5000, "start_method": "scan"});
    let ask = || {
        let body = Some(form.to_string().into_bytes());
        world.driver.send(reqwest::Method::POST, "/api/app/v1/orders", body, &[("idempotency-key", "one")])
    };
    let (first, second) = (ask().await.ok(), ask().await.ok());
    assert_eq!(first, second);
    let mut less = form.clone();
    less["prepaid_fen"] = json!(99);
    assert_eq!(world.driver.post("/api/app/v1/orders", less).await.fields(), [("prepaid_fen", "range")]);
    let list = world.driver.get("/api/app/v1/orders").await.ok();
    assert_eq!(list["total"], 1);
    assert_eq!(world.driver.get("/api/app/v1/orders?state=completed").await.ok()["total"], 0);

    let id = first["order"]["id"].as_str().unwrap();
    let live = world.driver.get(&format!("/api/app/v1/orders/{id}/live")).await.ok();
    assert_eq!((live["state"].as_str(), live["left_fen"].as_i64()), (Some("created"), Some(5000)));
    let detail = world.driver.get(&format!("/api/app/v1/orders/{id}")).await.ok();
    assert_eq!(detail["tariff"]["prices"]["uniform"]["elec"], "0.60000");
    assert_eq!(detail["payments"][0]["amount_fen"], 5000);
    let stranger = driver(&world.app).await;
    for (method, path) in [("GET", ""), ("GET", "/live"), ("GET", "/events"), ("POST", "/stop"), ("POST", "/pay")] {
        let method = method.parse().unwrap();
        let answer = stranger.send(method, &format!("/api/app/v1/orders/{id}{path}"), None, &[]).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    assert_eq!(stranger.get("/api/app/v1/orders").await.ok()["total"], 0);
}

#[tokio::test]
async fn a_driver_watches_the_order_change() {
    let world = World::new().await;
    let order = world.order(5000).await;
    let stream = backend::app::http_client()
        .unwrap()
        .get(format!("{}/api/app/v1/orders/{}/events", world.app.url, order.order))
        .bearer_auth(&world.driver.token);
    let mut stream = stream.send().await.unwrap();
    let mut heard = String::new();
    let mut hear = async |wanted: &str| {
        let until = async {
            while !heard.contains(wanted) {
                heard.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(10), until).await.expect(wanted);
    };
    hear("\"state\":\"created\"").await;
    let notice = world.channel.pay(&order.payment_no);
    assert_eq!(world.channel.tell(&world.app.url, &notice).await, 200);
    hear("\"state\":\"starting\"").await;
    eventually("it is paid", async || world.order_state(order.order).await == "starting").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn power_is_told_only_while_it_flows() {
    let world = World::new().await;
    let order = world.paid(5000).await;
    let now = Utc::now();
    let after = |seconds| now + TimeDelta::seconds(seconds);
    let live = async || world.driver.get(&format!("/api/app/v1/orders/{}/live", order.order)).await.ok();
    let transaction = world.begin(&order, 1, now).await;
    world.told(crate::charging::metered(transaction, after(60), 1_000_500), after(60)).await;
    assert_eq!(live().await["power_w"], 40_000);
    world.told(crate::charging::stopped(transaction, after(90), 1_000_900), after(90)).await;
    let ended = live().await;
    assert_eq!((&ended["state"], &ended["power_w"], &ended["soc"]), (&json!("completed"), &Value::Null, &json!(50)));
}
