//! Logins to the console, as they are looked up.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::login_records;
use shared::page::{Page, PageQuery};
use shared::system::login::{LoginFilter, LoginOutcome, LoginRow, Logins};
use uuid::Uuid;

use crate::api::op::Op;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::{Browse, ops, page};
use crate::error::Result;

#[derive(HasQuery)]
#[diesel(table_name = login_records, check_for_backend(Pg))]
struct Login {
    id: Uuid,
    created_at: DateTime<Utc>,
    username: String,
    user_id: Option<Uuid>,
    user_name: Option<String>,
    outcome: LoginOutcome,
    ip: String,
    agent: String,
}

impl From<Login> for LoginRow {
    fn from(it: Login) -> Self {
        Self {
            id: it.id,
            created_at: it.created_at,
            username: it.username,
            user_id: it.user_id,
            user_name: it.user_name,
            outcome: it.outcome,
            ip: it.ip,
            agent: it.agent,
        }
    }
}

/// The logins of the users of the caller's node and of those below it, those included who are no more. Names that nobody
/// bore are for the platform alone.
fn visible(scope: &Scope) -> login_records::BoxedQuery<'static, Pg> {
    scope.narrow_to_node(
        login_records::table.into_boxed(),
        login_records::provider_id,
        login_records::property_id,
        login_records::collective_id,
    )
}

fn found(scope: &Scope, filter: &LoginFilter) -> login_records::BoxedQuery<'static, Pg> {
    let LoginFilter { username, user_id, outcome, ip, created_from, created_to } = filter;
    let (from, to) = page::made_on(*created_from, *created_to);
    let mut query = visible(scope).filter(login_records::id.ge(from)).filter(login_records::id.lt(to));
    if let Some(username) = username {
        query = query.filter(login_records::username.eq(username.to_lowercase()));
    }
    if let Some(id) = user_id {
        query = query.filter(login_records::user_id.eq(*id));
    }
    if let Some(outcome) = outcome {
        query = query.filter(login_records::outcome.eq(*outcome));
    }
    if let Some(ip) = ip {
        query = query.filter(login_records::ip.eq(ip.clone()));
    }
    query
}

impl Browse for Logins {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &LoginFilter,
        page: &PageQuery,
    ) -> Result<Page<LoginRow>> {
        let (_, falling) = page.order();
        let order = page::by(login_records::id, falling);
        let rows = beyond!(found(scope, filter), login_records::id, page).order(order).select(Login::as_select());
        page::load::<Login, _, _, _>(conn, page, rows, found(scope, filter).select(login_records::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<LoginRow> {
        let login: Login =
            visible(scope).filter(login_records::id.eq(id)).select(Login::as_select()).first(conn).await?;
        Ok(login.into())
    }
}

/// The operations of logins.
pub fn operations() -> Vec<Op> {
    ops::browse::<Logins>()
}
