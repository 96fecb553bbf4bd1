//! Users of the console, as those see them who manage them.

mod change;
mod place;
mod roles;
mod stations;

use chrono::{DateTime, Utc};
use diesel::dsl::{exists, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{
    collectives, departments, posts, properties, providers, roles as role_table, stations as station_table, user_roles,
    user_stations, users,
};
use serde_json::Value;
use shared::page::{Page, PageQuery};
use shared::system::user::{Reach, UserFilter, UserRow, Users};
use shared::user::UserKind;
use uuid::Uuid;

use crate::auth::lockout;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::{Browse, page};
use crate::error::Result;

pub use change::operations;
pub use roles::{assign, revoke};

#[derive(HasQuery)]
#[diesel(table_name = users, check_for_backend(Pg), base_query = joined())]
struct User {
    id: Uuid,
    kind: UserKind,
    provider_id: Option<Uuid>,
    #[diesel(select_expression = providers::name.nullable())]
    provider_name: Option<String>,
    property_id: Option<Uuid>,
    #[diesel(select_expression = properties::name.nullable())]
    property_name: Option<String>,
    collective_id: Option<Uuid>,
    #[diesel(select_expression = collectives::name.nullable())]
    collective_name: Option<String>,
    department_id: Option<Uuid>,
    #[diesel(select_expression = departments::name.nullable())]
    department_name: Option<String>,
    post_id: Option<Uuid>,
    #[diesel(select_expression = posts::name.nullable())]
    post_name: Option<String>,
    username: String,
    name: String,
    phone: Option<String>,
    email: Option<String>,
    enabled: bool,
    must_change_password: bool,
    last_login_at: Option<DateTime<Utc>>,
    password_changed_at: DateTime<Utc>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<User> for UserRow {
    fn from(it: User) -> Self {
        Self {
            id: it.id,
            kind: it.kind,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            property_id: it.property_id,
            property_name: it.property_name,
            collective_id: it.collective_id,
            collective_name: it.collective_name,
            department_id: it.department_id,
            department_name: it.department_name,
            post_id: it.post_id,
            post_name: it.post_name,
            username: it.username,
            name: it.name,
            phone: it.phone,
            email: it.email,
            role_ids: vec![],
            roles: vec![],
            reach: Reach::Node,
            car_station_ids: vec![],
            bike_station_ids: vec![],
            stations: vec![],
            enabled: it.enabled,
            must_change_password: it.must_change_password,
            locked_until: None,
            last_login_at: it.last_login_at,
            password_changed_at: it.password_changed_at,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
            initial_password: None,
        }
    }
}

/// Adds to users what they have several of: of their stations those that the caller sees.
async fn complete(conn: &mut AsyncPgConnection, scope: &Scope, users: &mut [UserRow]) -> Result<()> {
    let ids: Vec<Uuid> = users.iter().map(|it| it.id).collect();
    let roles: Vec<(Uuid, Uuid, String)> = user_roles::table
        .inner_join(role_table::table)
        .filter(user_roles::user_id.eq_any(&ids))
        .order(role_table::id)
        .select((user_roles::user_id, role_table::id, role_table::name))
        .load(conn)
        .await?;
    let stations: Vec<(Uuid, Uuid, String, String)> = user_stations::table
        .inner_join(station_table::table)
        .filter(user_stations::user_id.eq_any(&ids))
        .order(station_table::id)
        .select((user_stations::user_id, station_table::id, station_table::line, station_table::name))
        .load(conn)
        .await?;
    let mut locks = lockout::locks(conn, users.iter().map(|it| it.username.as_str())).await?;
    for user in users.iter_mut() {
        user.locked_until = locks.remove(&user.username.to_lowercase());
    }
    for (user, id, name) in roles {
        if let Some(user) = users.iter_mut().find(|it| it.id == user) {
            user.role_ids.push(id);
            user.roles.push(name);
        }
    }
    for (user, id, line, name) in stations {
        if let Some(user) = users.iter_mut().find(|it| it.id == user) {
            user.reach = Reach::Stations;
            if !sees(scope, id) {
                continue;
            }
            let of_line = if line == "bike" { &mut user.bike_station_ids } else { &mut user.car_station_ids };
            of_line.push(id);
            user.stations.push(name);
        }
    }
    Ok(())
}

/// Whether the caller sees a station that a user whom they see is bound to: it lies at their node or below it.
fn sees(scope: &Scope, station: Uuid) -> bool {
    scope.stations.as_ref().is_none_or(|mine| mine.contains(&station))
}

/// Takes the stations that the caller does not see out of a user as they once were.
fn redact(scope: &Scope, user: &mut Value) {
    let ids = |key: &str| -> Vec<Uuid> {
        let ids = user.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|it| it.as_str()?.parse().ok()).collect()
    };
    let (car, bike) = (ids("car_station_ids"), ids("bike_station_ids"));
    // Their names are in the order of the ids of both lines.
    let mut all = [car.clone(), bike.clone()].concat();
    all.sort_unstable();
    let seen =
        |ids: Vec<Uuid>| ids.into_iter().filter(|it| sees(scope, *it)).map(|it| it.to_string()).collect::<Vec<_>>();
    let names = user.get("stations").and_then(Value::as_array).cloned().unwrap_or_default();
    let names: Vec<Value> =
        all.into_iter().zip(names).filter(|(id, _)| sees(scope, *id)).map(|(_, name)| name).collect();
    let told =
        [("car_station_ids", seen(car).into()), ("bike_station_ids", seen(bike).into()), ("stations", names.into())];
    if let Some(user) = user.as_object_mut() {
        for (key, value) in told {
            user.entry(key).and_modify(|it| *it = value);
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    users::table
        .left_join(providers::table)
        .left_join(properties::table)
        .left_join(collectives::table)
        .left_join(departments::table)
        .left_join(posts::table)
}

/// The users at the caller's node and below it. Being bound to stations does not narrow this: users have none. What may
/// be done to them does, see [`rights`](super::rights).
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    scope.narrow_to_node(joined().into_boxed(), users::provider_id, users::property_id, users::collective_id)
}

fn found(scope: &Scope, filter: &UserFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let UserFilter {
        provider_id,
        property_id,
        collective_id,
        username,
        name,
        reach,
        kind,
        department_id,
        post_id,
        role_id,
        enabled,
        created_from,
        created_to,
    } = filter;
    let (from, to) = page::made_on(*created_from, *created_to);
    let mut query = visible(scope).filter(users::id.ge(from)).filter(users::id.lt(to));
    if let Some(id) = provider_id {
        query = query.filter(users::provider_id.eq(*id));
    }
    if let Some(id) = property_id {
        query = query.filter(users::property_id.eq(*id));
    }
    if let Some(id) = collective_id {
        query = query.filter(users::collective_id.eq(*id));
    }
    if let Some(username) = username {
        query = query.filter(users::username.ilike(page::containing(username)));
    }
    if let Some(name) = name {
        query = query.filter(users::name.ilike(page::containing(name)));
    }
    if let Some(kind) = kind {
        query = query.filter(users::kind.eq(*kind));
    }
    if let Some(id) = department_id {
        query = query.filter(users::department_id.eq(*id));
    }
    if let Some(id) = post_id {
        query = query.filter(users::post_id.eq(*id));
    }
    if let Some(role) = role_id {
        let holders = user_roles::table.filter(user_roles::role_id.eq(*role)).select(user_roles::user_id);
        query = query.filter(users::id.eq_any(holders));
    }
    if let Some(enabled) = enabled {
        query = query.filter(users::enabled.eq(*enabled));
    }
    let bound = exists(user_stations::table.filter(user_stations::user_id.eq(users::id)));
    match reach {
        None => query,
        Some(Reach::Stations) => query.filter(bound),
        Some(Reach::Node) => query.filter(not(bound)),
    }
}

impl Browse for Users {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &UserFilter,
        page: &PageQuery,
    ) -> Result<Page<UserRow>> {
        let (key, falling) = page.order();
        let order = match key {
            "username" => page::by(users::username, falling),
            "name" => page::by(users::name, falling),
            "last_login_at" => page::by(users::last_login_at, falling),
            _ => page::by(users::id, falling),
        };
        let rows = beyond!(found(scope, filter), users::id, page).order(order).select(User::as_select());
        let counted = found(scope, filter).select(users::id);
        let mut page: Page<UserRow> = page::load::<User, _, _, _>(conn, page, rows, counted).await?;
        complete(conn, scope, &mut page.items).await?;
        Ok(page)
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<UserRow> {
        let user: User = visible(scope).filter(users::id.eq(id)).select(User::as_select()).first(conn).await?;
        let mut rows = [UserRow::from(user)];
        complete(conn, scope, &mut rows).await?;
        let [row] = rows;
        Ok(row)
    }

    fn redact(scope: &Scope, snapshot: &mut Value) {
        redact(scope, snapshot);
    }
}
