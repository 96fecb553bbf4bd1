//! Sessions: families of refresh tokens, each good for one use. Using one twice ends the family.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::sessions;
use shared::text::t;
use uuid::Uuid;

use super::token::{self, Audience};
use crate::app::{App, new_id};
use crate::error::{Error, Result};

/// Whom a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user of the console.
    User(Uuid),
    /// A driver.
    Driver(Uuid),
}

impl Subject {
    /// The id, of whichever kind.
    pub const fn id(self) -> Uuid {
        match self {
            Self::User(id) | Self::Driver(id) => id,
        }
    }

    const fn audience(self) -> Audience {
        match self {
            Self::User(_) => Audience::Staff,
            Self::Driver(_) => Audience::Driver,
        }
    }
}

/// Where a session was started from.
#[derive(Clone, Debug)]
pub struct Place {
    /// The peer's address.
    pub ip: String,
    /// Its `User-Agent`, cut to a sane length.
    pub agent: String,
}

/// A fresh pair of tokens.
pub struct Pair {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

#[derive(Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
struct NewSession<'a> {
    id: Uuid,
    family: Uuid,
    user_id: Option<Uuid>,
    driver_id: Option<Uuid>,
    token_hash: String,
    ip: &'a str,
    agent: &'a str,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Starts a family of sessions.
///
/// # Errors
/// The database's.
pub async fn start(conn: &mut AsyncPgConnection, app: &App, subject: Subject, place: &Place) -> Result<Pair> {
    let family = new_id(app.now());
    extend(conn, app, subject, family, place).await
}

async fn extend(
    conn: &mut AsyncPgConnection,
    app: &App,
    subject: Subject,
    family: Uuid,
    place: &Place,
) -> Result<Pair> {
    let now = app.now();
    let refresh = token::random();
    let (user_id, driver_id) = match subject {
        Subject::User(id) => (Some(id), None),
        Subject::Driver(id) => (None, Some(id)),
    };
    let session = NewSession {
        id: new_id(now),
        family,
        user_id,
        driver_id,
        token_hash: token::digest(&refresh),
        ip: &place.ip,
        agent: &place.agent,
        created_at: now,
        expires_at: now + TimeDelta::seconds(app.config.auth.refresh_seconds),
    };
    diesel::insert_into(sessions::table).values(&session).execute(conn).await?;
    let access = app.tokens.sign(subject.id(), subject.audience(), family, now)?;
    Ok(Pair { access, refresh })
}

/// Spends a refresh token and gives the next pair. Call it inside a transaction, and commit that even on error: a
/// token that is used twice revokes its family.
///
/// # Errors
/// 401 when the token is unknown, spent, expired or revoked.
pub async fn refresh(
    conn: &mut AsyncPgConnection,
    app: &App,
    token: &str,
    audience: Audience,
    place: &Place,
) -> Result<Result<(Pair, Subject)>> {
    let gone = || Error::Unauthenticated(t("登录已失效，请重新登录", "The session has ended; log in again"));
    type Row = (Uuid, Uuid, Option<Uuid>, Option<Uuid>, DateTime<Utc>, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
    let row: Option<Row> = sessions::table
        .filter(sessions::token_hash.eq(token::digest(token)))
        .select((
            sessions::id,
            sessions::family,
            sessions::user_id,
            sessions::driver_id,
            sessions::expires_at,
            sessions::spent_at,
            sessions::revoked_at,
        ))
        .for_update()
        .first(conn)
        .await
        .optional()?;
    let Some((id, family, user, driver, expires_at, spent_at, revoked_at)) = row else { return Ok(Err(gone())) };
    let subject = match (user, driver) {
        (Some(id), _) => Subject::User(id),
        (None, Some(id)) => Subject::Driver(id),
        (None, None) => return Err(Error::internal("a session of nobody")),
    };
    if subject.audience() != audience || revoked_at.is_some() || expires_at <= app.now() {
        return Ok(Err(gone()));
    }
    if spent_at.is_some() {
        tracing::warn!(family = %family, "a spent refresh token came back; its family {family} is revoked");
        revoke(conn, family, app.now()).await?;
        return Ok(Err(gone()));
    }
    diesel::update(sessions::table.find(id)).set(sessions::spent_at.eq(app.now())).execute(conn).await?;
    Ok(Ok((extend(conn, app, subject, family, place).await?, subject)))
}

/// Ends a family: its tokens count no more from the next request on.
///
/// # Errors
/// The database's.
pub async fn revoke(conn: &mut AsyncPgConnection, family: Uuid, now: DateTime<Utc>) -> Result<()> {
    diesel::update(sessions::table.filter(sessions::family.eq(family)).filter(sessions::revoked_at.is_null()))
        .set(sessions::revoked_at.eq(now))
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends all sessions of a user but one family.
///
/// # Errors
/// The database's.
pub async fn revoke_others(
    conn: &mut AsyncPgConnection,
    user: Uuid,
    keep: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut query = diesel::update(sessions::table)
        .filter(sessions::user_id.eq(user))
        .filter(sessions::revoked_at.is_null())
        .into_boxed();
    if let Some(family) = keep {
        query = query.filter(sessions::family.ne(family));
    }
    query.set(sessions::revoked_at.eq(now)).execute(conn).await?;
    Ok(())
}
