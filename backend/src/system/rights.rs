//! Who may manage whom: nobody gives what they lack, and nobody touches who may do or see more than they.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{roles, user_roles, user_stations, users};
use shared::permission::fits;
use shared::text::t;
use shared::user::UserKind;
use uuid::Uuid;

use crate::auth::caller::Caller;
use crate::error::{Error, Result};

/// Refuses to use or change something that holds a permission which the caller could have and lacks. What only lower
/// nodes may have does not count: their keepers cannot hold it, and still look after them.
///
/// # Errors
/// 403 with the permission.
pub fn require_all<'a>(by: &Caller, permissions: impl IntoIterator<Item = &'a String>) -> Result<()> {
    let kind = by.scope.node.kind();
    match permissions.into_iter().find(|it| fits(kind, it) && !by.may(it)) {
        Some(lacking) => Err(Error::Forbidden(lacking.clone())),
        None => Ok(()),
    }
}

/// Refuses to touch an account that may do or see more than the caller: whoever sets its password could use it.
/// Roles that are switched off count too, as they can be switched on again.
///
/// # Errors
/// 403 with a permission that the caller lacks, 409 when the account sees other stations.
pub async fn require_over(conn: &mut AsyncPgConnection, by: &Caller, user: Uuid) -> Result<()> {
    if by.user_id == user {
        return Ok(());
    }
    let held: Vec<Vec<String>> = user_roles::table
        .inner_join(roles::table)
        .filter(user_roles::user_id.eq(user))
        .select(roles::permissions)
        .load(conn)
        .await?;
    require_all(by, held.iter().flatten())?;
    let Some(mine) = &by.scope.stations else { return Ok(()) };
    let theirs: Vec<Uuid> = user_stations::table
        .filter(user_stations::user_id.eq(user))
        .select(user_stations::station_id)
        .load(conn)
        .await?;
    if theirs.is_empty() || theirs.iter().any(|it| !mine.contains(it)) {
        return Err(Error::Conflict(
            "wider_reach",
            t("该用户可见的电站超出您的范围", "The user sees stations that you do not"),
        ));
    }
    Ok(())
}

/// Refuses what one must not do to oneself.
///
/// # Errors
/// 409.
pub fn require_other(by: &Caller, user: Uuid) -> Result<()> {
    if by.user_id == user {
        return Err(Error::Conflict("yourself", t("不能对自己的账号这样操作", "Not to one's own account")));
    }
    Ok(())
}

/// Refuses whoever is bound to stations: what they would make has none, so they could not see it.
///
/// # Errors
/// 409.
pub fn require_unbound(by: &Caller) -> Result<()> {
    if by.scope.stations.is_some() {
        return Err(Error::Conflict("bound", t("您的账号仅限指定电站", "Your account is bound to stations")));
    }
    Ok(())
}

/// Refuses to leave the platform without an administrator; call it after the change, in its transaction.
///
/// # Errors
/// 409.
pub async fn require_administrator(conn: &mut AsyncPgConnection) -> Result<()> {
    // The lock lets two who remove one another find out.
    let role: Uuid = roles::table
        .filter(roles::kind.eq(UserKind::Platform).and(roles::builtin))
        .select(roles::id)
        .for_update()
        .first(conn)
        .await?;
    let bound = user_stations::table.filter(user_stations::user_id.eq(users::id));
    let left = users::table
        .inner_join(user_roles::table)
        .filter(user_roles::role_id.eq(role))
        .filter(users::enabled)
        .filter(diesel::dsl::not(diesel::dsl::exists(bound)));
    if diesel::select(diesel::dsl::exists(left)).get_result(conn).await? {
        return Ok(());
    }
    Err(Error::Conflict("last_administrator", t("至少要有一个系统管理员", "The last administrator must remain")))
}
