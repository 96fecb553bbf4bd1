//! The program as processes of their own, and that its parts work together when each is one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use backend::app::{http_client, new_id};
use backend::auth::scope::Owner;
use backend::command::{self, Request};
use backend::config::Part;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{device_commands, secrets, users};
use serde_json::json;
use uuid::Uuid;

use crate::app::{KEY, PASSWORD, TestApp, empty_database};
use crate::gateway::{Charger, OCPP, eventually, is_online};

/// An address at which nobody listens.
pub fn free_address() -> SocketAddr {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}

/// The program, to serve there and with this database.
pub fn program(subcommand: &[&str], database: &str, address: SocketAddr, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backend"));
    command
        .args(subcommand)
        .env("DATABASE_URL", database)
        .env("WATTYARD_HTTP", address.to_string())
        .env("WATTYARD_ADMIN_PASSWORD", PASSWORD)
        .env("WATTYARD__DATABASE__FOLDER", folder)
        .env("WATTYARD__DATABASE__CONNECTIONS", "5")
        // Many of them run at once.
        .env("WATTYARD__METRICS__HTTP", "127.0.0.1:0")
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    command
}

/// Waits until a server is ready.
pub async fn ready(address: SocketAddr) {
    let url = format!("http://{address}/readyz");
    let deadline = Instant::now() + Duration::from_secs(30);
    let http = http_client().unwrap();
    while !http.get(&url).send().await.is_ok_and(|it| it.status().is_success()) {
        assert!(Instant::now() < deadline, "the server did not get ready");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A part of the server that runs alone, until it is dropped.
pub struct Alone {
    pub url: String,
    child: Child,
    folder: PathBuf,
}

impl Alone {
    pub async fn start(part: &str, database: &str) -> Self {
        Self::start_with(part, database, |_, _| {}).await
    }

    /// Starts it with more said; what is kept of it is in the folder.
    async fn start_with(part: &str, database: &str, more: impl FnOnce(&mut Command, &Path)) -> Self {
        let address = free_address();
        let folder = std::env::temp_dir().join(format!("wattyard-{part}-{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).unwrap();
        let mut command = program(&["serve", "--only", part], database, address, &folder);
        more(&mut command, &folder);
        let alone = Self { url: format!("http://{address}"), child: command.spawn().unwrap(), folder };
        ready(address).await;
        alone
    }

    /// The most memory that it has had so far, in KiB.
    pub fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The status with which it answers.
    async fn status(&self, path: &str) -> u16 {
        http_client().unwrap().get(format!("{}{path}", self.url)).send().await.unwrap().status().as_u16()
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

#[tokio::test]
async fn a_charger_is_rebooted_through_a_process_that_does_not_hold_it() {
    // This one is for looking at the database, and has no part in it.
    let app = TestApp::with(|it| it.process.parts = vec![Part::Api]).await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let database = &app.app.database_url;
    let (api, gateway) = (Alone::start("api", database).await, Alone::start("gateway", database).await);

    assert_eq!((api.status("/api/v1/auth/me").await, gateway.status("/api/v1/auth/me").await), (401, 404));
    assert_eq!((api.status("/api/openapi.json").await, gateway.status("/api/openapi.json").await), (200, 404));
    assert_eq!((api.status("/livez").await, gateway.status("/metrics").await), (200, 404));
    assert_eq!(Charger::try_connect_to(&api.url, &site.serial_no, &[OCPP]).await.err(), Some(404));
    let mut charger = Charger::try_connect_to(&gateway.url, &site.serial_no, &[OCPP]).await.unwrap();
    eventually(true, async || is_online(&app, site.charger).await).await;

    let admin = app.login_at(&api.url, "admin").await;
    let path = format!("/api/v1/car/chargers/{}", site.charger);
    admin.post(&format!("{path}/reboot"), json!({"hard": true})).await.ok();
    let (id, action, payload) = charger.asked().await;
    assert_eq!((action.as_str(), payload), ("Reset", json!({"type": "Hard"})));
    charger.answer(&id, json!({"status": "Accepted"})).await;
    let ended = async || {
        let page = admin.get(&format!("{path}/commands")).await.ok();
        page["items"][0]["state"].as_str().unwrap().to_owned()
    };
    eventually("acknowledged".to_owned(), ended).await;

    // Nobody has worked on jobs so far, such as looking for commands that came to nothing.
    let owner = Owner { provider_id: tenant.provider, property_id: tenant.property, station_id: site.station };
    let request = Request {
        device_id: new_id(Utc::now()),
        owner,
        command: command::Command::Refresh,
        order_id: None,
        requested_by: "system".to_owned(),
        deadline: Utc::now() - TimeDelta::seconds(1),
    };
    let late = command::request(&mut *app.conn().await, request, Utc::now()).await.unwrap();
    let state = async || {
        let state = device_commands::table.find(late).select(device_commands::state);
        state.first::<String>(&mut app.conn().await).await.unwrap()
    };
    let worker = Alone::start("worker", database).await;
    assert_eq!((worker.status("/api/v1/auth/me").await, worker.status("/readyz").await), (404, 200));
    eventually("timed_out".to_owned(), state).await;
}

#[tokio::test]
async fn whoever_works_on_jobs_shows_a_heartbeat() {
    let address = free_address();
    let _worker = Alone::start_with("worker", &empty_database().await, |command, _| {
        command.env("WATTYARD__METRICS__HTTP", address.to_string());
    })
    .await;
    let beat = async || {
        let metrics = http_client().unwrap().get(format!("http://{address}/metrics")).send().await.unwrap();
        let metrics = metrics.text().await.unwrap();
        let beat = metrics.lines().find_map(|it| it.strip_prefix("wattyard_jobs_heartbeat_timestamp_seconds "));
        beat.map_or(0.0, |it| it.parse::<f64>().unwrap())
    };
    // One that has stopped would stand still.
    let mut last = f64::from(u32::try_from(Utc::now().timestamp()).unwrap()) - 60.0;
    for _ in 0..2 {
        eventually(true, async || beat().await > last).await;
        last = beat().await;
    }
}

#[tokio::test]
async fn metrics_are_told_at_their_own_address_or_with_a_token() {
    let database = empty_database().await;
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap();
    let gateway = Alone::start_with("gateway", &database, |command, folder| {
        let log = std::fs::File::create(folder.join("log")).unwrap();
        command.env("WATTYARD__METRICS__HTTP", address.to_string()).stderr(log);
    })
    .await;
    // It serves all the same, and says what is missing.
    assert_eq!((gateway.status("/livez").await, gateway.status("/metrics").await), (200, 404));
    let log = std::fs::read_to_string(gateway.folder.join("log")).unwrap();
    assert!(log.contains(&format!("cannot listen on {address}")) && log.contains("metrics.http"), "{log}");
    drop(taken);
    let token = Alone::start_with("gateway", &database, |command, _| {
        command.env("WATTYARD__METRICS__HTTP", address.to_string()).env("WATTYARD__METRICS__TOKEN", "a token");
    })
    .await;
    let http = http_client().unwrap();
    assert!(http.get(format!("http://{address}/metrics")).send().await.is_err(), "nobody listens there");
    let told = async |given: &str| http.get(format!("{}/metrics", token.url)).bearer_auth(given).send().await.unwrap();
    assert_eq!((token.status("/metrics").await, told("another").await.status().as_u16()), (401, 401));
    let metrics = told("a token").await;
    assert_eq!(metrics.status(), 200);
    assert!(metrics.text().await.unwrap().contains("wattyard_http_requests_total"));
}

#[tokio::test]
async fn processes_agree_on_the_secret_that_they_sign_with() {
    let database = empty_database().await;
    let (one, two) = tokio::join!(Alone::start("api", &database), Alone::start("api", &database));
    let http = http_client().unwrap();
    let form = json!({"username": "admin", "password": PASSWORD});
    let login = http.post(format!("{}/api/v1/auth/login", one.url)).json(&form).send().await.unwrap();
    let login: serde_json::Value = login.json().await.unwrap();
    let token = login["access_token"].as_str().unwrap();
    let me = http.get(format!("{}/api/v1/auth/me", two.url)).bearer_auth(token).send().await.unwrap();
    assert_eq!(me.status(), 200);
}

#[tokio::test]
async fn a_secret_that_lay_in_a_file_is_taken_over() {
    let database = empty_database().await;
    let with_file = |secret: &'static str| {
        Alone::start_with("api", &database, move |_, folder| {
            std::fs::write(folder.join("jwt-secret"), format!("{secret}\n")).unwrap();
        })
    };
    let kept = async || {
        let mut conn = backend::db::connect(&database).await.unwrap();
        secrets::table.select(secrets::value).load::<String>(&mut conn).await.unwrap()
    };
    let _first = with_file("a secret of old").await;
    assert_eq!(kept().await, ["a secret of old"]);
    // What is in the database counts from then on.
    let _second = with_file("another").await;
    assert_eq!(kept().await, ["a secret of old"]);
}

#[tokio::test]
async fn looking_at_a_database_does_not_bring_it_up_to_date() {
    let database = empty_database().await;
    let folder = std::env::temp_dir();
    let verify = || program(&["verify"], &database, free_address(), &folder).output().unwrap();
    let mut conn = backend::db::connect(&database).await.unwrap();
    let refused = verify();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("run `backend migrate` first"), "{refused:?}");
    let tables = "select count(*) from pg_tables where schemaname = 'public'";
    let tables = diesel::dsl::sql::<diesel::sql_types::BigInt>(&format!("({tables})"));
    assert_eq!(diesel::select(tables).get_result::<i64>(&mut conn).await.unwrap(), 0);

    assert!(program(&["migrate"], &database, free_address(), &folder).status().unwrap().success());
    assert!(verify().status.success());
    let newest = "delete from __diesel_schema_migrations where version = \
        (select max(version) from __diesel_schema_migrations)";
    diesel::sql_query(newest).execute(&mut conn).await.unwrap();
    let refused = verify();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("1 migration is pending"), "{refused:?}");
}

#[tokio::test]
async fn the_log_names_requests_and_no_secrets() {
    let (jwt, password) = ("jwt-secret-of-this-test-0123456789", "correct horse battery 7");
    let (key, wrong) = ("KEY0123456789ABCDEF", "KEY-that-is-wrong-0123");
    let app = TestApp::with(|it| it.process.parts = vec![Part::Api]).await;
    let site = app.site(&app.tenant().await).await;
    let with_log = |part| {
        Alone::start_with(part, &app.app.database_url, |command, folder| {
            let log = std::fs::File::create(folder.join("log")).unwrap();
            command.env("RUST_LOG", "debug").env("WATTYARD__AUTH__JWT_SECRET", jwt).stderr(log);
        })
    };
    let (api, gateway) = (with_log("api").await, with_log("gateway").await);
    let http = http_client().unwrap();
    let send = async |path: &str, token: &str, body: serde_json::Value| {
        let request = http.post(format!("{}{path}", api.url)).bearer_auth(token).json(&body);
        request.header(KEY, Uuid::now_v7().to_string()).send().await.unwrap()
    };
    let login = send("/api/v1/auth/login", "none", json!({"username": "admin", "password": PASSWORD})).await;
    let id = login.headers()["x-request-id"].to_str().unwrap().to_owned();
    let login: serde_json::Value = login.json().await.unwrap();
    let token = |name: &str| login[name].as_str().unwrap().to_owned();
    let (access, refresh) = (token("access_token"), token("refresh_token"));
    send("/api/v1/auth/login", "none", json!({"username": password, "password": [password]})).await;
    let charger = format!("/api/v1/car/chargers/{}/set-password", site.charger);
    assert_eq!(send(&charger, &access, json!({"password": key})).await.status(), 200);
    let change = json!({"old_password": PASSWORD, "new_password": password});
    assert_eq!(send("/api/v1/auth/password", &access, change).await.status(), 204);
    assert_eq!(send("/api/v1/auth/refresh", "none", json!({"refresh_token": refresh})).await.status(), 200);
    send("/api/app/v1/auth/code", "none", json!({"phone": "13800000001"})).await;
    for key in [key, wrong] {
        let basic = format!("Basic {}", BASE64.encode(format!("{}:{key}", site.serial_no)));
        drop(Charger::try_connect_to(&gateway.url, &site.serial_no, &[OCPP, ("authorization", &basic)]).await);
    }

    for (part, known) in [(api, id.as_str()), (gateway, site.serial_no.as_str())] {
        let log = std::fs::read_to_string(part.folder.join("log")).unwrap();
        assert!(log.contains(known), "{log}");
        let basic = BASE64.encode(format!("{}:{key}", site.serial_no));
        let secrets = [&access, &refresh, &basic, jwt, password, key, PASSWORD, wrong, "验证码", "$argon2"];
        for secret in secrets {
            let told: Vec<&str> = log.lines().filter(|it| it.contains(secret)).collect();
            assert!(told.is_empty(), "{secret} is in {told:?}");
        }
    }
}

#[tokio::test]
async fn processes_that_start_together_prepare_the_database_once() {
    let database = empty_database().await;
    let parts = ["api", "api", "gateway", "worker"].map(|part| Alone::start(part, &database));
    let running = futures_util::future::join_all(parts).await;
    let mut conn = backend::db::connect(&database).await.unwrap();
    assert_eq!(users::table.count().get_result::<i64>(&mut conn).await.unwrap(), 1);
    let statuses = futures_util::future::join_all(running.iter().map(|it| it.status("/livez"))).await;
    assert_eq!(statuses, [200; 4]);
}
