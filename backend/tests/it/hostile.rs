//! What nobody sends in good faith: every operation of the document answers it in words, and none with a 5xx.

use std::collections::BTreeSet;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use backend::api::request::frame;
use reqwest::Method;
use serde_json::{Value, json};
use shared::permission::codes_for;
use shared::user::UserKind;
use uuid::Uuid;

use crate::access::{Operation, operations};
use crate::app::{Answer, Client, TestApp};

/// A server, its operations, and for each somebody who may use it.
struct World {
    app: TestApp,
    driver: Client,
    /// Of a property, which may do what the platform may not.
    keeper: Client,
    operations: Vec<Operation>,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let document = app.guest().get("/api/openapi.json").await.ok();
        let (driver, keeper) = (crate::app::driver(&app).await, app.tenant().await.keeper);
        Self { app, driver, keeper, operations: operations(&document) }
    }

    async fn send(&self, operation: &Operation, path: &str, body: Option<Vec<u8>>) -> Answer {
        let client = match &operation.security {
            None => &self.app.guest(),
            Some((scheme, _)) if scheme == "driver" => &self.driver,
            Some((_, Some(permission))) if !codes_for(UserKind::Platform).contains(permission) => &self.keeper,
            Some(_) => &self.app.admin,
        };
        client.send(operation.method.clone(), path, body, &[]).await
    }
}

/// The path with a value for each parameter of it, and one for each query parameter that is required.
fn address(operation: &Operation, within: &str) -> String {
    let mut path = operation.path.clone();
    while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
        path.replace_range(start..=end, within);
    }
    let required = operation.query().filter(|it| it["required"] == true);
    let pairs: Vec<String> = required.map(|it| format!("{}={}", it["name"].as_str().unwrap(), it["example"])).collect();
    format!("{path}?{}", pairs.join("&"))
}

/// The same document with a text within it replaced, or the first one.
fn with_nul(body: &Value) -> Option<Value> {
    match body {
        Value::String(text) => Some(json!(format!("{text}\0"))),
        Value::Array(items) => {
            let (at, item) = items.iter().enumerate().find_map(|(at, it)| Some((at, with_nul(it)?)))?;
            let mut items = items.clone();
            items[at] = item;
            Some(Value::Array(items))
        }
        Value::Object(map) => {
            let (name, item) = map.iter().find_map(|(name, it)| Some((name, with_nul(it)?)))?;
            let mut map = map.clone();
            map.insert(name.clone(), item);
            Some(Value::Object(map))
        }
        _ => None,
    }
}

#[tokio::test]
async fn nul_is_refused_everywhere() {
    let world = World::new().await;
    let mut wrong = vec![];
    let mut expect = |what: String, answer: &Answer, field: Option<&str>| {
        let named = field.is_none_or(|field| answer.fields().contains(&(field, "format")));
        if answer.status != 422 || !named {
            wrong.push(format!("{what}: {} {}", answer.status, answer.json));
        }
    };
    for operation in &world.operations {
        let id = Uuid::now_v7().to_string();
        let path = address(operation, &id);
        for parameter in operation.query().filter(|it| it["schema"]["type"] == "string") {
            let name = parameter["name"].as_str().unwrap();
            let answer = world.send(operation, &format!("{path}&{name}=a%00b"), None).await;
            // A required parameter is there twice then, which is wrong in another way.
            expect(format!("{} {name}", operation.id), &answer, (parameter["required"] == false).then_some(name));
        }
        if operation.path.contains('{') {
            let answer = world.send(operation, &address(operation, "%00"), None).await;
            expect(format!("{} path", operation.id), &answer, None);
        }
        if let Some(body) = &operation.body {
            let spoilt = with_nul(body).unwrap_or_else(|| json!({"text": "\0"}));
            let answer = world.send(operation, &path, Some(spoilt.to_string().into_bytes())).await;
            // Callbacks are read as they come, and believed only when they are signed.
            if operation.tag == "callbacks" {
                assert_eq!(answer.status, 401, "{}", operation.id);
                let raw = world.send(operation, &path, Some(b"{\"id\":\"\0\"}".to_vec())).await;
                assert_eq!(raw.status, 401, "{}", operation.id);
            } else {
                expect(format!("{} body", operation.id), &answer, None);
                let name = json!({"a": [{"deep\0": 1}]}).to_string().into_bytes();
                let answer = world.send(operation, &path, Some(name)).await;
                expect(format!("{} name", operation.id), &answer, Some("a[0].deep\u{fffd}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "ocpp1.6"),
    ];
    let charger = world.app.guest().send(Method::GET, "/ocpp/a%00b", None, &upgrade).await;
    assert!((400..500).contains(&charger.status), "{} {}", charger.status, charger.json);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let guest = world.app.guest();
    let notice = guest.send(Method::POST, "/api/callbacks/nuonuo", Some(b"orderno=a%00b".to_vec()), &form).await;
    assert_eq!((notice.status, notice.fields()), (422, vec![("orderno", "format")]));
}

#[tokio::test]
async fn the_database_refuses_what_was_let_through() {
    use diesel_async::RunQueryDsl;
    let app = TestApp::new().await;
    let mut conn = app.conn().await;
    let text = diesel::sql_query("select $1").bind::<diesel::sql_types::Text, _>("a\0b").execute(&mut conn).await;
    let json = diesel::sql_query("select $1 ->> 'a'").bind::<diesel::sql_types::Jsonb, _>(json!({"a": "\0"}));
    let json = json.execute(&mut conn).await;
    for result in [text, json] {
        let problem = backend::error::Error::from(result.unwrap_err()).problem(shared::text::Lang::En, None);
        assert_eq!((problem.status, problem.errors[0].code.as_str()), (422, "format"));
    }
}

#[tokio::test]
async fn unknown_and_missing_parameters_are_named() {
    let world = World::new().await;
    for operation in &world.operations {
        let path = address(operation, &Uuid::now_v7().to_string());
        let answer = world.send(operation, &format!("{path}&colour=red&Size=3"), None).await;
        let expected = vec![("colour", "unknown"), ("Size", "unknown")];
        assert_eq!((answer.status, answer.fields()), (422, expected), "{}", operation.id);
    }
    let twice = world.app.admin.get("/api/v1/car/stations?name=a&name=b").await;
    assert_eq!(twice.fields(), [("name", "repeated")]);
    let missing = world.driver.get("/api/app/v1/stations?q=x&lat=").await;
    assert_eq!(missing.fields(), [("lng", "required"), ("lat", "required")]);
    assert_eq!(missing.json["errors"][0]["message"], "必填");
}

#[tokio::test]
async fn pages_are_within_limits_and_sorted_as_documented() {
    let world = World::new().await;
    let listing = |it: &&Operation| it.query().any(|it| it["name"] == "page");
    for operation in world.operations.iter().filter(listing) {
        let path = address(operation, &Uuid::now_v7().to_string());
        for query in ["page=9223372036854775807&size=200", "page=-9223372036854775808", "size=0", "size=201"] {
            let answer = world.send(operation, &format!("{path}&{query}"), None).await;
            let name = query.split('=').next().unwrap();
            assert_eq!((answer.status, answer.fields()), (422, vec![(name, "range")]), "{} {query}", operation.id);
        }
        if operation.path.contains('{') {
            continue;
        }
        let sort = operation.query().find(|it| it["name"] == "sort");
        for key in sort.iter().flat_map(|it| it["schema"]["enum"].as_array().unwrap()) {
            let answer = world.send(operation, &format!("{path}&sort={}", key.as_str().unwrap()), None).await;
            assert_eq!(answer.status, 200, "{} {key}", operation.id);
        }
    }
    let unsorted = world.driver.get("/api/app/v1/orders?sort=total_fen").await;
    assert_eq!(unsorted.fields(), [("sort", "unknown")]);
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let world = World::new().await;
    let paths: BTreeSet<&str> = world.operations.iter().map(|it| it.path.as_str()).collect();
    for path in paths {
        let there = world.operations.iter().filter(|it| it.path == path);
        let there: BTreeSet<&str> = there.map(|it| it.method.as_str()).collect();
        let address = path.replace("{id}", &Uuid::now_v7().to_string()).replace("{code}", "C1");
        let answer = world.app.admin.send(Method::PATCH, &address, None, &[("accept-language", "en")]).await;
        assert_eq!(answer.refused(), (405, "method_not_allowed"), "{path}");
        assert_eq!(answer.json["title"], "Method not allowed");
        let allowed: BTreeSet<&str> = answer.headers["allow"].to_str().unwrap().split(", ").collect();
        assert_eq!(allowed, there, "{path}");
    }
}

#[tokio::test]
async fn coordinates_of_any_kind_are_answered() {
    use diesel_async::RunQueryDsl;
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let site = app.site(&tenant).await;
    let driver = crate::app::driver(&app).await;
    let tiny = format!("update stations set lng = 4.9e-324, lat = 4.9e-324 where id = '{}'", site.station);
    diesel::sql_query(tiny).execute(&mut app.conn().await).await.unwrap();
    let good = ["0", "-0.0", "5e-324", "-5e-324", "1e-308", "2.2250738585072014e-308", "1e-160", "90", "-90", "1e-7"];
    for lat in good {
        for lng in good {
            let answer = driver.get(&format!("/api/app/v1/stations?lng={lng}&lat={lat}")).await;
            let near = !lat.contains("90") && !lng.contains("90");
            assert_eq!(
                (answer.status, answer.json.as_array().map(Vec::len)),
                (200, Some(usize::from(near))),
                "{lng} {lat}"
            );
        }
    }
    for (lng, lat) in [("NaN", "1"), ("1", "nan"), ("inf", "1"), ("1", "-inf"), ("1e999", "1"), ("1", "90.0000001")] {
        let answer = driver.get(&format!("/api/app/v1/stations?lng={lng}&lat={lat}")).await;
        let field = if lng == "1" { "lat" } else { "lng" };
        assert_eq!((answer.status, answer.fields()), (422, vec![(field, "range")]), "{lng} {lat}");
    }
}

#[actix_web::test]
async fn a_handler_that_panics_is_answered() {
    let server = HttpServer::new(|| {
        let panics = async || -> &'static str { panic!("as handlers should not") };
        App::new()
            .wrap(from_fn(frame))
            .route("/panics", web::get().to(panics))
            .route("/works", web::get().to(async || "works"))
    });
    let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", server.addrs()[0]);
    let running = server.run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    let provider = rustls::crypto::ring::default_provider().install_default();
    assert!(provider.is_ok());
    let client = reqwest::Client::new();
    let answer = client.get(format!("{url}/panics")).header("accept-language", "en").send().await.unwrap();
    assert_eq!(answer.status(), 500);
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem: Value = answer.json().await.unwrap();
    assert_eq!((&problem["code"], &problem["title"]), (&json!("internal"), &json!("Server error")));
    assert_eq!(problem["request_id"], json!(id));
    assert_eq!(client.get(format!("{url}/works")).send().await.unwrap().text().await.unwrap(), "works");
    handle.stop(false).await;
}
