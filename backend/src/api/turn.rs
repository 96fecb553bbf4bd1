//! Turns to write. Who waits, waits without a connection, among so many and for so long; reads never wait for writes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::text::t;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use uuid::Uuid;

use crate::error::{Error, Result};

/// What one caller writes at once where no row is named.
const AT_ONCE: usize = 8;
/// What all callers together write at once to one row. They would wait for each other in the database, with connections
/// that others need.
const ROW_AT_ONCE: usize = 2;
/// Requests that may wait behind those of the same line; one more is turned away at once.
const WAITING: usize = 64;
/// How long one waits in a line, and for a connection to write with.
const PATIENCE: Duration = Duration::from_secs(5);

/// A line of requests that would only wait for each other in the database: those of one caller to one row. What others do
/// to the row stands in lines of their own, so that nobody keeps anybody else from it; who is first in theirs stands in the
/// line of the row.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Name {
    Caller(Uuid),
    CallerToRow(Uuid, Uuid),
    Row(Uuid),
}

impl Name {
    const fn at_once(self) -> usize {
        match self {
            Self::Caller(_) => AT_ONCE,
            Self::CallerToRow(..) => 1,
            Self::Row(_) => ROW_AT_ONCE,
        }
    }
}

/// The lines of a process.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<Name, Line>>);

struct Line {
    gate: Arc<Semaphore>,
    /// Who is served or waits.
    members: usize,
}

/// A place in a line, until it is dropped.
struct Member {
    turns: Arc<Turns>,
    name: Name,
}

/// The right to write, until it is dropped.
pub struct Turn {
    _writer: OwnedSemaphorePermit,
    _served: Vec<Served>,
}

/// Is served in a line.
struct Served {
    _permit: OwnedSemaphorePermit,
    _member: Member,
}

impl Turns {
    fn join(self: &Arc<Self>, name: Name) -> Result<(Arc<Semaphore>, Member)> {
        let at_once = name.at_once();
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(name).or_insert_with(|| Line { gate: Arc::new(Semaphore::new(at_once)), members: 0 });
        if line.members >= at_once + WAITING {
            return Err(busy());
        }
        line.members += 1;
        Ok((line.gate.clone(), Member { turns: self.clone(), name }))
    }

    /// Waits until this caller may write, to this row if one is named, and one of the writers' connections is free.
    ///
    /// # Errors
    /// 429 when too many wait already, or it takes too long.
    pub async fn take(self: &Arc<Self>, caller: Uuid, row: Option<Uuid>, writers: &Arc<Semaphore>) -> Result<Turn> {
        let mut served = vec![];
        let lines = match row {
            Some(row) => vec![Name::CallerToRow(caller, row), Name::Row(row)],
            None => vec![Name::Caller(caller)],
        };
        for name in lines {
            let (gate, member) = self.join(name)?;
            served.push(Served { _permit: wait(gate).await?, _member: member });
        }
        Ok(Turn { _served: served, ..Turn::of_nobody(writers).await? })
    }
}

impl Turn {
    /// Waits until one of the writers' connections is free, for somebody who is not known yet.
    ///
    /// # Errors
    /// 429 when it takes too long.
    pub async fn of_nobody(writers: &Arc<Semaphore>) -> Result<Self> {
        Ok(Self { _writer: wait(writers.clone()).await?, _served: vec![] })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut lines = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut line) = lines.entry(self.name) {
            line.get_mut().members -= 1;
            if line.get().members == 0 {
                line.remove();
            }
        }
    }
}

async fn wait(gate: Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    match timeout(PATIENCE, gate.acquire_owned()).await {
        Ok(permit) => permit.map_err(|err| Error::internal(err.to_string())),
        Err(_) => Err(busy()),
    }
}

/// Turns away whoever would wait for too long.
pub const fn busy() -> Error {
    Error::Limited(
        1,
        t("同一数据的操作过多，请稍后再试", "Too much is done to the same at once; try again in a moment"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_is_bounded_in_length_and_time_and_leaves_nothing_behind() {
        let (turns, writers) = (Arc::new(Turns::default()), Arc::new(Semaphore::new(3)));
        let (caller, row) = (Uuid::from_u128(1), Some(Uuid::from_u128(2)));
        let served = turns.take(caller, row, &writers).await.unwrap();
        let waiting: Vec<_> = (0..WAITING)
            .map(|_| {
                let (turns, writers) = (turns.clone(), writers.clone());
                tokio::spawn(async move { turns.take(caller, row, &writers).await.is_ok() })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(matches!(turns.take(caller, row, &writers).await, Err(Error::Limited(1, _))));
        // Other rows and other callers are not concerned.
        assert!(turns.take(caller, Some(Uuid::from_u128(3)), &writers).await.is_ok());
        assert!(turns.take(Uuid::from_u128(4), row, &writers).await.is_ok());
        // Nobody is served before the patience of all has come to its end.
        for waiter in waiting {
            assert!(!waiter.await.unwrap());
        }
        drop(served);
        assert!(turns.take(caller, row, &writers).await.is_ok());
        // All callers together leave others a connection.
        let (one, other) = (Uuid::from_u128(5), Uuid::from_u128(6));
        let busy = (turns.take(one, row, &writers).await.unwrap(), turns.take(other, row, &writers).await.unwrap());
        assert!(turns.take(caller, row, &writers).await.is_err());
        assert!(turns.take(caller, Some(one), &writers).await.is_ok());
        drop(busy);
        assert_eq!((turns.0.lock().unwrap().len(), writers.available_permits()), (0, 3));
    }
}
