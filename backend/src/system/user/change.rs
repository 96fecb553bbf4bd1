//! Adding, changing, switching off and removing users, their passwords included.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::Utc;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{properties, providers, users};
use serde::Deserialize;
use shared::resource::{Form, FormMap};
use shared::system::user::{STATIONS, UserForm, UserRow, Users};
use shared::text::t;
use shared::user::UserKind;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{place, roles, stations};
use crate::api::body::Body;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::auth::{new_password, session};
use crate::crud::{Change, Create, Ctx, Delete, Impact, Switch, ops, routes};
use crate::error::{Error, Result};
use crate::system::account::{self, Password};
use crate::system::{node, rights};

impl Create for Users {
    /// The account has no password until one is set.
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &UserForm) -> Result<Uuid> {
        let UserForm {
            kind,
            provider_id,
            property_id,
            collective_id,
            username,
            name,
            phone,
            email,
            department_id,
            post_id,
            role_ids,
            password: _,
        } = form;
        let at = node::for_new(conn, by, form.seat()).await?;
        place::require(conn, at, (*department_id, *post_id), (None, None)).await?;
        let id = new_id(Utc::now());
        diesel::insert_into(users::table)
            .values((
                users::id.eq(id),
                users::kind.eq(kind),
                users::provider_id.eq(provider_id),
                users::property_id.eq(property_id),
                users::collective_id.eq(collective_id),
                users::department_id.eq(department_id),
                users::post_id.eq(post_id),
                users::username.eq(username),
                users::name.eq(name),
                users::phone.eq(phone),
                users::email.eq(email),
                users::password_hash.eq(""),
                users::must_change_password.eq(true),
            ))
            .execute(conn)
            .await?;
        stations::inherit(conn, by, id, at).await?;
        roles::set(conn, by, id, at, role_ids.as_deref().unwrap_or_default()).await?;
        Ok(id)
    }
}

impl Change for Users {
    const TABLE: &'static str = "users";

    async fn update(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid, form: &UserForm) -> Result<()> {
        let UserForm {
            kind: _,
            provider_id: _,
            property_id: _,
            collective_id: _,
            username: _,
            name,
            phone,
            email,
            department_id,
            post_id,
            role_ids,
            password: _,
        } = form;
        let at = node::of(form.seat())?;
        rights::require_over(conn, by, id).await?;
        let before = users::table.find(id).select((users::department_id, users::post_id)).first(conn).await?;
        place::require(conn, at, (*department_id, *post_id), before).await?;
        diesel::update(users::table.find(id))
            .set((
                users::name.eq(name),
                users::phone.eq(phone),
                users::email.eq(email),
                users::department_id.eq(department_id),
                users::post_id.eq(post_id),
            ))
            .execute(conn)
            .await?;
        roles::set(conn, by, id, at, role_ids.as_deref().unwrap_or_default()).await
    }
}

impl Switch for Users {
    const TABLE: &'static str = "users";

    async fn switch(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid, on: bool) -> Result<()> {
        rights::require_other(by, id)?;
        rights::require_over(conn, by, id).await?;
        diesel::update(users::table.find(id)).set(users::enabled.eq(on)).execute(conn).await?;
        if on {
            return Ok(());
        }
        session::revoke_others(conn, id, None, Utc::now()).await?;
        rights::require_administrator(conn).await
    }

    async fn impact(_: &mut AsyncPgConnection, _: &Scope, _: Uuid) -> Result<Impact> {
        Ok(Impact { users: 1, ..Impact::default() })
    }
}

impl Delete for Users {
    /// The row goes with its sessions, roles and bindings; the audit trail keeps what it was and did.
    async fn delete(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid) -> Result<()> {
        rights::require_other(by, id)?;
        rights::require_over(conn, by, id).await?;
        if is_tenants_own(conn, id).await? {
            let text = t(
                "服务商和物业的登录账号不能删除，可以禁用",
                "The account of a provider or property cannot be deleted; it can be disabled",
            );
            return Err(Error::Conflict("tenant_account", text));
        }
        diesel::delete(users::table.find(id)).execute(conn).await?;
        rights::require_administrator(conn).await
    }
}

/// Whether it is the account that was opened with a provider or property.
async fn is_tenants_own(conn: &mut AsyncPgConnection, id: Uuid) -> Result<bool> {
    let provider = users::table
        .inner_join(providers::table)
        .filter(users::id.eq(id))
        .filter(users::kind.eq(UserKind::Provider))
        .filter(users::username.eq(providers::phone));
    let property = users::table
        .inner_join(properties::table)
        .filter(users::id.eq(id))
        .filter(users::username.eq(properties::phone));
    Ok(diesel::select(exists(provider).or(exists(property))).get_result(conn).await?)
}

/// `POST /system/users`: a password that was made up is told in the answer.
async fn create(ctx: Ctx, Body(form): Body<FormMap>) -> Result<HttpResponse> {
    let form = routes::read_form::<Users>(form, &ctx.caller, ctx.lang)?;
    if let Some(chosen) = &form.password {
        new_password::check(chosen, &form.username, "password")?;
    }
    let password = Password::new(&ctx.app, form.password.as_deref()).await?;
    let (actor, now) = (ctx.actor(), ctx.app.now());
    let mut conn = ctx.conn;
    let mut row = conn
        .transaction(async |conn| {
            let row = routes::insert::<Users>(conn, &actor, &form).await?;
            account::set(conn, row.id, &password, now).await?;
            Ok::<_, Error>(row)
        })
        .await?;
    row.initial_password = password.told();
    Ok(HttpResponse::Created().json(row))
}

/// `PUT /system/users/{id}`: a new password is a deed of its own in the audit trail.
async fn update(ctx: Ctx, id: Path<Uuid>, req: HttpRequest, Body(mut map): Body<FormMap>) -> Result<Json<UserRow>> {
    let version = routes::asked_version(&req, &mut map)?;
    let form = routes::read_form::<Users>(map, &ctx.caller, ctx.lang)?;
    let password = match &form.password {
        Some(_) if *id == ctx.caller.user_id => {
            let text = t("请用“修改密码”修改自己的密码", "Change your own password by “Change password”");
            return Err(Error::field("password", "yourself", text));
        }
        Some(chosen) => {
            new_password::check(chosen, &form.username, "password")?;
            Some(Password::new(&ctx.app, Some(chosen)).await?)
        }
        None => None,
    };
    let (actor, lang, now) = (ctx.actor(), ctx.lang, ctx.app.now());
    let mut conn = ctx.conn;
    let row = conn
        .transaction(async |conn| {
            let row = routes::change::<Users>(conn, &actor, *id, version, &form, lang).await?;
            let Some(password) = &password else { return Ok::<_, Error>(row) };
            account::set(conn, *id, password, now).await?;
            routes::changed::<Users>(conn, &actor, "reset-password", row).await
        })
        .await?;
    Ok(Json(row))
}

/// `POST /system/users/{id}/reset-password`: a one-time password, told in the answer.
async fn reset_password(ctx: Ctx, id: Path<Uuid>) -> Result<Json<UserRow>> {
    let (id, now) = (*id, ctx.app.now());
    let password = Password::new(&ctx.app, None).await?;
    let kept = password.clone();
    let Json(mut row) = routes::act::<Users, _>(ctx, id, "reset-password", move |conn, actor, _| {
        Box::pin(async move {
            rights::require_other(&actor.caller, id)?;
            rights::require_over(conn, &actor.caller, id).await?;
            routes::stamp(conn, "users", id, None).await?;
            account::set(conn, id, &kept, now).await
        })
    })
    .await?;
    row.initial_password = password.told();
    Ok(Json(row))
}

/// What a user is to be bound to.
#[derive(Clone, Deserialize, serde::Serialize, ToSchema)]
struct Bindings {
    /// Car stations.
    car_station_ids: Option<Vec<Uuid>>,
    /// E-bike stations. None of either line means all stations of the user's node.
    bike_station_ids: Option<Vec<Uuid>>,
}

impl Form for Bindings {}

/// `POST /system/users/{id}/bind-stations`.
async fn bind_stations(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<UserRow>> {
    let form: Bindings = shared::check::read(STATIONS, &form, ctx.lang).map_err(Error::Invalid)?;
    let id = *id;
    let Bindings { car_station_ids, bike_station_ids } = form;
    let wanted = [
        ("car_station_ids", "car", car_station_ids.unwrap_or_default()),
        ("bike_station_ids", "bike", bike_station_ids.unwrap_or_default()),
    ];
    routes::act::<Users, _>(ctx, id, "bind-stations", move |conn, actor, before| {
        Box::pin(async move {
            let at = node::of(before.seat())?;
            rights::require_over(conn, &actor.caller, id).await?;
            routes::stamp(conn, "users", id, None).await?;
            stations::bind(conn, &actor.caller, id, at, wanted).await
        })
    })
    .await
}

/// The operations of users.
pub fn operations() -> Vec<Op> {
    let own = [
        ops::create::<Users>().returns_with::<UserRow>(201).to(create),
        ops::update::<Users>().returns::<UserRow>().to(update),
        ops::action::<Users>("reset-password").returns::<UserRow>().to(reset_password),
        ops::action::<Users>("bind-stations").form::<Bindings>(STATIONS).returns::<UserRow>().to(bind_stations),
    ];
    [
        ops::browse::<Users>(),
        ops::sheets::<Users>(),
        ops::switch::<Users>(),
        ops::delete::<Users>(),
        ops::history::<Users>(),
    ]
    .into_iter()
    .flatten()
    .chain(own)
    .collect()
}
