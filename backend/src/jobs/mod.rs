//! Jobs: what has to happen after a transaction. They are rows, written in that transaction, and run at least once.

pub mod worker;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::jobs;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::system::job::JobState;
use shared::text::t;

use crate::app::{App, new_id};
use crate::error::{Error, Result};
use crate::events;

/// How a run ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is nothing left to do.
    Done,
    /// To be run again at that time: an answer is pending. It does not count as a failure.
    Again(DateTime<Utc>),
}

/// A piece of work. It may run twice, and says how it bears that. It holds the ids of what it is about and no secrets:
/// staff may look at it.
pub trait Job: Serialize + DeserializeOwned + Send + 'static {
    /// Its kind, stable across versions.
    const KIND: &'static str;
    /// Runs that fail before it is dead and somebody must look.
    const ATTEMPTS: i32 = 12;

    /// Open jobs of one kind with one key are one job.
    fn key(&self) -> String;

    /// Does it.
    fn run(self, app: &App) -> impl Future<Output = anyhow::Result<Outcome>> + Send;
}

/// Enqueues a job in the caller's transaction, to be run from `run_at` on. One that is open already stays as it is,
/// but is not run later than this one would have been.
///
/// # Errors
/// The database's.
pub async fn enqueue<J: Job>(conn: &mut AsyncPgConnection, job: &J, run_at: DateTime<Utc>) -> Result<()> {
    let payload = serde_json::to_value(job).map_err(|err| Error::internal(err.to_string()))?;
    put(conn, J::KIND, &job.key(), payload, run_at).await
}

async fn put(conn: &mut AsyncPgConnection, kind: &str, key: &str, payload: Value, run_at: DateTime<Utc>) -> Result<()> {
    use diesel::sql_types::{Jsonb, Text, Timestamptz, Uuid};
    diesel::sql_query(
        "insert into jobs (id, kind, key, payload, run_at) values ($1, $2, $3, $4, $5) \
         on conflict (kind, key) where state in ('ready', 'running') \
         do update set run_at = least(jobs.run_at, excluded.run_at)",
    )
    .bind::<Uuid, _>(new_id(Utc::now()))
    .bind::<Text, _>(kind)
    .bind::<Text, _>(key)
    .bind::<Jsonb, _>(payload)
    .bind::<Timestamptz, _>(run_at)
    .execute(conn)
    .await?;
    // Workers look often by themselves: only what is due at once is worth waking them for.
    if run_at > Utc::now() {
        return Ok(());
    }
    events::notify(conn, events::JOBS, kind).await
}

/// Brings a dead job back to life.
///
/// # Errors
/// 409 when it is not dead, or the same job is under way already.
pub async fn revive(conn: &mut AsyncPgConnection, id: uuid::Uuid, now: DateTime<Utc>) -> Result<()> {
    let dead = jobs::table.find(id).filter(jobs::state.eq(JobState::Dead));
    let set = (
        jobs::state.eq(JobState::Ready),
        jobs::attempts.eq(0),
        jobs::run_at.eq(now),
        jobs::finished_at.eq(None::<DateTime<Utc>>),
    );
    if diesel::update(dead).set(set).execute(conn).await? == 0 {
        return Err(Error::Conflict("job_state", t("只有已失败的任务可以重试", "Only a dead job can be retried")));
    }
    events::notify(conn, events::JOBS, "revived").await
}

/// When to ask again about something that was begun at `since`: soon at first, then ever more rarely.
pub fn ask_again(since: DateTime<Utc>, now: DateTime<Utc>, shortest: TimeDelta, longest: TimeDelta) -> DateTime<Utc> {
    now + ((now - since) / 2).max(shortest).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_ever_more_rarely() {
        let since = DateTime::from_timestamp(1_795_311_005, 0).unwrap();
        let wait = |age: i64| {
            let now = since + TimeDelta::seconds(age);
            (ask_again(since, now, TimeDelta::seconds(3), TimeDelta::seconds(30)) - now).num_seconds()
        };
        assert_eq!([0, 6, 20, 60, 9000].map(wait), [3, 3, 10, 30, 30]);
    }
}
