//! The job worker, with jobs of the tests' own, and what staff sees of jobs.

use std::sync::atomic::{AtomicUsize, Ordering};

use backend::app::{App, Core, new_id};
use backend::config::Config;
use backend::jobs::worker::{Kind, kind, work};
use backend::jobs::{Job, Outcome, enqueue};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{jobs, payments};
use serde::{Deserialize, Serialize};
use serde_json::json;
use shared::payment::PaymentState;
use shared::system::job::{JobKind, JobState};
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::app::{TestApp, fresh_database};
use crate::payment::{World, eventually};

const KINDS: &[Kind] = &[kind::<Slow>(), kind::<Quick>()];

static BEGUN: AtomicUsize = AtomicUsize::new(0);
static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
/// Lets slow jobs end, one for each permit.
static GATE: Semaphore = Semaphore::const_new(0);

fn count(counter: &AtomicUsize) -> usize {
    AtomicUsize::load(counter, Ordering::SeqCst)
}

/// Counts a slow job as long as it runs, however it ends.
struct Counted;

impl Counted {
    fn new() -> Self {
        BEGUN.fetch_add(1, Ordering::SeqCst);
        MOST.fetch_max(RUNNING.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ends when the test lets it.
#[derive(Serialize, Deserialize)]
struct Slow {
    n: usize,
}

impl Job for Slow {
    const KIND: &'static str = "test.slow";

    fn key(&self) -> String {
        self.n.to_string()
    }

    async fn run(self, _: &App) -> anyhow::Result<Outcome> {
        let _counted = Counted::new();
        GATE.acquire().await?.forget();
        Ok(Outcome::Done)
    }
}

/// Ends at once.
#[derive(Serialize, Deserialize)]
struct Quick {
    n: usize,
}

impl Job for Quick {
    const KIND: &'static str = "test.quick";

    fn key(&self) -> String {
        self.n.to_string()
    }

    async fn run(self, _: &App) -> anyhow::Result<Outcome> {
        Ok(Outcome::Done)
    }
}

/// A process that does nothing but work, two jobs at once.
fn process(url: &str, lease_seconds: u64) -> App {
    let mut config = Config::default();
    config.jobs.parallel = 2;
    config.jobs.lease_seconds = lease_seconds;
    config.auth.jwt_secret = backend::config::Secret::new("a secret for tests");
    App::new(Core::new(config, url.to_owned()).unwrap()).unwrap()
}

async fn put(app: &App, job: &impl Job) {
    enqueue(&mut app.conn().await.unwrap(), job, Utc::now()).await.unwrap();
}

/// How many jobs of a kind are in a state.
async fn standing(app: &App, kind: &str, state: JobState) -> i64 {
    let found = jobs::table.filter(jobs::kind.eq(kind)).filter(jobs::state.eq(state)).count();
    found.get_result(&mut *app.conn().await.unwrap()).await.unwrap()
}

async fn until(app: &App, kind: &str, state: JobState, wanted: i64) {
    eventually(&format!("{wanted} {kind} are {state}"), async || standing(app, kind, state).await == wanted).await;
}

async fn lease_of(app: &App) -> DateTime<Utc> {
    let slow = jobs::table.filter(jobs::kind.eq(Slow::KIND)).select(jobs::locked_until);
    slow.first::<Option<DateTime<Utc>>>(&mut *app.conn().await.unwrap()).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_job_holds_up_no_quick_one_and_ends_before_the_process() {
    let app = process(&fresh_database().await, 120);
    let worker = tokio::spawn(work(app.clone(), KINDS));
    put(&app, &Slow { n: 0 }).await;
    eventually("it runs", async || count(&RUNNING) == 1).await;
    for n in 0..20 {
        put(&app, &Quick { n }).await;
    }
    until(&app, Quick::KIND, JobState::Done, 20).await;
    assert_eq!(standing(&app, Slow::KIND, JobState::Running).await, 1);

    app.stopping.cancel();
    put(&app, &Quick { n: 20 }).await;
    GATE.add_permits(1);
    worker.await.unwrap();
    assert_eq!(standing(&app, Slow::KIND, JobState::Done).await, 1, "it ended first");
    assert_eq!(standing(&app, Quick::KIND, JobState::Ready).await, 1, "nothing new was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_is_filled_as_soon_as_it_is_free_and_there_are_no_more() {
    let app = process(&fresh_database().await, 120);
    tokio::spawn(work(app.clone(), KINDS));
    for n in 0..7 {
        put(&app, &Slow { n }).await;
    }
    for done in 0..6 {
        eventually("both slots are taken", async || count(&BEGUN) == (done + 2).min(7)).await;
        assert_eq!(standing(&app, Slow::KIND, JobState::Done).await, i64::try_from(done).unwrap());
        GATE.add_permits(1);
        until(&app, Slow::KIND, JobState::Done, i64::try_from(done).unwrap() + 1).await;
    }
    GATE.add_permits(1);
    until(&app, Slow::KIND, JobState::Done, 7).await;
    assert_eq!(count(&MOST), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_job_keeps_its_lease_and_a_lost_one_is_let_go() {
    let url = fresh_database().await;
    let (one, two) = (process(&url, 1), process(&url, 1));
    for app in [&one, &two] {
        tokio::spawn(work(app.clone(), KINDS));
    }
    put(&one, &Slow { n: 0 }).await;
    eventually("it runs", async || count(&RUNNING) == 1).await;
    let first = lease_of(&one).await;
    // Twice the lease goes by, and nobody has taken it over.
    eventually("it is extended", async || lease_of(&one).await > first + TimeDelta::seconds(2)).await;
    assert_eq!((count(&BEGUN), count(&RUNNING)), (1, 1));

    // Somebody else has it now, as if this process had been asleep.
    let others = DateTime::from_timestamp_micros((Utc::now() + TimeDelta::hours(1)).timestamp_micros()).unwrap();
    let row = jobs::table.filter(jobs::kind.eq(Slow::KIND));
    diesel::update(row).set(jobs::locked_until.eq(others)).execute(&mut *one.conn().await.unwrap()).await.unwrap();
    eventually("it is let go", async || count(&RUNNING) == 0).await;
    put(&one, &Quick { n: 0 }).await;
    until(&one, Quick::KIND, JobState::Done, 1).await;
    assert_eq!((lease_of(&one).await, standing(&one, Slow::KIND, JobState::Running).await), (others, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_another_version_are_left_alone() {
    let app = process(&fresh_database().await, 120);
    let of_tomorrow = (
        jobs::id.eq(new_id(Utc::now())),
        jobs::kind.eq("of.tomorrow"),
        jobs::key.eq(""),
        jobs::payload.eq(json!({})),
        jobs::run_at.eq(Utc::now() - TimeDelta::minutes(1)),
    );
    diesel::insert_into(jobs::table).values(of_tomorrow).execute(&mut *app.conn().await.unwrap()).await.unwrap();
    put(&app, &Quick { n: 0 }).await;
    tokio::spawn(work(app.clone(), KINDS));
    until(&app, Quick::KIND, JobState::Done, 1).await;
    let attempts = jobs::table.filter(jobs::kind.eq("of.tomorrow").and(jobs::state.eq("ready"))).select(jobs::attempts);
    let attempts: i32 = attempts.first(&mut *app.conn().await.unwrap()).await.unwrap();
    assert_eq!(attempts, 0);
}

#[test]
fn every_kind_of_job_has_a_name_for_people() {
    let unnamed = backend::router::JOBS.iter().filter(|it| it.name.parse::<JobKind>().is_err());
    assert_eq!(unnamed.map(|it| it.name).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// A dead job that would carry out a refund which is not there.
async fn dead(app: &TestApp, about: Uuid) -> Uuid {
    let id = new_id(Utc::now());
    let row = (
        jobs::id.eq(id),
        jobs::kind.eq("refund.send"),
        jobs::key.eq(about.to_string()),
        jobs::payload.eq(json!({"refund_id": about})),
        jobs::state.eq(JobState::Dead),
        jobs::attempts.eq(12),
        jobs::last_error.eq("the channel was away"),
        jobs::finished_at.eq(Utc::now()),
    );
    diesel::insert_into(jobs::table).values(row).execute(&mut app.conn().await).await.unwrap();
    id
}

#[tokio::test]
async fn staff_of_the_platform_sees_dead_jobs_and_revives_them() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let (about, other) = (Uuid::now_v7(), Uuid::now_v7());
    let (first, second) = (dead(&app, about).await, dead(&app, other).await);
    assert_eq!(tenant.boss.get("/api/v1/system/jobs").await.status, 403);
    let page = app.admin.get("/api/v1/system/jobs?state=dead&kind=refund.send").await.ok();
    let ids: Vec<_> = page["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [second.to_string(), first.to_string()]);
    assert_eq!(page["items"][1]["last_error"], "the channel was away");
    assert_eq!(app.admin.get("/api/v1/system/jobs?state=dead&kind=housekeep").await.ok()["total"], 0);
    assert_eq!(app.admin.get("/api/v1/system/jobs?kind=nonsense").await.status, 422);
    let path = format!("/api/v1/system/jobs/{first}");
    assert_eq!(app.admin.get(&path).await.ok()["payload"], json!({"refund_id": about}).to_string());

    let revived = app.admin.post(&format!("{path}/retry"), json!({})).await.ok();
    assert_eq!((revived["state"].as_str(), revived["attempts"].as_i64()), (Some("ready"), Some(0)));
    assert_eq!(app.admin.post(&format!("{path}/retry"), json!({})).await.refused(), (409, "job_state"));
    let trail = app.admin.get(&format!("/api/v1/system/audits?resource=system/jobs&object_id={first}")).await.ok();
    assert_eq!((&trail["total"], &trail["items"][0]["action"]), (&json!(1), &json!("retry")));
    // The worker was called, and has run it: there is no such refund.
    eventually("it was run", async || {
        let job = app.admin.get(&path).await.ok();
        job["attempts"] == 1 && job["last_error"] == "not found"
    })
    .await;
    // What is under way already is not begun a second time.
    let third = dead(&app, about).await;
    let refused = app.admin.post(&format!("/api/v1/system/jobs/{third}/retry"), json!({})).await;
    assert_eq!(refused.refused(), (409, "job_open"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stopped_process_leaves_undone_another_one_does() {
    let world = World::new().await;
    let order = world.order(5000).await;
    let (config, url) = (world.app.app.config.clone(), world.app.app.database_url.clone());
    world.app.app.stopping.cancel();
    // Nobody is told.
    world.channel.pay(&order.payment_no);
    let next = TestApp::start(config, url).await;
    eventually("the payment is found", async || {
        let state = payments::table.find(order.payment).select(payments::state);
        state.first::<PaymentState>(&mut next.conn().await).await.unwrap() == PaymentState::Paid
    })
    .await;
}
