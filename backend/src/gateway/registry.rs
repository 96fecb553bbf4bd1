//! The connections that this process holds, one a charger.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::app::new_id;
use crate::presence::Held;

/// One connection, as others see it: they can wake its task and tell it that it was replaced.
pub struct Line {
    /// The charger at the other end.
    pub charger_id: Uuid,
    /// The connection itself.
    pub id: Uuid,
    /// When something was last heard, in milliseconds. Heartbeats change this and nothing else.
    heard_at: AtomicI64,
    /// What was last written of it.
    written_at: AtomicI64,
    /// The database knows that this connection holds the charger.
    holding: AtomicBool,
    replaced: AtomicBool,
    wake: Notify,
}

impl Line {
    /// A connection that was opened now. Its id is made of the time by the clock of the database, which all processes
    /// share: so of two connections the later one has the greater id.
    pub fn new(charger_id: Uuid, admitted_at: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            charger_id,
            id: new_id(admitted_at),
            heard_at: AtomicI64::new(now.timestamp_millis()),
            written_at: AtomicI64::new(now.timestamp_millis()),
            holding: AtomicBool::new(false),
            replaced: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// The other end is alive.
    pub fn heard(&self, now: DateTime<Utc>) {
        self.heard_at.store(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// It holds its charger from now on.
    pub fn hold(&self) {
        self.holding.store(true, Ordering::Release);
    }

    /// What it holds and when that was last heard of.
    pub fn held(&self) -> Held {
        let seen_at = DateTime::from_timestamp_millis(self.heard_at.load(Ordering::Relaxed)).unwrap_or_default();
        Held { charger_id: self.charger_id, connection: self.id, seen_at }
    }

    /// A newer connection took its place: its task is to end.
    pub fn replace(&self) {
        self.replaced.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Waits until there may be something to do; gives whether it was replaced. A call that comes early is kept.
    pub async fn woken(&self) -> bool {
        self.wake.notified().await;
        self.replaced.load(Ordering::Acquire)
    }
}

/// There are too many connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// All connections of this process.
#[derive(Default)]
pub struct Registry {
    lines: Mutex<HashMap<Uuid, Arc<Line>>>,
    emptied: Notify,
}

impl Registry {
    /// Enters a connection, and gives the one whose place it takes. That one must be told, but not before the database
    /// knows of the new one: or its end would be taken for the charger's.
    ///
    /// # Errors
    /// There are `most` already.
    pub fn enter(&self, line: &Arc<Line>, most: usize) -> Result<Option<Arc<Line>>, Full> {
        let mut lines = self.lines();
        if lines.len() >= most && !lines.contains_key(&line.charger_id) {
            return Err(Full);
        }
        let old = lines.insert(line.charger_id, line.clone());
        metrics::gauge!("wattyard_gateway_connections").set(count(lines.len()));
        Ok(old)
    }

    /// Takes a connection out, unless a newer one has its place.
    pub fn leave(&self, line: &Line) {
        let mut lines = self.lines();
        if lines.get(&line.charger_id).is_some_and(|it| it.id == line.id) {
            lines.remove(&line.charger_id);
        }
        metrics::gauge!("wattyard_gateway_connections").set(count(lines.len()));
        if lines.is_empty() {
            self.emptied.notify_one();
        }
    }

    /// Wakes the connection of a charger, if it is here.
    pub fn wake(&self, charger_id: Uuid) {
        if let Some(line) = self.lines().get(&charger_id) {
            line.wake.notify_one();
        }
    }

    /// Wakes all connections.
    pub fn wake_all(&self) {
        self.lines().values().for_each(|line| line.wake.notify_one());
    }

    /// Another process has a newer connection than this one.
    pub fn replaced(&self, held: &Held) {
        if let Some(line) = self.lines().get(&held.charger_id).filter(|it| it.id == held.connection) {
            line.replace();
        }
    }

    /// The holding connections that were heard of since they were last asked for.
    pub fn heard(&self) -> Vec<Held> {
        let fresh = |line: &Line| {
            let heard_at = line.heard_at.load(Ordering::Relaxed);
            line.holding.load(Ordering::Acquire) && line.written_at.swap(heard_at, Ordering::Relaxed) != heard_at
        };
        self.lines().values().filter(|it| fresh(it)).map(|it| it.held()).collect()
    }

    /// Waits until there is no connection.
    pub async fn emptied(&self) {
        while !self.lines().is_empty() {
            self.emptied.notified().await;
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Uuid, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number as a metric has it.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a metric is a float, and counts fit")]
pub fn count(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(charger_id: Uuid) -> Arc<Line> {
        Arc::new(Line::new(charger_id, DateTime::UNIX_EPOCH, DateTime::UNIX_EPOCH))
    }

    #[tokio::test]
    async fn a_newer_connection_takes_the_place_and_the_older_one_leaves_without_harm() {
        let (registry, charger) = (Registry::default(), Uuid::now_v7());
        let (old, new) = (line(charger), line(charger));
        assert!(old.id < new.id);
        assert!(registry.enter(&old, 1).unwrap().is_none());
        let replaced = registry.enter(&new, 1).unwrap().unwrap();
        replaced.replace();
        assert!(old.woken().await);
        registry.leave(&old);
        registry.wake(charger);
        assert!(!new.woken().await);
        registry.leave(&new);
        registry.emptied().await;
    }

    #[test]
    fn only_so_many_get_in_and_signs_of_life_are_told_once() {
        let registry = Registry::default();
        let first = line(Uuid::now_v7());
        assert!(registry.enter(&first, 1).is_ok());
        assert_eq!(registry.enter(&line(Uuid::now_v7()), 1).err(), Some(Full));
        first.heard(DateTime::from_timestamp_millis(5).unwrap());
        assert_eq!(registry.heard(), []);
        first.hold();
        assert_eq!(registry.heard(), [first.held()]);
        assert_eq!(registry.heard(), []);
    }
}
