//! The connections that this process holds, one a charger.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use uuid::Uuid;

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
    /// A connection that was opened now.
    pub fn new(charger_id: Uuid, now: DateTime<Utc>) -> Self {
        Self {
            charger_id,
            id: Uuid::now_v7(),
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

/// All connections of this process.
#[derive(Default)]
pub struct Registry {
    lines: Mutex<HashMap<Uuid, Arc<Line>>>,
    emptied: Notify,
}

impl Registry {
    /// Enters a connection, and tells the one that it replaces. Refuses when there are `most` already.
    pub fn enter(&self, line: &Arc<Line>, most: usize) -> bool {
        let mut lines = self.lines();
        if lines.len() >= most && !lines.contains_key(&line.charger_id) {
            return false;
        }
        if let Some(old) = lines.insert(line.charger_id, line.clone()) {
            old.replace();
        }
        metrics::gauge!("wattyard_gateway_connections").set(count(lines.len()));
        true
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
        Arc::new(Line::new(charger_id, DateTime::UNIX_EPOCH))
    }

    #[tokio::test]
    async fn a_newer_connection_replaces_and_the_older_one_leaves_without_harm() {
        let (registry, charger) = (Registry::default(), Uuid::now_v7());
        let (old, new) = (line(charger), line(charger));
        assert!(registry.enter(&old, 1) && registry.enter(&new, 1));
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
        assert!(registry.enter(&first, 1) && !registry.enter(&line(Uuid::now_v7()), 1));
        first.heard(DateTime::from_timestamp_millis(5).unwrap());
        assert_eq!(registry.heard(), []);
        first.hold();
        assert_eq!(registry.heard(), [first.held()]);
        assert_eq!(registry.heard(), []);
    }
}
