//! One-time codes: six digits, good for five minutes and five tries. A text message costs money and disturbs somebody, so
//! they are counted: for each telephone, for each address that asks, and in all.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text as SqlText, Timestamptz};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{code_counts as counts, login_codes as codes};
use shared::text::t;

use crate::config::Sms;
use crate::error::{Error, Result};

/// How long a code can be used.
pub const VALID: TimeDelta = TimeDelta::minutes(5);
/// How long to wait before the next one.
pub const PAUSE: TimeDelta = TimeDelta::seconds(60);
/// Wrong tries after which a code is worth nothing.
const TRIES: i32 = 5;
/// Codes for one telephone within [`HOUR`].
const SENDS: i32 = 5;
const HOUR: TimeDelta = TimeDelta::hours(1);
const DAY: TimeDelta = TimeDelta::days(1);
/// What the messages in all are counted under.
const ALL: &str = "all";

/// A code that somebody asks for.
pub struct Asked<'a> {
    /// For which telephone.
    pub phone: &'a str,
    /// From which network.
    pub network: &'a str,
    /// The code's digest.
    pub digest: &'a str,
}

impl Asked<'_> {
    fn subjects(&self) -> [String; 3] {
        [of_phone(self.phone), of_network(self.network), ALL.to_owned()]
    }
}

fn of_phone(phone: &str) -> String {
    format!("phone {phone}")
}

fn of_network(network: &str) -> String {
    format!("network {network}")
}

/// Writes a new code's digest down, in place of the last one, and counts it. Call it inside a transaction, so that what is
/// refused is not counted.
///
/// # Errors
/// 429 when the telephone was sent one just now, or too many, or too many were asked for from there and not used; 503 when
/// too many were sent in all.
pub async fn issue(conn: &mut AsyncPgConnection, asked: &Asked<'_>, sms: &Sms, now: DateTime<Utc>) -> Result<()> {
    replace(conn, asked, now).await?;
    let [phone, network, all] = asked.subjects();
    let often = t("验证码发送过于频繁，请稍后再试", "Codes were asked for too often; try again later");
    count(conn, &phone, sms.codes_per_phone, DAY, now).await?.map_err(|wait| Error::Limited(wait, often))?;
    count(conn, &network, sms.unused_per_address, HOUR, now).await?.map_err(|wait| Error::Limited(wait, often))?;
    // Last, because everybody waits for this row.
    count(conn, &all, sms.codes_per_day, DAY, now).await?.map_err(|wait| {
        tracing::error!("no more codes are sent for {wait} s: there were {} within a day", sms.codes_per_day);
        Error::Unavailable(
            "sms_unavailable",
            t("短信暂时无法发送，请稍后再试", "No text message can be sent now; try later"),
        )
    })
}

async fn replace(conn: &mut AsyncPgConnection, asked: &Asked<'_>, now: DateTime<Utc>) -> Result<()> {
    let Asked { phone, network, digest } = *asked;
    let new = (
        codes::phone.eq(phone),
        codes::network.eq(network),
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
    let (sends, counted_from) = if counted_from + HOUR <= now { (0, now) } else { (sends, counted_from) };
    let next = if sends < SENDS { sent_at + PAUSE } else { counted_from + HOUR };
    if now < next {
        let wait = u64::try_from((next - now).num_seconds()).unwrap_or_default().max(1);
        return Err(Error::Limited(wait, t("验证码发送过于频繁", "Codes were asked for too often")));
    }
    let set = (
        codes::network.eq(network),
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

/// Counts one more in one statement, unless that is one too many within the time: then gives the seconds until the count begins
/// anew.
async fn count(
    conn: &mut AsyncPgConnection,
    subject: &str,
    most: i32,
    within: TimeDelta,
    now: DateTime<Utc>,
) -> Result<std::result::Result<(), u64>> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = Integer)]
        sends: i32,
        #[diesel(sql_type = Timestamptz)]
        counted_from: DateTime<Utc>,
    }
    let counted: Counted = sql_query(
        "insert into code_counts as it (subject, sends, counted_from) values ($1, 1, $2) \
         on conflict (subject) do update set \
         sends = case when it.counted_from > $3 then it.sends + 1 else 1 end, \
         counted_from = case when it.counted_from > $3 then it.counted_from else $2 end \
         returning sends, counted_from",
    )
    .bind::<SqlText, _>(subject)
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now - within)
    .get_result(conn)
    .await?;
    let wait = u64::try_from((counted.counted_from + within - now).num_seconds()).unwrap_or_default().max(1);
    Ok(if counted.sends <= most { Ok(()) } else { Err(wait) })
}

async fn uncount(conn: &mut AsyncPgConnection, subjects: &[String]) -> Result<()> {
    let counted = counts::table.filter(counts::subject.eq_any(subjects)).filter(counts::sends.gt(0));
    diesel::update(counted).set(counts::sends.eq(counts::sends - 1)).execute(conn).await?;
    Ok(())
}

/// Takes a code back that could not be sent, so that another one can be asked for at once.
///
/// # Errors
/// The database's.
pub async fn take_back(conn: &mut AsyncPgConnection, asked: &Asked<'_>, now: DateTime<Utc>) -> Result<()> {
    let row = codes::table.find(asked.phone).filter(codes::code_hash.eq(asked.digest));
    let set = (codes::expires_at.eq(now), codes::sent_at.eq(now - PAUSE));
    diesel::update(row).set(set).execute(conn).await?;
    uncount(conn, &asked.subjects()).await
}

/// Whether this is the code, which can then not be used again. A wrong one is counted: commit either way.
///
/// # Errors
/// The database's.
pub async fn redeem(conn: &mut AsyncPgConnection, phone: &str, digest: &str, now: DateTime<Utc>) -> Result<bool> {
    let row = codes::table.find(phone).filter(codes::expires_at.gt(now)).filter(codes::attempts.lt(TRIES));
    let stored: Option<(String, String)> =
        row.for_update().select((codes::code_hash, codes::network)).first(conn).await.optional()?;
    let Some((stored, network)) = stored else { return Ok(false) };
    // The digests are made with a key of ours, so the time that comparing them takes tells nothing.
    let right = stored == digest;
    let row = diesel::update(codes::table.find(phone));
    if right {
        row.set(codes::expires_at.eq(now)).execute(conn).await?;
        // Whoever asked for it was its owner.
        uncount(conn, &[of_network(&network)]).await?;
    } else {
        row.set(codes::attempts.eq(codes::attempts + 1)).execute(conn).await?;
    }
    Ok(right)
}
