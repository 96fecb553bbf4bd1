//! The server is killed at random moments while fifty charges run and the payment channel loses and repeats notices.
//! Afterwards every order has reached its end, the channel's books equal ours, and nothing is broken. And killed while it
//! moves money under keys, it moves none of it again when it is asked again.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use backend::config::{Config, Secret};
use backend::payment::sandbox::wire::{PaymentState, RefundState};
use backend::simulate::bank::Faults;
use backend::simulate::driver::{Driver, Manner};
use backend::simulate::{self, Simulation};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rand::Rng;
use schema::{car_orders, jobs, payments, refunds};
use serde_json::json;
use shared::fixed::Fen;
use shared::order::OrderState;
use shared::user::UserKind;

use crate::app::{KEY, TestApp, fresh_database};
use crate::process::{free_address, program, ready};

const CHARGES: usize = 50;
const DRIVERS: usize = 10;
const KILLS: usize = 6;

/// The server as a process of its own, so that it can be killed as the kernel kills.
struct Server {
    database: String,
    address: SocketAddr,
    bank: SocketAddr,
    folder: std::path::PathBuf,
}

impl Server {
    fn command(&self, subcommand: &[&str]) -> Command {
        let mut command = program(subcommand, &self.database, self.address, &self.folder);
        command
            .env("WATTYARD__HTTP__PUBLIC_URL", format!("http://{}", self.address))
            .env("WATTYARD__PAYMENT__SANDBOX__URL", format!("http://{}", self.bank))
            .env("WATTYARD__PAYMENT__SANDBOX__SECRET", "sandbox-secret")
            .env("WATTYARD__SMS__URL", format!("http://{}", self.bank))
            .env("WATTYARD__SMS__SECRET", "sms-secret")
            .env("WATTYARD__CHARGING__START_SECONDS", "20")
            .env("WATTYARD__CHARGING__SILENT_SECONDS", "15")
            .env("WATTYARD__CHARGING__PAY_SECONDS", "30");
        command
    }

    async fn start(&self) -> Child {
        let child = self.command(&["serve", "--demo"]).spawn().unwrap();
        ready(self.address).await;
        child
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_server_is_killed() {
    let server = Server {
        database: fresh_database().await,
        address: free_address(),
        bank: free_address(),
        folder: std::env::temp_dir().join(format!("wattyard-crash-{}", uuid::Uuid::new_v4())),
    };
    let mut child = server.start().await;
    let mut config = Config::default();
    config.payment.sandbox.secret = Secret::new("sandbox-secret");
    config.sms.secret = Secret::new("sms-secret");
    let simulation = Simulation {
        url: format!("http://{}", server.address),
        drivers: 0,
        bank: server.bank,
        sample_seconds: 1,
        drops_per_mille: 10,
        repeats_percent: 20,
        ..Simulation::default()
    };
    let world = simulate::start(&simulation, &config).unwrap();
    world.bank.set_faults(Faults { delay_ms: 300, duplicate: 30, reorder: 20, lose: 25, fail: 0, unknown: 10 });

    // Ten drivers charge until fifty charges are done, whatever happens to the server.
    let (left, ended) = (Arc::new(AtomicUsize::new(CHARGES)), Arc::new(AtomicUsize::new(0)));
    let manner = Arc::new(Manner {
        platform: simulation.url.clone(),
        charge: Duration::from_secs(1)..Duration::from_secs(6),
        away: Duration::ZERO..Duration::from_millis(100),
        prepaid: Fen(3000),
        look: Duration::from_millis(300),
        patience: Duration::from_secs(60),
    });
    let drivers: Vec<_> = (0..DRIVERS)
        .map(|number| {
            let driver = Driver::new(
                format!("171{number:08}"),
                manner.clone(),
                world.bank.clone(),
                backend::app::http_client().unwrap(),
            );
            let (left, ended, chargers) = (left.clone(), ended.clone(), world.chargers.clone());
            tokio::spawn(async move {
                while AtomicUsize::load(&left, Ordering::SeqCst) > 0 {
                    match driver.trip(&chargers).await {
                        Ok(Some(_)) => {
                            ended.fetch_add(1, Ordering::SeqCst);
                            let _ = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |it| it.checked_sub(1));
                        }
                        // The server is down, or no connector is free: a moment later again.
                        Ok(None) | Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
                    }
                }
            })
        })
        .collect();

    for _ in 0..KILLS {
        let wait = rand::rng().random_range(3_000..9_000);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        child = server.start().await;
    }
    for driver in drivers {
        driver.await.unwrap();
    }
    assert!(AtomicUsize::load(&ended, Ordering::SeqCst) >= CHARGES);

    // Everything comes to an end by itself.
    world.bank.set_faults(Faults::default());
    let mut conn = backend::db::connect(&server.database).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let open_orders: i64 = car_orders::table
            .filter(car_orders::state.ne_all([OrderState::Completed, OrderState::Failed, OrderState::Cancelled]))
            .count()
            .get_result(&mut conn)
            .await
            .unwrap();
        let open_refunds: i64 =
            refunds::table.filter(refunds::state.ne("succeeded")).count().get_result(&mut conn).await.unwrap();
        let open_payments: i64 = payments::table
            .filter(payments::state.eq_any(["created", "paying"]))
            .count()
            .get_result(&mut conn)
            .await
            .unwrap();
        if open_orders + open_refunds + open_payments == 0 {
            break;
        }
        assert!(
            Instant::now() < deadline,
            "still open: {open_orders} orders, {open_refunds} refunds, {open_payments} payments"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let dead: i64 = jobs::table.filter(jobs::state.eq("dead")).count().get_result(&mut conn).await.unwrap();
    assert_eq!(dead, 0, "dead jobs");

    // The channel's books and ours say the same, payment by payment.
    let ours: Vec<(String, i64, i64, i64)> = payments::table
        .inner_join(car_orders::table.on(car_orders::id.eq(payments::order_id)))
        .filter(payments::state.eq("paid"))
        .select((payments::payment_no, payments::amount_fen, payments::refunded_fen, car_orders::charged_fen))
        .load(&mut conn)
        .await
        .unwrap();
    let books = world.bank.books();
    let mut back: HashMap<&str, i64> = HashMap::new();
    for (number, refund) in books.refunds.iter().filter(|(_, it)| it.state == RefundState::Succeeded) {
        *back.entry(&books.refund_of[number]).or_default() += refund.amount_fen.0;
    }
    let theirs = books.payments.values().filter(|it| it.state == PaymentState::Paid);
    assert_eq!(theirs.count(), ours.len(), "payments");
    for (number, amount, refunded, charged) in &ours {
        let given_back = back.get(number.as_str()).copied().unwrap_or_default();
        assert_eq!(given_back, *refunded, "{number}: refunds");
        assert_eq!(amount - refunded, *charged, "{number}: what was not given back was charged");
    }

    child.kill().unwrap();
    child.wait().unwrap();
    world.stopping.cancel();
    let verified = server.command(&["verify"]).stdout(Stdio::piped()).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    let _ = std::fs::remove_dir_all(&server.folder);
}

/// How often the server is killed while money is moved.
const BLOWS: usize = 6;
/// Recharges that are under way when it is.
const RECHARGES: i64 = 12;

/// Recharges an account under a key, at a server that may be gone at any moment; gives the status, if there was an answer.
async fn recharge(url: &str, token: &str, fen: i64, key: &str) -> Option<u16> {
    let request = backend::app::http_client().unwrap().post(url).bearer_auth(token).header(KEY, key);
    let request = request.header("content-type", "application/json").body(json!({"amount_fen": fen}).to_string());
    request.send().await.ok().map(|it| it.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recharge_that_is_repeated_after_a_kill_moves_money_once() {
    // This one makes the tenant and looks at the books.
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let collective = crate::card::collective(&app, &tenant).await;
    let (provider, property) = (Some(tenant.provider), Some(tenant.property));
    let keeper = app.user_named(UserKind::Property, provider, property, None).await.1;
    let server = Server {
        database: app.app.database_url.clone(),
        address: free_address(),
        bank: free_address(),
        folder: std::env::temp_dir().join(format!("wattyard-crash-{}", uuid::Uuid::new_v4())),
    };
    let start = async || {
        let child = server.command(&["serve", "--only", "api"]).spawn().unwrap();
        ready(server.address).await;
        child
    };
    std::fs::create_dir(&server.folder).unwrap();
    let mut child = start().await;
    let platform = format!("http://{}", server.address);
    let keeper = app.login_at(&platform, &keeper).await;
    let row = format!("/api/v1/members/collectives/{collective}");
    let url = format!("{platform}{row}/recharge");
    let mut sum = 0;
    for blow in 0..BLOWS {
        let ask = async |n: i64| recharge(&url, &keeper.token, n, &format!("{blow}-{n}")).await;
        let kill = async {
            tokio::time::sleep(Duration::from_millis(rand::rng().random_range(0..150))).await;
            child.kill().unwrap();
            child.wait().unwrap();
        };
        let (answers, ()) = tokio::join!(futures_util::future::join_all((1..=RECHARGES).map(ask)), kill);
        let answered: i64 = (1..).zip(&answers).filter(|it| *it.1 == Some(200)).map(|it| it.0).sum();
        let balance = tenant.keeper.get(&row).await.ok()["balance_fen"].as_i64().unwrap();
        assert!(balance >= sum + answered, "what was answered was done");
        child = start().await;
        for n in 1..=RECHARGES {
            crate::payment::eventually("it is done", async || ask(n).await == Some(200)).await;
            sum += n;
        }
        assert_eq!(tenant.keeper.get(&row).await.ok()["balance_fen"], sum, "after kill {blow}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(backend::verify::run(&app.app).await.unwrap(), Vec::<String>::new());
    let _ = std::fs::remove_dir_all(&server.folder);
}
