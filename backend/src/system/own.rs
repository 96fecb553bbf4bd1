//! One's own account: `/account`.

use actix_web::web::{Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{sessions, users};
use shared::resource::FormMap;
use shared::system::account::{Account, AccountForm, FIELDS, OwnSession};
use shared::system::user::{UserRow, Users};
use shared::text::t;
use uuid::Uuid;

use crate::api::body::Body;
use crate::api::op::Op;
use crate::app::made_at;
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::auth::session;
use crate::crud::{Browse, Ctx, ops, routes};
use crate::error::{Error, Result};

fn account(it: UserRow) -> Account {
    Account {
        id: it.id,
        username: it.username,
        name: it.name,
        phone: it.phone,
        email: it.email,
        kind: it.kind,
        provider_name: it.provider_name,
        property_name: it.property_name,
        collective_name: it.collective_name,
        department_name: it.department_name,
        post_name: it.post_name,
        roles: it.roles,
        stations: it.stations,
        last_login_at: it.last_login_at,
        password_changed_at: it.password_changed_at,
        version: it.version,
        created_at: it.created_at,
    }
}

/// `GET /account`.
async fn find(mut ctx: Ctx) -> Result<Json<Account>> {
    Ok(Json(account(Users::find(&mut ctx.conn, &Scope::ALL, ctx.caller.user_id).await?)))
}

/// `PUT /account`.
async fn update(ctx: Ctx, req: HttpRequest, Body(mut form): Body<FormMap>) -> Result<Json<Account>> {
    let version = routes::asked_version(&req, &mut form)?;
    let AccountForm { name, phone, email } = shared::check::read(FIELDS, &form, ctx.lang).map_err(Error::Invalid)?;
    let actor = ctx.actor();
    let id = actor.caller.user_id;
    let mut conn = ctx.conn;
    let row = conn
        .transaction(async |conn| {
            let before = Users::find(conn, &actor.caller.scope, id).await?;
            // The accounts of providers and properties are named by their mobile numbers.
            if before.phone.as_ref() == Some(&before.username) && phone != before.phone {
                let text = t("手机号码是登录账号，不能修改", "The mobile number is the account's name, and stays");
                return Err(Error::field("phone", "mismatch", text));
            }
            routes::stamp(conn, "users", id, Some(version)).await?;
            diesel::update(users::table.find(id))
                .set((users::name.eq(name), users::phone.eq(phone), users::email.eq(email)))
                .execute(conn)
                .await?;
            routes::changed::<Users>(conn, &actor, "update", before).await
        })
        .await?;
    Ok(Json(account(row)))
}

/// `GET /account/sessions`, newest first.
async fn list_sessions(mut ctx: Ctx) -> Result<Json<Vec<OwnSession>>> {
    Ok(Json(live(&mut ctx.conn, &ctx.caller).await?))
}

async fn live(conn: &mut AsyncPgConnection, caller: &Caller) -> Result<Vec<OwnSession>> {
    type Row = (Uuid, String, String, DateTime<Utc>, DateTime<Utc>);
    let rows: Vec<Row> = sessions::table
        .filter(sessions::user_id.eq(caller.user_id))
        .filter(sessions::spent_at.is_null())
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(diesel::dsl::now))
        .order(sessions::family.desc())
        .select((sessions::family, sessions::ip, sessions::agent, sessions::created_at, sessions::expires_at))
        .load(conn)
        .await?;
    let own = |(id, ip, agent, seen_at, expires_at)| OwnSession {
        id,
        current: id == caller.family,
        ip,
        agent,
        started_at: made_at(id),
        seen_at,
        expires_at,
    };
    Ok(rows.into_iter().map(own).collect())
}

/// `DELETE /account/sessions/{id}`.
async fn end_session(mut ctx: Ctx, id: Path<Uuid>) -> Result<HttpResponse> {
    if !live(&mut ctx.conn, &ctx.caller).await?.iter().any(|it| it.id == *id) {
        return Err(Error::NotFound);
    }
    session::revoke(&mut ctx.conn, *id, ctx.app.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `POST /account/sessions/end-others`.
async fn end_others(mut ctx: Ctx) -> Result<HttpResponse> {
    session::revoke_others(&mut ctx.conn, ctx.caller.user_id, Some(ctx.caller.family), ctx.app.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The operations of one's own account.
pub fn operations() -> Vec<Op> {
    let ops = [
        Op::get("/api/v1/account", "getAccount", t("我的账号", "One's own account")).returns::<Account>().to(find),
        Op::put("/api/v1/account", "updateAccount", t("修改我的资料", "Change one's own name and addresses"))
            .form::<AccountForm>(FIELDS)
            .body_schema("AccountFormChange".to_owned(), ops::with_version::<AccountForm>())
            .returns::<Account>()
            .to(update),
        Op::get("/api/v1/account/sessions", "listOwnSessions", t("我的登录", "Where one is logged in"))
            .returns_list::<OwnSession>()
            .to(list_sessions),
        Op::delete("/api/v1/account/sessions/{id}", "endOwnSession", t("退出一处登录", "Log out there"))
            .to(end_session),
        Op::post(
            "/api/v1/account/sessions/end-others",
            "endOtherSessions",
            t("退出其他登录", "Log out everywhere else"),
        )
        .to(end_others),
    ];
    ops.into_iter().map(|op| op.tag("account")).collect()
}
