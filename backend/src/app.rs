//! What every part of the server needs: settings, database, clock, clients. Built once, passed by `Arc`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use anyhow::Result;
use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;
use uuid::{ClockSequence, Timestamp, Uuid};

use crate::api::intake::Intake;
use crate::api::turn::{self, Turns};
use crate::auth::lockout;
use crate::auth::password::Hasher;
use crate::auth::token::Tokens;
use crate::config::Config;
use crate::dashboard;
use crate::db::{self, Connection, Db};
use crate::events::Hub;
use crate::gateway::Gateway;

/// What all threads of one process share.
pub struct Core {
    /// The settings.
    pub config: Config,
    /// Where the database is, the private cluster included.
    pub database_url: String,
    /// Signs and reads access tokens.
    pub tokens: Tokens,
    /// Checks passwords, a few at a time.
    pub hasher: Hasher,
    /// Has those who try passwords come one after the other.
    pub login_turns: lockout::Turns,
    /// Calls others over HTTP.
    pub http: reqwest::Client,
    /// What happened, for those who listen.
    pub hub: Hub,
    /// The connections to devices.
    pub gateway: Gateway,
    /// The numbers of the first page.
    pub dashboards: dashboard::Cache,
    /// The bodies that are being taken in.
    pub intake: Intake,
    /// Who writes and who waits to.
    pub turns: Arc<Turns>,
    /// Draining: no new work.
    pub stopping: tokio_util::sync::CancellationToken,
}

/// The application as one thread sees it: the shared core and connections of its own.
#[derive(Clone)]
pub struct App {
    /// What all threads share.
    pub core: Arc<Core>,
    /// This thread's connections.
    pub db: Db,
    /// How many of them may write at once.
    writers: Arc<Semaphore>,
}

impl std::ops::Deref for App {
    type Target = Core;
    fn deref(&self) -> &Core {
        &self.core
    }
}

impl Core {
    /// Builds the core.
    ///
    /// # Errors
    /// There is no secret to sign tokens with, or the TLS set-up fails.
    pub fn new(config: Config, database_url: String) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            tokens: Tokens::new(&config.auth.jwt_secret)?,
            hasher: Hasher::new(config.auth.hash_queue)?,
            login_turns: lockout::Turns::default(),
            http: http_client()?,
            hub: Hub::default(),
            gateway: Gateway::new(&config),
            dashboards: dashboard::Cache::default(),
            intake: Intake::new(std::time::Duration::from_secs(config.http.body_seconds)),
            turns: Arc::default(),
            stopping: tokio_util::sync::CancellationToken::new(),
            database_url,
            config,
        }))
    }
}

/// A client for calls to others: no redirects, no endless waiting.
///
/// # Errors
/// The TLS set-up fails.
pub fn http_client() -> Result<reqwest::Client> {
    // Only the first call of a process installs it; later ones find it there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(std::time::Duration::from_secs(5))
        .timeout(std::time::Duration::from_secs(15));
    Ok(builder.build()?)
}

impl App {
    /// The application for one thread of work that nobody waits for, with a pool of its own.
    ///
    /// # Errors
    /// Never in practice; see [`db::pool`].
    pub fn new(core: Arc<Core>) -> Result<Self> {
        Self::with_pool(core, false)
    }

    /// The application for one thread that answers requests and devices, with a pool of its own.
    ///
    /// # Errors
    /// Never in practice; see [`db::pool`].
    pub fn answering(core: Arc<Core>) -> Result<Self> {
        Self::with_pool(core, true)
    }

    fn with_pool(core: Arc<Core>, awaited: bool) -> Result<Self> {
        let connections = core.config.database.connections;
        let db = db::pool(&core.database_url, connections, awaited)?;
        // Two are left to those who read, whatever happens.
        let writers = Arc::new(Semaphore::new(connections.saturating_sub(2).max(1)));
        Ok(Self { core, db, writers })
    }

    /// Waits until a request may write: that of a caller who is known, to a row if it names one, or anybody's.
    ///
    /// # Errors
    /// 429 when too many wait already, or it takes too long.
    pub async fn turn(&self, caller: Option<Uuid>, row: Option<Uuid>) -> crate::error::Result<turn::Turn> {
        match caller {
            Some(caller) => self.turns.take(caller, row, &self.writers).await,
            None => turn::Turn::of_nobody(&self.writers).await,
        }
    }

    /// A connection.
    ///
    /// # Errors
    /// 503 when the database cannot be reached.
    pub async fn conn(&self) -> crate::error::Result<Connection> {
        Ok(self.db.get().await?)
    }

    /// The time. Pure code is told it.
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A new id whose order is the order of creation: by the millisecond, and within one by the order of the calls in this
/// process.
pub fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(Timestamp::from_unix(Turn, seconds, now.timestamp_subsec_nanos()))
}

/// Counts the ids of this process. uuid's own context would give an id the latest time that any caller has told so far,
/// so that an id could lie outside of the range of its time, see [`first_id`]; this one leaves the time alone.
struct Turn;

impl Turn {
    /// The bits that the counter takes; those behind them are random.
    const BITS: u32 = 42;
}

impl ClockSequence for Turn {
    type Output = u64;

    fn generate_sequence(&self, _: u64, _: u32) -> u64 {
        // A random beginning keeps processes apart. Its highest bit is free, so that the counter does not wrap for years.
        static NEXT: LazyLock<AtomicU64> =
            LazyLock::new(|| AtomicU64::new(rand::random::<u64>() >> (u64::BITS - Turn::BITS + 1)));
        NEXT.fetch_add(1, Ordering::Relaxed) & (u64::MAX >> (u64::BITS - Self::BITS))
    }

    fn usable_bits(&self) -> usize {
        usize::try_from(Self::BITS).unwrap_or_default()
    }
}

/// The smallest id that can have been made at this instant: a time range is an id range.
pub fn first_id(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}

/// When an id was made.
pub fn made_at(id: Uuid) -> DateTime<Utc> {
    let (seconds, nanos) = id.get_timestamp().map_or((0, 0), |it| it.to_unix());
    DateTime::from_timestamp(i64::try_from(seconds).unwrap_or_default(), nanos).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn ids_of_one_millisecond_are_in_the_order_of_their_creation() {
        let now = DateTime::from_timestamp_nanos(1_763_800_000_123_456_789);
        // Another time in between, as other requests tell it, disturbs nothing.
        let times = [now, now + TimeDelta::hours(1), now, now - TimeDelta::hours(1)];
        let all: Vec<(DateTime<Utc>, Uuid)> = times.iter().cycle().take(10_000).map(|at| (*at, new_id(*at))).collect();
        for at in times {
            let ids: Vec<Uuid> = all.iter().filter(|it| it.0 == at).map(|it| it.1).collect();
            assert!(ids.is_sorted_by(|a, b| a < b));
            let range = first_id(at)..first_id(at + TimeDelta::milliseconds(1));
            assert!(ids.iter().all(|it| range.contains(it) && it.get_version_num() == 7));
        }
    }

    #[test]
    fn threads_never_get_the_same_id_and_each_gets_its_own_in_order() {
        let now = Utc::now();
        let some = || std::thread::spawn(move || (0..5000).map(|_| new_id(now)).collect::<Vec<_>>());
        let threads = [(); 4].map(|()| some());
        let mut all = vec![];
        for ids in threads.map(|it| it.join().unwrap()) {
            assert!(ids.is_sorted());
            all.extend(ids);
        }
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 20_000);
    }
}
