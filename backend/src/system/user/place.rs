//! The department and the post that a user has.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::posts;
use shared::text::t;
use uuid::Uuid;

use crate::auth::scope::Node;
use crate::error::{Error, Result};
use crate::system::department;

/// A department and a post in it.
type Place = (Option<Uuid>, Option<Uuid>);

/// Refuses a department of another node, a post of another department, and either that is disabled unless the user has
/// it already.
///
/// # Errors
/// 422 on `department_id` or `post_id`.
pub async fn require(conn: &mut AsyncPgConnection, at: Node, wanted: Place, before: Place) -> Result<()> {
    let (department, post) = wanted;
    if let Some(id) = department.filter(|it| before.0 != Some(*it)) {
        department::require_open(conn, at, id, "department_id").await?;
    }
    let Some(id) = post.filter(|_| wanted != before) else { return Ok(()) };
    // The lock keeps it from being removed, or moved to another department, meanwhile.
    let row: Option<(Option<Uuid>, bool)> = posts::table
        .find(id)
        .select((posts::department_id.nullable(), posts::enabled))
        .for_key_share()
        .first(conn)
        .await
        .optional()?;
    match row {
        Some((of, enabled)) if of == department => {
            if enabled || before.1 == Some(id) {
                return Ok(());
            }
            Err(Error::field("post_id", "disabled", t("岗位已禁用", "The post is disabled")))
        }
        _ => Err(Error::field("post_id", "choice", t("该部门没有此岗位", "The department has no such post"))),
    }
}
