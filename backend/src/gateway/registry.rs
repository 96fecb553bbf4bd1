//! The connections that this process holds, one a charger.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::app::new_id;
use crate::presence::Held;

/// One connection, as others see it: they can wake its task, ask it for a sign of life, and tell it that it was replaced.
pub struct Line {
    /// The charger at the other end.
    pub charger_id: Uuid,
    /// The connection itself.
    pub id: Uuid,
    /// When something was last heard, in milliseconds. Heartbeats change this and nothing else.
    heard_at: AtomicI64,
    /// What was last written of it.
    written_at: AtomicI64,
    replaced: AtomicBool,
    probed: AtomicBool,
    wake: Notify,
}

/// Why a connection was woken, besides that there may be something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Woken {
    /// A newer connection took its place: its task is to end.
    pub replaced: bool,
    /// Another device wants its place: it is to show that it is alive.
    pub probed: bool,
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
            replaced: AtomicBool::new(false),
            probed: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// The other end is alive.
    pub fn heard(&self, now: DateTime<Utc>) {
        self.heard_at.store(now.timestamp_millis(), Ordering::Relaxed);
    }

    /// What it holds and when that was last heard of.
    pub fn held(&self) -> Held {
        let seen_at = DateTime::from_timestamp_millis(self.heard_at.load(Ordering::Relaxed)).unwrap_or_default();
        Held { charger_id: self.charger_id, connection: self.id, seen_at }
    }

    fn replace(&self) {
        self.replaced.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    fn probe(&self) {
        self.probed.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Waits until there may be something to do. A call that comes early is kept.
    pub async fn woken(&self) -> Woken {
        self.wake.notified().await;
        Woken { replaced: self.replaced.load(Ordering::Acquire), probed: self.probed.swap(false, Ordering::AcqRel) }
    }
}

/// There are too many connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

#[derive(Default)]
struct Lines {
    /// Connections that were let in and have not ended.
    open: usize,
    /// Those that hold their chargers, as the database knows.
    holding: HashMap<Uuid, Arc<Line>>,
}

/// All connections of this process.
#[derive(Default)]
pub struct Registry {
    lines: Mutex<Lines>,
    emptied: Notify,
}

impl Registry {
    /// Counts a connection in, until it leaves. A charger that is here already may come again however many there are.
    ///
    /// # Errors
    /// There are `most` already.
    pub fn enter(&self, line: &Line, most: usize) -> Result<(), Full> {
        let mut lines = self.lines();
        if lines.open >= most && !lines.holding.contains_key(&line.charger_id) {
            return Err(Full);
        }
        lines.open += 1;
        metrics::gauge!("wattyard_gateway_connections").set(count(lines.open));
        Ok(())
    }

    /// Notes that a connection holds its charger, which the database must know already: or the end of the one that it
    /// replaces, which is told here, would be taken for the charger's. Gives whether it does: a later one may have been
    /// noted before.
    pub fn hold(&self, line: &Arc<Line>) -> bool {
        let mut lines = self.lines();
        if lines.holding.get(&line.charger_id).is_some_and(|it| it.id > line.id) {
            return false;
        }
        if let Some(older) = lines.holding.insert(line.charger_id, line.clone()) {
            older.replace();
        }
        true
    }

    /// Counts a connection out, and forgets it unless a newer one has its place.
    pub fn leave(&self, line: &Line) {
        let mut lines = self.lines();
        if lines.holding.get(&line.charger_id).is_some_and(|it| it.id == line.id) {
            lines.holding.remove(&line.charger_id);
        }
        lines.open = lines.open.saturating_sub(1);
        metrics::gauge!("wattyard_gateway_connections").set(count(lines.open));
        if lines.open == 0 {
            self.emptied.notify_one();
        }
    }

    /// Wakes the connection of a charger, if it is here.
    pub fn wake(&self, charger_id: Uuid) {
        if let Some(line) = self.lines().holding.get(&charger_id) {
            line.wake.notify_one();
        }
    }

    /// Asks the connection of a charger, if it is here, to show that it is alive.
    pub fn probe(&self, charger_id: Uuid) {
        if let Some(line) = self.lines().holding.get(&charger_id) {
            line.probe();
        }
    }

    /// Wakes all connections.
    pub fn wake_all(&self) {
        self.lines().holding.values().for_each(|line| line.wake.notify_one());
    }

    /// Another process has a newer connection than this one.
    pub fn replaced(&self, held: &Held) {
        if let Some(line) = self.lines().holding.get(&held.charger_id).filter(|it| it.id == held.connection) {
            line.replace();
        }
    }

    /// The connections that were heard of since they were last asked for.
    pub fn heard(&self) -> Vec<Held> {
        let fresh = |line: &Line| {
            let heard_at = line.heard_at.load(Ordering::Relaxed);
            line.written_at.swap(heard_at, Ordering::Relaxed) != heard_at
        };
        self.lines().holding.values().filter(|it| fresh(it)).map(|it| it.held()).collect()
    }

    /// Waits until there is no connection.
    pub async fn emptied(&self) {
        while self.lines().open > 0 {
            self.emptied.notified().await;
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
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

    const CALLED: Woken = Woken { replaced: false, probed: false };

    #[tokio::test]
    async fn a_newer_connection_takes_the_place_and_the_older_one_leaves_without_harm() {
        let (registry, charger) = (Registry::default(), Uuid::now_v7());
        let (old, new) = (line(charger), line(charger));
        assert!(old.id < new.id);
        assert!(registry.enter(&old, 1).is_ok() && registry.hold(&old));
        assert!(registry.enter(&new, 1).is_ok() && registry.hold(&new));
        assert_eq!(old.woken().await, Woken { replaced: true, ..CALLED });
        assert!(!registry.hold(&old), "it is too late");
        registry.leave(&old);
        registry.wake(charger);
        assert_eq!(new.woken().await, CALLED);
        registry.probe(charger);
        assert_eq!(new.woken().await, Woken { probed: true, ..CALLED });
        registry.leave(&new);
        registry.emptied().await;
    }

    #[test]
    fn only_so_many_get_in_and_signs_of_life_are_told_once() {
        let registry = Registry::default();
        let first = line(Uuid::now_v7());
        assert!(registry.enter(&first, 1).is_ok());
        assert_eq!(registry.enter(&line(Uuid::now_v7()), 1), Err(Full));
        first.heard(DateTime::from_timestamp_millis(5).unwrap());
        assert_eq!(registry.heard(), []);
        assert!(registry.hold(&first));
        assert_eq!(registry.heard(), [first.held()]);
        assert_eq!(registry.heard(), []);
    }
}
