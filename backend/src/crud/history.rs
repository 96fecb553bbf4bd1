//! What was done to a row, from the audit trail.

use actix_web::HttpRequest;
use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use schema::audits;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::history::{HistoryRow, changes, word};
use shared::page::Page;
use shared::resource::Row;
use shared::text::Lang;
use utoipa::ToSchema;
use uuid::Uuid;

use super::routes::{NoFilter, read_search};
use super::{Browse, Ctx, page};
use crate::auth::scope::Scope;
use crate::beyond;
use crate::error::Result;

/// A deed as the trail keeps it.
#[derive(Clone, Queryable, Serialize, Deserialize, ToSchema)]
struct Audit {
    id: Uuid,
    action: String,
    user_name: String,
    before: Option<Value>,
    after: Option<Value>,
    created_at: DateTime<Utc>,
}

impl Row for Audit {
    fn id(&self) -> Uuid {
        self.id
    }
}

impl Audit {
    /// What a caller may read of it.
    fn told<R: Browse>(self, scope: &Scope, lang: Lang) -> HistoryRow {
        let Self { id, action, user_name, before, after, created_at } = self;
        let [before, after] = [before, after].map(|it| {
            let mut snapshot = it.unwrap_or_default();
            R::redact(scope, &mut snapshot);
            snapshot
        });
        let mut changes = changes(&before, &after);
        word(R::PATH, &mut changes, lang);
        HistoryRow { id, action, user_name, changes, created_at }
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
    let page: Page<Audit> = page::load::<Audit, _, _, _>(&mut ctx.conn, &page, rows, counted).await?;
    Ok(Json(page.map(|it| it.told::<R>(&ctx.caller.scope, ctx.lang))))
}
