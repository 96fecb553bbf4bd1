//! Electric cards: products, issuing, recharging, and what the ledger says of it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Client, Tenant, TestApp};

const PRODUCTS: &str = "/api/v1/members/card-products";
const CARDS: &str = "/api/v1/members/cards";
const COLLECTIVES: &str = "/api/v1/members/collectives";

/// A product of a tenant's property: 500.00 for 450.00, and 5.00 on top of each recharge of 100.00 or more.
pub async fn product(app: &TestApp, of: &Tenant, issued_to: &str) -> Uuid {
    let form = product_form(of, &format!("充电卡{}", app.next()), issued_to);
    of.keeper.post(PRODUCTS, form).await.id()
}

fn product_form(of: &Tenant, name: &str, issued_to: &str) -> Value {
    json!({"provider_id": of.provider, "property_id": of.property, "name": name, "kind": "physical", "issued_to": issued_to,
        "price_fen": 45_000, "face_fen": 50_000, "tiers": [{"min_fen": 10_000, "bonus_fen": 500}]})
}

/// A card that was sold at the counter of a tenant's property.
pub async fn issued(app: &TestApp, of: &Tenant) -> Uuid {
    let product = product(app, of, "person").await;
    of.keeper.post(CARDS, card_form(app, product)).await.id()
}

fn card_form(app: &TestApp, product: Uuid) -> Value {
    let n = app.next();
    json!({"issued_to": "person", "product_id": product, "phone": format!("137{n:08}"), "holder": "林晓",
        "card_no": format!("88{n:06}")})
}

/// A collective with 1000.00 in its account, and a card that it paid for.
pub async fn issued_to_collective(app: &TestApp, of: &Tenant) -> (Uuid, Uuid) {
    let collective = collective(app, of).await;
    recharge(&of.keeper, COLLECTIVES, collective, 100_000).await;
    let card = company_card(app, product(app, of, "collective").await, collective);
    (collective, of.keeper.post(CARDS, card).await.id())
}

pub async fn collective(app: &TestApp, of: &Tenant) -> Uuid {
    let name = format!("车队{}", app.next());
    let form = json!({"property_id": of.property, "name": name, "contact": "周洁", "phone": "13900000009"});
    of.keeper.post(COLLECTIVES, form).await.id()
}

fn company_card(app: &TestApp, product: Uuid, collective: Uuid) -> Value {
    let mut form = card_form(app, product);
    form["issued_to"] = json!("collective");
    form["collective_id"] = json!(collective);
    form
}

async fn recharge(by: &Client, path: &str, id: Uuid, fen: i64) -> Value {
    by.post(&format!("{path}/{id}/recharge"), json!({"amount_fen": fen})).await.ok()
}

fn money(row: &Value) -> [i64; 3] {
    ["balance_fen", "principal_fen", "bonus_fen"].map(|it| row[it].as_i64().unwrap())
}

async fn right(app: &TestApp) {
    assert_eq!(backend::verify::run(&app.app).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_card_product_is_made_found_changed_and_switched() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let (site, foreign) = (app.site(&mine).await, app.site(&theirs).await);
    let bikes = app.bike_station(&mine).await;
    let mut form = product_form(&mine, "滨江充电卡", "person");
    form["car_station_ids"] = json!([site.station]);
    form["bike_station_ids"] = json!([bikes]);
    let made = mine.keeper.post(PRODUCTS, form.clone()).await;
    let path = format!("{PRODUCTS}/{}", made.id());
    let stations = ["car_station_ids", "bike_station_ids"].map(|it| made.json[it].clone());
    assert_eq!(stations, [json!([site.station]), json!([bikes])]);
    assert_eq!(mine.keeper.post(PRODUCTS, form.clone()).await.fields(), [("name", "taken")]);

    form["version"] = json!(1);
    for (field, value, code) in [
        ("car_station_ids", json!([foreign.station]), "choice"),
        ("bike_station_ids", json!([site.station]), "choice"),
        ("price_fen", json!(-1), "range"),
        ("face_fen", json!(0), "range"),
        ("tiers", json!([{"min_fen": 2, "bonus_fen": 1}, {"min_fen": 2, "bonus_fen": 1}]), "order"),
        ("property_id", json!(theirs.property), "fixed"),
    ] {
        let mut form = form.clone();
        form[field] = value;
        assert_eq!(mine.keeper.put(&path, form).await.fields(), [(field, code)]);
    }
    form["name"] = json!("滨江会员卡");
    form["kind"] = json!("virtual");
    form["bike_station_ids"] = json!([]);
    let changed = mine.keeper.put(&path, form).await.ok();
    assert_eq!((&changed["name"], &changed["bike_station_ids"]), (&json!("滨江会员卡"), &json!([])));
    for (search, found) in
        [("kind=virtual", 1), ("kind=physical", 0), ("issued_to=person&enabled=true", 1), ("issued_to=collective", 0)]
    {
        assert_eq!(mine.boss.get(&format!("{PRODUCTS}?{search}")).await.ok()["total"], found, "{search}");
    }
    let card = json!({"issued_to": "person", "product_id": made.id(), "phone": "13700000001", "holder": "林晓"});
    mine.keeper.post(&format!("{path}/disable"), json!({})).await.ok();
    assert_eq!(mine.keeper.post(CARDS, card.clone()).await.fields(), [("product_id", "disabled")]);
    mine.keeper.post(&format!("{path}/enable"), json!({})).await.ok();
    assert_eq!(mine.keeper.post(CARDS, card).await.status, 201);
    assert_eq!(theirs.boss.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_card_is_issued_at_the_counter_and_recharged() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let product = product(&app, &tenant, "person").await;
    let mut form = card_form(&app, product);
    form["phone"] = json!("13700000007");
    form["valid_days"] = json!(30);
    // Properties alone issue cards.
    assert_eq!(tenant.boss.post(CARDS, form.clone()).await.status, 403);
    let made = tenant.keeper.post(CARDS, form.clone()).await;
    let path = format!("{CARDS}/{}", made.id());
    assert_eq!(money(&made.json), [50_000, 45_000, 5000]);
    assert!(made.json["expires_on"].is_string() && made.json["code"].as_str().unwrap().starts_with('K'));
    assert_eq!(tenant.keeper.post(CARDS, form.clone()).await.fields(), [("card_no", "taken")]);
    // Sent again under the same key it is issued once.
    form["card_no"] = json!("8899");
    let key = [("idempotency-key", "card-1")];
    let body = || Some(form.to_string().into_bytes());
    let [first, again] = [
        tenant.keeper.send(reqwest::Method::POST, CARDS, body(), &key).await,
        tenant.keeper.send(reqwest::Method::POST, CARDS, body(), &key).await,
    ];
    assert_eq!((first.id(), again.status), (again.id(), 201));
    // The driver is known from the first card on, and holds both.
    let page = tenant.boss.get(&format!("{CARDS}?phone=13700000007")).await.ok();
    assert_eq!(page["total"], 2);
    assert_eq!(page["items"][0]["driver_id"], page["items"][1]["driver_id"]);

    assert_eq!(money(&recharge(&tenant.keeper, CARDS, made.id(), 9999).await), [59_999, 54_999, 5000]);
    assert_eq!(money(&recharge(&tenant.boss, CARDS, made.id(), 10_000).await), [70_499, 64_999, 5500]);
    let movements = tenant.boss.get(&format!("{path}/movements")).await.ok();
    let told: Vec<Value> = movements["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| json!([it["kind"], it["principal_fen"], it["bonus_fen"]]))
        .collect();
    let expected =
        [json!(["card_recharge", 10_000, 500]), json!(["card_recharge", 9999, 0]), json!(["card_issue", 45_000, 5000])];
    assert_eq!(told, expected);
    let second = tenant.boss.get(&format!("{path}/movements?page=2&size=2")).await.ok();
    assert_eq!((second["items"].as_array().unwrap().len(), &second["total"]), (1, &json!(3)));

    tenant.keeper.post(&format!("{path}/disable"), json!({})).await.ok();
    let refused = tenant.keeper.post(&format!("{path}/recharge"), json!({"amount_fen": 1})).await;
    assert_eq!(refused.refused(), (409, "card_disabled"));
    right(&app).await;
}

#[tokio::test]
async fn the_numbers_of_a_card_can_be_changed_and_nothing_else() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let card = issued(&app, &tenant).await;
    let path = format!("{CARDS}/{card}");
    let row = tenant.keeper.get(&path).await.ok();
    let draft = |changes: Value| {
        let names = [
            "issued_to",
            "product_id",
            "collective_id",
            "phone",
            "holder",
            "card_no",
            "chip_uid",
            "valid_days",
            "version",
        ];
        let mut form: Value =
            names.into_iter().map(|it| (it.to_owned(), row[it].clone())).collect::<serde_json::Map<_, _>>().into();
        form.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        form
    };
    for (changes, wrong) in [
        (json!({"phone": "13700000099"}), ("phone", "fixed")),
        (json!({"holder": "别人"}), ("holder", "fixed")),
        (json!({"card_no": null}), ("card_no", "required")),
        (json!({"card_no": "12345678901234567"}), ("card_no", "too_long")),
        (json!({"chip_uid": "12345678901234567"}), ("chip_uid", "too_long")),
    ] {
        assert_eq!(tenant.keeper.put(&path, draft(changes)).await.fields(), [wrong]);
    }
    let changed = tenant.keeper.put(&path, draft(json!({"card_no": "8800777", "chip_uid": "04A1B2"}))).await.ok();
    assert_eq!((&changed["card_no"], &changed["chip_uid"]), (&json!("8800777"), &json!("04A1B2")));
    for number in ["8800777", "4a1b", changed["code"].as_str().unwrap()] {
        assert_eq!(tenant.boss.get(&format!("{CARDS}?number={number}")).await.ok()["total"], 1, "{number}");
    }
    assert_eq!(
        tenant.boss.get(&format!("{CARDS}?product=%E5%85%85%E7%94%B5&kind=physical&issued_to=person")).await.ok()["total"],
        1
    );
    assert_eq!(tenant.boss.get(&format!("{CARDS}?kind=virtual")).await.ok()["total"], 0);
}

#[tokio::test]
async fn a_collective_pays_out_of_its_account_and_no_more() {
    let app = TestApp::new().await;
    let (tenant, stranger) = (app.tenant().await, app.tenant().await);
    let collective = collective(&app, &tenant).await;
    let product = product(&app, &tenant, "collective").await;
    let issue = async |form: Value| tenant.keeper.post(CARDS, form).await;
    assert_eq!(issue(company_card(&app, product, collective)).await.fields(), [("collective_id", "insufficient")]);
    assert_eq!(recharge(&tenant.keeper, COLLECTIVES, collective, 100_000).await["balance_fen"], 100_000);

    let path = format!("{COLLECTIVES}/{collective}");
    tenant.keeper.post(&format!("{path}/lock"), json!({})).await.ok();
    assert_eq!(issue(company_card(&app, product, collective)).await.fields(), [("collective_id", "locked")]);
    tenant.keeper.post(&format!("{path}/unlock"), json!({})).await.ok();
    tenant.keeper.post(&format!("{path}/disable"), json!({})).await.ok();
    assert_eq!(issue(company_card(&app, product, collective)).await.refused(), (409, "collective_disabled"));
    tenant.keeper.post(&format!("{path}/enable"), json!({})).await.ok();
    let foreign = self::collective(&app, &stranger).await;
    assert_eq!(issue(company_card(&app, product, foreign)).await.fields(), [("collective_id", "choice")]);
    let mut personal = company_card(&app, product, collective);
    personal["issued_to"] = json!("person");
    assert_eq!(issue(personal).await.fields(), [("product_id", "choice")]);
    let mut nobody = company_card(&app, product, collective);
    nobody["collective_id"] = Value::Null;
    assert_eq!(issue(nobody).await.fields(), [("collective_id", "required")]);

    // Two at once, and money for two: a third of three is refused, however they meet.
    let cards = [(); 3].map(|()| issue(company_card(&app, product, collective)));
    let answers = futures_util::future::join_all(cards).await;
    let mut statuses: Vec<u16> = answers.iter().map(|it| it.status).collect();
    statuses.sort_unstable();
    assert!(matches!(statuses[..], [201, 201, 409 | 422]), "{answers:?}");
    assert_eq!(tenant.boss.get(&path).await.ok()["balance_fen"], 10_000);
    // A recharge of the card comes out of the account as well.
    let card = answers.iter().find(|it| it.status == 201).unwrap().id();
    assert_eq!(money(&recharge(&tenant.keeper, CARDS, card, 10_000).await), [60_500, 55_000, 5500]);
    let more = tenant.keeper.post(&format!("{CARDS}/{card}/recharge"), json!({"amount_fen": 1})).await;
    assert_eq!(more.refused(), (409, "insufficient"));
    tenant.keeper.post(&format!("{path}/lock"), json!({})).await.ok();
    let locked = tenant.keeper.post(&format!("{CARDS}/{card}/recharge"), json!({"amount_fen": 1})).await;
    assert_eq!(locked.refused(), (409, "account_locked"));
    assert_eq!(tenant.boss.get(&format!("{path}/impact")).await.ok()["cards"], 2);
    right(&app).await;
}

#[tokio::test]
async fn who_is_disabled_or_unknown_gets_no_card() {
    let app = TestApp::new().await;
    let (tenant, stranger) = (app.tenant().await, app.tenant().await);
    let foreign = product(&app, &stranger, "person").await;
    assert_eq!(tenant.keeper.post(CARDS, card_form(&app, foreign)).await.fields(), [("product_id", "choice")]);
    let own = product(&app, &tenant, "person").await;
    let mut form = card_form(&app, own);
    form["phone"] = json!("12345");
    form["valid_days"] = json!(0);
    assert_eq!(tenant.keeper.post(CARDS, form).await.fields(), [("phone", "format"), ("valid_days", "range")]);
    let mut form = card_form(&app, own);
    let card = tenant.keeper.post(CARDS, form.clone()).await;
    use diesel::prelude::*;
    use diesel_async::RunQueryDsl;
    let driver: Uuid = card.json["driver_id"].as_str().unwrap().parse().unwrap();
    let off = diesel::update(schema::drivers::table.find(driver)).set(schema::drivers::enabled.eq(false));
    off.execute(&mut app.conn().await).await.unwrap();
    form["card_no"] = json!("1");
    assert_eq!(tenant.keeper.post(CARDS, form.clone()).await.fields(), [("phone", "disabled")]);
    form["card_no"] = Value::Null;
    assert_eq!(tenant.keeper.post(CARDS, form).await.fields(), [("card_no", "required")]);
    assert_eq!(stranger.boss.get(CARDS).await.ok()["total"], 0);
    assert_eq!(app.admin.get(CARDS).await.ok()["total"], 1);
    right(&app).await;
}

#[tokio::test]
async fn members_and_their_cards_are_counted_on_the_first_page() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let product = product(&app, &mine, "person").await;
    // One holds two cards, another one.
    for (phone, card_no) in [("13700000001", "1"), ("13700000001", "2"), ("13700000002", "3")] {
        let mut form = card_form(&app, product);
        form["phone"] = json!(phone);
        form["card_no"] = json!(card_no);
        assert_eq!(mine.keeper.post(CARDS, form).await.status, 201);
    }
    issued(&app, &theirs).await;
    let counted = async |by: &Client| {
        let users = by.get("/api/v1/dashboard").await.ok()["users"].clone();
        ["members", "cards"].map(|it| users[it].as_i64().unwrap())
    };
    assert_eq!([counted(&mine.keeper).await, counted(&mine.boss).await], [[2, 3]; 2]);
    assert_eq!([counted(&theirs.boss).await, counted(&app.admin).await], [[1, 1], [3, 4]]);
}
