//! What is said over the sockets, kept as evidence. Sockets never wait for it: what the database cannot take is dropped.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::registry::count;
use crate::app::App;

/// Frames that wait at most, and their bytes: what a database that stands still may cost.
const MOST_ROWS: usize = 50_000;
const MOST_BYTES: usize = 32 << 20;
/// Frames in one statement.
const BATCH: usize = 1000;
/// Frames are gathered for this long before they are written.
const GATHER: Duration = Duration::from_millis(100);

/// One frame.
struct Row {
    id: Uuid,
    device_id: Uuid,
    inbound: bool,
    body: String,
    at: DateTime<Utc>,
}

#[derive(Default)]
struct Queue {
    rows: Vec<Row>,
    bytes: usize,
}

/// The frames that wait to be written.
#[derive(Default)]
pub struct Frames {
    queue: Mutex<Queue>,
    filled: Notify,
}

impl Frames {
    /// Notes a frame from a device, or to it.
    pub fn note(&self, device_id: Uuid, inbound: bool, text: &str, now: DateTime<Utc>) {
        let mut queue = self.queue();
        if queue.rows.len() >= MOST_ROWS || queue.bytes + text.len() > MOST_BYTES {
            return dropped(1);
        }
        queue.bytes += text.len();
        // No database stores a NUL. The ids of one process rise, so frames of the same millisecond stay in order.
        let body = text.replace('\0', "");
        queue.rows.push(Row { id: Uuid::now_v7(), device_id, inbound, body, at: now });
        drop(queue);
        self.filled.notify_one();
    }

    fn take(&self) -> Vec<Row> {
        let mut queue = self.queue();
        queue.bytes = 0;
        metrics::gauge!("wattyard_gateway_frames_waiting").set(count(queue.rows.len()));
        std::mem::take(&mut queue.rows)
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes frames in batches, until nobody is left to note one.
pub async fn write(app: &App, done: &CancellationToken) {
    while !done.is_cancelled() {
        tokio::select! {
            () = app.gateway.frames.filled.notified() => {}
            () = done.cancelled() => {}
        }
        // Waiting a little makes fewer and larger statements.
        let _ = tokio::time::timeout(GATHER, done.cancelled()).await;
        let rows = app.gateway.frames.take();
        for batch in rows.chunks(BATCH) {
            write_batch(app, batch, done).await;
        }
    }
}

/// Writes a batch, again and again while the database is away. Meanwhile the queue fills, and what is too much drops.
async fn write_batch(app: &App, batch: &[Row], done: &CancellationToken) {
    let write = async || -> anyhow::Result<usize> { Ok(insert(&mut *app.conn().await?, batch).await?) };
    while let Err(err) = write().await {
        tracing::warn!(error = %err, "{} frames could not be written: {err:#}", batch.len());
        if done.is_cancelled() {
            dropped(batch.len());
            return;
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), done.cancelled()).await;
    }
}

fn dropped(frames: usize) {
    metrics::counter!("wattyard_gateway_frames_dropped_total").increment(frames.try_into().unwrap_or(u64::MAX));
}

async fn insert(conn: &mut AsyncPgConnection, batch: &[Row]) -> diesel::QueryResult<usize> {
    diesel::sql_query(
        "insert into device_frames (id, device_id, inbound, body, created_at) select * from unnest($1, $2, $3, $4, $5) \
         on conflict do nothing",
    )
    .bind::<Array<SqlUuid>, _>(batch.iter().map(|it| it.id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(batch.iter().map(|it| it.device_id).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(batch.iter().map(|it| it.inbound).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(batch.iter().map(|it| it.body.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(batch.iter().map(|it| it.at).collect::<Vec<_>>())
    .execute(conn)
    .await
}
