//! Who asks: read anew for every request, so that a change of rights counts at once.

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared::system::node::Seat;
use shared::text::t;
use shared::user::UserKind;
use uuid::Uuid;

use super::scope::{Node, Scope};
use crate::error::{Error, Result};

/// The user behind a request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Id.
    pub user_id: Uuid,
    /// The person's name, for audits.
    pub name: String,
    /// What they may see.
    pub scope: Scope,
    /// What they may do.
    pub permissions: Vec<String>,
    /// The family of sessions that they came with.
    pub family: Uuid,
    /// Nothing but changing the password is allowed.
    pub must_change_password: bool,
}

impl Caller {
    /// Refuses who lacks a permission.
    ///
    /// # Errors
    /// 403.
    pub fn require(&self, permission: &str) -> Result<()> {
        if self.may(permission) { Ok(()) } else { Err(Error::Forbidden(permission.to_owned())) }
    }

    /// Whether they have a permission.
    pub fn may(&self, permission: &str) -> bool {
        self.permissions.iter().any(|it| it == permission)
    }

    /// Whether they may see and do the same as another.
    pub fn as_able_as(&self, other: &Self) -> bool {
        self.scope == other.scope && self.permissions == other.permissions
    }

    /// Reads the caller of a session.
    ///
    /// # Errors
    /// 401 when the session was revoked, or the user removed or disabled.
    pub async fn load(conn: &mut AsyncPgConnection, user: Uuid, family: Uuid) -> Result<Self> {
        let row: Option<CallerRow> = CallerQuery { user, family }.get_result(conn).await.optional()?;
        let gone = || Error::Unauthenticated(t("登录已失效，请重新登录", "The session has ended; log in again"));
        let (kind, provider, property, collective, name, must_change_password, permissions, stations) =
            row.ok_or_else(gone)?;
        let seat = Seat { kind, provider, property, collective };
        let node = Node::of(seat).ok_or_else(|| Error::internal("a user without a node"))?;
        let permissions = permissions.into_iter().filter(|it| shared::permission::fits(kind, it)).collect();
        let stations = Some(stations).filter(|it| !it.is_empty());
        let scope = Scope { node, stations };
        Ok(Self { user_id: user, name, scope, permissions, family, must_change_password })
    }
}

type CallerRow = (UserKind, Option<Uuid>, Option<Uuid>, Option<Uuid>, String, bool, Vec<String>, Vec<Uuid>);

/// One statement for all that makes a caller; a fragment of its own so that it stays prepared.
#[derive(QueryId)]
struct CallerQuery {
    user: Uuid,
    family: Uuid,
}

impl Query for CallerQuery {
    type SqlType =
        (Text, Nullable<SqlUuid>, Nullable<SqlUuid>, Nullable<SqlUuid>, Text, Bool, Array<Text>, Array<SqlUuid>);
}

impl<C> diesel::query_dsl::RunQueryDsl<C> for CallerQuery {}

impl QueryFragment<Pg> for CallerQuery {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "select u.kind, u.provider_id, u.property_id, u.collective_id, u.name, u.must_change_password, \
             array(select distinct p from user_roles ur join roles r on r.id = ur.role_id and r.enabled, \
             unnest(r.permissions) p where ur.user_id = u.id order by p), \
             array(select us.station_id from user_stations us where us.user_id = u.id order by us.station_id) \
             from users u where u.enabled and u.id = ",
        );
        out.push_bind_param::<SqlUuid, _>(&self.user)?;
        out.push_sql(
            " and exists (select 1 from sessions s where s.user_id = u.id and s.revoked_at is null \
             and s.expires_at > now() and s.family = ",
        );
        out.push_bind_param::<SqlUuid, _>(&self.family)?;
        out.push_sql(")");
        Ok(())
    }
}
