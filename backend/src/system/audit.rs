//! The audit trail, as it is read.

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::audits;
use serde_json::Value;
use shared::history::{changes, word};
use shared::page::{Page, PageQuery};
use shared::system::audit::{AuditDetail, AuditFilter, AuditRow, Audits};
use uuid::Uuid;

use crate::api::op::Op;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::{Browse, Ctx, ops, page};
use crate::error::Result;

#[derive(HasQuery)]
#[diesel(table_name = audits, check_for_backend(Pg))]
struct Audit {
    id: Uuid,
    created_at: DateTime<Utc>,
    user_id: Option<Uuid>,
    user_name: String,
    resource: String,
    object_id: Uuid,
    object_name: String,
    action: String,
    ip: String,
    request_id: String,
}

impl From<Audit> for AuditRow {
    fn from(it: Audit) -> Self {
        Self {
            id: it.id,
            created_at: it.created_at,
            user_id: it.user_id,
            user_name: it.user_name,
            resource: it.resource,
            object_id: it.object_id,
            object_name: it.object_name,
            action: it.action,
            ip: it.ip,
            request_id: it.request_id,
        }
    }
}

/// What was done by users of the caller's node and below it; for whoever is bound to stations, what was done to these
/// and to what belongs to them.
fn visible(scope: &Scope) -> audits::BoxedQuery<'static, Pg> {
    let query = scope.narrow_to_node(
        audits::table.into_boxed(),
        audits::provider_id,
        audits::property_id,
        audits::collective_id,
    );
    let Some(stations) = &scope.stations else { return query };
    let names: Vec<String> = stations.iter().map(Uuid::to_string).collect();
    let below =
        sql::<Nullable<Bool>>("coalesce(after, before) ->> 'station_id' = any(").bind::<Array<Text>, _>(names).sql(")");
    query.filter(audits::object_id.eq_any(stations.clone()).nullable().or(below))
}

fn found(scope: &Scope, filter: &AuditFilter) -> audits::BoxedQuery<'static, Pg> {
    let AuditFilter { resource, object_id, object, user_id, user, action, created_from, created_to } = filter;
    let (from, to) = page::made_on(*created_from, *created_to);
    let mut query = visible(scope).filter(audits::id.ge(from)).filter(audits::id.lt(to));
    if let Some(resource) = resource {
        query = query.filter(audits::resource.eq(resource.clone()));
    }
    if let Some(id) = object_id {
        query = query.filter(audits::object_id.eq(*id));
    }
    if let Some(object) = object {
        query = query.filter(audits::object_name.ilike(page::containing(object)));
    }
    if let Some(id) = user_id {
        query = query.filter(audits::user_id.eq(*id));
    }
    if let Some(user) = user {
        query = query.filter(audits::user_name.ilike(page::containing(user)));
    }
    if let Some(action) = action {
        query = query.filter(audits::action.eq(action.clone()));
    }
    query
}

impl Browse for Audits {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &AuditFilter,
        page: &PageQuery,
    ) -> Result<Page<AuditRow>> {
        let (_, falling) = page.order();
        let order = page::by(audits::id, falling);
        let rows = beyond!(found(scope, filter), audits::id, page).order(order).select(Audit::as_select());
        page::load::<Audit, _, _, _>(conn, page, rows, found(scope, filter).select(audits::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<AuditDetail> {
        let (audit, before, after): (Audit, Option<Value>, Option<Value>) = visible(scope)
            .filter(audits::id.eq(id))
            .select((Audit::as_select(), audits::before, audits::after))
            .first(conn)
            .await?;
        let nothing = Value::Null;
        let changes = changes(before.as_ref().unwrap_or(&nothing), after.as_ref().unwrap_or(&nothing));
        Ok(AuditDetail { row: audit.into(), changes, before, after })
    }
}

/// `GET /system/audits/{id}`: the changes as people read them.
async fn find(mut ctx: Ctx, id: Path<Uuid>) -> Result<Json<AuditDetail>> {
    let mut audit = Audits::find(&mut ctx.conn, &ctx.caller.scope, *id).await?;
    word(&audit.row.resource, &mut audit.changes, ctx.lang);
    Ok(Json(audit))
}

/// The operations of the audit trail.
pub fn operations() -> Vec<Op> {
    let found = ops::find::<Audits>().returns::<AuditDetail>().to(find);
    ops::lists::<Audits>().into_iter().chain([found]).collect()
}
