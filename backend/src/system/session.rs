//! Who is logged in to the console, and ending that.

use actix_web::HttpResponse;
use actix_web::web::Path;
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{properties, providers, sessions, users};
use shared::page::{Page, PageQuery};
use shared::system::session::{SessionFilter, SessionRow, Sessions};
use shared::user::UserKind;
use uuid::Uuid;

use super::rights;
use crate::api::op::Op;
use crate::app::made_at;
use crate::auth::scope::Scope;
use crate::auth::session;
use crate::beyond;
use crate::crud::audit::{Deed, record};
use crate::crud::{Browse, Ctx, json, ops, page};
use crate::error::{Error, Result};

/// The one token of a login that is neither spent nor revoked.
#[derive(HasQuery)]
#[diesel(table_name = sessions, check_for_backend(Pg), base_query = joined())]
struct Session {
    family: Uuid,
    #[diesel(select_expression = users::id)]
    user_id: Uuid,
    #[diesel(select_expression = users::username)]
    username: String,
    #[diesel(select_expression = users::name)]
    user_name: String,
    #[diesel(select_expression = users::kind)]
    kind: UserKind,
    #[diesel(select_expression = providers::name.nullable())]
    provider_name: Option<String>,
    #[diesel(select_expression = properties::name.nullable())]
    property_name: Option<String>,
    ip: String,
    agent: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl From<Session> for SessionRow {
    fn from(it: Session) -> Self {
        Self {
            id: it.family,
            user_id: it.user_id,
            username: it.username,
            user_name: it.user_name,
            kind: it.kind,
            provider_name: it.provider_name,
            property_name: it.property_name,
            ip: it.ip,
            agent: it.agent,
            started_at: made_at(it.family),
            seen_at: it.created_at,
            expires_at: it.expires_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    sessions::table.inner_join(users::table.left_join(providers::table).left_join(properties::table))
}

/// The live logins of the users whom the caller may see.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let live = joined()
        .filter(sessions::user_id.is_not_null())
        .filter(sessions::spent_at.is_null())
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(diesel::dsl::now))
        .into_boxed();
    scope.narrow_to_node(live, users::provider_id, users::property_id, users::collective_id)
}

fn found(scope: &Scope, filter: &SessionFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let SessionFilter { username, user_id, ip, kind, provider_id, property_id } = filter;
    let mut query = visible(scope);
    if let Some(username) = username {
        query = query.filter(users::username.ilike(page::containing(username)));
    }
    if let Some(id) = user_id {
        query = query.filter(users::id.eq(*id));
    }
    if let Some(ip) = ip {
        query = query.filter(sessions::ip.eq(ip.clone()));
    }
    if let Some(kind) = kind {
        query = query.filter(users::kind.eq(*kind));
    }
    if let Some(id) = provider_id {
        query = query.filter(users::provider_id.eq(*id));
    }
    if let Some(id) = property_id {
        query = query.filter(users::property_id.eq(*id));
    }
    query
}

impl Browse for Sessions {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &SessionFilter,
        page: &PageQuery,
    ) -> Result<Page<SessionRow>> {
        let (_, falling) = page.order();
        let order = page::by(sessions::family, falling);
        let rows = beyond!(found(scope, filter), sessions::family, page).order(order).select(Session::as_select());
        page::load::<Session, _, _, _>(conn, page, rows, found(scope, filter).select(sessions::family)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<SessionRow> {
        let session: Session =
            visible(scope).filter(sessions::family.eq(id)).select(Session::as_select()).first(conn).await?;
        Ok(session.into())
    }
}

/// `POST /system/sessions/{id}/end`: counts from the next request on, and there is nothing left to answer with.
async fn end(ctx: Ctx, id: Path<Uuid>) -> Result<HttpResponse> {
    let (actor, id, now) = (ctx.actor(), *id, ctx.app.now());
    let mut conn = ctx.conn;
    conn.transaction(async |conn| {
        let before = Sessions::find(conn, &actor.caller.scope, id).await?;
        rights::require_over(conn, &actor.caller, before.user_id).await?;
        session::revoke(conn, id, now).await?;
        let row = json(&before)?;
        record(conn, &actor, Deed::of::<Sessions>("end", id, &row), Some(&row), None).await?;
        Ok::<_, Error>(())
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The operations of sessions.
pub fn operations() -> Vec<Op> {
    ops::browse::<Sessions>().into_iter().chain([ops::action::<Sessions>("end").to(end)]).collect()
}
