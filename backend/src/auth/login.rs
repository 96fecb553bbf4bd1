//! Logging in and out: `/auth/*`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::Json;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{login_records, users};
use shared::system::login::LoginOutcome;
use shared::system::user::Users;
use shared::text::t;
use shared::user::{Login, Me, PasswordChange, Refresh, Tokens, UserKind};
use uuid::Uuid;

use super::caller::Caller;
use super::lockout::{Visitor, network};
use super::new_password;
use super::password::Hasher;
use super::session::{self, Pair, Subject};
use super::token::Audience;
use crate::api::body::Body;
use crate::app::new_id;
use crate::crud::{Browse, Ctx, Guest, routes};
use crate::db::lower;
use crate::error::{Error, Result};

/// Counts tries by address; forgets an address after a minute.
#[derive(Default)]
pub struct Tries(Mutex<HashMap<String, (u32, Instant)>>);

impl Tries {
    /// Refuses the try that is one too many within a minute.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub fn allow(&self, key: &str, limit: u32) -> Result<()> {
        const WINDOW: Duration = Duration::from_secs(60);
        let now = Instant::now();
        let mut tries = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Hostile input: the table is emptied of what has passed before it can grow without end.
        if tries.len() > 10_000 {
            tries.retain(|_, (_, since)| now.duration_since(*since) < WINDOW);
        }
        let (count, since) = tries.entry(key.to_owned()).or_insert((0, now));
        if now.duration_since(*since) >= WINDOW {
            (*count, *since) = (0, now);
        }
        *count += 1;
        if *count <= limit {
            return Ok(());
        }
        let wait = WINDOW.saturating_sub(now.duration_since(*since)).as_secs().max(1);
        Err(Error::Limited(wait, t("尝试次数过多，请稍后再试", "Too many tries; wait a moment")))
    }
}

/// What a login needs to know of an account.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users, check_for_backend(Pg))]
struct Account {
    id: Uuid,
    name: String,
    provider_id: Option<Uuid>,
    property_id: Option<Uuid>,
    collective_id: Option<Uuid>,
    password_hash: String,
    enabled: bool,
}

/// `POST /auth/login`. Nothing in what is done tells a name that nobody bears from a wrong password.
pub async fn login(guest: Guest, Body(form): Body<Login>) -> Result<Json<Tokens>> {
    let Guest { app, conn, place, tries, .. } = guest;
    // No connection is held while others have their turn, nor while the password is checked.
    drop(conn);
    let name = form.username.trim().to_lowercase();
    tries.allow(&network(&place.ip), app.config.auth.logins_per_minute)?;
    let mut visitor = Visitor::wait(&app, &name, &place.ip).await?;
    let tried = async |conn: &mut AsyncPgConnection, account: Option<&Account>, outcome: LoginOutcome| {
        record(conn, &name, account, &place, outcome, app.now()).await
    };
    let mut conn = app.conn().await?;
    let account: Option<Account> = users::table
        .filter(lower(users::username).eq(&name))
        .select(Account::as_select())
        .first(&mut conn)
        .await
        .optional()?;
    if let Err(shut_out) = visitor.admit(&mut conn, app.now()).await {
        tried(&mut conn, account.as_ref(), LoginOutcome::Locked).await?;
        return Err(shut_out);
    }
    drop(conn);
    let right = app.hasher.verify(&form.password, account.as_ref().map(|it| it.password_hash.as_str())).await?;
    let account = match account {
        Some(account) if right => account,
        account => {
            let mut conn = app.conn().await?;
            tried(&mut conn, account.as_ref(), LoginOutcome::Wrong).await?;
            visitor.failed(&mut conn, &app).await?;
            return Err(wrong());
        }
    };
    let better = match Hasher::is_outdated(&account.password_hash) {
        true => Some(app.hasher.hash(&form.password).await?),
        false => None,
    };
    let mut conn = app.conn().await?;
    if !account.enabled {
        tried(&mut conn, Some(&account), LoginOutcome::Disabled).await?;
        return Err(Error::Unauthenticated(t("账号已被禁用", "The account is disabled")));
    }
    let now = app.now();
    let tokens = conn
        .transaction(async |conn| {
            diesel::update(users::table.find(account.id)).set(users::last_login_at.eq(now)).execute(conn).await?;
            visitor.succeeded(conn, now).await?;
            if let Some(hash) = better {
                // Unless it was changed in the meantime.
                let same = users::table.find(account.id).filter(users::password_hash.eq(&account.password_hash));
                diesel::update(same).set(users::password_hash.eq(hash)).execute(conn).await?;
            }
            tried(conn, Some(&account), LoginOutcome::Succeeded).await?;
            let pair = session::start(conn, &app, Subject::User(account.id), &place).await?;
            answer(conn, &app, pair, account.id).await
        })
        .await?;
    Ok(Json(tokens))
}

/// `POST /auth/refresh`.
pub async fn refresh(guest: Guest, Body(form): Body<Refresh>) -> Result<Json<Tokens>> {
    let Guest { app, mut conn, place, .. } = guest;
    let tokens = conn
        .transaction(async |conn| {
            match session::refresh(conn, &app, &form.refresh_token, Audience::Staff, &place).await? {
                Ok((pair, subject)) => Ok::<_, Error>(answer(conn, &app, pair, subject.id()).await),
                Err(err) => Ok(Err(err)),
            }
        })
        .await??;
    Ok(Json(tokens))
}

/// `POST /auth/logout`.
pub async fn logout(mut ctx: Ctx) -> Result<HttpResponse> {
    session::revoke(&mut ctx.conn, ctx.caller.family, ctx.app.now()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /auth/me`.
pub async fn me(mut ctx: Ctx) -> Result<Json<Me>> {
    Ok(Json(read_me(&mut ctx.conn, ctx.caller).await?))
}

/// `POST /auth/password`: changes one's own password and ends all other sessions.
pub async fn change_password(ctx: Ctx, Body(form): Body<PasswordChange>) -> Result<HttpResponse> {
    let actor = ctx.actor();
    let Ctx { app, caller, mut conn, place, .. } = ctx;
    let username: String = users::table.find(caller.user_id).select(users::username).first(&mut conn).await?;
    new_password::check(&form.new_password, &username, "new_password")?;
    // Whoever found an open console can guess here no faster than at the login.
    drop(conn);
    let mut visitor = Visitor::wait(&app, &username, &place.ip).await?;
    let mut conn = app.conn().await?;
    visitor.admit(&mut conn, app.now()).await?;
    let stored: String = users::table.find(caller.user_id).select(users::password_hash).first(&mut conn).await?;
    drop(conn);
    let right = app.hasher.verify(&form.old_password, Some(&stored)).await?;
    let mut conn = app.conn().await?;
    if !right {
        visitor.failed(&mut conn, &app).await?;
        return Err(Error::field("old_password", "wrong", t("原密码不正确", "The present password is wrong")));
    }
    drop(conn);
    let (hash, now) = (app.hasher.hash(&form.new_password).await?, app.now());
    let mut conn = app.conn().await?;
    conn.transaction(async |conn| {
        let before = Users::find(conn, &caller.scope, caller.user_id).await?;
        diesel::update(users::table.find(caller.user_id))
            .set((
                users::password_hash.eq(hash),
                users::password_changed_at.eq(now),
                users::must_change_password.eq(false),
            ))
            .execute(conn)
            .await?;
        session::revoke_others(conn, caller.user_id, Some(caller.family), now).await?;
        routes::changed::<Users>(conn, &actor, "change-password", before).await
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn answer(conn: &mut AsyncPgConnection, app: &crate::app::App, pair: Pair, user: Uuid) -> Result<Tokens> {
    let family =
        app.tokens.read(&pair.access).map(|it| it.family).ok_or_else(|| Error::internal("an unreadable token"))?;
    let caller = Caller::load(conn, user, family).await?;
    Ok(Tokens {
        access_token: pair.access,
        token_type: "Bearer".to_owned(),
        expires_in: pair.expires_in,
        refresh_token: pair.refresh,
        user: read_me(conn, caller).await?,
    })
}

async fn read_me(conn: &mut AsyncPgConnection, caller: Caller) -> Result<Me> {
    let (username, kind): (String, UserKind) =
        users::table.find(caller.user_id).select((users::username, users::kind)).first(conn).await?;
    Ok(Me {
        id: caller.user_id,
        username,
        name: caller.name,
        kind,
        provider_id: caller.scope.node.provider(),
        property_id: caller.scope.node.property(),
        collective_id: caller.scope.node.collective(),
        must_change_password: caller.must_change_password,
        permissions: caller.permissions,
    })
}

fn wrong() -> Error {
    Error::Unauthenticated(t("账号或密码错误", "The name or the password is wrong"))
}

/// Keeps what became of a try, under the name that was typed.
async fn record(
    conn: &mut AsyncPgConnection,
    typed: &str,
    account: Option<&Account>,
    place: &session::Place,
    outcome: LoginOutcome,
    now: DateTime<Utc>,
) -> Result<()> {
    let username: String = typed.chars().take(64).collect();
    diesel::insert_into(login_records::table)
        .values((
            login_records::id.eq(new_id(now)),
            login_records::username.eq(username),
            login_records::user_id.eq(account.map(|it| it.id)),
            login_records::user_name.eq(account.map(|it| &it.name)),
            login_records::provider_id.eq(account.and_then(|it| it.provider_id)),
            login_records::property_id.eq(account.and_then(|it| it.property_id)),
            login_records::collective_id.eq(account.and_then(|it| it.collective_id)),
            login_records::ip.eq(&place.ip),
            login_records::agent.eq(&place.agent),
            login_records::outcome.eq(outcome),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The address to blame: the peer, or what a trusted proxy says of it.
pub fn peer(peer: Option<IpAddr>, forwarded: Option<&str>, trusted: &[IpAddr]) -> String {
    let Some(peer) = peer else { return "unknown".to_owned() };
    let last = forwarded.filter(|_| trusted.contains(&peer)).and_then(|it| it.rsplit(',').next());
    last.and_then(|it| it.trim().parse::<IpAddr>().ok()).unwrap_or(peer).to_string()
}
