//! Giving roles to users, and taking them away.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{roles, user_roles};
use shared::system::node::Seat;
use shared::system::role::RoleRow;
use shared::system::user::{UserRow, Users};
use shared::text::t;
use shared::user::UserKind;
use uuid::Uuid;

use crate::auth::caller::Caller;
use crate::auth::scope::Node;
use crate::crud::audit::Actor;
use crate::crud::{Browse, routes};
use crate::error::{Error, Result};
use crate::system::{node, rights};

type Known = (Uuid, (UserKind, Option<Uuid>, Option<Uuid>, Option<Uuid>), Vec<String>, bool);

/// Leaves a user with exactly these roles. Those that are new must be of the same node, enabled, and hold nothing that
/// the caller lacks.
pub async fn set(conn: &mut AsyncPgConnection, by: &Caller, user: Uuid, at: Node, wanted: &[Uuid]) -> Result<()> {
    let held: Vec<Uuid> =
        user_roles::table.filter(user_roles::user_id.eq(user)).select(user_roles::role_id).load(conn).await?;
    let new: Vec<Uuid> = wanted.iter().copied().filter(|it| !held.contains(it)).collect();
    // The lock keeps a role from being switched off or removed while it is given.
    let known: Vec<Known> = roles::table
        .filter(roles::id.eq_any(&new))
        .order(roles::id)
        .select((
            roles::id,
            (roles::kind, roles::provider_id, roles::property_id, roles::collective_id),
            roles::permissions,
            roles::enabled,
        ))
        .for_share()
        .load(conn)
        .await?;
    // Of another node's role nobody is told that it exists.
    let here = |it: &&Known| {
        let (kind, provider, property, collective) = it.1;
        at.seat() == Seat { kind, provider, property, collective }
    };
    for id in &new {
        let known = known.iter().find(|it| it.0 == *id).filter(here);
        let text = t("角色不存在，或不属于该用户所在的节点", "No such role at the user's node");
        let (.., permissions, enabled) = known.ok_or_else(|| Error::field("role_ids", "choice", text))?;
        if !enabled {
            return Err(Error::field("role_ids", "disabled", t("角色已禁用", "The role is disabled")));
        }
        rights::require_all(by, permissions)?;
    }
    let lost = user_roles::table.filter(user_roles::user_id.eq(user)).filter(user_roles::role_id.ne_all(wanted));
    let lost = diesel::delete(lost).execute(conn).await?;
    let rows: Vec<_> = new.iter().map(|it| (user_roles::user_id.eq(user), user_roles::role_id.eq(*it))).collect();
    diesel::insert_into(user_roles::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    if lost > 0 && at == Node::Platform {
        rights::require_administrator(conn).await?;
    }
    Ok(())
}

/// Gives a role to a user.
///
/// # Errors
/// 422 on `user_ids` when the user is not in scope or not at the role's node, 403 when the role holds more than the caller.
pub async fn assign(conn: &mut AsyncPgConnection, actor: &Actor, role: &RoleRow, user: Uuid) -> Result<()> {
    change(conn, actor, role, user, "assign").await
}

/// Takes a role from a user.
///
/// # Errors
/// As [`assign`]; 409 when nobody would be left to administer the platform.
pub async fn revoke(conn: &mut AsyncPgConnection, actor: &Actor, role: &RoleRow, user: Uuid) -> Result<()> {
    change(conn, actor, role, user, "revoke").await
}

/// What a user may do changes with their roles, so it is their version that moves and their trail that tells it.
async fn change(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    role: &RoleRow,
    user: Uuid,
    verb: &'static str,
) -> Result<()> {
    let unknown = || Error::field("user_ids", "choice", t("用户不存在", "There is no such user"));
    let by = &actor.caller;
    let before: UserRow = match Users::find(conn, &by.scope, user).await {
        Err(Error::NotFound) => return Err(unknown()),
        found => found?,
    };
    let at = node::of(before.seat())?;
    if before.seat() != role.seat() {
        return Err(Error::field("user_ids", "choice", t("用户不属于该角色所在的节点", "A user of another node")));
    }
    rights::require_over(conn, by, user).await?;
    routes::stamp(conn, "users", user, None).await?;
    let mut wanted = before.role_ids.clone();
    wanted.retain(|it| *it != role.id);
    if verb == "assign" {
        wanted.push(role.id);
    }
    set(conn, by, user, at, &wanted).await?;
    routes::changed::<Users>(conn, actor, verb, before).await?;
    Ok(())
}
