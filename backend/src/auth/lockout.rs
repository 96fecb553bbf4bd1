//! Wrong passwords: counted for each name and the network that they came from, and for each name in all.
//!
//! Names that no account bears are counted like others, so that an answer tells nobody which names there are. Whoever guesses
//! shuts out their own network; many who guess from many networks together shut out all networks but those from which
//! somebody has logged in under that name before: the owner still gets in from there.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Integer, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::login_tries as tries;
use shared::text::t;
use tokio::sync::OwnedMutexGuard;

use crate::app::App;
use crate::error::{Error, Result};

/// A network from which somebody has logged in counts as theirs for so long after the last time.
pub const KNOWN_DAYS: i64 = 90;
/// Stands for all networks together.
const EVERYWHERE: &str = "";
/// Those who may try or wait to try one name from one network at the same time.
const AT_ONCE: usize = 32;
/// Accounts have no longer names.
const LONGEST_NAME: usize = 64;

/// Has the passwords that are tried for one name from one network checked one after the other, so that each is counted
/// before the next one is tried.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    async fn take(&self, key: String) -> Result<OwnedMutexGuard<()>> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, it| Arc::strong_count(it) > 1);
            turns.entry(key).or_default().clone()
        };
        // Two of them are the table's and ours.
        if Arc::strong_count(&turn) > AT_ONCE + 1 {
            return Err(Error::Limited(
                1,
                t("同时登录的请求过多，请稍后再试", "Too many logins at once; try again shortly"),
            ));
        }
        Ok(turn.lock_owned().await)
    }
}

/// Somebody who has come to the turn to try a password for a name.
pub struct Visitor {
    name: String,
    network: String,
    /// Somebody has logged in from there under this name.
    known: bool,
    _turn: OwnedMutexGuard<()>,
}

impl Visitor {
    /// Waits for the turn. Nobody who waits should hold a connection.
    ///
    /// # Errors
    /// 429 when too many wait already.
    pub async fn wait(app: &App, name: &str, address: &str) -> Result<Self> {
        let name: String = name.to_lowercase().chars().take(LONGEST_NAME).collect();
        let network = network(address);
        let turn = app.login_turns.take(format!("{network} {name}")).await?;
        Ok(Self { name, network, known: false, _turn: turn })
    }

    /// Refuses whoever is shut out.
    ///
    /// # Errors
    /// 429 with the seconds to wait.
    pub async fn admit(&mut self, conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<()> {
        type Row = (String, Option<DateTime<Utc>>, Option<DateTime<Utc>>);
        let rows: Vec<Row> = tries::table
            .filter(tries::name.eq(&self.name))
            .filter(tries::network.eq_any([&self.network, EVERYWHERE]))
            .select((tries::network, tries::locked_until, tries::succeeded_at))
            .load(conn)
            .await?;
        let ours = rows.iter().find(|it| it.0 == self.network);
        self.known = ours.and_then(|it| it.2).is_some_and(|it| it + TimeDelta::days(KNOWN_DAYS) > now);
        let counts = rows.iter().filter(|it| it.0 == self.network || !self.known);
        match counts.filter_map(|it| it.1).max() {
            Some(until) if until > now => Err(shut_out(until - now)),
            _ => Ok(()),
        }
    }

    /// Counts a wrong password.
    ///
    /// # Errors
    /// 429 when it was one too many.
    pub async fn failed(&self, conn: &mut AsyncPgConnection, app: &App) -> Result<()> {
        let (auth, now) = (&app.config.auth, app.now());
        let lock = TimeDelta::seconds(auth.lock_seconds);
        let mut until = count(conn, &self.name, &self.network, auth.lock_after, now, lock).await?;
        if !self.known {
            until = until.max(count(conn, &self.name, EVERYWHERE, auth.lock_after_everywhere, now, lock).await?);
        }
        until.map_or(Ok(()), |until| Err(shut_out(until - now)))
    }

    /// Forgets the wrong passwords from here, and remembers that somebody got in.
    ///
    /// # Errors
    /// The database's.
    pub async fn succeeded(&self, conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<()> {
        let set = (tries::failed.eq(0), tries::locked_until.eq(None::<DateTime<Utc>>), tries::succeeded_at.eq(now));
        diesel::insert_into(tries::table)
            .values((tries::name.eq(&self.name), tries::network.eq(&self.network), tries::failed_at.eq(now), set))
            .on_conflict((tries::name, tries::network))
            .do_update()
            .set(set)
            .execute(conn)
            .await?;
        Ok(())
    }
}

/// Counts one more in one statement, so that none of those who try at the same time, in whichever process, is lost. The count
/// begins anew when nobody has failed for as long as a lock lasts. Gives until when it locks.
async fn count(
    conn: &mut AsyncPgConnection,
    name: &str,
    network: &str,
    most: i32,
    now: DateTime<Utc>,
    lock: TimeDelta,
) -> Result<Option<DateTime<Utc>>> {
    #[derive(QueryableByName)]
    struct Counted {
        #[diesel(sql_type = diesel::sql_types::Nullable<Timestamptz>)]
        locked_until: Option<DateTime<Utc>>,
    }
    let counted: Counted = sql_query(
        "insert into login_tries as it (name, network, failed, failed_at, locked_until) \
         values ($1, $2, 1, $3, case when $4 <= 1 then $6 end) \
         on conflict (name, network) do update set failed_at = $3, \
         failed = case when it.failed_at > $5 then it.failed + 1 else 1 end, \
         locked_until = case when $4 <= 1 or (it.failed_at > $5 and it.failed + 1 >= $4) then $6 end \
         returning locked_until",
    )
    .bind::<Text, _>(name)
    .bind::<Text, _>(network)
    .bind::<Timestamptz, _>(now)
    .bind::<Integer, _>(most)
    .bind::<Timestamptz, _>(now - lock)
    .bind::<Timestamptz, _>(now + lock)
    .get_result(conn)
    .await?;
    Ok(counted.locked_until)
}

/// Forgets all wrong passwords for a name: it got a new one.
///
/// # Errors
/// The database's.
pub async fn forget(conn: &mut AsyncPgConnection, username: &str) -> Result<()> {
    let of_name = tries::table.filter(tries::name.eq(username.to_lowercase()));
    let set = (tries::failed.eq(0), tries::locked_until.eq(None::<DateTime<Utc>>));
    diesel::update(of_name).set(set).execute(conn).await?;
    Ok(())
}

/// Until when whoever is shut out from one of these names is, by the name in small letters.
///
/// # Errors
/// The database's.
pub async fn locks(
    conn: &mut AsyncPgConnection,
    usernames: impl Iterator<Item = &str>,
) -> Result<HashMap<String, DateTime<Utc>>> {
    let names: Vec<String> = usernames.map(str::to_lowercase).collect();
    let locks: Vec<(String, Option<DateTime<Utc>>)> = tries::table
        .filter(tries::name.eq_any(names))
        .filter(tries::locked_until.gt(diesel::dsl::now))
        .group_by(tries::name)
        .select((tries::name, diesel::dsl::max(tries::locked_until)))
        .load(conn)
        .await?;
    Ok(locks.into_iter().filter_map(|(name, until)| Some((name, until?))).collect())
}

fn shut_out(wait: TimeDelta) -> Error {
    let text = t("密码错误次数过多，请稍后再试", "Too many wrong passwords; try again later");
    Error::Limited(u64::try_from(wait.num_seconds()).unwrap_or_default().max(1), text)
}

/// What one customer of a carrier can choose addresses from: an address of IPv4, a /64 of IPv6.
pub fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|it| it.to_canonical()) {
        Ok(IpAddr::V4(it)) => it.to_string(),
        Ok(IpAddr::V6(it)) => Ipv6Addr::from_bits(it.to_bits() >> 64 << 64).to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn addresses_that_one_customer_can_choose_from_are_one_network() {
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_eq!(network("::ffff:203.0.113.7"), "203.0.113.7");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("unknown"), "unknown");
    }
}
