//! Takes jobs and runs them, in as many processes as there are: each is claimed by one with `SKIP LOCKED`.

use std::time::Duration;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::BoxFuture;
use rand::Rng;
use serde_json::Value;
use uuid::Uuid;

use super::{Job, Outcome};
use crate::app::App;

/// A claimed job that has not ended after this is taken to have died with its process.
const LEASE: TimeDelta = TimeDelta::seconds(120);
/// Jobs that run at once in one process.
const PARALLEL: i64 = 8;
/// Without a call, workers look this often.
const POLL: Duration = Duration::from_millis(500);

/// Runs a job from its payload.
type Run = fn(Value, App) -> BoxFuture<'static, anyhow::Result<Outcome>>;

/// A kind of job that workers know.
pub struct Kind {
    name: &'static str,
    attempts: i32,
    run: Run,
}

/// Makes a kind of a job.
pub const fn kind<J: Job>() -> Kind {
    Kind { name: J::KIND, attempts: J::ATTEMPTS, run: run::<J> }
}

fn run<J: Job>(payload: Value, app: App) -> BoxFuture<'static, anyhow::Result<Outcome>> {
    Box::pin(async move {
        let job: J = serde_json::from_value(payload).context("an unreadable payload")?;
        job.run(&app).await
    })
}

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Jsonb)]
    payload: Value,
    #[diesel(sql_type = Integer)]
    attempts: i32,
}

/// Works until told to stop; running jobs end first.
pub async fn work(app: App) {
    let mut ticks = tokio::time::interval(POLL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !app.stopping.is_cancelled() {
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = app.hub.job() => {}
            _ = ticks.tick() => {}
        }
        // As long as there is work, take more at once.
        loop {
            match round(&app).await {
                Ok(count) if count > 0 && !app.stopping.is_cancelled() => {}
                Ok(_) => break,
                Err(err) => {
                    tracing::error!(error = %err, "the job queue cannot be read: {err:#}");
                    break;
                }
            }
        }
        metrics::gauge!("wattyard_jobs_heartbeat_timestamp_seconds").set(seconds(Utc::now()));
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a metric is a float, and seconds fit")]
fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp() as f64
}

/// Claims some due jobs and runs them; gives how many there were.
///
/// # Errors
/// The database cannot be reached.
pub async fn round(app: &App) -> anyhow::Result<usize> {
    let mut conn = app.conn().await?;
    let jobs = claim(&mut conn, app.now()).await?;
    drop(conn);
    let count = jobs.len();
    futures_util::future::join_all(jobs.into_iter().map(|job| finish(app, job))).await;
    Ok(count)
}

async fn claim(conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> anyhow::Result<Vec<Claimed>> {
    let claimed = sql_query(
        "update jobs set state = 'running', locked_until = $2, attempts = attempts + 1 where id in ( \
           select id from jobs where run_at <= $1 and (state = 'ready' or (state = 'running' and locked_until < $1)) \
           order by run_at limit $3 for update skip locked) \
         returning id, kind, payload, attempts",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now + LEASE)
    .bind::<BigInt, _>(PARALLEL)
    .load(conn)
    .await?;
    Ok(claimed)
}

/// Runs one job and writes down how it ended.
async fn finish(app: &App, job: Claimed) {
    let Claimed { id, kind: name, payload, attempts } = job;
    let kind = crate::router::JOBS.iter().find(|it| it.name == name);
    let ended = match kind {
        Some(kind) => {
            // A panic in one job must not take the others along.
            let run = tokio::spawn((kind.run)(payload, app.clone()));
            run.await.unwrap_or_else(|err| Err(anyhow::anyhow!("the job broke off: {err}")))
        }
        None => Err(anyhow::anyhow!("no job of the kind {name} is known")),
    };
    let most = kind.map_or(1, |it| it.attempts);
    metrics::counter!("wattyard_jobs_total", "kind" => name.clone(), "ok" => ended.is_ok().to_string()).increment(1);
    if let Err(err) = write_down(app, id, &name, attempts, most, ended).await {
        // Its lease runs out and it is run again.
        tracing::error!(job = %id, error = %err, "the end of job {id} ({name}) could not be written: {err:#}");
    }
}

async fn write_down(
    app: &App,
    id: Uuid,
    name: &str,
    attempts: i32,
    most: i32,
    ended: anyhow::Result<Outcome>,
) -> anyhow::Result<()> {
    let now = app.now();
    let (state, run_at, attempts, error) = match ended {
        Ok(Outcome::Done) => ("done", now, attempts, None),
        Ok(Outcome::Again(at)) => ("ready", at, 0, None),
        Err(err) if attempts >= most => {
            tracing::error!(job = %id, error = %err, "job {id} ({name}) is dead after {attempts} runs: {err:#}");
            metrics::counter!("wattyard_jobs_dead_total", "kind" => name.to_owned()).increment(1);
            ("dead", now, attempts, Some(format!("{err:#}")))
        }
        Err(err) => {
            let wait = backoff(attempts);
            tracing::warn!(job = %id, error = %err, "job {id} ({name}) failed, again in {} s: {err:#}", wait.num_seconds());
            ("ready", now + wait, attempts, Some(format!("{err:#}")))
        }
    };
    let mut conn = app.conn().await?;
    sql_query(
        "update jobs set state = $2, run_at = case when $2 = 'ready' then $3 else run_at end, attempts = $4, \
         last_error = $5, locked_until = null, finished_at = case when $2 in ('done', 'dead') then now() end where id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(state)
    .bind::<Timestamptz, _>(run_at)
    .bind::<Integer, _>(attempts)
    .bind::<diesel::sql_types::Nullable<Text>, _>(error)
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// 5 s, 10 s, 20 s, …, at most half an hour, give or take a fifth so that failures do not march in step.
fn backoff(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(9);
    let millis = (5_000_i64 << doublings).min(1_800_000);
    TimeDelta::milliseconds(rand::rng().random_range(millis * 4 / 5..=millis * 6 / 5))
}

#[cfg(test)]
mod tests {
    use super::backoff;

    #[test]
    fn backs_off_up_to_half_an_hour() {
        for (attempts, seconds) in [(1, 5), (2, 10), (5, 80), (9, 1280), (10, 1800), (60, 1800)] {
            let wait = backoff(attempts).num_milliseconds();
            assert!((seconds * 800..=seconds * 1200).contains(&wait), "{attempts}: {wait}");
        }
    }
}
