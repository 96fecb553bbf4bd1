//! System management: tenants and their accounts, users and roles, and that nobody gets further than they may.

mod account;
mod anybody;
mod collectives;
mod departments;
mod model;
mod people;
mod rights;
mod settings;
mod tenants;
mod together;
mod trail;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{audits, roles, users};
use serde_json::{Value, json};
use shared::user::UserKind;
use uuid::Uuid;

use crate::app::{Client, Site, Tenant, TestApp};

const PROVIDERS: &str = "/api/v1/system/providers";
const PROPERTIES: &str = "/api/v1/system/properties";
const USERS: &str = "/api/v1/system/users";
const ROLES: &str = "/api/v1/system/roles";
const DEPARTMENTS: &str = "/api/v1/system/departments";
const POSTS: &str = "/api/v1/system/posts";
const COLLECTIVES: &str = "/api/v1/members/collectives";

/// A row of a tenant that the access matrix points others at.
pub async fn row_of(app: &TestApp, tag: &str, of: &Tenant) -> Uuid {
    let mut conn = app.conn().await;
    let user = users::table.filter(users::provider_id.eq(of.provider)).select(users::id).first::<Uuid>(&mut conn).await;
    let first = async |path: &str| of.boss.get(path).await.ok()["items"][0]["id"].as_str().unwrap().parse().unwrap();
    match tag {
        "members/collectives" => collective(app, of).await,
        "system/users" => user.unwrap(),
        "system/roles" => {
            let of_provider = roles::table.filter(roles::provider_id.eq(of.provider)).filter(roles::builtin.eq(false));
            of_provider.select(roles::id).first(&mut conn).await.unwrap()
        }
        "system/departments" => text(&department(&of.boss, "provider", of, &[]).await["id"]).parse().unwrap(),
        "system/posts" => {
            let department = department(&of.boss, "provider", of, &[]).await;
            text(&post(&of.boss, "provider", of, &department, "岗位").await["id"]).parse().unwrap()
        }
        "system/sessions" | "account" => first("/api/v1/system/sessions").await,
        "system/logins" => first("/api/v1/system/logins").await,
        "system/audits" => {
            let station = json!({"property_id": of.property, "name": format!("站{}", app.next()), "nature": "public"});
            let id = of.boss.post("/api/v1/car/stations", station).await.id();
            audits::table.filter(audits::object_id.eq(id)).select(audits::id).first(&mut conn).await.unwrap()
        }
        tag => panic!("no factory makes a row of {tag}"),
    }
}

/// A collective of a tenant's property.
async fn collective(app: &TestApp, of: &Tenant) -> Uuid {
    let name = format!("集体户{}", app.next());
    let form = json!({"property_id": of.property, "name": name, "contact": "周洁", "phone": "400-800-1234"});
    of.boss.post(COLLECTIVES, form).await.id()
}

/// A department at a tenant's node, with these fields besides.
async fn department(by: &Client, kind: &str, of: &Tenant, more: &[(&str, Value)]) -> Value {
    let mut form = user_form(kind, of, "");
    let form = form.as_object_mut().unwrap();
    form.remove("username");
    form.insert("name".to_owned(), json!(format!("部门{}", Uuid::new_v4().as_fields().0)));
    form.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    by.post(DEPARTMENTS, Value::Object(form.clone())).await.ok()
}

/// A post in a department of a tenant's node.
async fn post(by: &Client, kind: &str, of: &Tenant, department: &Value, name: &str) -> Value {
    let mut form = user_form(kind, of, "");
    let form = form.as_object_mut().unwrap();
    form.remove("username");
    form.insert("name".to_owned(), json!(name));
    form.insert("department_id".to_owned(), department["id"].clone());
    by.post(POSTS, Value::Object(form.clone())).await.ok()
}

/// A sheet with these rows.
fn sheet(rows: &[&[&str]]) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(*cells) {
            sheet.write_string(row, column, *cell).unwrap();
        }
    }
    book.save_to_buffer().unwrap()
}

fn phone(app: &TestApp) -> String {
    format!("135{:08}", app.next())
}

async fn log_in(app: &TestApp, username: &str, password: &str) -> crate::app::Answer {
    app.guest().post("/api/v1/auth/login", json!({"username": username, "password": password})).await
}

/// Logs in with a one-time password and changes it.
async fn first_login(app: &TestApp, username: &str, password: &str) -> Client {
    let client = app.bearer(log_in(app, username, password).await.ok()["access_token"].as_str().unwrap());
    let change = json!({"old_password": password, "new_password": "my own password"});
    client.post("/api/v1/auth/password", change).await.ok();
    client
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|it| text(&it["id"])).collect()
}

/// The id of the user behind a client.
async fn me(client: &Client) -> Uuid {
    client.get("/api/v1/auth/me").await.id()
}

/// A provider as the platform adds it, not yet reviewed.
async fn pending(app: &TestApp) -> Value {
    let form = json!({"name": format!("新服务商{}", app.next()), "contact": "王敏", "phone": phone(app)});
    app.admin.post(PROVIDERS, form).await.ok()
}

/// The form of a user at a tenant's node.
fn user_form(kind: &str, of: &Tenant, username: &str) -> Value {
    let (provider, property) = match kind {
        "platform" => (Value::Null, Value::Null),
        "provider" => (json!(of.provider), Value::Null),
        _ => (json!(of.provider), json!(of.property)),
    };
    json!({"kind": kind, "provider_id": provider, "property_id": property, "username": username, "name": "新人"})
}

/// A role at a tenant's node with these permissions.
async fn role(by: &Client, kind: &str, of: &Tenant, name: &str, permissions: &[&str]) -> Value {
    let mut form = user_form(kind, of, "");
    let form = form.as_object_mut().unwrap();
    form.remove("username");
    form.insert("name".to_owned(), json!(name));
    form.insert("permissions".to_owned(), json!(permissions));
    by.post(ROLES, Value::Object(form.clone())).await.ok()
}

async fn bind(by: &Client, user: Uuid, stations: &[Uuid]) -> crate::app::Answer {
    by.post(&format!("{USERS}/{user}/bind-stations"), json!({"car_station_ids": stations})).await
}
