//! The access matrix: every operation of the OpenAPI document, without a token, without the permission, and with
//! another tenant's row. An operation that is not walked is an error; an exception is a line of a checked-in list.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;
use shared::user::UserKind;
use uuid::Uuid;

use crate::app::{Answer, Client, Site, Tenant, TestApp};

/// Operations that break a rule of the matrix on purpose: operationId, rule, reason.
fn exceptions() -> BTreeMap<(String, String), String> {
    let lines = include_str!("access_exceptions.tsv").lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
    let parts = lines.map(|it| it.splitn(3, '\t').map(str::to_owned).collect::<Vec<_>>());
    parts.map(|it| ((it[0].clone(), it[1].clone()), it[2].clone())).collect()
}

/// One operation of the document.
pub struct Operation {
    pub id: String,
    pub method: Method,
    pub path: String,
    pub tag: String,
    /// `None`: public. Otherwise the scheme and the permission.
    pub security: Option<(String, Option<String>)>,
    /// An example of its JSON body.
    pub body: Option<Value>,
    parameters: Vec<Value>,
}

/// All operations of the document.
pub fn operations(document: &Value) -> Vec<Operation> {
    let mut found = vec![];
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let security = operation["security"].as_array().unwrap().iter().find_map(|it| {
                let (scheme, permissions) = it.as_object()?.iter().next()?;
                Some((scheme.clone(), permissions[0].as_str().map(str::to_owned)))
            });
            let schema =
                operation.pointer("/requestBody/content/application~1json/schema/$ref").and_then(Value::as_str);
            let body = schema.map(|it| document.pointer(&it[1..]).unwrap()["example"].clone());
            found.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                tag: operation["tags"][0].as_str().unwrap().to_owned(),
                security,
                body,
                parameters: operation["parameters"].as_array().cloned().unwrap_or_default(),
            });
        }
    }
    found
}

impl Operation {
    /// Its query parameters.
    pub fn query(&self) -> impl Iterator<Item = &Value> {
        self.parameters.iter().filter(|it| it["in"] == "query")
    }

    async fn send(&self, client: &Client, id: Uuid) -> Answer {
        let mut path = self.path.clone();
        while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
            path.replace_range(start..=end, &id.to_string());
        }
        let body = self.body.as_ref().map(|it| it.to_string().into_bytes());
        client.send(self.method.clone(), &path, body, &[]).await
    }
}

/// Checks one rule everywhere, and that each exception to it is still needed.
struct Findings {
    exceptions: BTreeMap<(String, String), String>,
    wrong: Vec<String>,
}

impl Findings {
    fn expect(&mut self, operation: &Operation, rule: &str, wanted: u16, answer: Answer) {
        let excepted = self.exceptions.remove(&(operation.id.clone(), rule.to_owned())).is_some();
        match (excepted, wanted == answer.status) {
            (false, false) => self.wrong.push(format!(
                "{} {rule}: {} instead of {wanted}: {}",
                operation.id, answer.status, answer.json["detail"]
            )),
            (true, true) => self.wrong.push(format!("{} {rule}: the exception is not needed", operation.id)),
            _ => {}
        }
    }
}

#[tokio::test]
async fn every_operation_refuses_who_may_not() {
    let app = TestApp::new().await;
    let document = app.guest().get("/api/openapi.json").await.ok();
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let site = app.site(&theirs).await;
    let nothing = app.user(UserKind::Platform, None, None, Some(&[])).await;
    let driver = crate::app::driver(&app).await;
    let mut findings = Findings { exceptions: exceptions(), wrong: vec![] };
    for operation in &operations(&document) {
        let Some((scheme, permission)) = &operation.security else { continue };
        let nobody = operation.send(&app.guest(), Uuid::nil()).await;
        findings.expect(operation, "no token", 401, nobody);
        let wrong_kind = if scheme == "staff" { &driver } else { &app.admin };
        findings.expect(operation, "other kind of token", 401, operation.send(wrong_kind, Uuid::nil()).await);
        if permission.is_some() {
            findings.expect(operation, "no permission", 403, operation.send(&nothing, Uuid::nil()).await);
        }
        if operation.path.contains('{') {
            let id = foreign_row(&app, operation, &theirs, &site).await;
            // Who lacks the permission because of the kind of their node is refused before anything is looked up.
            let may_have = |kind| permission.as_ref().is_none_or(|it| shared::permission::codes_for(kind).contains(it));
            let caller = match scheme.as_str() {
                "driver" => &driver,
                _ if may_have(UserKind::Provider) => &mine.boss,
                _ => &app.admin,
            };
            let wanted_id = if std::ptr::eq(caller, &app.admin) { Uuid::now_v7() } else { id };
            findings.expect(operation, "another tenant's row", 404, operation.send(caller, wanted_id).await);
        }
    }
    let stale = findings.exceptions.keys().map(|(id, rule)| format!("{id} {rule}: an exception of nothing"));
    findings.wrong.extend(stale);
    assert!(findings.wrong.is_empty(), "{}", findings.wrong.join("\n"));
}

/// A row of the other tenant that the operation could be pointed at. A new resource needs a line here.
pub async fn foreign_row(app: &TestApp, operation: &Operation, theirs: &Tenant, site: &Site) -> Uuid {
    row(app, &operation.tag, theirs, site).await
}

/// A row of a tenant, of the resource that a tag names.
pub async fn row(app: &TestApp, tag: &str, theirs: &Tenant, site: &Site) -> Uuid {
    match tag {
        "car/stations" => site.station,
        "bike/stations" => app.bike_station(theirs).await,
        "car/areas" => site.area,
        "car/chargers" => site.charger,
        "car/connectors" => site.connectors[0],
        // They are nobody's, and the platform's alone to see.
        "car/unregistered-devices" => Uuid::now_v7(),
        "car/tariffs" => app.tariff(theirs, site).await,
        "members/drivers" => crate::member::visitor(app, theirs, site, 1).await.0,
        "members/card-products" => crate::card::product(app, theirs, "person").await,
        "members/cards" => crate::card::issued(app, theirs).await,
        "orders/car" => app.placed(theirs, site).await.order,
        "orders/reservations" | "app/reservations" => crate::reservation::reserved(app, theirs, site).await,
        "orders/payments" => app.placed(theirs, site).await.payment,
        "orders/refunds" => app.placed(theirs, site).await.refund,
        "orders/invoices" | "app/invoices" => crate::invoice::written(app, theirs, site).await,
        // Every driver sees every station, but orders are the driver's own.
        "app/stations" => Uuid::now_v7(),
        "app/orders" => app.placed(theirs, site).await.order,
        "system/providers" => theirs.provider,
        "system/properties" => theirs.property,
        // They are the platform's alone to see.
        "system/jobs" => Uuid::now_v7(),
        "members/collectives"
        | "system/users"
        | "system/roles"
        | "system/departments"
        | "system/posts"
        | "system/sessions"
        | "system/audits"
        | "system/logins"
        | "account" => crate::system::row_of(app, tag, theirs).await,
        tag => panic!("no factory makes a row of {tag}"),
    }
}

#[tokio::test]
async fn lists_and_sheets_hold_only_what_is_in_scope() {
    let app = TestApp::new().await;
    let (mine, theirs) = (app.tenant().await, app.tenant().await);
    let (own, foreign) = (app.site(&mine).await, app.site(&theirs).await);
    for client in [&mine.boss, &mine.keeper] {
        let page = client.get("/api/v1/car/stations").await.ok();
        let ids: Vec<&str> = page["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [own.station.to_string()]);
        let sheet = client.get("/api/v1/car/stations/export.xlsx").await;
        let text = crate::crud::sheet_text(&sheet.bytes);
        assert_eq!(text.len(), 2, "a heading and one row: {text:?}");
    }
    let all = app.admin.get("/api/v1/car/stations").await.ok();
    let ids: Vec<&str> = all["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [foreign.station.to_string(), own.station.to_string()]);
}
