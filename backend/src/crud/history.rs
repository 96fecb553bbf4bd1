//! What was done to a row, from the audit trail.

use actix_web::HttpRequest;
use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use schema::audits;
use serde_json::Value;
use shared::history::{HistoryRow, changes, word};
use shared::page::Page;
use uuid::Uuid;

use super::routes::{NoFilter, read_search};
use super::{Browse, Ctx, page};
use crate::beyond;
use crate::error::Result;

#[derive(Queryable)]
struct Audit {
    id: Uuid,
    action: String,
    user_name: String,
    before: Option<Value>,
    after: Option<Value>,
    created_at: DateTime<Utc>,
}

impl From<Audit> for HistoryRow {
    fn from(it: Audit) -> Self {
        let Audit { id, action, user_name, before, after, created_at } = it;
        let changes = changes(&before.unwrap_or_default(), &after.unwrap_or_default());
        Self { id, action, user_name, changes, created_at }
    }
}

/// `GET /…/{id}/history`, newest first.
pub async fn history<R: Browse>(mut ctx: Ctx, id: Path<Uuid>, req: HttpRequest) -> Result<Json<Page<HistoryRow>>> {
    let (NoFilter {}, page) = read_search(req.query_string(), &[], ctx.lang)?;
    R::find(&mut ctx.conn, &ctx.caller.scope, *id).await?;
    let of_row = || audits::table.filter(audits::object_id.eq(*id)).filter(audits::resource.eq(R::PATH)).into_boxed();
    let columns = (audits::id, audits::action, audits::user_name, audits::before, audits::after, audits::created_at);
    let rows = beyond!(of_row(), audits::id, page).order(page::by(audits::id, page.order().1)).select(columns);
    let counted = of_row().select(audits::id);
    let mut page: Page<HistoryRow> = page::load::<Audit, _, _, _>(&mut ctx.conn, &page, rows, counted).await?;
    for row in &mut page.items {
        word(R::PATH, &mut row.changes, ctx.lang);
    }
    Ok(Json(page))
}
