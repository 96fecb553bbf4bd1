//! Throws away what was kept long enough: one job for everything that would otherwise grow for ever.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_query;
use diesel::sql_types::{Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use shared::system::settings::Settings;

use crate::app::{App, first_id};
use crate::auth::lockout;
use crate::config::Retention;
use crate::jobs::{self, Job, Outcome};
use crate::system::settings;

/// Rows in one statement, and statements for one table in one run: nothing waits for it for long.
const BATCH: usize = 5000;
const BATCHES: usize = 20;
/// There is more to do at once, or nothing for a while.
const SOON: TimeDelta = TimeDelta::seconds(10);
const LATER: TimeDelta = TimeDelta::hours(1);

/// What the age of a row is told by.
enum Age {
    /// Its id, which grows with time.
    Id,
    /// A column with a time.
    Time,
}

/// The rows of a table that may go once they are old enough; `$1` is how old that is.
struct Kept {
    table: &'static str,
    days: fn(&Retention, &Settings) -> i64,
    age: Age,
    old: &'static str,
}

const KEPT: &[Kept] = &[
    Kept { table: "device_frames", days: |_, it| it.frame_days.into(), age: Age::Id, old: "id < $1" },
    Kept { table: "login_records", days: |_, it| it.login_days.into(), age: Age::Id, old: "id < $1" },
    Kept { table: "audits", days: |_, it| it.audit_days.into(), age: Age::Id, old: "id < $1" },
    Kept { table: "inbox", days: |it, _| it.inbox_days, age: Age::Id, old: "id < $1 and state <> 'new'" },
    Kept { table: "inbox_rejected", days: |it, _| it.inbox_days, age: Age::Id, old: "id < $1" },
    Kept { table: "idempotency_keys", days: |it, _| it.idempotency_days, age: Age::Time, old: "created_at < $1" },
    Kept { table: "jobs", days: |it, _| it.jobs_days, age: Age::Time, old: "state = 'done' and finished_at < $1" },
    // A spent token is known until it expires: whoever comes with it then has stolen it.
    Kept { table: "sessions", days: |it, _| it.sessions_days, age: Age::Time, old: "expires_at < $1" },
    // Whoever guesses names leaves rows behind; those of networks from which somebody logged in stay longer.
    Kept {
        table: "login_tries",
        days: |_, _| lockout::KNOWN_DAYS,
        age: Age::Time,
        old: "coalesce(succeeded_at < $1, true) and failed_at < now() - interval '1 day'",
    },
    // As long as codes are counted, a telephone is not flooded.
    Kept {
        table: "login_codes",
        days: |it, _| it.codes_days,
        age: Age::Time,
        old: "expires_at < $1 and counted_from < now() - interval '1 hour'",
    },
    Kept {
        table: "code_counts",
        days: |it, _| it.codes_days,
        age: Age::Time,
        old: "counted_from < $1 and counted_from < now() - interval '1 day'",
    },
];

/// Deletes what is older than it is kept. Runs for ever; run twice it finds less to do.
#[derive(Serialize, Deserialize)]
pub struct Housekeep {}

impl Job for Housekeep {
    const KIND: &'static str = "housekeep";
    const ATTEMPTS: i32 = i32::MAX;

    fn key(&self) -> String {
        String::new()
    }

    async fn run(self, app: &App) -> anyhow::Result<Outcome> {
        let now = app.now();
        let mut conn = app.conn().await?;
        let settings = settings::read(&mut conn).await?;
        let mut all_gone = true;
        for kept in KEPT {
            // What is kept for longer than there is time is kept for ever.
            let age = TimeDelta::try_days((kept.days)(&app.config.retention, &settings));
            let Some(oldest) = age.and_then(|it| now.checked_sub_signed(it)) else { continue };
            all_gone &= delete(&mut conn, kept, oldest).await?;
        }
        Ok(Outcome::Again(now + if all_gone { LATER } else { SOON }))
    }
}

/// Deletes a little at a time; gives whether nothing old is left.
async fn delete(conn: &mut AsyncPgConnection, kept: &Kept, oldest: DateTime<Utc>) -> anyhow::Result<bool> {
    let Kept { table, old, .. } = kept;
    let sql =
        format!("delete from {table} where ctid = any(array(select ctid from {table} where {old} limit {BATCH}))");
    for _ in 0..BATCHES {
        let query = sql_query(&sql);
        let deleted = match kept.age {
            Age::Id => query.bind::<SqlUuid, _>(first_id(oldest)).execute(conn).await?,
            Age::Time => query.bind::<Timestamptz, _>(oldest).execute(conn).await?,
        };
        if deleted < BATCH {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Has it begin; one that was enqueued at an earlier start is the same.
pub async fn begin(app: &App) {
    let begun = async { anyhow::Ok(jobs::enqueue(&mut *app.conn().await?, &Housekeep {}, app.now()).await?) };
    if let Err(err) = begun.await {
        tracing::error!(error = %err, "housekeeping could not be enqueued: {err:#}");
    }
}
