//! Roles: sets of permissions that users of one node can have.

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{collectives, properties, providers, roles, user_roles};
use shared::page::{Page, PageQuery};
use shared::resource::FormMap;
use shared::system::role::{RoleFilter, RoleForm, RoleRow, RoleUsers, Roles, TO_ASSIGN, TO_REVOKE};
use shared::text::t;
use shared::user::UserKind;
use uuid::Uuid;

use super::{node, rights, user};
use crate::api::body::Body;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::{Browse, Change, Create, Ctx, Delete, Impact, Switch, ops, page, routes};
use crate::error::{Error, Result};

#[derive(HasQuery)]
#[diesel(table_name = roles, check_for_backend(Pg), base_query = joined())]
struct Role {
    id: Uuid,
    kind: UserKind,
    provider_id: Option<Uuid>,
    #[diesel(select_expression = providers::name.nullable())]
    provider_name: Option<String>,
    property_id: Option<Uuid>,
    #[diesel(select_expression = properties::name.nullable())]
    property_name: Option<String>,
    collective_id: Option<Uuid>,
    #[diesel(select_expression = collectives::name.nullable())]
    collective_name: Option<String>,
    name: String,
    permissions: Vec<String>,
    builtin: bool,
    enabled: bool,
    #[diesel(select_expression = user_roles::table.filter(user_roles::role_id.eq(roles::id)).count().single_value().assume_not_null())]
    users: i64,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Role> for RoleRow {
    fn from(it: Role) -> Self {
        Self {
            id: it.id,
            kind: it.kind,
            provider_id: it.provider_id,
            provider_name: it.provider_name,
            property_id: it.property_id,
            property_name: it.property_name,
            collective_id: it.collective_id,
            collective_name: it.collective_name,
            name: it.name,
            permissions: it.permissions,
            builtin: it.builtin,
            enabled: it.enabled,
            users: it.users,
            version: it.version,
            created_at: it.created_at,
            updated_at: it.updated_at,
        }
    }
}

#[diesel::dsl::auto_type]
fn joined() -> _ {
    roles::table.left_join(providers::table).left_join(properties::table).left_join(collectives::table)
}

/// The roles of the caller's node and of those below it. They have no station, so that bindings do not narrow this.
fn visible(scope: &Scope) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    scope.narrow_to_node(joined().into_boxed(), roles::provider_id, roles::property_id, roles::collective_id)
}

fn found(scope: &Scope, filter: &RoleFilter) -> diesel::dsl::IntoBoxed<'static, joined, Pg> {
    let RoleFilter { provider_id, property_id, collective_id, name, enabled, kind, created_from, created_to } = filter;
    let (from, to) = page::made_on(*created_from, *created_to);
    let mut query = visible(scope).filter(roles::id.ge(from)).filter(roles::id.lt(to));
    if let Some(id) = provider_id {
        query = query.filter(roles::provider_id.eq(*id));
    }
    if let Some(id) = property_id {
        query = query.filter(roles::property_id.eq(*id));
    }
    if let Some(id) = collective_id {
        query = query.filter(roles::collective_id.eq(*id));
    }
    if let Some(name) = name {
        query = query.filter(roles::name.ilike(page::containing(name)));
    }
    if let Some(enabled) = enabled {
        query = query.filter(roles::enabled.eq(*enabled));
    }
    if let Some(kind) = kind {
        query = query.filter(roles::kind.eq(*kind));
    }
    query
}

impl Browse for Roles {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &RoleFilter,
        page: &PageQuery,
    ) -> Result<Page<RoleRow>> {
        let (key, falling) = page.order();
        let order = match key {
            "name" => page::by(roles::name, falling),
            _ => page::by(roles::id, falling),
        };
        let rows = beyond!(found(scope, filter), roles::id, page).order(order).select(Role::as_select());
        page::load::<Role, _, _, _>(conn, page, rows, found(scope, filter).select(roles::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<RoleRow> {
        let role: Role = visible(scope).filter(roles::id.eq(id)).select(Role::as_select()).first(conn).await?;
        Ok(role.into())
    }
}

/// Reads a role that is about to change, and refuses the built-in ones and those that hold more than the caller. The
/// lock keeps it from being given to somebody meanwhile.
async fn changeable(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid) -> Result<Vec<String>> {
    let (builtin, permissions): (bool, Vec<String>) =
        roles::table.find(id).select((roles::builtin, roles::permissions)).for_update().first(conn).await?;
    if builtin {
        return Err(Error::Conflict("builtin", t("内置角色不能修改", "A built-in role stays as it is")));
    }
    rights::require_all(by, &permissions)?;
    Ok(permissions)
}

/// Refuses permissions that are new to a role and that the caller lacks.
fn require_held(by: &Caller, wanted: &[String], before: &[String]) -> Result<()> {
    if wanted.iter().all(|it| by.may(it) || before.contains(it)) {
        return Ok(());
    }
    Err(Error::field("permissions", "not_held", t("不能授予自己没有的权限", "Nobody can grant what they lack")))
}

impl Create for Roles {
    async fn create(conn: &mut AsyncPgConnection, by: &Caller, form: &RoleForm) -> Result<Uuid> {
        let RoleForm { kind, provider_id, property_id, collective_id, name, permissions } = form;
        node::for_new(conn, by, form.seat()).await?;
        require_held(by, permissions, &[])?;
        let id = new_id(Utc::now());
        diesel::insert_into(roles::table)
            .values((
                roles::id.eq(id),
                roles::kind.eq(kind),
                roles::provider_id.eq(provider_id),
                roles::property_id.eq(property_id),
                roles::collective_id.eq(collective_id),
                roles::name.eq(name),
                roles::permissions.eq(permissions),
            ))
            .execute(conn)
            .await?;
        Ok(id)
    }
}

impl Change for Roles {
    const TABLE: &'static str = "roles";

    async fn update(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid, form: &RoleForm) -> Result<()> {
        let RoleForm { kind: _, provider_id: _, property_id: _, collective_id: _, name, permissions } = form;
        let before = changeable(conn, by, id).await?;
        require_held(by, permissions, &before)?;
        diesel::update(roles::table.find(id))
            .set((roles::name.eq(name), roles::permissions.eq(permissions)))
            .execute(conn)
            .await?;
        Ok(())
    }
}

impl Switch for Roles {
    const TABLE: &'static str = "roles";

    async fn switch(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid, on: bool) -> Result<()> {
        changeable(conn, by, id).await?;
        diesel::update(roles::table.find(id)).set(roles::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    async fn impact(conn: &mut AsyncPgConnection, _: &Scope, id: Uuid) -> Result<Impact> {
        let users = user_roles::table.filter(user_roles::role_id.eq(id)).count().get_result(conn).await?;
        Ok(Impact { users, ..Impact::default() })
    }
}

impl Delete for Roles {
    async fn delete(conn: &mut AsyncPgConnection, by: &Caller, id: Uuid) -> Result<()> {
        changeable(conn, by, id).await?;
        let held = user_roles::table.filter(user_roles::role_id.eq(id));
        if diesel::select(diesel::dsl::exists(held)).get_result(conn).await? {
            let text = t("角色已授权给用户，请先取消授权", "Users have the role; take it from them first");
            return Err(Error::Conflict("role_in_use", text));
        }
        diesel::delete(roles::table.find(id)).execute(conn).await?;
        Ok(())
    }
}

async fn assign(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<RoleRow>> {
    let users = read_users(&ctx, &form)?;
    routes::act::<Roles, _>(ctx, *id, "assign", move |conn, actor, role| {
        Box::pin(async move {
            for id in users {
                user::assign(conn, actor, role, id).await?;
            }
            Ok(())
        })
    })
    .await
}

async fn revoke(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<RoleRow>> {
    let users = read_users(&ctx, &form)?;
    routes::act::<Roles, _>(ctx, *id, "revoke", move |conn, actor, role| {
        Box::pin(async move {
            for id in users {
                user::revoke(conn, actor, role, id).await?;
            }
            Ok(())
        })
    })
    .await
}

/// The users of a form, in one order for all, so that two such requests cannot wait for one another.
fn read_users(ctx: &Ctx, form: &FormMap) -> Result<Vec<Uuid>> {
    let RoleUsers { mut user_ids } = shared::check::read(TO_ASSIGN, form, ctx.lang).map_err(Error::Invalid)?;
    user_ids.sort_unstable();
    user_ids.dedup();
    Ok(user_ids)
}

/// The operations of roles.
pub fn operations() -> Vec<Op> {
    let own = [
        ops::action::<Roles>("assign").form::<RoleUsers>(TO_ASSIGN).returns::<RoleRow>().to(assign),
        ops::action::<Roles>("revoke").form::<RoleUsers>(TO_REVOKE).returns::<RoleRow>().to(revoke),
    ];
    [
        ops::browse::<Roles>(),
        ops::write::<Roles>(),
        ops::switch::<Roles>(),
        ops::delete::<Roles>(),
        ops::history::<Roles>(),
    ]
    .into_iter()
    .flatten()
    .chain(own)
    .collect()
}
