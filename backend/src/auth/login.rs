//! Logging in and out: `/auth/*`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::web::Json;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{login_records, users};
use shared::text::t;
use shared::user::{Login, Me, PasswordChange, Refresh, Tokens, UserKind};
use uuid::Uuid;

use super::caller::Caller;
use super::session::{self, Pair, Subject};
use super::token::{Audience, digest};
use crate::api::body::Body;
use crate::app::new_id;
use crate::crud::{Ctx, Guest};
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

type Account = (Uuid, String, bool, i32, Option<DateTime<Utc>>);

/// `POST /auth/login`.
pub async fn login(guest: Guest, Body(form): Body<Login>) -> Result<Json<Tokens>> {
    let Guest { app, mut conn, place, tries, .. } = guest;
    let name = form.username.trim().to_lowercase();
    tries.allow(&place.ip, app.config.auth.logins_per_minute)?;
    tries.allow(&format!("user {}", digest(&name)), app.config.auth.logins_per_minute)?;
    let account: Option<Account> = users::table
        .filter(
            diesel::dsl::sql::<diesel::sql_types::Bool>("lower(username) = ").bind::<diesel::sql_types::Text, _>(&name),
        )
        .select((users::id, users::password_hash, users::enabled, users::failed_logins, users::locked_until))
        .first(&mut conn)
        .await
        .optional()?;
    let now = app.now();
    if let Some((id, _, _, _, Some(until))) = &account
        && *until > now
    {
        record(&mut conn, &name, Some(*id), &place, "locked", now).await?;
        return Err(locked(*until - now));
    }
    // The connection is not held while the password is checked.
    drop(conn);
    let right = app.hasher.verify(&form.password, account.as_ref().map(|it| it.1.as_str())).await?;
    let mut conn = app.conn().await?;
    let Some((id, _, enabled, failed, _)) = account else {
        record(&mut conn, &name, None, &place, "wrong", now).await?;
        return Err(wrong());
    };
    if !right {
        let failed = failed + 1;
        let until =
            (failed >= app.config.auth.lock_after).then(|| now + TimeDelta::seconds(app.config.auth.lock_seconds));
        let failed = if until.is_some() { 0 } else { failed };
        diesel::update(users::table.find(id))
            .set((users::failed_logins.eq(failed), users::locked_until.eq(until)))
            .execute(&mut conn)
            .await?;
        record(&mut conn, &name, Some(id), &place, "wrong", now).await?;
        return Err(until.map_or_else(wrong, |until| locked(until - now)));
    }
    if !enabled {
        record(&mut conn, &name, Some(id), &place, "disabled", now).await?;
        return Err(Error::Unauthenticated(t("账号已被禁用", "The account is disabled")));
    }
    let tokens = conn
        .transaction(async |conn| {
            diesel::update(users::table.find(id))
                .set((
                    users::failed_logins.eq(0),
                    users::locked_until.eq(None::<DateTime<Utc>>),
                    users::last_login_at.eq(now),
                ))
                .execute(conn)
                .await?;
            record(conn, &name, Some(id), &place, "succeeded", now).await?;
            let pair = session::start(conn, &app, Subject::User(id), &place).await?;
            answer(conn, &app, pair, id).await
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
    let Ctx { app, caller, mut conn, .. } = ctx;
    check_new_password(&form.new_password, "new_password")?;
    let stored: String = users::table.find(caller.user_id).select(users::password_hash).first(&mut conn).await?;
    if !app.hasher.verify(&form.old_password, Some(&stored)).await? {
        return Err(Error::field("old_password", "wrong", t("原密码不正确", "The present password is wrong")));
    }
    let hash = app.hasher.hash(&form.new_password).await?;
    conn.transaction(async |conn| {
        diesel::update(users::table.find(caller.user_id))
            .set((users::password_hash.eq(hash), users::must_change_password.eq(false)))
            .execute(conn)
            .await?;
        session::revoke_others(conn, caller.user_id, Some(caller.family), app.now()).await
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Refuses a password that is too short or endless.
///
/// # Errors
/// 422 on the named field.
pub fn check_new_password(password: &str, field: &str) -> Result<()> {
    match password.chars().count() {
        0..8 => Err(Error::field(field, "too_short", t("至少 8 个字符", "At least 8 characters"))),
        8..=128 => Ok(()),
        _ => Err(Error::field(field, "too_long", t("至多 128 个字符", "At most 128 characters"))),
    }
}

async fn answer(conn: &mut AsyncPgConnection, app: &crate::app::App, pair: Pair, user: Uuid) -> Result<Tokens> {
    let family =
        app.tokens.read(&pair.access).map(|it| it.family).ok_or_else(|| Error::internal("an unreadable token"))?;
    let caller = Caller::load(conn, user, family).await?;
    Ok(Tokens {
        access_token: pair.access,
        token_type: "Bearer".to_owned(),
        expires_in: app.config.auth.access_seconds,
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
        must_change_password: caller.must_change_password,
        permissions: caller.permissions,
    })
}

fn wrong() -> Error {
    Error::Unauthenticated(t("账号或密码错误", "The name or the password is wrong"))
}

fn locked(wait: TimeDelta) -> Error {
    let text = t("密码错误次数过多，账号已暂时锁定", "Too many wrong passwords; the account is locked for a while");
    Error::Limited(u64::try_from(wait.num_seconds()).unwrap_or_default().max(1), text)
}

async fn record(
    conn: &mut AsyncPgConnection,
    username: &str,
    user: Option<Uuid>,
    place: &session::Place,
    outcome: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let username: String = username.chars().take(64).collect();
    diesel::insert_into(login_records::table)
        .values((
            login_records::id.eq(new_id(now)),
            login_records::username.eq(username),
            login_records::user_id.eq(user),
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
