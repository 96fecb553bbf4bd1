//! What a request works with: its one connection, its turn to write, and the key under which it does what it does once.

use std::ops::{Deref, DerefMut};

use diesel_async::{AnsiTransactionManager, AsyncPgConnection, TransactionManager};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::idempotency::Key;
use super::turn::Turn;
use crate::db::Connection;
use crate::error::Result;

/// The connection of a request. Dropped, connection and turn are given back together: a handler that has to wait for
/// somebody outside drops it before.
pub struct Work {
    conn: Connection,
    key: Option<Key>,
    /// Given back last, so that whoever is next finds the connection free.
    _turn: Option<Turn>,
}

impl Work {
    /// A connection for a request whose turn it is.
    pub const fn new(conn: Connection, turn: Option<Turn>, key: Option<Key>) -> Self {
        Self { conn, key, _turn: turn }
    }

    /// The request's idempotency key.
    pub const fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// The id of the request's idempotency key.
    pub fn key_id(&self) -> Option<Uuid> {
        self.key.as_ref().map(Key::id)
    }

    /// Does something in one transaction, and under the request's key only once: a repeat gets what was given the first
    /// time. What is left to do outside of the transaction must bear being done again. Without a key it is a transaction
    /// and nothing more.
    ///
    /// # Errors
    /// As [`Key::once`]; then nothing was done.
    pub async fn once<R: Serialize + DeserializeOwned>(
        &mut self,
        deed: impl AsyncFnOnce(&mut AsyncPgConnection) -> Result<R>,
    ) -> Result<R> {
        let conn: &mut AsyncPgConnection = &mut self.conn;
        // By hand, because `AsyncConnection::transaction` asks of a closure what cannot be said of one that is handed in.
        AnsiTransactionManager::begin_transaction(conn).await?;
        let done = match &self.key {
            Some(key) => key.once(conn, deed).await,
            None => deed(conn).await,
        };
        match done {
            Ok(done) => {
                AnsiTransactionManager::commit_transaction(conn).await?;
                Ok(done)
            }
            Err(err) => {
                if let Err(rollback) = AnsiTransactionManager::rollback_transaction(conn).await {
                    tracing::warn!(error = %rollback, "a transaction could not be rolled back: {rollback}");
                }
                Err(err)
            }
        }
    }
}

impl Deref for Work {
    type Target = AsyncPgConnection;
    fn deref(&self) -> &AsyncPgConnection {
        &self.conn
    }
}

impl DerefMut for Work {
    fn deref_mut(&mut self) -> &mut AsyncPgConnection {
        &mut self.conn
    }
}
