//! Reservations over HTTP, at a charger that speaks over a real socket.

use backend::app::new_id;
use backend::jobs::{Job, Outcome};
use backend::reservation::Expire;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{areas, car_orders, charger_states, chargers, connectors, device_commands, drivers, reservations};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::app::{Answer, Client, Site, Tenant, TestApp, driver};
use crate::crud::sheet_text;
use crate::gateway::Charger;
use crate::payment::{Unpaid, World, eventually};

const MINE: &str = "/api/app/v1/reservations";
const STAFF: &str = "/api/v1/orders/reservations";

/// A reservation of a tenant, written behind the API's back.
pub async fn reserved(app: &TestApp, of: &Tenant, site: &Site) -> Uuid {
    let [id, driver] = [(); 2].map(|()| new_id(Utc::now()));
    let phone = format!("134{:08}", app.next());
    let mut conn = app.conn().await;
    let person = (drivers::id.eq(driver), drivers::phone.eq(&phone));
    diesel::insert_into(drivers::table).values(person).execute(&mut conn).await.unwrap();
    let row = (
        reservations::id.eq(id),
        reservations::provider_id.eq(of.provider),
        reservations::property_id.eq(of.property),
        reservations::station_id.eq(site.station),
        reservations::area_id.eq(site.area),
        reservations::charger_id.eq(site.charger),
        reservations::connector_id.eq(site.connectors[0]),
        reservations::driver_id.eq(driver),
        reservations::phone.eq(&phone),
        reservations::plate.eq("浙A00001"),
        reservations::state.eq("cancelled"),
    );
    diesel::insert_into(reservations::table).values(row).execute(&mut conn).await.unwrap();
    id
}

/// A driver who may reserve.
async fn certified(app: &TestApp) -> Client {
    let client = driver(app).await;
    certify(app, &client).await;
    client
}

async fn certify(app: &TestApp, client: &Client) {
    let id = client.get("/api/app/v1/me").await.id();
    let plate = format!("浙A{:05}", app.next());
    let set = (drivers::certified.eq(true), drivers::plate.eq(plate));
    diesel::update(drivers::table.find(id)).set(set).execute(&mut app.conn().await).await.unwrap();
}

/// A world whose driver is certified, with a reservable charger that is connected and at which nothing is plugged in.
struct Hall {
    world: World,
    charger: Charger,
}

impl Hall {
    async fn new() -> Self {
        let world = World::new().await;
        certify(&world.app, &world.driver).await;
        let row = diesel::update(chargers::table.find(world.site.charger));
        row.set(chargers::reservable.eq(true)).execute(&mut world.app.conn().await).await.unwrap();
        let charger = Charger::connect(&world.app, &world.site.serial_no).await;
        let mut hall = Self { world, charger };
        for connector in 1..=2 {
            hall.says(connector, "Available").await;
        }
        hall
    }

    /// A connector, by its number, tells what it does.
    async fn says(&mut self, connector: i32, status: &str) {
        let told = json!({"connectorId": connector, "errorCode": "NoError", "status": status});
        self.charger.call("StatusNotification", told).await;
    }

    /// The charger is told something, and accepts it.
    async fn obeys(&mut self, action: &str) -> Value {
        self.answers(action, "Accepted").await
    }

    async fn answers(&mut self, action: &str, status: &str) -> Value {
        let (id, asked, payload) = self.charger.asked().await;
        assert_eq!(asked, action);
        self.charger.answer(&id, json!({"status": status})).await;
        payload
    }

    async fn ask(&self, by: &Client, connector: usize) -> Answer {
        by.post(MINE, json!({"connector_id": self.world.site.connectors[connector]})).await
    }

    /// The driver reserves the first connector, and the charger keeps it.
    async fn reserve(&mut self) -> Uuid {
        let id = self.ask(&self.world.driver, 0).await.id();
        self.obeys("ReserveNow").await;
        id
    }

    async fn seen(&self, id: Uuid) -> Value {
        self.world.tenant.boss.get(&format!("{STAFF}/{id}")).await.ok()
    }

    async fn state(&self, id: Uuid) -> String {
        self.seen(id).await["state"].as_str().unwrap().to_owned()
    }

    /// Why somebody cannot start at the first connector; empty when they can.
    async fn obstacle(&self, of: &Client) -> String {
        let found = of.get(&format!("/api/app/v1/chargers/by-code/{}", self.world.site.serial_no)).await.ok();
        found["charger"]["connectors"][0]["obstacle"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// What the charger was told in all.
    async fn commands(&self) -> Vec<String> {
        let told = device_commands::table.order(device_commands::id).select(device_commands::kind);
        told.load(&mut self.world.app.conn().await).await.unwrap()
    }

    async fn set_back(&self, id: Uuid, by: TimeDelta) {
        let row = diesel::update(reservations::table.find(id));
        row.set(reservations::created_at.eq(Utc::now() - by)).execute(&mut self.world.app.conn().await).await.unwrap();
    }

    /// The driver pays for an order at the first connector, and the charger begins it; gives the charge's number.
    async fn charges(&mut self) -> (Unpaid, Value) {
        let order = self.world.paid(5000).await;
        let started = self.obeys("RemoteStartTransaction").await;
        assert_eq!(started, json!({"connectorId": 1, "idTag": order.order_no}));
        let begin = json!({"connectorId": 1, "idTag": order.order_no, "meterStart": 1000, "timestamp": Utc::now()});
        let began = self.charger.call("StartTransaction", begin).await;
        assert_eq!(began["idTagInfo"]["status"], "Accepted");
        (order, began["transactionId"].clone())
    }

    async fn sound(&self) {
        assert_eq!(backend::verify::run(&self.world.app.app).await.unwrap(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_reserved_connector_waits_for_its_driver_until_the_car_leaves() {
    let mut hall = Hall::new().await;
    let stranger = certified(&hall.world.app).await;
    let made = hall.ask(&hall.world.driver, 0).await.ok();
    let (id, number) = (made["id"].as_str().unwrap().parse().unwrap(), made["reservation_no"].clone());
    assert_eq!((&made["state"], &made["entered_at"]), (&json!("reserved"), &Value::Null));
    let times = ["created_at", "expires_at"].map(|it| made[it].as_str().unwrap().parse::<DateTime<Utc>>().unwrap());
    assert_eq!(times[1] - times[0], TimeDelta::hours(2));
    let kept = hall.obeys("ReserveNow").await;
    let until: DateTime<Utc> = kept["expiryDate"].as_str().unwrap().parse().unwrap();
    assert!((times[1] - until).abs() <= TimeDelta::seconds(1), "{until}");
    assert_eq!((&kept["connectorId"], &kept["idTag"]), (&json!(1), &number));
    assert_eq!(json!(format!("R{}", kept["reservationId"])), number);

    // Nobody else has it, whether the charger shows it as reserved or not.
    let form = json!({"connector_id": hall.world.site.connectors[0], "prepaid_fen": 5000, "start_method": "scan"});
    for (status, to_driver) in [("Available", "connector_not_plugged"), ("Reserved", "")] {
        hall.says(1, status).await;
        assert_eq!(
            [hall.obstacle(&hall.world.driver).await, hall.obstacle(&stranger).await],
            [to_driver, "connector_reserved"]
        );
        let refused = stranger.post("/api/app/v1/orders", form.clone()).await;
        assert_eq!(refused.refused(), (409, "connector_reserved"));
        assert_eq!(hall.ask(&stranger, 0).await.refused(), (409, "connector_reserved"));
    }
    let near = stranger.get("/api/app/v1/stations?lng=120.2&lat=30.25").await.ok();
    assert_eq!(near[0]["free"], 1);

    hall.says(1, "Preparing").await;
    assert_eq!(hall.state(id).await, "occupying");
    assert_eq!(hall.obeys("CancelReservation").await, json!({"reservationId": kept["reservationId"]}));
    assert_eq!(stranger.post("/api/app/v1/orders", form).await.refused(), (409, "connector_reserved"));
    let (order, transaction) = hall.charges().await;
    let stop = json!({"transactionId": transaction, "meterStop": 1000, "timestamp": Utc::now()});
    hall.charger.call("StopTransaction", stop).await;
    hall.says(1, "Finishing").await;
    assert_eq!(hall.state(id).await, "occupying");
    hall.says(1, "Available").await;
    assert_eq!(hall.commands().await, ["reserve", "cancel_reservation", "start"]);

    let boss = &hall.world.tenant.boss;
    let shown = boss.get(&format!("/api/v1/orders/car/{}", order.order)).await.ok();
    assert_eq!((&shown["order_kind"], &shown["reservation_no"]), (&json!("reserved"), &number));
    let plain = hall.world.app.placed(&hall.world.tenant, &hall.world.site).await.order;
    for (search, found) in [
        ("kind=reserved".to_owned(), order.order),
        ("kind=plain".to_owned(), plain),
        (format!("reservation_no={}", number.as_str().unwrap().to_lowercase()), order.order),
    ] {
        let page = boss.get(&format!("/api/v1/orders/car?{search}")).await.ok();
        assert_eq!((&page["total"], &page["items"][0]["id"]), (&json!(1), &json!(found)), "{search}");
    }
    assert_eq!(boss.get("/api/v1/orders/car?reservation_no=R1").await.ok()["total"], 0);

    // An hour there, half of which was charged.
    let now = Utc::now();
    let ago = |minutes| now - TimeDelta::minutes(minutes);
    let mut conn = hall.world.app.conn().await;
    let stay =
        (reservations::entered_at.eq(ago(60)), reservations::left_at.eq(now), reservations::created_at.eq(ago(90)));
    diesel::update(reservations::table.find(id)).set(stay).execute(&mut conn).await.unwrap();
    let charge = (car_orders::started_at.eq(ago(50)), car_orders::ended_at.eq(ago(20)));
    diesel::update(car_orders::table.find(order.order)).set(charge).execute(&mut conn).await.unwrap();
    let ended = hall.seen(id).await;
    assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("completed"), &json!("left")));
    assert_eq!((&ended["occupied_seconds"], &ended["orders"][0]["id"]), (&json!(1800), &json!(order.order)));
    let own = hall.world.driver.get(&format!("{MINE}/{id}")).await.ok();
    assert_eq!((&own["state"], own["left_at"].is_string()), (&json!("completed"), true));
    assert_eq!(hall.ask(&stranger, 0).await.status, 201);
}

#[tokio::test]
async fn whoever_cannot_reserve_is_told_why() {
    let hall = Hall::new().await;
    let (app, site) = (&hall.world.app, &hall.world.site);
    let newcomer = driver(app).await;
    assert_eq!(hall.ask(&newcomer, 0).await.refused(), (409, "not_certified"));
    let me = drivers::table.find(newcomer.get("/api/app/v1/me").await.id());
    let mut conn = app.conn().await;
    diesel::update(me).set(drivers::certified.eq(true)).execute(&mut conn).await.unwrap();
    assert_eq!(hall.ask(&newcomer, 0).await.refused(), (409, "no_plate"));
    assert_eq!(newcomer.post(MINE, json!({})).await.fields(), [("connector_id", "required")]);
    let nowhere = json!({"connector_id": Uuid::now_v7()});
    assert_eq!(hall.world.driver.post(MINE, nowhere).await.status, 404);

    let charger = || diesel::update(chargers::table.find(site.charger));
    let connector = || diesel::update(connectors::table.find(site.connectors[0]));
    let state = || diesel::update(charger_states::table.find(site.charger));
    charger().set(chargers::reservable.eq(false)).execute(&mut conn).await.unwrap();
    assert_eq!(hall.ask(&hall.world.driver, 0).await.refused(), (409, "not_reservable"));
    charger().set(chargers::reservable.eq(true)).execute(&mut conn).await.unwrap();
    for (status, code) in
        [("preparing", "connector_busy"), ("faulted", "connector_faulted"), ("unknown", "connector_unknown")]
    {
        connector().set(connectors::status.eq(status)).execute(&mut conn).await.unwrap();
        assert_eq!(hall.ask(&hall.world.driver, 0).await.refused(), (409, code));
    }
    connector().set(connectors::status.eq("available")).execute(&mut conn).await.unwrap();
    let area = || diesel::update(areas::table.find(site.area));
    area().set(areas::enabled.eq(false)).execute(&mut conn).await.unwrap();
    assert_eq!(hall.ask(&hall.world.driver, 0).await.refused(), (409, "out_of_service"));
    area().set(areas::enabled.eq(true)).execute(&mut conn).await.unwrap();
    state().set(charger_states::online.eq(false)).execute(&mut conn).await.unwrap();
    assert_eq!(hall.ask(&hall.world.driver, 0).await.refused(), (409, "charger_offline"));
    state().set(charger_states::online.eq(true)).execute(&mut conn).await.unwrap();

    // Sent twice under one key it is made once.
    let form = json!({"connector_id": site.connectors[0]}).to_string().into_bytes();
    let key = [("idempotency-key", "one")];
    let send = || hall.world.driver.send(reqwest::Method::POST, MINE, Some(form.clone()), &key);
    assert_eq!(send().await.ok(), send().await.ok());
    assert_eq!(hall.ask(&hall.world.driver, 0).await.refused(), (409, "connector_reserved"));
    assert_eq!(hall.ask(&hall.world.driver, 1).await.refused(), (409, "already_reserved"));
    assert_eq!(hall.world.driver.get(MINE).await.ok()["total"], 1);
    hall.sound().await;
}

#[tokio::test]
async fn of_drivers_who_reserve_at_once_one_has_the_connector() {
    let hall = Hall::new().await;
    let mut rivals = vec![];
    for _ in 0..5 {
        rivals.push(certified(&hall.world.app).await);
    }
    let answers = futures_util::future::join_all(rivals.iter().map(|it| hall.ask(it, 0))).await;
    let mut codes: Vec<_> = answers.iter().map(Answer::refused).collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            (201, ""),
            (409, "connector_reserved"),
            (409, "connector_reserved"),
            (409, "connector_reserved"),
            (409, "connector_reserved")
        ]
    );
    hall.sound().await;
}

#[tokio::test]
async fn a_reservation_is_given_up_or_runs_out() {
    let mut hall = Hall::new().await;
    let stranger = certified(&hall.world.app).await;
    let id = hall.reserve().await;
    for path in [format!("{MINE}/{id}"), format!("{MINE}/{id}/cancel")] {
        let method = if path.ends_with("cancel") { reqwest::Method::POST } else { reqwest::Method::GET };
        assert_eq!(stranger.send(method, &path, None, &[]).await.status, 404, "{path}");
    }
    let cancel = format!("{MINE}/{id}/cancel");
    let cancelled = hall.world.driver.post(&cancel, json!({})).await.ok();
    assert_eq!((&cancelled["state"], cancelled["ended_at"].is_string()), (&json!("cancelled"), true));
    hall.obeys("CancelReservation").await;
    assert_eq!(hall.world.driver.post(&cancel, json!({})).await.refused(), (409, "reservation_state"));

    // A charger that cannot keep a connector changes nothing, and has nothing to let go of.
    let id = hall.ask(&hall.world.driver, 0).await.id();
    hall.answers("ReserveNow", "Rejected").await;
    eventually("the charger does not keep it", async || {
        let kept = reservations::table.find(id).select(reservations::held_by_charger);
        !kept.first::<bool>(&mut hall.world.app.conn().await).await.unwrap()
    })
    .await;
    assert_eq!(hall.ask(&stranger, 0).await.refused(), (409, "connector_reserved"));
    let expire = || Expire { reservation_id: id }.run(&hall.world.app.app);
    assert!(matches!(expire().await.unwrap(), Outcome::Again(at) if at > Utc::now() + TimeDelta::minutes(119)));
    hall.set_back(id, TimeDelta::seconds(2 * 3600 - 5)).await;
    assert!(matches!(expire().await.unwrap(), Outcome::Again(_)));
    assert_eq!(hall.state(id).await, "reserved");
    hall.set_back(id, TimeDelta::seconds(2 * 3600 + 1)).await;
    for _ in 0..2 {
        assert_eq!(expire().await.unwrap(), Outcome::Done);
        let ended = hall.seen(id).await;
        assert_eq!((&ended["state"], &ended["end_reason"]), (&json!("timed_out"), &json!("expired")));
        assert_eq!(ended["occupied_seconds"], Value::Null);
    }
    assert_eq!(hall.commands().await, ["reserve", "cancel_reservation", "reserve"]);

    // Whoever plugs in too late has lost it.
    let id = hall.reserve().await;
    hall.set_back(id, TimeDelta::seconds(2 * 3600 + 1)).await;
    hall.says(1, "Preparing").await;
    assert_eq!(hall.state(id).await, "timed_out");
    hall.sound().await;
}

#[tokio::test]
async fn an_order_waits_for_its_money_and_not_for_a_reservation() {
    let mut hall = Hall::new().await;
    hall.says(1, "Preparing").await;
    let unpaid = hall.world.order(5000).await;
    hall.says(1, "Available").await;
    let rival = certified(&hall.world.app).await;
    hall.ask(&rival, 0).await.ok();
    let notice = hall.world.channel.pay(&unpaid.payment_no);
    assert_eq!(hall.world.channel.tell(&hall.world.app.url, &notice).await, 200);
    eventually("the order ends", async || hall.world.order_state(unpaid.order).await == "cancelled").await;
    eventually("the money goes back", async || hall.world.refunds(unpaid.order).await.len() == 1).await;
    hall.sound().await;
}

#[tokio::test]
async fn a_charge_that_begins_where_the_charger_keeps_the_connector_enters() {
    let mut hall = Hall::new().await;
    let id = hall.reserve().await;
    // It tells nothing of the car before it knows who wants to charge.
    hall.says(1, "Reserved").await;
    let order = hall.world.paid(5000).await;
    hall.obeys("CancelReservation").await;
    hall.obeys("RemoteStartTransaction").await;
    assert_eq!(hall.state(id).await, "reserved");
    let begin = json!({"connectorId": 1, "idTag": order.order_no, "meterStart": 1000, "timestamp": Utc::now(),
        "reservationId": 7});
    assert_eq!(hall.charger.call("StartTransaction", begin).await["idTagInfo"]["status"], "Accepted");
    assert_eq!(hall.state(id).await, "occupying");
    assert_eq!(hall.commands().await, ["reserve", "cancel_reservation", "start"]);
    // Staff may end it; the charge goes on.
    let end = format!("{STAFF}/{id}/end");
    let ended = hall.world.tenant.boss.post(&end, json!({"note": "车位检修"})).await.ok();
    assert_eq!((&ended["state"], &ended["occupied_seconds"]), (&json!("completed"), &json!(0)));
    assert_eq!(hall.world.order_state(order.order).await, "charging");
    hall.sound().await;
}

#[tokio::test]
async fn staff_looks_through_reservations_and_ends_them() {
    let mut hall = Hall::new().await;
    let theirs = hall.world.app.tenant().await;
    let id = hall.reserve().await;
    let row = hall.seen(id).await;
    let boss = hall.world.tenant.boss.clone();
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let plate = text("plate").replace('浙', "%E6%B5%99").to_lowercase();
    for (search, found) in [
        (String::new(), 1),
        (format!("reservation_no={}", text("reservation_no").to_lowercase()), 1),
        ("reservation_no=R1".to_owned(), 0),
        (format!("phone={}", text("phone")), 1),
        ("phone=13000000000".to_owned(), 0),
        (format!("plate={}", plate.replace("%e6%b5%99", "%E6%B5%99")), 1),
        ("plate=X".to_owned(), 0),
        (format!("charger_code={}", text("charger_code")), 1),
        ("charger_code=X".to_owned(), 0),
        (format!("station_id={}", hall.world.site.station), 1),
        (format!("station_id={}", Uuid::now_v7()), 0),
        ("state=reserved".to_owned(), 1),
        ("state=completed".to_owned(), 0),
        ("created_from=2020-01-01&created_to=2099-01-01&sort=id".to_owned(), 1),
        ("created_to=2020-01-01".to_owned(), 0),
    ] {
        assert_eq!(boss.get(&format!("{STAFF}?{search}")).await.ok()["total"], found, "{search}");
        assert_eq!(theirs.boss.get(&format!("{STAFF}?{search}")).await.ok()["total"], 0, "{search}");
    }
    assert_eq!(boss.get(&format!("{STAFF}?bay=1")).await.fields(), [("bay", "unknown")]);
    let sheet = sheet_text(&boss.get(&format!("{STAFF}/export.xlsx")).await.bytes);
    assert!(sheet[1].contains(&text("reservation_no")), "{sheet:?}");

    let disabled = boss.get(&format!("/api/v1/car/chargers/{}/impact", hall.world.site.charger)).await.ok();
    assert_eq!(disabled["reservations"], 1, "whoever switches the charger off is told");
    let end = format!("{STAFF}/{id}/end");
    let note = || json!({"note": "电桩检修"});
    assert_eq!(theirs.boss.post(&end, note()).await.status, 404);
    assert_eq!(boss.post(&end, json!({})).await.fields(), [("note", "required")]);
    let ended = boss.post(&end, note()).await.ok();
    assert_eq!(
        (&ended["state"], &ended["end_reason"], &ended["end_note"]),
        (&json!("completed"), &json!("staff"), &json!("电桩检修"))
    );
    assert!(ended["ended_by"].as_str().is_some_and(|it| it.starts_with("用户")), "{ended}");
    hall.obeys("CancelReservation").await;
    assert_eq!(boss.post(&end, note()).await.refused(), (409, "reservation_state"));
    // The connector is free again.
    assert_eq!(hall.ask(&hall.world.driver, 0).await.status, 201);
    hall.sound().await;
}

/// The charger loses its line; what is left of the hall.
async fn loses_its_line(hall: Hall) -> World {
    let Hall { world, charger } = hall;
    charger.leave().await;
    eventually("it is away", async || {
        let online = charger_states::table.find(world.site.charger).select(charger_states::online);
        !online.first::<bool>(&mut world.app.conn().await).await.unwrap()
    })
    .await;
    world
}

async fn comes_back(world: World) -> Hall {
    let charger = Charger::connect(&world.app, &world.site.serial_no).await;
    Hall { world, charger }
}

#[tokio::test]
async fn a_reservation_that_is_given_up_while_the_charger_is_away_keeps_nobody_from_it() {
    let mut hall = Hall::new().await;
    let stranger = certified(&hall.world.app).await;
    let id = hall.reserve().await;
    hall.says(1, "Reserved").await;
    let world = loses_its_line(hall).await;
    world.driver.post(&format!("{MINE}/{id}/cancel"), json!({})).await.ok();
    // It is told however long it was away, as long as it remembers.
    let deadline = device_commands::table.order(device_commands::id.desc()).select(device_commands::deadline);
    let deadline: DateTime<Utc> = deadline.first(&mut world.app.conn().await).await.unwrap();
    assert!(deadline > Utc::now() + TimeDelta::minutes(119), "{deadline}");
    let mut hall = comes_back(world).await;
    let number = hall.obeys("CancelReservation").await["reservationId"].clone();

    // That may have been lost as well: whatever a charger shows as reserved for nobody is nobody's.
    hall.says(1, "Reserved").await;
    assert_eq!(hall.obeys("CancelReservation").await["reservationId"], number);
    hall.says(1, "Reserved").await;
    assert_eq!(hall.obstacle(&stranger).await, "");
    let order = hall.world.paid(5000).await;
    assert_eq!(hall.obeys("CancelReservation").await["reservationId"], number);
    let started = hall.obeys("RemoteStartTransaction").await;
    assert_eq!(started["idTag"], order.order_no);
    hall.sound().await;
}

#[tokio::test]
async fn a_new_reservation_takes_the_place_of_one_that_the_charger_still_shows() {
    let mut hall = Hall::new().await;
    let stranger = certified(&hall.world.app).await;
    let id = hall.reserve().await;
    hall.says(1, "Reserved").await;
    hall.world.driver.post(&format!("{MINE}/{id}/cancel"), json!({})).await.ok();
    hall.answers("CancelReservation", "Rejected").await;
    eventually("the refusal is written down", async || {
        let refused = device_commands::table.filter(device_commands::state.eq("refused"));
        refused.count().get_result::<i64>(&mut hall.world.app.conn().await).await.unwrap() == 1
    })
    .await;
    assert_eq!(hall.ask(&stranger, 0).await.status, 201);
    hall.obeys("CancelReservation").await;
    hall.obeys("ReserveNow").await;
    hall.sound().await;
}
