//! Nobody keeps the server from anybody else: neither who sends slowly, nor who wants too much of one row.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::app::{Client, PASSWORD, TestApp, driver};
use crate::payment::World;
use crate::repeat::{holding, until_waiting};

/// Half a body from an address, as a proxy tells it.
async fn half(app: &TestApp, path: &str, from: &str, token: &str) -> TcpStream {
    let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {from}\r\n{authorization}\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{\"username\":"
    );
    let mut socket = TcpStream::connect(app.url.strip_prefix("http://").unwrap()).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    socket
}

/// The status that is answered to what somebody sends byte by byte.
async fn answered(mut socket: TcpStream) -> u16 {
    let mut answer = vec![];
    let mut buffer = [0; 1024];
    loop {
        tokio::select! {
            read = socket.read(&mut buffer) => match read {
                Ok(count @ 1..) => answer.extend_from_slice(&buffer[..count]),
                Ok(0) | Err(_) => break,
            },
            () = tokio::time::sleep(Duration::from_millis(300)) => {
                if socket.write_all(b" ").await.is_err() && !answer.is_empty() {
                    break;
                }
            }
        }
        // The head is all that matters.
        if answer.windows(4).any(|it| it == b"\r\n\r\n") {
            break;
        }
    }
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default()
}

async fn everybody_else_is_served(app: &TestApp) {
    let login = json!({"username": "admin", "password": PASSWORD});
    for _ in 0..3 {
        assert_eq!(app.guest().get("/readyz").await.status, 200);
        assert_eq!(app.admin.get("/api/v1/car/stations").await.status, 200);
        assert_eq!(app.guest().post("/api/v1/auth/login", login.clone()).await.status, 200);
    }
}

async fn behind_a_proxy(body_seconds: u64) -> TestApp {
    TestApp::with(|it| {
        it.http.trusted_proxies = vec![[127, 0, 0, 1].into()];
        it.http.body_seconds = body_seconds;
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_body_holds_nothing_but_itself_and_not_for_long() {
    let app = behind_a_proxy(20).await;
    let paths = ["/api/v1/auth/login", "/api/app/v1/auth/code", "/api/callbacks/sandbox"];
    let guests = join_all((0..24).map(async |n| half(&app, paths[n % 3], &format!("10.0.0.{n}"), "").await)).await;
    // Those who are logged in, with sheets, are no different.
    let path = "/api/v1/car/stations/import";
    let uploads = (0..24).map(async |n| half(&app, path, &format!("10.0.1.{n}"), &app.admin.token).await);
    let uploads = join_all(uploads).await;
    everybody_else_is_served(&app).await;
    let statuses = join_all(guests.into_iter().chain(uploads).map(answered)).await;
    assert!(statuses.iter().all(|it| *it == 408), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_sends_so_many_bodies_at_once() {
    let app = behind_a_proxy(20).await;
    let slow = join_all((0..500).map(async |_| half(&app, "/api/v1/auth/login", "10.0.0.1", "").await)).await;
    everybody_else_is_served(&app).await;
    let statuses = join_all(slow.into_iter().map(answered)).await;
    let waited = statuses.iter().filter(|it| **it == 408).count();
    assert!(statuses.iter().all(|it| matches!(*it, 408 | 429)), "{statuses:?}");
    assert_eq!(waited, 32, "the others are told at once to come later");
}

#[tokio::test]
async fn who_is_not_logged_in_brings_little_and_nothing_packed() {
    let app = TestApp::new().await;
    let large = |size| Some(format!("{{\"username\": \"{}\"}}", "x".repeat(size)).into_bytes());
    let guest = app.guest();
    let login = "/api/v1/auth/login";
    assert_eq!(guest.send(Method::POST, login, large(64 << 10), &[]).await.refused(), (413, "too_large"));
    assert_ne!(guest.send(Method::POST, login, large(1000), &[]).await.status, 413);
    let path = "/api/v1/car/areas";
    // Without a token nothing is read, and with one neither everything.
    assert_eq!(guest.send(Method::POST, path, large(64 << 10), &[]).await.status, 401);
    assert_eq!(app.admin.send(Method::POST, path, large(64 << 10), &[]).await.status, 422);
    assert_eq!(app.admin.send(Method::POST, path, large(256 << 10), &[]).await.refused(), (413, "too_large"));
    let packed = app.admin.send(Method::POST, path, large(10), &[("content-encoding", "gzip")]).await;
    assert_eq!(packed.refused(), (400, "unreadable"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_everybody_wants_does_not_keep_others_from_theirs() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let (hot, other) = (crate::card::collective(&app, &tenant).await, crate::card::collective(&app, &tenant).await);
    let path = |id| format!("/api/v1/members/collectives/{id}");
    let recharge = async |by: &Client, id, key: &str| {
        by.post_keyed(&format!("{}/recharge", path(id)), &json!({"amount_fen": 100}), key).await
    };
    let lock = holding(&app, &format!("select from collectives where id = '{hot}' for update")).await;
    let asked = async {
        let asked = (0..80).map(async |n| recharge(&tenant.keeper, hot, &format!("hot-{n}")).await);
        join_all(asked).await
    };
    let others = async {
        until_waiting(&app, 1).await;
        for n in 0..10 {
            assert_eq!(app.guest().get("/readyz").await.status, 200);
            assert_eq!(tenant.keeper.get(&path(hot)).await.status, 200);
            assert_eq!(recharge(&tenant.keeper, other, &format!("other-{n}")).await.status, 200);
        }
    };
    let (answers, ()) = tokio::join!(asked, others);
    for answer in answers {
        assert_eq!(answer.refused(), (429, "limited"));
        assert!(answer.headers.contains_key("retry-after"));
    }
    drop(lock);
    let balance = async |id| tenant.keeper.get(&path(id)).await.ok()["balance_fen"].clone();
    assert_eq!((balance(hot).await, balance(other).await), (json!(0), json!(1000)));
    recharge(&tenant.keeper, hot, "hot-0").await.ok();
    assert_eq!(balance(hot).await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_all_drivers_want_keeps_nobody_from_the_rest() {
    let world = World::new().await;
    let (app, keeper) = (&world.app, &world.tenant.keeper);
    let connector = world.site.connectors[0];
    let other = crate::card::collective(app, &world.tenant).await;
    let mut drivers = vec![];
    for _ in 0..12 {
        drivers.push(driver(app).await);
    }
    let lock = holding(app, &format!("select from connectors where id = '{connector}' for update")).await;
    let order = json!({"connector_id": connector, "prepaid_fen": 5000, "start_method": "scan"});
    let asked = join_all(drivers.iter().map(|it| it.post("/api/app/v1/orders", order.clone())));
    let others = async {
        until_waiting(app, 2).await;
        for n in 0..5 {
            let path = format!("/api/v1/members/collectives/{other}/recharge");
            keeper.post_keyed(&path, &json!({"amount_fen": 100}), &format!("other-{n}")).await.ok();
        }
        drop(lock);
    };
    let (answers, ()) = tokio::join!(asked, others);
    let statuses: Vec<u16> = answers.iter().map(|it| it.status).collect();
    assert!(statuses.contains(&201) && statuses.iter().all(|it| matches!(it, 201 | 409 | 429)), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_switch_off_at_once_is_switched_off_once() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let path = format!("/api/v1/car/chargers/{}", site.charger);
    let lock = holding(&app, &format!("select from chargers where id = '{}' for update", site.charger)).await;
    let disable = format!("{path}/disable");
    let asked = join_all([&tenant.boss, &tenant.keeper].map(|it| it.post(&disable, json!({}))));
    let wait = async {
        until_waiting(&app, 2).await;
        drop(lock);
    };
    let (answers, ()) = tokio::join!(asked, wait);
    assert_eq!(answers.iter().map(|it| it.status).collect::<Vec<_>>(), [200, 200]);
    let done = tenant.boss.get(&format!("{path}/history")).await.ok();
    let done = done["items"].as_array().unwrap().iter().filter(|it| it["action"] == "disable").count();
    assert_eq!(done, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_sheet_holds_no_connection() {
    let app = TestApp::new().await;
    let lock = holding(&app, "lock table areas in access exclusive mode").await;
    let sheets = async { join_all((0..12).map(async |_| app.admin.get("/api/v1/car/areas/export.xlsx").await)).await };
    let others = async {
        until_waiting(&app, 2).await;
        for _ in 0..5 {
            assert_eq!(app.guest().get("/readyz").await.status, 200);
            assert_eq!(app.admin.get("/api/v1/system/users").await.status, 200);
        }
        drop(lock);
    };
    let (sheets, ()) = tokio::join!(sheets, others);
    // Those who waited for the lock for too long are told so.
    assert!(sheets.iter().all(|it| matches!(it.status, 200 | 429)), "{sheets:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_only_so_many_connections() {
    let app = TestApp::with(|it| it.http.connections_per_address = 8).await;
    let address = app.url.strip_prefix("http://").unwrap();
    let connect = async || TcpStream::connect(address).await.unwrap();
    let ask = async |mut socket: TcpStream| {
        socket.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut answer = [0; 1024];
        let read = socket.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..read]).to_lowercase()
    };
    let idle = join_all((0..8).map(async |_| connect().await)).await;
    let refused = ask(connect().await).await;
    assert!(refused.starts_with("http/1.1 429") && refused.contains("connection: close"), "{refused}");
    drop(idle);
    crate::payment::eventually("there is room again", async || ask(connect().await).await.contains("200 ok")).await;
}
