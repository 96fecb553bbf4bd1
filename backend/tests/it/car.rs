//! What is out there for cars: areas, chargers, connectors, and what staff do with them.

use backend::gateway::credentials::password_hashes;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use reqwest::Method;
use rust_xlsxwriter::Workbook;
use schema::{areas, car_orders, charger_states, chargers, connectors, device_commands, stations, unknown_devices};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Answer, Client, Site, TestApp};

fn charger_form(site: &Site, serial_no: &str, connectors: u32) -> Value {
    json!({
        "station_id": site.station, "area_id": site.area, "serial_no": serial_no, "name": "1号桩",
        "connectors": connectors, "nature": "public", "output_power_w": 120_000,
        "current_type": "dc", "interface": "gbt_dc", "speed": "super", "protection": "IP54",
    })
}

fn sheet(rows: &[&[&str]]) -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in (0..).zip(rows) {
        for (column, text) in (0..).zip(*cells) {
            sheet.write_string(row, column, *text).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

async fn import(client: &Client, path: &str, rows: &[&[&str]], language: &str) -> Answer {
    client.send(Method::POST, path, Some(sheet(rows)), &[("accept-language", language)]).await
}

async fn set_online(app: &TestApp, charger: Uuid, online: bool) {
    diesel::update(charger_states::table.find(charger))
        .set(charger_states::online.eq(online))
        .execute(&mut app.conn().await)
        .await
        .unwrap();
}

/// The commands that were asked of a charger, oldest first, with who asked.
async fn asked(app: &TestApp, charger: Uuid) -> Vec<(Value, String)> {
    device_commands::table
        .filter(device_commands::device_id.eq(charger))
        .order(device_commands::id)
        .select((device_commands::payload, device_commands::requested_by))
        .load(&mut app.conn().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn an_area_is_made_changed_and_counted() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let form = json!({"station_id": site.station, "name": "地下一层", "phone": "0571-8888", "power_w": 300_000});
    let created = tenant.keeper.post("/api/v1/car/areas", form.clone()).await;
    let path = format!("/api/v1/car/areas/{}", created.id());
    assert!(created.json["code"].as_str().unwrap().starts_with('A'));
    assert_eq!(tenant.keeper.post("/api/v1/car/areas", form.clone()).await.fields(), [("name", "taken")]);
    let mut change = form.clone();
    change["name"] = json!("地下二层");
    change["phone"] = Value::Null;
    change["version"] = json!(1);
    let changed = tenant.boss.put(&path, change.clone()).await.ok();
    assert_eq!(
        (&changed["name"], &changed["phone"], &changed["version"]),
        (&json!("地下二层"), &Value::Null, &json!(2))
    );
    assert_eq!(tenant.boss.put(&path, change).await.refused(), (409, "stale"));

    let own = tenant.boss.get(&format!("/api/v1/car/areas/{}", site.area)).await.ok();
    assert_eq!((&own["chargers"], &own["connectors"], &own["bays"]), (&json!(1), &json!(2), &json!(0)));
    let impact = tenant.boss.get(&format!("/api/v1/car/areas/{}/impact", site.area)).await.ok();
    assert_eq!((&impact["chargers"], &impact["running_orders"]), (&json!(1), &json!(0)));
    tenant.boss.post(&format!("{path}/disable"), json!({})).await.ok();
    let disabled = tenant.boss.get("/api/v1/car/areas?enabled=false&station_name=站").await.ok();
    assert_eq!(disabled["total"], 1);
    // Signs that mean something to ILIKE are taken as they are.
    assert_eq!(tenant.boss.get("/api/v1/car/areas?name=%25").await.ok()["total"], 0);
}

#[tokio::test]
async fn areas_are_imported_by_the_names_of_their_stations() {
    let app = TestApp::new().await;
    let (tenant, other) = (app.tenant().await, app.tenant().await);
    let site = app.site(&tenant).await;
    let foreign = app.site(&other).await;
    let name = |station: Uuid| stations::table.find(station).select(stations::name);
    let mut conn = app.conn().await;
    let own: String = name(site.station).first(&mut conn).await.unwrap();
    let theirs: String = name(foreign.station).first(&mut conn).await.unwrap();
    let path = "/api/v1/car/areas/import";
    let wrong: &[&[&str]] = &[
        &["所属电站*", "区域名称*", "区域功率(kW)"],
        &[&own, "东区", "300.5"],
        &[&theirs, "西区", ""],
        &[&own, "", "x"],
    ];
    for (language, first) in
        [("zh-CN", format!("没有“{theirs}”，或不止一个")), ("en", format!("There is no “{theirs}”, or more than one"))]
    {
        let answer = import(&tenant.boss, path, wrong, language).await;
        assert_eq!((answer.status, answer.json["errors"][0]["message"].as_str()), (422, Some(first.as_str())));
        let expected = match language {
            "en" => [("3:Station", "choice"), ("4:Name", "required"), ("4:Power (kW)", "format")],
            _ => [("3:所属电站", "choice"), ("4:区域名称", "required"), ("4:区域功率(kW)", "format")],
        };
        assert_eq!(answer.fields(), expected);
    }
    let before: i64 = areas::table.count().get_result(&mut conn).await.unwrap();
    assert_eq!(before, 2, "nothing of a flawed sheet is kept");
    let right: &[&[&str]] = &[&["Station", "Name", "Power (kW)"], &[&own, "东区", "300.5"], &[&own, "西区", ""]];
    assert_eq!(import(&tenant.boss, path, right, "en").await.ok()["imported"], 2);
    let east = tenant.boss.get("/api/v1/car/areas?name=东").await.ok();
    assert_eq!(east["items"][0]["power_w"], 300_500);
    // Every station has a default area: the one of the station in the same line is meant.
    let second = app.site(&tenant).await;
    let second_name: String = name(second.station).first(&mut conn).await.unwrap();
    let head = [
        "所属电站",
        "所属区域",
        "出厂标识",
        "电桩名称",
        "电枪数量",
        "运营性质",
        "输出功率(kW)",
        "电流类型",
        "充电类型",
        "充电速度",
        "接入密码",
    ];
    let line = |station, serial_no, password| {
        [station, "默认区域", serial_no, "桩", "2", "公共", "60", "直流", "国标直流", "快充", password]
    };
    let rows: &[&[&str]] = &[&head, &line(&own, "IMP-1", "of the maker"), &line(&second_name, "IMP-2", "")];
    assert_eq!(import(&tenant.boss, "/api/v1/car/chargers/import", rows, "zh-CN").await.ok()["imported"], 2);
    let at: Vec<(String, Uuid)> = chargers::table
        .filter(chargers::serial_no.like("IMP-%"))
        .order(chargers::serial_no)
        .select((chargers::serial_no, chargers::area_id))
        .load(&mut conn)
        .await
        .unwrap();
    assert_eq!(at, [("IMP-1".to_owned(), site.area), ("IMP-2".to_owned(), second.area)]);
    // One that the sheet gives no password has one that nobody knows, until it is set.
    let stored: Vec<Vec<String>> = chargers::table
        .inner_join(charger_states::table)
        .filter(chargers::serial_no.like("IMP-%"))
        .order(chargers::serial_no)
        .select(charger_states::password_hashes)
        .load(&mut conn)
        .await
        .unwrap();
    assert_eq!(stored[0], password_hashes("of the maker"));
    assert!(!stored[1].is_empty() && stored[1] != stored[0]);
}

#[tokio::test]
async fn a_charger_is_made_with_its_connectors() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let mut conn = app.conn().await;
    diesel::insert_into(unknown_devices::table)
        .values((
            unknown_devices::serial_no.eq("wy-dc120-1"),
            unknown_devices::protocol.eq("ocpp1.6"),
            unknown_devices::remote_address.eq("10.0.0.9"),
            unknown_devices::reason.eq("unknown_serial_no"),
        ))
        .execute(&mut conn)
        .await
        .unwrap();
    let form = charger_form(&site, "WY-DC120-1", 2);
    let created = tenant.boss.post("/api/v1/car/chargers", form.clone()).await;
    let (id, code) = (created.id(), created.json["code"].as_str().unwrap().to_owned());
    let path = format!("/api/v1/car/chargers/{id}");
    assert_eq!(created.json["connectors"]["total"], 2);
    assert_eq!((&created.json["condition"], &created.json["access"]), (&json!("offline"), &json!("password")));
    let told = created.json["initial_password"].as_str().unwrap();
    assert_eq!(told.len(), 32);
    assert_eq!(hashes(&app, id).await, password_hashes(told));
    assert_eq!(tenant.boss.get(&path).await.ok()["initial_password"], Value::Null, "it is told once");
    let guns: Vec<(String, String)> = connectors::table
        .filter(connectors::charger_id.eq(id))
        .order(connectors::number)
        .select((connectors::code, connectors::name))
        .load(&mut conn)
        .await
        .unwrap();
    assert_eq!(guns, [(format!("{code}-1"), "1号枪".into()), (format!("{code}-2"), "2号枪".into())]);
    let strangers: i64 = unknown_devices::table.count().get_result(&mut conn).await.unwrap();
    assert_eq!(strangers, 0, "it is a stranger no more");
    let again = tenant.boss.post("/api/v1/car/chargers", charger_form(&site, "wy-dc120-1", 1)).await;
    assert_eq!(again.fields(), [("serial_no", "unavailable")], "identities differ in more than letter case");
    let bad = tenant.boss.post("/api/v1/car/chargers", charger_form(&site, "桩/1", 21)).await;
    assert_eq!(bad.fields(), [("connectors", "range")]);
    let mut bad = charger_form(&site, "桩/1", 1);
    bad["password"] = json!("short");
    let bad = tenant.boss.post("/api/v1/car/chargers", bad).await;
    assert_eq!(bad.fields(), [("serial_no", "format"), ("password", "range")]);
    let mut known = charger_form(&site, "WY-DC120-2", 1);
    known["password"] = json!("of the maker");
    let known = tenant.boss.post("/api/v1/car/chargers", known).await;
    assert_eq!(known.json["initial_password"], Value::Null);
    assert_eq!(hashes(&app, known.id()).await, password_hashes("of the maker"));

    let mut change = form.clone();
    change["version"] = json!(1);
    change["connectors"] = json!(3);
    change["protection"] = Value::Null;
    let changed = tenant.boss.put(&path, change.clone()).await.ok();
    assert_eq!((&changed["connectors"]["total"], &changed["protection"]), (&json!(3), &Value::Null));
    change["version"] = json!(2);
    change["connectors"] = json!(2);
    let changed = tenant.boss.put(&path, change.clone()).await.ok();
    assert_eq!(changed["connectors"]["total"], 2, "the third was never used");
    change["version"] = json!(3);
    change["area_id"] = json!(Uuid::now_v7());
    change["password"] = json!("another one");
    assert_eq!(tenant.boss.put(&path, change.clone()).await.fields(), [("area_id", "fixed"), ("password", "fixed")]);
    change["password"] = Value::Null;
    tenant.boss.post(&format!("{path}/disable"), json!({})).await.ok();
    change["version"] = json!(4);
    change["area_id"] = json!(site.area);
    change["connectors"] = json!(4);
    assert_eq!(tenant.boss.put(&path, change).await.refused(), (409, "charger_disabled"));
}

#[tokio::test]
async fn chargers_are_found_by_what_they_are_and_how_they_are() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    tenant.boss.post("/api/v1/car/chargers", charger_form(&site, "SUPER-1", 1)).await.ok();
    let total =
        async |query: &str| tenant.boss.get(&format!("/api/v1/car/chargers?{query}")).await.ok()["total"].clone();
    assert_eq!(total("speed=super&serial_no=super").await, 1);
    assert_eq!(total("condition=offline").await, 2);
    assert_eq!(total("condition=online").await, 0);
    set_online(&app, site.charger, true).await;
    assert_eq!(total("condition=online").await, 1);
    let mut conn = app.conn().await;
    diesel::update(connectors::table.find(site.connectors[1]))
        .set((
            connectors::status.eq("faulted"),
            connectors::error_code.eq("OverCurrentFailure"),
            connectors::status_info.eq("door / 0x0040"),
        ))
        .execute(&mut conn)
        .await
        .unwrap();
    assert_eq!((total("condition=online").await, total("condition=faulted").await), (json!(0), json!(1)));
    let detail = tenant.boss.get(&format!("/api/v1/car/chargers/{}", site.charger)).await.ok();
    assert_eq!((&detail["condition"], &detail["connectors"]["faulted"]), (&json!("faulted"), &json!(1)));
    let faults: Vec<_> =
        detail["faults"].as_array().unwrap().iter().map(|it| (&it["connector"], &it["fault"])).collect();
    assert_eq!(faults, [(&json!(2), &json!("over_current")), (&json!(2), &json!("emergency_stop"))]);
    assert_eq!(detail["faults"][0]["zh"], "过流（故障灯每 3 秒闪 3 次）");
    let gun = tenant.boss.get("/api/v1/car/connectors?status=faulted").await.ok();
    assert_eq!(gun["items"][0]["faults"][1]["en"], "Emergency stop pressed (fault lamp: steady)");
    assert_eq!(gun["items"][0]["online"], true);
}

#[tokio::test]
async fn commands_reach_devices_that_are_there_and_no_others() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let path = format!("/api/v1/car/chargers/{}", site.charger);
    for verb in ["reboot", "sync-clock", "refresh"] {
        let answer = tenant.boss.post(&format!("{path}/{verb}"), json!({})).await;
        assert_eq!(answer.refused(), (503, "device_offline"), "{verb}");
    }
    assert_eq!(asked(&app, site.charger).await, []);
    set_online(&app, site.charger, true).await;
    let keyed = async |verb: &str, body: Value, key: &str| {
        let body = Some(body.to_string().into_bytes());
        tenant.boss.send(Method::POST, &format!("{path}/{verb}"), body, &[("idempotency-key", key)]).await
    };
    keyed("reboot", json!({"hard": true}), "one").await.ok();
    let replayed = keyed("reboot", json!({"hard": true}), "one").await;
    assert_eq!((replayed.status, replayed.headers.contains_key("idempotent-replayed")), (200, true));
    assert_eq!(keyed("reboot", json!({"hard": false}), "one").await.fields(), [("Idempotency-Key", "reused")]);
    keyed("sync-clock", json!({}), "two").await.ok();
    keyed("refresh", json!({}), "three").await.ok();
    keyed("unlock", json!({"connector": 2}), "four").await.ok();
    assert_eq!(keyed("unlock", json!({"connector": 3}), "five").await.fields(), [("connector", "choice")]);
    tenant.boss.post(&format!("{path}/disable"), json!({})).await.ok();
    let gun = format!("/api/v1/car/connectors/{}", site.connectors[1]);
    tenant.boss.post(&format!("{gun}/disable"), json!({})).await.ok();
    let kinds: Vec<Value> = asked(&app, site.charger).await.into_iter().map(|(payload, _)| payload).collect();
    let expected = [
        json!({"kind": "reboot", "hard": true}),
        json!({"kind": "sync_clock"}),
        json!({"kind": "refresh"}),
        json!({"kind": "unlock", "connector": 2}),
        json!({"kind": "availability", "connector": 0, "available": false}),
        json!({"kind": "availability", "connector": 2, "available": false}),
    ];
    assert_eq!(kinds, expected);
    let page = tenant.boss.get(&format!("{path}/commands?size=2")).await.ok();
    assert_eq!((&page["total"], &page["items"][0]["kind"]), (&json!(6), &json!("availability")));
    let older =
        tenant.boss.get(&format!("{path}/commands?size=9&cursor={}", page["next_cursor"].as_str().unwrap())).await;
    assert_eq!(older.ok()["items"].as_array().unwrap().len(), 4);
    // One that is away is switched all the same, and told when it is back.
    set_online(&app, site.charger, false).await;
    let answer = tenant.boss.post(&format!("{path}/enable"), json!({})).await.ok();
    assert_eq!(
        (&answer["enabled"], answer["pending"].as_array().unwrap().contains(&json!("availability"))),
        (&json!(true), true)
    );
    let kept = json!({"kind": "availability", "connector": 0, "available": true});
    assert_eq!(asked(&app, site.charger).await.pop().unwrap().0, kept);
}

#[tokio::test]
async fn connectors_are_renamed_and_switched_but_not_made() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let path = format!("/api/v1/car/connectors/{}", site.connectors[0]);
    let renamed = tenant.keeper.put(&path, json!({"name": "左枪", "version": 1})).await.ok();
    assert_eq!((&renamed["name"], &renamed["version"]), (&json!("左枪"), &json!(2)));
    assert_eq!(tenant.keeper.put(&path, json!({"name": "右枪", "version": 1})).await.refused(), (409, "stale"));
    assert_eq!(tenant.keeper.put(&path, json!({"name": "", "version": 2})).await.fields(), [("name", "required")]);
    assert_eq!(tenant.keeper.post(&format!("{path}/disable"), json!({})).await.ok()["enabled"], false);
    assert_eq!(tenant.keeper.post("/api/v1/car/connectors", json!({"name": "x"})).await.status, 405);
    let other = app.tenant().await;
    assert_eq!(other.boss.get("/api/v1/car/connectors").await.ok()["total"], 0);
}

async fn hashes(app: &TestApp, charger: Uuid) -> Vec<String> {
    let hashes = charger_states::table.find(charger).select(charger_states::password_hashes);
    hashes.first(&mut app.conn().await).await.unwrap()
}

#[tokio::test]
async fn a_password_is_kept_as_hashes_and_never_shown() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let path = format!("/api/v1/car/chargers/{}", site.charger);
    let set = async |body: Value| tenant.boss.post(&format!("{path}/set-password"), body).await;
    let open = async || tenant.boss.get("/api/v1/car/chargers?access=open").await.ok()["total"].clone();
    assert_eq!(open().await, 1, "one that was there before passwords is shown as a risk");
    assert_eq!(set(json!({"password": "short"})).await.fields(), [("password", "range")]);
    assert_eq!(set(json!({"password": "long enough", "open": true})).await.fields(), [("open", "choice")]);
    let answer = set(json!({"password": "00ff10abcd00112233445566778899aa"})).await;
    assert_eq!((&answer.json["access"], &answer.json["initial_password"]), (&json!("password"), &Value::Null));
    assert!(!String::from_utf8(answer.bytes).unwrap().contains("00ff10"));
    assert_eq!(hashes(&app, site.charger).await, password_hashes("00ff10abcd00112233445566778899aa"));
    let audit: (Option<Value>, Option<Value>) = schema::audits::table
        .filter(schema::audits::action.eq("set-password"))
        .select((schema::audits::before, schema::audits::after))
        .first(&mut app.conn().await)
        .await
        .unwrap();
    assert_eq!((&audit.0.unwrap()["access"], &audit.1.unwrap()["access"]), (&json!("open"), &json!("password")));
    assert_eq!(open().await, 0);
    let made_up = set(json!({"password": ""})).await.ok();
    assert_eq!(hashes(&app, site.charger).await, password_hashes(made_up["initial_password"].as_str().unwrap()));
    // Staff may do without, and sees the risk.
    let answer = set(json!({"open": true})).await.ok();
    assert_eq!((&answer["access"], &answer["initial_password"]), (&json!("open"), &Value::Null));
    assert_eq!(open().await, 1);
}

#[tokio::test]
async fn disabling_a_charger_tells_of_its_running_orders_alone() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let (site, other) = (app.site(&tenant).await, app.site(&tenant).await);
    let (running, _ended, _elsewhere) =
        (app.placed(&tenant, &site).await, app.placed(&tenant, &site).await, app.placed(&tenant, &other).await);
    let row = diesel::update(car_orders::table.find(running.order));
    row.set(car_orders::state.eq("charging")).execute(&mut app.conn().await).await.unwrap();
    let impact = tenant.boss.get(&format!("/api/v1/car/chargers/{}/impact", site.charger)).await.ok();
    assert_eq!(
        impact,
        json!({"running_orders": 1, "reservations": 0, "stations": 0, "chargers": 0, "users": 0, "cards": 0})
    );
}

#[tokio::test]
async fn connectors_that_were_used_stay_with_their_charger() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let path = format!("/api/v1/car/chargers/{}", site.charger);
    let mut form = charger_form(&site, &site.serial_no, 1);
    let fewer = async |form: &mut Value| {
        form["version"] = tenant.boss.get(&path).await.ok()["version"].clone();
        tenant.boss.put(&path, form.clone()).await
    };
    let order = app.placed(&tenant, &site).await;
    let mut conn = app.conn().await;
    let row = diesel::update(car_orders::table.find(order.order));
    row.set(car_orders::connector_id.eq(site.connectors[1])).execute(&mut conn).await.unwrap();
    let refused = fewer(&mut form).await;
    assert_eq!(refused.fields(), [("connectors", "in_use")]);
    assert!(refused.json["errors"][0]["message"].as_str().unwrap().contains("已有充电订单"), "{:?}", refused.json);
    let row = diesel::update(car_orders::table.find(order.order));
    row.set(car_orders::connector_id.eq(site.connectors[0])).execute(&mut conn).await.unwrap();
    assert_eq!(fewer(&mut form).await.ok()["connectors"]["total"], 1);
    let left = connectors::table.filter(connectors::charger_id.eq(site.charger)).select(connectors::id);
    assert_eq!(left.load::<Uuid>(&mut conn).await.unwrap(), [site.connectors[0]]);
    form["connectors"] = json!(2);
    assert_eq!(fewer(&mut form).await.ok()["connectors"]["total"], 2, "and it can have more again");
}

#[tokio::test]
async fn a_connector_has_a_qr_code_that_leads_to_it() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let path = format!("/api/v1/car/connectors/{}", site.connectors[0]);
    let picture = tenant.boss.get(&format!("{path}/qr.svg")).await;
    assert_eq!((picture.status, picture.headers["content-type"].to_str().unwrap()), (200, "image/svg+xml"));
    let svg = String::from_utf8(picture.bytes).unwrap();
    assert!(svg.contains("<svg") && svg.contains("<path"), "{svg}");
    let theirs = app.tenant().await;
    assert_eq!(theirs.boss.get(&format!("{path}/qr.svg")).await.status, 404);

    let code = tenant.boss.get(&path).await.ok()["code"].as_str().unwrap().to_owned();
    let guest = app.guest();
    let page = guest.get(&format!("/q/{code}")).await;
    let html = String::from_utf8(page.bytes).unwrap();
    assert_eq!((page.status, html.contains(&code), html.contains("小程序")), (200, true, true), "{html}");
    assert_eq!(guest.get("/q/%3Cscript%3E").await.status, 404, "nothing of strangers is shown");
}
