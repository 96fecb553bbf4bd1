//! Jobs as staff looks through them, and brings dead ones back to life.

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::jobs;
use serde_json::Value;
use shared::page::{Page, PageQuery};
use shared::system::job::{JobFilter, JobRow, JobState, Jobs};
use uuid::Uuid;

use crate::api::op::Op;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::{Browse, Ctx, ops, page, routes};
use crate::error::Result;

#[derive(HasQuery)]
#[diesel(table_name = jobs, check_for_backend(Pg))]
struct Job {
    id: Uuid,
    kind: String,
    key: String,
    payload: Value,
    state: JobState,
    attempts: i32,
    last_error: Option<String>,
    run_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<Job> for JobRow {
    fn from(it: Job) -> Self {
        Self {
            id: it.id,
            kind: it.kind,
            key: it.key,
            payload: it.payload.to_string(),
            state: it.state,
            attempts: it.attempts,
            last_error: it.last_error,
            run_at: it.run_at,
            created_at: it.created_at,
            finished_at: it.finished_at,
        }
    }
}

/// They belong to no tenant, so only the platform's users are given the permission.
fn found(filter: &JobFilter) -> jobs::BoxedQuery<'static, Pg> {
    let JobFilter { kind, state } = filter;
    let mut query = jobs::table.into_boxed();
    if let Some(kind) = kind {
        query = query.filter(jobs::kind.eq(*kind));
    }
    if let Some(state) = state {
        query = query.filter(jobs::state.eq(*state));
    }
    query
}

impl Browse for Jobs {
    async fn list(
        conn: &mut AsyncPgConnection,
        _: &Scope,
        filter: &JobFilter,
        page: &PageQuery,
    ) -> Result<Page<JobRow>> {
        let order = page::by(jobs::id, page.order().1);
        let rows = beyond!(found(filter), jobs::id, page).order(order).select(Job::as_select());
        page::load::<Job, _, _, _>(conn, page, rows, found(filter).select(jobs::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, _: &Scope, id: Uuid) -> Result<JobRow> {
        let row: Job = jobs::table.find(id).select(Job::as_select()).first(conn).await?;
        Ok(row.into())
    }
}

async fn retry(ctx: Ctx, id: Path<Uuid>) -> Result<Json<JobRow>> {
    let now = ctx.app.now();
    let id = *id;
    routes::act::<Jobs, _>(ctx, id, "retry", move |conn, _, _| Box::pin(crate::jobs::revive(conn, id, now))).await
}

/// The operations of jobs.
pub fn operations() -> Vec<Op> {
    let retry = ops::action::<Jobs>("retry").returns::<JobRow>().to(retry);
    [ops::browse::<Jobs>(), vec![retry]].into_iter().flatten().collect()
}
