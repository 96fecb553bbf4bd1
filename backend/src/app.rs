//! What every part of the server needs: settings, database, clock, clients. Built once, passed by `Arc`.

use std::sync::Arc;

use anyhow::Result;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::password::Hasher;
use crate::auth::token::Tokens;
use crate::config::Config;
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
    /// Calls others over HTTP.
    pub http: reqwest::Client,
    /// What happened, for those who listen.
    pub hub: Hub,
    /// The connections to devices.
    pub gateway: Gateway,
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
    /// A secret cannot be read or written, or the TLS set-up fails.
    pub fn new(config: Config, database_url: String) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            tokens: Tokens::new(&config)?,
            hasher: Hasher::new(config.auth.hash_queue)?,
            http: http_client()?,
            hub: Hub::default(),
            gateway: Gateway::new(&config),
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
    /// The application for one thread, with a pool of its own.
    ///
    /// # Errors
    /// Never in practice; see [`db::pool`].
    pub fn new(core: Arc<Core>) -> Result<Self> {
        let db = db::pool(&core.database_url, core.config.database.connections)?;
        Ok(Self { core, db })
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

/// A new id whose order is the order of creation.
pub fn new_id(now: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, now.timestamp_subsec_nanos()))
}

/// The smallest id that can have been made at this instant: a time range is an id range.
pub fn first_id(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
}
