//! One-time codes: six digits, good for five minutes and five tries, a few an hour for each telephone.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::login_codes as codes;
use shared::text::t;

use crate::error::{Error, Result};

/// How long a code can be used.
pub const VALID: TimeDelta = TimeDelta::minutes(5);
/// How long to wait before the next one.
pub const PAUSE: TimeDelta = TimeDelta::seconds(60);
/// Wrong tries after which a code is worth nothing.
const TRIES: i32 = 5;
/// Codes for one telephone within [`WINDOW`].
const SENDS: i32 = 5;
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// Writes a new code's digest down, in place of the last one.
///
/// # Errors
/// 429 when the telephone was sent one just now, or too many within the hour.
pub async fn issue(conn: &mut AsyncPgConnection, phone: &str, digest: &str, now: DateTime<Utc>) -> Result<()> {
    let new = (
        codes::phone.eq(phone),
        codes::code_hash.eq(digest),
        codes::sent_at.eq(now),
        codes::expires_at.eq(now + VALID),
        codes::counted_from.eq(now),
    );
    if diesel::insert_into(codes::table).values(new).on_conflict_do_nothing().execute(conn).await? == 1 {
        return Ok(());
    }
    let row = codes::table.find(phone).for_update();
    let (sent_at, sends, counted_from): (DateTime<Utc>, i32, DateTime<Utc>) =
        row.select((codes::sent_at, codes::sends, codes::counted_from)).first(conn).await?;
    let (sends, counted_from) = if counted_from + WINDOW <= now { (0, now) } else { (sends, counted_from) };
    let next = if sends < SENDS { sent_at + PAUSE } else { counted_from + WINDOW };
    if now < next {
        let wait = u64::try_from((next - now).num_seconds()).unwrap_or_default().max(1);
        return Err(Error::Limited(wait, t("验证码发送过于频繁", "Codes were asked for too often")));
    }
    let set = (
        codes::code_hash.eq(digest),
        codes::attempts.eq(0),
        codes::sent_at.eq(now),
        codes::expires_at.eq(now + VALID),
        codes::sends.eq(sends + 1),
        codes::counted_from.eq(counted_from),
    );
    diesel::update(codes::table.find(phone)).set(set).execute(conn).await?;
    Ok(())
}

/// Takes a code back that could not be sent, so that another one can be asked for at once.
///
/// # Errors
/// The database's.
pub async fn take_back(conn: &mut AsyncPgConnection, phone: &str, digest: &str, now: DateTime<Utc>) -> Result<()> {
    let row = codes::table.find(phone).filter(codes::code_hash.eq(digest));
    let set = (codes::expires_at.eq(now), codes::sent_at.eq(now - PAUSE));
    diesel::update(row).set(set).execute(conn).await?;
    Ok(())
}

/// Whether this is the code, which can then not be used again. A wrong one is counted: commit either way.
///
/// # Errors
/// The database's.
pub async fn redeem(conn: &mut AsyncPgConnection, phone: &str, digest: &str, now: DateTime<Utc>) -> Result<bool> {
    let row = codes::table.find(phone).filter(codes::expires_at.gt(now)).filter(codes::attempts.lt(TRIES));
    let stored: Option<String> = row.for_update().select(codes::code_hash).first(conn).await.optional()?;
    let Some(stored) = stored else { return Ok(false) };
    // The digests are made with a key of ours, so the time that comparing them takes tells nothing.
    let right = stored == digest;
    let row = diesel::update(codes::table.find(phone));
    if right {
        row.set(codes::expires_at.eq(now)).execute(conn).await?;
    } else {
        row.set(codes::attempts.eq(codes::attempts + 1)).execute(conn).await?;
    }
    Ok(right)
}
