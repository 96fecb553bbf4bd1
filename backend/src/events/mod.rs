//! What happened, told to those who may know: `NOTIFY` between processes, a hub within one, server-sent events out.

mod stream;

use std::time::Duration;

use diesel::sql_types::{Array, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use shared::car_order::CarOrders;
use shared::charger::CarChargers;
use shared::connector::CarConnectors;
use shared::invoice::Invoices;
use shared::payment::{Payments, Refunds};
use shared::reservation::Reservations;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

pub use self::stream::{answer, stream};
use crate::auth::scope::Owner;
use crate::crud::ops::permission;
use crate::error::Result;

/// What kind of thing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A car order.
    CarOrder,
    /// A charger.
    Charger,
    /// A connector of a charger.
    Connector,
    /// A command to a charger.
    Command,
    /// A payment.
    Payment,
    /// A refund.
    Refund,
    /// An invoice.
    Invoice,
    /// A reservation.
    Reservation,
}

impl Kind {
    /// The permissions of which one lets know of it: to view such a thing, or what shows how it is.
    pub fn permissions(self) -> Vec<String> {
        match self {
            Self::CarOrder => vec![permission::<CarOrders>("view")],
            Self::Charger | Self::Command => vec![permission::<CarChargers>("view")],
            Self::Connector => vec![permission::<CarConnectors>("view"), permission::<CarChargers>("view")],
            Self::Payment => vec![permission::<Payments>("view")],
            Self::Refund => vec![permission::<Refunds>("view")],
            Self::Invoice => vec![permission::<Invoices>("view")],
            Self::Reservation => vec![permission::<Reservations>("view")],
        }
    }
}

/// Something changed. Clients read the thing itself again; the event only says which.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Happening {
    /// What kind of thing.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
    /// Whose it is.
    pub owner: Owner,
    /// The driver whom it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_id: Option<Uuid>,
}

/// The channel of `NOTIFY` that carries happenings.
pub const CHANNEL: &str = "wattyard_events";
/// The channel that wakes gateways for commands; its payload is the device's id.
pub const COMMANDS: &str = "wattyard_commands";
/// The channel that asks gateways whether a connection is alive; its payload is the device's id.
pub const PROBES: &str = "wattyard_probes";
/// The channel that wakes workers for jobs.
pub const JOBS: &str = "wattyard_jobs";
/// The channel on which the database tells that somebody's rights have changed.
const RIGHTS: &str = "wattyard_rights";

/// A call to whoever holds the connection of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// There are commands to carry out.
    Command(Uuid),
    /// Somebody else wants its place: is it alive?
    Probe(Uuid),
}

/// Distributes what happened within this process.
pub struct Hub {
    happenings: broadcast::Sender<Happening>,
    calls: broadcast::Sender<Call>,
    jobs: tokio::sync::Notify,
    /// How often anybody's rights have changed.
    rights: watch::Sender<u64>,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            happenings: broadcast::channel(1024).0,
            calls: broadcast::channel(1024).0,
            jobs: tokio::sync::Notify::new(),
            rights: watch::Sender::default(),
        }
    }
}

impl Hub {
    /// Hears of everything from now on. A listener that is too slow loses the oldest.
    pub fn happenings(&self) -> broadcast::Receiver<Happening> {
        self.happenings.subscribe()
    }

    /// Hears what the connections of devices are called for.
    pub fn calls(&self) -> broadcast::Receiver<Call> {
        self.calls.subscribe()
    }

    /// Waits until there may be a job.
    pub async fn job(&self) {
        self.jobs.notified().await;
    }

    /// Hears that rights may have changed: before anything is told that happened after the change.
    pub fn rights(&self) -> watch::Receiver<u64> {
        self.rights.subscribe()
    }

    fn take(&self, channel: &str, payload: &str) {
        // Nobody listening is not an error.
        match channel {
            CHANNEL => {
                if let Ok(it) = serde_json::from_str(payload) {
                    let _ = self.happenings.send(it);
                }
            }
            COMMANDS | PROBES => {
                if let Ok(id) = payload.parse() {
                    let call = if channel == PROBES { Call::Probe(id) } else { Call::Command(id) };
                    let _ = self.calls.send(call);
                }
            }
            RIGHTS => self.rights.send_modify(|it| *it += 1),
            _ => self.jobs.notify_one(),
        }
    }

    /// Listens to the database until told to stop; reconnects when the connection breaks.
    pub async fn listen(&self, url: &str, stopping: tokio_util::sync::CancellationToken) {
        while !stopping.is_cancelled() {
            tokio::select! {
                () = stopping.cancelled() => return,
                ended = self.listen_once(url) => if let Err(err) = ended {
                    tracing::warn!(error = %err, "listening to the database ended: {err}");
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn listen_once(&self, url: &str) -> anyhow::Result<()> {
        let mut conn = crate::db::connect(url).await?;
        for channel in [CHANNEL, COMMANDS, PROBES, JOBS, RIGHTS] {
            diesel::sql_query(format!("listen {channel}")).execute(&mut conn).await?;
        }
        // What was told while nobody listened: let the workers look, and the streams read their rights.
        self.jobs.notify_one();
        self.rights.send_modify(|it| *it += 1);
        let mut told = std::pin::pin!(conn.notifications_stream());
        while let Some(it) = told.next().await {
            let it = it?;
            self.take(&it.channel, &it.payload);
        }
        Ok(())
    }
}

/// Tells everybody, once the transaction is committed.
///
/// # Errors
/// The database's.
pub async fn tell(conn: &mut AsyncPgConnection, happening: &Happening) -> Result<()> {
    let payload = serde_json::to_string(happening).map_err(anyhow::Error::from)?;
    notify(conn, CHANNEL, &payload).await
}

/// Tells everybody of many things at once.
///
/// # Errors
/// The database's.
pub async fn tell_all(conn: &mut AsyncPgConnection, happenings: &[Happening]) -> Result<()> {
    let payloads: Result<Vec<String>, _> = happenings.iter().map(serde_json::to_string).collect();
    diesel::sql_query("select pg_notify($1, payload) from unnest($2) payload")
        .bind::<Text, _>(CHANNEL)
        .bind::<Array<Text>, _>(payloads.map_err(anyhow::Error::from)?)
        .execute(conn)
        .await?;
    Ok(())
}

/// `NOTIFY channel, payload`, delivered on commit.
///
/// # Errors
/// The database's.
pub async fn notify(conn: &mut AsyncPgConnection, channel: &str, payload: &str) -> Result<()> {
    diesel::sql_query("select pg_notify($1, $2)")
        .bind::<Text, _>(channel)
        .bind::<Text, _>(payload)
        .execute(conn)
        .await?;
    Ok(())
}
