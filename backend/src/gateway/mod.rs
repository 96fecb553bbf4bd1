//! The gateway: the sockets of devices, one task each. Adapters turn what devices say into events and know no SQL.

mod claim;
mod commands;
pub mod credentials;
pub mod frames;
mod handshake;
mod limit;
mod ocpp16;
mod registry;
mod secret;
mod socket;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::web;
use shared::device::ConnectionReason;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::Config;
use crate::events::Call;
use crate::presence::{self, Held};
use crate::{command, jobs};

/// When the process stops, devices have this long to take leave.
const FAREWELL: Duration = Duration::from_secs(5);

/// Files that other things than devices need: requests, the database, assets.
const SPARE_FILES: usize = 1500;

/// What all connections of one process share.
pub struct Gateway {
    /// The connections.
    pub registry: registry::Registry,
    /// What is said over them.
    pub frames: frames::Frames,
    /// Connections that there may be.
    most: usize,
    /// Devices that may use the database at the same time; the others wait, and are read no further meanwhile.
    turns: Semaphore,
    /// Devices that may wait for an older line to show that it is alive.
    waiting: Semaphore,
    /// Chargers whose connection ended because the process stops. They are set offline together.
    left: Mutex<Vec<Held>>,
}

impl Gateway {
    /// A gateway without connections.
    pub fn new(config: &Config) -> Self {
        // Half of all database connections: a fleet that comes back at once must not shut out people.
        let turns = config.http.worker_count() * config.database.connections.div_ceil(2);
        Self {
            most: most_connections(config.gateway.max_connections),
            registry: registry::Registry::default(),
            frames: frames::Frames::default(),
            turns: Semaphore::new(turns),
            waiting: Semaphore::new(claim::MOST_WAITING),
            left: Mutex::default(),
        }
    }

    /// Waits for a turn to use the database.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        let waiting = metrics::gauge!("wattyard_gateway_turns_waiting");
        waiting.increment(1);
        // Never closed, so there always is a permit.
        let turn = self.turns.acquire().await.ok();
        waiting.decrement(1);
        turn
    }
}

/// As many connections as are wanted, if the system gives us that many files.
fn most_connections(wanted: usize) -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).ok().and_then(|it| usize::try_from(it).ok());
    let possible = files.map_or(wanted, |it| it.saturating_sub(SPARE_FILES));
    if possible < wanted {
        tracing::warn!(
            possible,
            wanted,
            "the system allows {possible} connections instead of {wanted}: raise ulimit -n"
        );
    }
    wanted.min(possible)
}

/// Mounts the addresses that devices connect to.
pub fn mount(config: &mut web::ServiceConfig) {
    config.service(web::resource("/ocpp/{path:.*}").route(web::get().to(handshake::connect)));
}

/// Does what belongs to no single connection: writes frames, hands out commands, writes down signs of life. Ends some
/// moments after the process is told to stop, when everything is written.
pub async fn run(app: App) {
    if let Err(err) = enqueue(&app).await {
        tracing::error!(error = %err, "the gateway's jobs could not be enqueued: {err:#}");
    }
    let silent = CancellationToken::new();
    let goodbye = async {
        goodbye(&app).await;
        silent.cancel();
    };
    tokio::join!(listen(&app), flush_often(&app), frames::write(&app, &silent), goodbye);
}

/// Jobs that run for ever; those of an earlier start are the same.
async fn enqueue(app: &App) -> anyhow::Result<()> {
    let (mut conn, now) = (app.conn().await?, app.now());
    jobs::enqueue(&mut conn, &presence::Watch {}, now).await?;
    jobs::enqueue(&mut conn, &command::Sweep {}, now).await?;
    Ok(())
}

/// Wakes connections that have commands to carry out, or are to show that they are alive.
async fn listen(app: &App) {
    let mut told = app.hub.calls();
    loop {
        tokio::select! {
            () = app.stopping.cancelled() => return,
            call = told.recv() => match call {
                Ok(Call::Command(device)) => app.gateway.registry.wake(device),
                Ok(Call::Probe(device)) => app.gateway.registry.probe(device),
                Err(RecvError::Lagged(_)) => app.gateway.registry.wake_all(),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// Writes down signs of life now and then, and looks for what was missed.
async fn flush_often(app: &App) {
    let mut ticks = tokio::time::interval(presence::FLUSH);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.stopping.cancelled() => return,
            _ = ticks.tick() => if let Err(err) = flush(app).await {
                tracing::warn!(error = %err, "signs of life could not be written: {err:#}");
            }
        }
    }
}

async fn flush(app: &App) -> anyhow::Result<()> {
    let registry = &app.gateway.registry;
    let heard = registry.heard();
    let mut conn = app.conn().await?;
    if !heard.is_empty() {
        let held: std::collections::HashSet<_> = presence::seen(&mut conn, &heard).await?.into_iter().collect();
        // Another process has a newer connection to these.
        heard.iter().filter(|it| !held.contains(&it.charger_id)).for_each(|it| registry.replaced(it));
    }
    // A call is lost when the database goes away for a moment.
    command::awaited(&mut conn).await?.into_iter().for_each(|it| registry.wake(it));
    Ok(())
}

/// Waits until the process is told to stop and all connections are gone, then sets their chargers offline.
async fn goodbye(app: &App) {
    app.stopping.cancelled().await;
    if tokio::time::timeout(FAREWELL, app.gateway.registry.emptied()).await.is_err() {
        tracing::warn!("some devices did not take leave in time");
    }
    let left = std::mem::take(&mut *app.gateway.left.lock().unwrap_or_else(PoisonError::into_inner));
    if left.is_empty() {
        return;
    }
    let written = async {
        let mut conn = app.conn().await?;
        presence::offline(&mut conn, &left, ConnectionReason::Stopping).await
    };
    if let Err(err) = written.await {
        // Another process finds them silent after a while.
        tracing::warn!(error = %err, "{} chargers could not be set offline: {err}", left.len());
    }
}
