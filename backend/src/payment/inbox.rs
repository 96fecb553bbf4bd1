//! The inbox: what channels tell us is stored raw first and put into effect afterwards, at once or by a job.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{inbox, inbox_rejected as rejected};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::payment::Channel;
use uuid::Uuid;

use super::apply::{self, Applied};
use super::notice;
use super::refund::apply::refund_result;
use crate::app::{App, new_id};
use crate::error::Result;
use crate::jobs::{self, Job, Outcome};

/// How many messages that were not believed are kept for those who investigate.
const KEPT: i64 = 10_000;
/// So much of the body of such a message is kept.
const KEPT_CHARS: usize = 4096;
/// The job waits this long for the process that stored the message to do its work.
const GRACE: chrono::TimeDelta = chrono::TimeDelta::seconds(5);

/// A message from a channel.
pub struct Told<'a> {
    /// Which channel.
    pub channel: Channel,
    /// Its headers, as far as they matter.
    pub headers: Value,
    /// Its body, as it came.
    pub body: &'a [u8],
}

/// Stores a message that was proved to be the channel's; `None` when it was stored before.
///
/// # Errors
/// The database's; the channel will tell it again.
pub async fn store(
    conn: &mut AsyncPgConnection,
    told: Told<'_>,
    dedupe_key: &str,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>> {
    let id = new_id(now);
    let row = (
        inbox::id.eq(id),
        inbox::channel.eq(told.channel.to_string()),
        inbox::dedupe_key.eq(dedupe_key),
        inbox::headers.eq(told.headers),
        inbox::body.eq(text(told.body)),
        inbox::received_at.eq(now),
    );
    conn.transaction(async |conn| {
        let stored = diesel::insert_into(inbox::table).values(row).on_conflict_do_nothing().execute(conn).await?;
        if stored == 0 {
            return Ok(None);
        }
        jobs::enqueue(conn, &Process { inbox_id: id }, now + GRACE).await?;
        Ok(Some(id))
    })
    .await
}

/// A body as PostgreSQL can keep it.
fn text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).replace('\0', "\u{fffd}")
}

/// Keeps the beginning of a message that was not believed; of many, only the newest.
///
/// # Errors
/// The database's.
pub async fn keep_rejected(
    conn: &mut AsyncPgConnection,
    told: Told<'_>,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let body: String = text(told.body).chars().take(KEPT_CHARS).collect();
    let row = (
        rejected::id.eq(new_id(now)),
        rejected::channel.eq(told.channel.to_string()),
        rejected::headers.eq(told.headers),
        rejected::body.eq(body),
        rejected::reason.eq(reason),
        rejected::received_at.eq(now),
    );
    diesel::insert_into(rejected::table).values(row).execute(conn).await?;
    let oldest = rejected::table.select(rejected::id).order(rejected::id.desc()).offset(KEPT).limit(1);
    if let Some(oldest) = oldest.first::<Uuid>(conn).await.optional()? {
        diesel::delete(rejected::table.filter(rejected::id.le(oldest))).execute(conn).await?;
    }
    Ok(())
}

/// Puts a stored message into effect, once.
#[derive(Serialize, Deserialize)]
pub struct Process {
    /// Which one.
    pub inbox_id: Uuid,
}

impl Job for Process {
    const KIND: &'static str = "inbox.process";

    fn key(&self) -> String {
        self.inbox_id.to_string()
    }

    async fn run(self, app: &App) -> anyhow::Result<Outcome> {
        process(app, self.inbox_id).await?;
        Ok(Outcome::Done)
    }
}

/// Puts a stored message into effect, in one transaction that also writes down that it was done. A second run finds it
/// done and does nothing.
///
/// # Errors
/// The database's; then nothing is changed and it is tried again.
pub async fn process(app: &App, id: Uuid) -> Result<()> {
    let now = app.now();
    let mut conn = app.conn().await?;
    conn.transaction(async |conn| {
        let new = inbox::table.find(id).filter(inbox::state.eq("new")).for_update();
        let row: Option<(String, String)> = new.select((inbox::channel, inbox::body)).first(conn).await.optional()?;
        let Some((channel, body)) = row else { return Ok(()) };
        let applied = match notice::read(&app.config, &channel, &body) {
            Ok(notice::Seen::Payment(seen)) => apply::payment_result(conn, &seen, true, now).await?,
            Ok(notice::Seen::Refund(seen)) => refund_result(conn, &seen, now).await?,
            Err(why) => Applied::Rejected(why),
        };
        let (state, note) = match applied {
            Applied::Changed => ("done", None),
            Applied::Unchanged => ("done", Some("nothing new".to_owned())),
            Applied::Rejected(why) => {
                tracing::error!(inbox_id = %id, channel, "a channel's message does not fit: {why}");
                metrics::counter!("wattyard_inbox_rejected_total", "channel" => channel).increment(1);
                ("rejected", Some(why))
            }
        };
        let set = (inbox::state.eq(state), inbox::note.eq(note));
        diesel::update(inbox::table.find(id)).set(set).execute(conn).await?;
        Ok(())
    })
    .await
}
