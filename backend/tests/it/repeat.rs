//! Whatever is asked for under a key is done once, however often it is asked, and whatever happened to the answer.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::join_all;
use rand::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use shared::user::UserKind;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::app::{Answer, Client, KEY, Tenant, TestApp};
use crate::channel::Mood;
use crate::payment::{World, eventually};

const COLLECTIVES: &str = "/api/v1/members/collectives";

/// A collective, and somebody who recharges its account.
struct Account {
    app: TestApp,
    tenant: Tenant,
    id: Uuid,
}

impl Account {
    async fn new() -> Self {
        Self::with_connections(6).await
    }

    async fn with_connections(connections: usize) -> Self {
        let app = TestApp::with(|it| it.database.connections = connections).await;
        let tenant = app.tenant().await;
        let id = crate::card::collective(&app, &tenant).await;
        Self { app, tenant, id }
    }

    fn path(&self) -> String {
        format!("{COLLECTIVES}/{}/recharge", self.id)
    }

    async fn recharge(&self, fen: i64, key: &str) -> Answer {
        self.tenant.keeper.post_keyed(&self.path(), &json!({"amount_fen": fen}), key).await
    }

    /// Asks until it was done, as a client does that got no answer, or was told to come later.
    async fn insist(&self, fen: i64, key: &str) {
        for _ in 0..100 {
            match self.recharge(fen, key).await.status {
                200 => return,
                409 | 429 | 503 => tokio::time::sleep(Duration::from_millis(50)).await,
                status => panic!("{status}"),
            }
        }
        panic!("never done");
    }

    async fn balance(&self) -> i64 {
        let row = self.tenant.keeper.get(&format!("{COLLECTIVES}/{}", self.id)).await.ok();
        row["balance_fen"].as_i64().unwrap()
    }

    /// Writes the request of a recharge to a socket of its own.
    async fn begin(&self, fen: i64, key: &str) -> TcpStream {
        let body = json!({"amount_fen": fen}).to_string();
        let request = format!(
            "POST {} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n{KEY}: {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.path(),
            self.tenant.keeper.token,
            body.len()
        );
        let mut socket = TcpStream::connect(self.app.url.strip_prefix("http://").unwrap()).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        socket
    }

    async fn right(&self) {
        assert_eq!(backend::verify::run(&self.app.app).await.unwrap(), Vec::<String>::new());
    }
}

/// A connection that holds locks until it is dropped.
pub async fn holding(app: &TestApp, sql: &str) -> AsyncPgConnection {
    let mut conn = backend::db::connect(&app.app.database_url).await.unwrap();
    conn.batch_execute(&format!("begin; {sql}")).await.unwrap();
    conn
}

#[derive(QueryableByName)]
struct Waiting {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Waits until so many connections of the server wait for a lock.
pub async fn until_waiting(app: &TestApp, wanted: i64) {
    eventually("somebody waits for the lock", async || {
        let sql =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        let waiting: Waiting = diesel::sql_query(sql).get_result(&mut app.conn().await).await.unwrap();
        waiting.count >= wanted
    })
    .await;
}

#[tokio::test]
async fn what_moves_money_or_hardware_needs_a_key() {
    let world = World::new().await;
    let document = world.app.guest().get("/api/openapi.json").await.ok();
    let mut keyed = vec![];
    for (path, methods) in document["paths"].as_object().unwrap() {
        let Some(operation) = methods.get("post") else { continue };
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(key) = parameters.iter().find(|it| it["name"] == "Idempotency-Key") else { continue };
        assert_eq!((&key["in"], &key["required"]), (&json!("header"), &json!(true)), "{path}");
        keyed.push(operation["operationId"].as_str().unwrap());
        let permission = operation.pointer("/security/0/staff/0").and_then(Value::as_str);
        let may = |kind| permission.is_some_and(|it| shared::permission::codes_for(kind).contains(&it.to_owned()));
        let client = match permission {
            None => &world.driver,
            Some(_) if may(UserKind::Property) => &world.tenant.keeper,
            Some(_) => &world.tenant.boss,
        };
        let path = path.replace("{id}", &Uuid::now_v7().to_string());
        let answer = client.send_plain(Method::POST, &path, Some(b"{}".to_vec()), &[]).await;
        assert_eq!(answer.fields(), [("Idempotency-Key", "idempotency_key_required")], "{path}");
        for wrong in [String::new(), "x".repeat(256)] {
            let answer = client.send_plain(Method::POST, &path, Some(b"{}".to_vec()), &[(KEY, &wrong)]).await;
            assert_eq!(answer.fields(), [("Idempotency-Key", "format")], "{path}");
        }
    }
    keyed.sort_unstable();
    let wanted = [
        "cancelMyReservation",
        "createCard",
        "disableCarCharger",
        "disableCarConnector",
        "enableCarCharger",
        "enableCarConnector",
        "endCarOrder",
        "endReservation",
        "invoiceCarOrder",
        "payMyOrder",
        "rebootCarCharger",
        "rechargeCard",
        "rechargeCollective",
        "refreshCarCharger",
        "refundCarOrder",
        "reissueInvoice",
        "requestMyInvoice",
        "reserveConnector",
        "retryRefund",
        "setPasswordCarCharger",
        "startOrder",
        "stopMyOrder",
        "syncClockCarCharger",
        "unlockCarCharger",
        "voidInvoice",
    ];
    assert_eq!(keyed, wanted);
}

#[tokio::test]
async fn a_repeat_gets_the_first_answer_and_what_was_refused_may_be_asked_again() {
    let account = Account::new().await;
    let first = account.recharge(100, "one").await;
    account.recharge(5, "two").await.ok();
    let again = account.recharge(100, "one").await;
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert!(!first.headers.contains_key("idempotent-replayed"));
    assert_eq!((first.status, &first.bytes), (again.status, &again.bytes));
    assert_eq!(account.recharge(101, "one").await.fields(), [("Idempotency-Key", "reused")]);
    assert_eq!(account.recharge(0, "three").await.status, 422);
    account.recharge(7, "three").await.ok();
    // Another's key is another key.
    let path = account.path();
    account.tenant.boss.post_keyed(&path, &json!({"amount_fen": 100}), "one").await.ok();
    assert_eq!(account.balance().await, 212);
    account.right().await;
}

#[tokio::test]
async fn of_equal_requests_at_once_one_is_done() {
    let account = Account::new().await;
    let answers = join_all((0..40).map(|_| account.recharge(100, "one"))).await;
    let (done, later): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
    assert!(!done.is_empty());
    assert!(later.iter().all(|it| matches!(it.refused(), (409, "still_running") | (429, "limited"))), "{later:?}");
    assert_eq!(account.balance().await, 100);
}

#[tokio::test]
async fn a_key_that_is_at_work_is_refused_at_once() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let product = crate::card::product(&app, &tenant, "person").await;
    let form = json!({"issued_to": "person", "product_id": product, "phone": "13700000001", "holder": "林晓",
        "card_no": "8800001"});
    let issue = || tenant.keeper.post_keyed("/api/v1/members/cards", &form, "one");
    let lock = holding(&app, "select from card_products for update").await;
    let first = async {
        let answer = issue().await;
        (answer.status, answer.json["id"].clone())
    };
    let second = async {
        until_waiting(&app, 1).await;
        let answer = issue().await;
        assert_eq!((answer.refused(), &answer.headers["retry-after"]), ((409, "still_running"), &"1".parse().unwrap()));
        drop(lock);
    };
    let ((status, id), ()) = tokio::join!(first, second);
    assert_eq!(status, 201);
    let again = issue().await;
    assert_eq!((again.status, &again.json["id"]), (201, &id));
    assert!(again.headers.contains_key("idempotent-replayed"));
}

#[tokio::test]
async fn a_handler_outlives_its_client() {
    let account = Account::new().await;
    let lock = holding(&account.app, "select from collectives for update").await;
    let socket = account.begin(100, "one").await;
    until_waiting(&account.app, 1).await;
    drop(socket);
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(lock);
    eventually("it is done without its client", async || account.balance().await == 100).await;
    assert!(account.recharge(100, "one").await.headers.contains_key("idempotent-replayed"));
    assert_eq!(account.balance().await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_hang_up_and_repeat_move_money_once() {
    let account = Account::new().await;
    let mut sum = 0;
    for round in 0..10 {
        let asked: Vec<(i64, String)> = (0..8).map(|n| (1 << n, format!("{round}-{n}"))).collect();
        join_all(asked.iter().map(async |(fen, key)| {
            let socket = account.begin(*fen, key).await;
            tokio::time::sleep(Duration::from_micros(rand::rng().random_range(0..30_000))).await;
            drop(socket);
        }))
        .await;
        for (fen, key) in &asked {
            account.insist(*fen, key).await;
            sum += fen;
        }
        assert_eq!(account.balance().await, sum, "round {round}");
    }
    account.right().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_that_is_exhausted_moves_money_once() {
    let account = Account::with_connections(2).await;
    let fen = |n: usize| i64::try_from(n).unwrap() + 1;
    let asked = (0..40).map(async |n| (n, account.recharge(fen(n), &n.to_string()).await.status));
    let answers = join_all(asked).await;
    let done: i64 = answers.iter().filter(|it| it.1 == 200).map(|it| fen(it.0)).sum();
    assert_eq!(account.balance().await, done, "what was not answered was not done");
    for n in 0..40 {
        account.insist(fen(n), &n.to_string()).await;
    }
    assert_eq!(account.balance().await, (1..=40).sum::<i64>());
    account.right().await;
}

#[tokio::test]
async fn a_large_answer_is_given_again() {
    let world = World::new().await;
    let order = world.charged(5000).await;
    diesel::sql_query(
        "insert into order_events (order_id, kind, detail, actor) \
         select $1, 'stop_asked', jsonb_build_object('words', repeat('电', 1000)), 'system' from generate_series(1, 100)",
    )
    .bind::<diesel::sql_types::Uuid, _>(order.order)
    .execute(&mut world.app.conn().await)
    .await
    .unwrap();
    let path = format!("/api/v1/orders/car/{}/refund", order.order);
    let refund = || world.tenant.boss.post_keyed(&path, &REFUND, "one");
    let (first, again) = (refund().await, refund().await);
    assert_eq!((first.status, again.status), (200, 200), "{}", first.json);
    assert!(first.bytes.len() > 64 << 10, "{}", first.bytes.len());
    assert_eq!(first.bytes, again.bytes);
    assert_eq!(world.refunds(order.order).await.len(), 2, "what was not used, and what staff gave back");
}

static REFUND: std::sync::LazyLock<Value> =
    std::sync::LazyLock::new(|| json!({"amount_fen": 100, "reason": "充电中途断电"}));

async fn forget(app: &TestApp) {
    diesel::sql_query("delete from idempotency_keys").execute(&mut app.conn().await).await.unwrap();
}

#[tokio::test]
async fn money_is_not_moved_again_when_its_key_was_thrown_away() {
    let world = World::new().await;
    let collective = crate::card::collective(&world.app, &world.tenant).await;
    let recharge = format!("{COLLECTIVES}/{collective}/recharge");
    let order = world.charged(5000).await;
    let refund = format!("/api/v1/orders/car/{}/refund", order.order);
    let (keeper, boss): (&Client, &Client) = (&world.tenant.keeper, &world.tenant.boss);
    keeper.post_keyed(&recharge, &json!({"amount_fen": 100}), "one").await.ok();
    boss.post_keyed(&refund, &REFUND, "one").await.ok();
    forget(&world.app).await;
    assert_eq!(keeper.post_keyed(&recharge, &json!({"amount_fen": 100}), "one").await.refused(), (409, "already_done"));
    assert_eq!(boss.post_keyed(&refund, &REFUND, "one").await.refused(), (409, "already_done"));
    assert_eq!(keeper.get(&format!("{COLLECTIVES}/{collective}")).await.ok()["balance_fen"], 100);
    assert_eq!(world.refunds(order.order).await.len(), 2);
    assert_eq!(world.verified().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_any_more_does_not_have_it_done_again() {
    let account = Account::new().await;
    account.recharge(100, "one").await.ok();
    let unreadable = "update idempotency_keys set answer = ''";
    diesel::sql_query(unreadable).execute(&mut account.app.conn().await).await.unwrap();
    assert_eq!(account.recharge(100, "one").await.refused(), (409, "already_done"));
    assert_eq!(account.balance().await, 100);
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    what: String,
}

/// Each of the driver's operations, repeated, did one thing.
#[tokio::test]
async fn a_driver_that_repeats_has_one_order_and_one_payment() {
    let world = World::new().await;
    let form = json!({"connector_id": world.site.connectors[0], "prepaid_fen": 5000, "start_method": "scan"});
    let start = || world.driver.post_keyed("/api/app/v1/orders", &form, "start");
    let (first, again) = (start().await.ok(), start().await);
    assert!(again.headers.contains_key("idempotent-replayed"));
    assert_eq!((again.status, &again.json["order"]["id"]), (201, &first["order"]["id"]));
    assert_eq!(again.json["payment"]["payment_no"], first["payment"]["payment_no"]);
    let path = format!("/api/app/v1/orders/{}", first["order"]["id"].as_str().unwrap());
    for replayed in [false, true] {
        let answer = world.driver.post_keyed(&format!("{path}/pay"), &json!({}), "pay").await;
        assert_eq!((answer.status, answer.headers.contains_key("idempotent-replayed")), (200, replayed));
        assert_eq!(answer.json["payment"]["payment_no"], first["payment"]["payment_no"]);
    }
    assert_eq!(made(&world).await, "1 1");
}

/// What a channel refused is refused to whoever repeats it, too, and is not asked of the channel again.
#[tokio::test]
async fn a_refused_payment_stays_refused_under_its_key() {
    let world = World::new().await;
    let form = json!({"connector_id": world.site.connectors[0], "prepaid_fen": 5000, "start_method": "scan"});
    let start = || world.driver.post_keyed("/api/app/v1/orders", &form, "start");
    world.channel.set(Mood::Refuses);
    assert_eq!(start().await.refused(), (503, "payment_refused"));
    world.channel.set(Mood::Fine);
    assert_eq!(start().await.refused(), (503, "payment_refused"));
    assert_eq!(made(&world).await, "1 1");
    world.driver.post_keyed("/api/app/v1/orders", &form, "another").await.ok();
    assert_eq!(made(&world).await, "2 2");
}

/// How many orders and payments there are.
async fn made(world: &World) -> String {
    let made = "select format('%s %s', (select count(*) from car_orders), (select count(*) from payments)) as what";
    let made: Named = diesel::sql_query(made).get_result(&mut world.app.conn().await).await.unwrap();
    made.what
}
