//! A server of one's own for a test: its database is a copy of a migrated template, its port is free.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backend::app::{App, Core, new_id};
use backend::auth::scope::Node;
use backend::config::{Config, Secret};
use backend::serve;
use backend::system::node::furnish;
use chrono::Utc;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use reqwest::Method;
use schema::{areas, chargers, connectors, properties, providers, roles, stations, user_roles, users};
use serde_json::{Value, json};
use shared::user::UserKind;
use uuid::Uuid;

/// The header of idempotency keys.
pub const KEY: &str = "idempotency-key";
/// The password of every account that a test makes.
pub const PASSWORD: &str = "correct horse battery";

/// A running server.
pub struct TestApp {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// The application, for what a test does behind the API's back.
    pub app: App,
    /// The platform's administrator, with all permissions.
    pub admin: Client,
    http: reqwest::Client,
    password_hash: String,
    serial: AtomicU64,
}

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    /// The access token; empty sends none.
    pub token: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body as JSON; `Null` when it is none.
    pub json: Value,
    /// The body.
    pub bytes: Vec<u8>,
}

/// A provider with one property, and somebody with all permissions at each.
pub struct Tenant {
    pub provider: Uuid,
    pub property: Uuid,
    pub boss: Client,
    pub keeper: Client,
}

/// A paid order with a refund, of a driver of its own.
pub struct Placed {
    pub order: Uuid,
    pub payment: Uuid,
    pub refund: Uuid,
}

/// A charger with its connectors, in a station that is open.
pub struct Site {
    pub station: Uuid,
    pub area: Uuid,
    pub charger: Uuid,
    pub serial_no: String,
    pub connectors: Vec<Uuid>,
}

impl TestApp {
    /// A server with the usual settings.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with settings of one's own.
    pub async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let mut config = Self::settings();
        configure(&mut config);
        Self::start(config, fresh_database().await).await
    }

    fn settings() -> Config {
        let mut config = Config::default();
        config.http.address = ([127, 0, 0, 1], 0).into();
        config.http.workers = 1;
        config.database.connections = 6;
        config.database.folder = std::env::temp_dir().join(format!("wattyard-it-{}", Uuid::new_v4()));
        config.auth.jwt_secret = Secret::new("a secret for tests");
        config.auth.logins_per_minute = 1000;
        config
    }

    /// A server with the usual settings on a database of the test's.
    pub async fn with_database(url: String) -> Self {
        Self::start(Self::settings(), url).await
    }

    /// A server on a database that is there already.
    pub async fn start(config: Config, url: String) -> Self {
        let core: Arc<Core> = Core::new(config, url).unwrap();
        let app = App::new(core.clone()).unwrap();
        let mut conn = app.conn().await.unwrap();
        // A second server on the same database finds the accounts of the first.
        let there: i64 = users::table.count().get_result(&mut conn).await.unwrap();
        drop(conn);
        if there == 0 {
            backend::setup::first_run_with(&app, PASSWORD).await.unwrap();
        }
        let running = serve::start(core.clone()).unwrap();
        tokio::spawn(running.server);
        tokio::spawn({
            let core = core.clone();
            async move { core.hub.listen(&core.database_url, core.stopping.clone()).await }
        });
        serve::spawn_background(&app);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let url = format!("http://{}", running.address);
        let password_hash = app.hasher.hash(PASSWORD).await.unwrap();
        let admin = Client { http: http.clone(), url: url.clone(), token: String::new() };
        let mut it = Self { url, app, admin, http, password_hash, serial: AtomicU64::new(0) };
        it.admin = it.login("admin").await;
        it
    }

    /// A connection behind the API's back.
    pub async fn conn(&self) -> backend::db::Connection {
        self.app.conn().await.unwrap()
    }

    /// Somebody who is not logged in.
    pub fn guest(&self) -> Client {
        Client { http: self.http.clone(), url: self.url.clone(), token: String::new() }
    }

    /// Somebody who is logged in at another server on the same database.
    pub async fn login_at(&self, url: &str, username: &str) -> Client {
        let guest = Client { url: url.to_owned(), ..self.guest() };
        let answer = guest.post("/api/v1/auth/login", json!({"username": username, "password": PASSWORD})).await.ok();
        Client { token: answer["access_token"].as_str().unwrap().to_owned(), ..guest }
    }

    /// Somebody with this token.
    pub fn bearer(&self, token: &str) -> Client {
        Client { token: token.to_owned(), ..self.guest() }
    }

    /// Logs in over the API.
    pub async fn login(&self, username: &str) -> Client {
        let answer = self.guest().post("/api/v1/auth/login", json!({"username": username, "password": PASSWORD})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.bearer(answer.json["access_token"].as_str().unwrap())
    }

    /// A number that no other row of this test bears.
    pub fn next(&self) -> u64 {
        self.serial.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// An approved provider with an enabled property, and a user with all permissions at each.
    pub async fn tenant(&self) -> Tenant {
        let mut conn = self.conn().await;
        let (provider, property, n) = (new_id(Utc::now()), new_id(Utc::now()), self.next());
        diesel::insert_into(providers::table)
            .values((
                providers::id.eq(provider),
                providers::name.eq(format!("服务商{n}")),
                providers::contact.eq("陈晨"),
                providers::phone.eq(format!("139{n:08}")),
                providers::review.eq("approved"),
            ))
            .execute(&mut conn)
            .await
            .unwrap();
        diesel::insert_into(properties::table)
            .values((
                properties::id.eq(property),
                properties::provider_id.eq(provider),
                properties::name.eq(format!("物业{n}")),
                properties::contact.eq("李蕾"),
                properties::phone.eq(format!("137{n:08}")),
            ))
            .execute(&mut conn)
            .await
            .unwrap();
        for (node, name) in [
            (Node::Provider(provider), format!("服务商{n}")),
            (Node::Property { provider, property }, format!("物业{n}")),
        ] {
            furnish(&mut conn, node, &name).await.unwrap();
        }
        drop(conn);
        let boss = self.user(UserKind::Provider, Some(provider), None, None).await;
        let keeper = self.user(UserKind::Property, Some(provider), Some(property), None).await;
        Tenant { provider, property, boss, keeper }
    }

    /// A user at a node with these permissions, or all that the kind may have; logged in.
    pub async fn user(
        &self,
        kind: UserKind,
        provider: Option<Uuid>,
        property: Option<Uuid>,
        permissions: Option<&[&str]>,
    ) -> Client {
        let username = self.user_named(kind, provider, property, permissions).await.1;
        self.login(&username).await
    }

    /// As [`TestApp::user`], not logged in: id and username.
    pub async fn user_named(
        &self,
        kind: UserKind,
        provider: Option<Uuid>,
        property: Option<Uuid>,
        permissions: Option<&[&str]>,
    ) -> (Uuid, String) {
        let mut conn = self.conn().await;
        let (user, role, n) = (new_id(Utc::now()), new_id(Utc::now()), self.next());
        let username = format!("user{n}");
        let all = || shared::permission::codes_for(kind);
        let permissions = permissions.map_or_else(all, |it| it.iter().map(|it| (*it).to_owned()).collect());
        diesel::insert_into(users::table)
            .values((
                users::id.eq(user),
                users::kind.eq(kind),
                users::provider_id.eq(provider),
                users::property_id.eq(property),
                users::username.eq(&username),
                users::name.eq(format!("用户{n}")),
                users::password_hash.eq(&self.password_hash),
            ))
            .execute(&mut conn)
            .await
            .unwrap();
        diesel::insert_into(roles::table)
            .values((
                roles::id.eq(role),
                roles::kind.eq(kind),
                roles::provider_id.eq(provider),
                roles::property_id.eq(property),
                roles::name.eq(format!("角色{n}")),
                roles::permissions.eq(permissions),
            ))
            .execute(&mut conn)
            .await
            .unwrap();
        diesel::insert_into(user_roles::table)
            .values((user_roles::user_id.eq(user), user_roles::role_id.eq(role)))
            .execute(&mut conn)
            .await
            .unwrap();
        (user, username)
    }

    /// A new station for e-bikes of a tenant.
    pub async fn bike_station(&self, tenant: &Tenant) -> Uuid {
        let name = format!("单车电站{}", self.next());
        let form = json!({"property_id": tenant.property, "name": name, "nature": "public"});
        tenant.boss.post("/api/v1/bike/stations", form).await.id()
    }

    /// An open station of a tenant with one charger of two connectors.
    pub async fn site(&self, tenant: &Tenant) -> Site {
        let mut conn = self.conn().await;
        let n = self.next();
        let [station, area, charger] = [(); 3].map(|()| new_id(Utc::now()));
        let (provider, property) = (tenant.provider, tenant.property);
        diesel::insert_into(stations::table)
            .values((
                stations::id.eq(station),
                stations::line.eq("car"),
                stations::provider_id.eq(provider),
                stations::property_id.eq(property),
                stations::name.eq(format!("电站{n}")),
                stations::nature.eq("public"),
                stations::lng.eq(120.2),
                stations::lat.eq(30.25),
                stations::review.eq("approved"),
                stations::enabled.eq(true),
            ))
            .execute(&mut conn)
            .await
            .unwrap();
        diesel::insert_into(areas::table)
            .values((
                areas::id.eq(area),
                areas::line.eq("car"),
                areas::provider_id.eq(provider),
                areas::property_id.eq(property),
                areas::station_id.eq(station),
                areas::name.eq("默认区域"),
            ))
            .execute(&mut conn)
            .await
            .unwrap();
        let serial_no = format!("SN{n:06}");
        diesel::insert_into(chargers::table)
            .values((
                chargers::id.eq(charger),
                chargers::provider_id.eq(provider),
                chargers::property_id.eq(property),
                chargers::station_id.eq(station),
                chargers::area_id.eq(area),
                chargers::serial_no.eq(&serial_no),
                chargers::name.eq(format!("电桩{n}")),
                chargers::nature.eq("public"),
                chargers::output_power_w.eq(60_000),
                chargers::current_type.eq("dc"),
                chargers::interface.eq("gbt_dc"),
                chargers::speed.eq("fast"),
            ))
            .execute(&mut conn)
            .await
            .unwrap();
        diesel::insert_into(schema::charger_states::table)
            .values(schema::charger_states::charger_id.eq(charger))
            .execute(&mut conn)
            .await
            .unwrap();
        let mut ids = vec![];
        for number in 1..=2 {
            let id = new_id(Utc::now());
            diesel::insert_into(connectors::table)
                .values((
                    connectors::id.eq(id),
                    connectors::provider_id.eq(provider),
                    connectors::property_id.eq(property),
                    connectors::station_id.eq(station),
                    connectors::area_id.eq(area),
                    connectors::charger_id.eq(charger),
                    connectors::number.eq(number),
                    connectors::code.eq(format!("C{n}-{number}")),
                    connectors::name.eq(format!("{number}号枪")),
                ))
                .execute(&mut conn)
                .await
                .unwrap();
            ids.push(id);
        }
        Site { station, area, charger, serial_no, connectors: ids }
    }
}

impl TestApp {
    /// The tariff of a site's area; one in force, 1.00 yuan per kWh all day, is made when there is none.
    pub async fn tariff(&self, tenant: &Tenant, site: &Site) -> Uuid {
        let page = tenant.boss.get(&format!("/api/v1/car/tariffs?area_id={}", site.area)).await.ok();
        if let Some(id) = page["items"][0]["id"].as_str() {
            return id.parse().unwrap();
        }
        let price = json!({"mode": "uniform", "prices": {"uniform": {"elec": "0.60000", "service": "0.40000"}}});
        let form = json!({
            "station_id": site.station, "area_id": site.area, "name": "统一电价", "tariff": price,
            "presets": [1000, 3000, 5000], "effective_now": true,
        });
        tenant.boss.post("/api/v1/car/tariffs", form).await.id()
    }

    /// A completed order that was paid and partly given back, written behind the API's back.
    pub async fn placed(&self, tenant: &Tenant, site: &Site) -> Placed {
        let tariff = self.tariff(tenant, site).await;
        let [order, payment, refund, driver] = [(); 4].map(|()| new_id(Utc::now()));
        let n = self.next();
        let owner = format!("'{}', '{}', '{}'", tenant.provider, tenant.property, site.station);
        let statements = [
            format!("insert into drivers (id, phone) values ('{driver}', '135{n:08}')"),
            format!(
                "insert into car_orders (id, provider_id, property_id, station_id, area_id, charger_id, connector_id, \
                 driver_id, phone, start_method, state, prepaid_fen, elec_fen, service_fen, total_fen, charged_fen, \
                 refunded_fen) values ('{order}', {owner}, '{}', '{}', '{}', '{driver}', '135{n:08}', 'scan', \
                 'completed', 5000, 2290, 1055, 3345, 3345, 1655)",
                site.area, site.charger, site.connectors[0]
            ),
            format!(
                "insert into charge_sessions (order_id, tag, tariff_version_id, tariff, tariff_hash, rated_power_w) \
                 select '{order}', 'tag{n}', id, body, body_hash, 60000 from tariff_versions \
                 where tariff_id = '{tariff}' limit 1"
            ),
            format!(
                "insert into payments (id, payment_no, provider_id, property_id, station_id, order_kind, order_id, \
                 order_no, driver_id, phone, channel, merchant_no, amount_fen, refunded_fen, state, expires_at, paid_at) \
                 select '{payment}', 'P{n}', {owner}, 'car', id, order_no, driver_id, phone, 'sandbox', 'M1000', \
                 5000, 1655, 'paid', now(), now() from car_orders where id = '{order}'"
            ),
            format!(
                "insert into refunds (id, refund_no, provider_id, property_id, station_id, payment_id, order_id, \
                 order_no, phone, channel, kind, seq, amount_fen, state, reason, requested_by, finished_at) \
                 select '{refund}', 'RP{n}0', {owner}, '{payment}', id, order_no, phone, 'sandbox', 'automatic', 0, \
                 1655, 'succeeded', '余额退回', 'system', now() from car_orders where id = '{order}'"
            ),
        ];
        let mut conn = self.conn().await;
        for statement in statements {
            execute(&mut conn, &statement).await.unwrap();
        }
        Placed { order, payment, refund }
    }
}

impl Client {
    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, &[]).await
    }

    /// `POST path` with JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string().into_bytes()), &[]).await
    }

    /// `PUT path` with JSON.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string().into_bytes()), &[]).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None, &[]).await
    }

    /// `GET path`, and the body as it comes.
    pub async fn open(&self, path: &str) -> reqwest::Response {
        let response = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token).send().await.unwrap();
        assert_eq!(response.status().as_u16(), 200);
        response
    }

    /// Any request. What does something does it under a key of its own, unless the headers name one.
    pub async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>, headers: &[(&str, &str)]) -> Answer {
        let key = Uuid::new_v4().to_string();
        let own = method == Method::POST && !headers.iter().any(|it| it.0 == KEY);
        let headers: Vec<_> = headers.iter().copied().chain(own.then_some((KEY, &*key))).collect();
        self.send_plain(method, path, body, &headers).await
    }

    /// `POST path` with JSON under this key.
    pub async fn post_keyed(&self, path: &str, body: &Value, key: &str) -> Answer {
        self.send(Method::POST, path, Some(body.to_string().into_bytes()), &[(KEY, key)]).await
    }

    /// Any request, with these headers alone.
    pub async fn send_plain(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        Answer { status, headers, json: serde_json::from_slice(&bytes).unwrap_or_default(), bytes }
    }
}

impl Answer {
    /// The status and the problem's code: what most tests of a refusal look at.
    pub fn refused(&self) -> (u16, &str) {
        (self.status, self.json["code"].as_str().unwrap_or_default())
    }

    /// The fields that a 422 names, with their codes.
    pub fn fields(&self) -> Vec<(&str, &str)> {
        let errors = self.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|it| (it["field"].as_str().unwrap(), it["code"].as_str().unwrap())).collect()
    }

    /// The JSON of a success.
    pub fn ok(self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.json);
        self.json
    }

    /// The id of what was answered.
    pub fn id(&self) -> Uuid {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.json);
        self.json["id"].as_str().unwrap().parse().unwrap()
    }
}

/// The cluster that tests may fill; `make test` starts one.
fn cluster() -> String {
    std::env::var("TEST_DATABASE_URL").expect("TEST_DATABASE_URL: run `make test`, or `scripts/test-cluster COMMAND`")
}

fn beside(url: &str, database: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{database}")
}

/// A database of one's own: a copy of the template, which the first test migrates.
pub async fn fresh_database() -> String {
    let cluster = cluster();
    let mut conn = backend::db::connect(&cluster).await.unwrap();
    let template = template(&mut conn, &cluster).await;
    let name = format!("it_{}", Uuid::now_v7().simple());
    execute(&mut conn, &format!("create database {name} template {template}")).await.unwrap();
    beside(&cluster, &name)
}

/// A database without anything in it.
pub async fn empty_database() -> String {
    let cluster = cluster();
    let name = format!("it_{}", Uuid::now_v7().simple());
    let mut conn = backend::db::connect(&cluster).await.unwrap();
    execute(&mut conn, &format!("create database {name}")).await.unwrap();
    beside(&cluster, &name)
}

/// The template's name holds a digest of the migrations, so that a kept cluster gets a new one when they change.
async fn template(conn: &mut AsyncPgConnection, cluster: &str) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut scripts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path().join("up.sql")).collect();
    scripts.sort();
    for script in scripts {
        std::fs::read(script).unwrap_or_default().hash(&mut hasher);
    }
    let name = format!("template_{:016x}", hasher.finish());
    // Tests are processes of their own: the first takes the lock and migrates, the others wait for it.
    execute(conn, "select pg_advisory_lock(7281)").await.unwrap();
    let there: i64 = diesel::dsl::sql::<diesel::sql_types::BigInt>("select count(*) from pg_database where datname = ")
        .bind::<diesel::sql_types::Text, _>(&name)
        .get_result(conn)
        .await
        .unwrap();
    if there == 0 {
        // A migration that was broken off leaves its half under another name.
        execute(conn, &format!("drop database if exists {name}_new")).await.unwrap();
        execute(conn, &format!("create database {name}_new")).await.unwrap();
        backend::db::migrate(&beside(cluster, &format!("{name}_new"))).await.unwrap();
        execute(conn, &format!("alter database {name}_new rename to {name}")).await.unwrap();
    }
    execute(conn, "select pg_advisory_unlock(7281)").await.unwrap();
    name
}

async fn execute(conn: &mut AsyncPgConnection, sql: &str) -> QueryResult<usize> {
    diesel::sql_query(sql).execute(conn).await
}

/// A logged-in driver.
pub async fn driver(app: &TestApp) -> Client {
    use backend::auth::session::{Place, Subject, start};
    use schema::drivers;
    let mut conn = app.conn().await;
    let (id, n) = (new_id(Utc::now()), app.next());
    diesel::insert_into(drivers::table)
        .values((drivers::id.eq(id), drivers::phone.eq(format!("138{n:08}"))))
        .execute(&mut conn)
        .await
        .unwrap();
    let place = Place { ip: "127.0.0.1".to_owned(), agent: "test".to_owned() };
    let pair = start(&mut conn, &app.app, Subject::Driver(id), &place).await.unwrap();
    app.bearer(&pair.access)
}
