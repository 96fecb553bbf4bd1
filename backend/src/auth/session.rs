//! Sessions: families of refresh tokens, each good for one use. Who sends one again at once did not get the answer, or asked
//! twice at the same time, and is told the same again; using one later ends the family.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::sessions;
use shared::text::t;
use uuid::Uuid;

use super::token::{self, Audience, Claims};
use crate::app::{App, new_id};
use crate::error::{Error, Result};
use crate::system::settings;

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
    /// Seconds until the access token ends.
    pub expires_in: i64,
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

/// How long tokens live, and how many logins there can be at a time.
struct Limits {
    access: TimeDelta,
    refresh: TimeDelta,
    at_a_time: Option<i64>,
}

/// Those of the console are settings of the platform's staff; those of drivers are the program's.
async fn limits(conn: &mut AsyncPgConnection, app: &App, subject: Subject) -> Result<Limits> {
    Ok(match subject {
        Subject::User(_) => {
            let settings = settings::read(conn).await?;
            Limits {
                access: TimeDelta::minutes(settings.access_minutes.into()),
                refresh: TimeDelta::days(settings.session_days.into()),
                at_a_time: Some(settings.sessions_per_user.into()),
            }
        }
        Subject::Driver(_) => Limits {
            access: TimeDelta::seconds(app.config.auth.access_seconds),
            refresh: TimeDelta::seconds(app.config.auth.refresh_seconds),
            at_a_time: None,
        },
    })
}

/// Starts a family of sessions; the oldest ones of a user who has too many end.
///
/// # Errors
/// The database's.
pub async fn start(conn: &mut AsyncPgConnection, app: &App, subject: Subject, place: &Place) -> Result<Pair> {
    let limits = limits(conn, app, subject).await?;
    let family = new_id(app.now());
    let pair = extend(conn, app, subject, family, token::random(), place, &limits).await?;
    if let (Subject::User(id), Some(most)) = (subject, limits.at_a_time) {
        let beyond: Vec<Uuid> = sessions::table
            .filter(sessions::user_id.eq(id))
            .filter(sessions::spent_at.is_null())
            .filter(sessions::revoked_at.is_null())
            .filter(sessions::expires_at.gt(app.now()))
            .order(sessions::family.desc())
            .offset(most)
            .select(sessions::family)
            .load(conn)
            .await?;
        for family in beyond {
            revoke(conn, family, app.now()).await?;
        }
    }
    Ok(pair)
}

async fn extend(
    conn: &mut AsyncPgConnection,
    app: &App,
    subject: Subject,
    family: Uuid,
    refresh: String,
    place: &Place,
    limits: &Limits,
) -> Result<Pair> {
    let now = app.now();
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
        expires_at: now + limits.refresh,
    };
    diesel::insert_into(sessions::table).values(&session).execute(conn).await?;
    pair(app, subject, family, refresh, limits)
}

/// A refresh token that is stored, with a new access token.
fn pair(app: &App, subject: Subject, family: Uuid, refresh: String, limits: &Limits) -> Result<Pair> {
    let now = app.now();
    let (sub, kind, exp) = (subject.id(), subject.audience(), (now + limits.access).timestamp());
    let access = app.tokens.sign(&Claims { sub, kind, family, exp })?;
    Ok(Pair { access, refresh, expires_in: limits.access.num_seconds() })
}

/// Spends a refresh token and gives the next pair; sent again within seconds, the same refresh token again. Call it inside a
/// transaction, and commit that even on error: a token that is used again later revokes its family.
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
    let limits = limits(conn, app, subject).await?;
    let next = app.tokens.successor(token)?;
    if let Some(spent_at) = spent_at {
        let at_once = spent_at + TimeDelta::seconds(app.config.auth.repeat_seconds) > app.now();
        // Whoever ended the session since has ended its spent tokens too, see above.
        let successor = sessions::table.filter(sessions::token_hash.eq(token::digest(&next)));
        if at_once && diesel::select(exists(successor)).get_result(conn).await? {
            return Ok(Ok((pair(app, subject, family, next, &limits)?, subject)));
        }
        tracing::warn!(family = %family, "a spent refresh token came back; its family {family} is revoked");
        revoke(conn, family, app.now()).await?;
        return Ok(Err(gone()));
    }
    diesel::update(sessions::table.find(id)).set(sessions::spent_at.eq(app.now())).execute(conn).await?;
    Ok(Ok((extend(conn, app, subject, family, next, place, &limits).await?, subject)))
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
