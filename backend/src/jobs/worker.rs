//! Takes jobs and runs them, in as many processes as there are: each is claimed by one with `SKIP LOCKED`.
//!
//! A process has some slots and fills each again as soon as it is free, so that a slow job holds up no other one. While a
//! job runs its lease is extended; a process that has died does that no more, and another one takes the job over.

use std::time::Duration;

use anyhow::{Context, anyhow};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;
use rand::Rng;
use serde_json::Value;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, interval_at};
use uuid::Uuid;

use super::{Job, Outcome};
use crate::app::App;

/// Without a call, workers look this often.
const POLL: Duration = Duration::from_millis(500);
/// A job that runs for longer than this hangs, and must not keep its slot.
const LONGEST: Duration = Duration::from_secs(600);

/// Runs a job from its payload.
type Run = fn(Value, App) -> BoxFuture<'static, anyhow::Result<Outcome>>;

/// A kind of job that workers know.
pub struct Kind {
    /// Its name, stable across versions.
    pub name: &'static str,
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
    /// Until when the claim holds. It is renewed all the time, and so tells this claim from one of somebody else.
    #[diesel(sql_type = Timestamptz)]
    locked_until: DateTime<Utc>,
}

/// Works on these kinds of jobs until told to stop; running ones end first. Other kinds are left to processes of another
/// version, which know them.
pub async fn work(app: App, kinds: &'static [Kind]) {
    let names: Vec<&str> = kinds.iter().map(|it| it.name).collect();
    let slots = app.config.jobs.parallel.max(1);
    let mut running = JoinSet::new();
    let mut ticks = interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !app.stopping.is_cancelled() {
        let free = slots.saturating_sub(running.len());
        match claim(&app, &names, free).await {
            Ok(jobs) => {
                for job in jobs {
                    if let Some(kind) = kinds.iter().find(|it| it.name == job.kind) {
                        running.spawn(carry_out(app.clone(), kind, job));
                    }
                }
                metrics::gauge!("wattyard_jobs_heartbeat_timestamp_seconds").set(seconds(Utc::now()));
            }
            Err(err) => tracing::error!(error = %err, "the job queue cannot be read: {err:#}"),
        }
        tokio::select! {
            () = app.stopping.cancelled() => {}
            Some(_) = running.join_next() => while running.try_join_next().is_some() {},
            () = app.hub.job(), if running.len() < slots => {}
            _ = ticks.tick() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a metric is a float, and seconds fit")]
fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp() as f64
}

/// How long a claim holds.
fn lease(app: &App) -> Duration {
    Duration::from_secs(app.config.jobs.lease_seconds.max(1))
}

/// Claims due jobs for the slots that are free.
async fn claim(app: &App, names: &[&str], free: usize) -> anyhow::Result<Vec<Claimed>> {
    if free == 0 {
        return Ok(vec![]);
    }
    let now = app.now();
    let claimed = sql_query(
        "update jobs set state = 'running', locked_until = $2, attempts = attempts + 1 where id in ( \
           select id from jobs where run_at <= $1 and kind = any($4) \
             and (state = 'ready' or (state = 'running' and locked_until < $1)) \
           order by run_at limit $3 for update skip locked) \
         returning id, kind, payload, attempts, locked_until",
    )
    .bind::<Timestamptz, _>(now)
    .bind::<Timestamptz, _>(now + lease(app))
    .bind::<BigInt, _>(i64::try_from(free)?)
    .bind::<Array<Text>, _>(names)
    .load(&mut app.conn().await?)
    .await?;
    Ok(claimed)
}

/// Runs one job and writes down how it ended.
async fn carry_out(app: App, kind: &'static Kind, mut job: Claimed) {
    // A task of its own: a panic in a job must take nothing along.
    let run = tokio::spawn((kind.run)(std::mem::take(&mut job.payload), app.clone()));
    let (id, name) = (job.id, kind.name);
    let Some(ended) = attend(&app, &mut job, run).await else {
        tracing::warn!(job = %id, "job {id} ({name}) was taken over by another process");
        return;
    };
    metrics::counter!("wattyard_jobs_total", "kind" => name, "ok" => ended.is_ok().to_string()).increment(1);
    if let Err(err) = write_down(&app, &job, kind.attempts, ended).await {
        // Its lease runs out and it is run again.
        tracing::error!(job = %id, error = %err, "the end of job {id} ({name}) could not be written: {err:#}");
    }
}

/// Waits until a job ends and extends its lease meanwhile; `None` when the claim was lost.
async fn attend(
    app: &App,
    job: &mut Claimed,
    mut run: JoinHandle<anyhow::Result<Outcome>>,
) -> Option<anyhow::Result<Outcome>> {
    let (id, every) = (job.id, lease(app) / 3);
    let begun = Instant::now();
    let mut extensions = interval_at(begun + every, every);
    extensions.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = &mut run => return Some(ended.unwrap_or_else(|err| Err(anyhow!("the job broke off: {err}")))),
            () = tokio::time::sleep_until(begun + LONGEST) => {
                run.abort();
                return Some(Err(anyhow!("the job did not end within {} s", LONGEST.as_secs())));
            }
            _ = extensions.tick() => match extend(app, job).await {
                Ok(true) => {}
                Ok(false) => {
                    run.abort();
                    return None;
                }
                // It holds for a while longer, and is tried again.
                Err(err) => tracing::warn!(job = %id, error = %err, "the lease of job {id} was not extended: {err:#}"),
            }
        }
    }
}

/// Extends a claim; `false` when it is somebody else's by now.
async fn extend(app: &App, job: &mut Claimed) -> anyhow::Result<bool> {
    let until = app.now() + lease(app);
    let extended = sql_query("update jobs set locked_until = $3 where id = $1 and locked_until = $2")
        .bind::<SqlUuid, _>(job.id)
        .bind::<Timestamptz, _>(job.locked_until)
        .bind::<Timestamptz, _>(until)
        .execute(&mut app.conn().await?)
        .await?;
    job.locked_until = until;
    Ok(extended == 1)
}

async fn write_down(app: &App, job: &Claimed, most: i32, ended: anyhow::Result<Outcome>) -> anyhow::Result<()> {
    let Claimed { id, kind: name, attempts, locked_until, .. } = job;
    let (now, attempts) = (app.now(), *attempts);
    let (state, run_at, tries, error) = match ended {
        Ok(Outcome::Done) => ("done", now, attempts, None),
        Ok(Outcome::Again(at)) => ("ready", at, 0, None),
        Err(err) if attempts >= most => {
            tracing::error!(job = %id, error = %err, "job {id} ({name}) is dead after {attempts} runs: {err:#}");
            metrics::counter!("wattyard_jobs_dead_total", "kind" => name.clone()).increment(1);
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
         last_error = $5, locked_until = null, finished_at = case when $2 in ('done', 'dead') then now() end \
         where id = $1 and locked_until = $6",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(state)
    .bind::<Timestamptz, _>(run_at)
    .bind::<Integer, _>(tries)
    .bind::<Nullable<Text>, _>(error)
    .bind::<Timestamptz, _>(locked_until)
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
