//! The first run: the platform's administrator.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result};
use chrono::Utc;
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{roles, user_roles, users};
use shared::user::UserKind;

use crate::app::{App, new_id};
use crate::auth::scope::Node;
use crate::auth::token;
use crate::db::alone;
use crate::system::node;

/// The platform's first account.
pub const ADMIN: &str = "admin";

/// Makes the administrator when there is no user yet. The password is `WATTYARD_ADMIN_PASSWORD`, or generated, printed
/// once and kept in `admin-password` below the data folder, readable by us alone.
///
/// # Errors
/// The database cannot be written, or the file.
pub async fn first_run(app: &App) -> Result<()> {
    let mut conn = app.conn().await?;
    conn.transaction(async |conn| {
        // Processes that start together make one administrator.
        alone(conn, "first run").await?;
        sync_builtin_roles(conn).await?;
        if users::table.count().get_result::<i64>(conn).await? > 0 {
            return Ok(());
        }
        let given = std::env::var("WATTYARD_ADMIN_PASSWORD").ok().filter(|it| !it.is_empty());
        let generated = given.is_none();
        let password = given.unwrap_or_else(|| token::random().chars().take(16).collect());
        if generated {
            keep(app, &password)?;
            writeln!(std::io::stdout(), "account: {ADMIN}   password: {password}")?;
        }
        make_admin(conn, app.hasher.hash(&password).await?).await?;
        Ok::<_, anyhow::Error>(())
    })
    .await
}

/// Makes the administrator with this password.
///
/// # Errors
/// There is one already, or the database cannot be written.
pub async fn first_run_with(app: &App, password: &str) -> Result<()> {
    let hash = app.hasher.hash(password).await?;
    let mut conn = app.conn().await?;
    conn.transaction(async |conn| make_admin(conn, hash).await).await?;
    Ok(())
}

async fn make_admin(conn: &mut AsyncPgConnection, password_hash: String) -> QueryResult<()> {
    let user = new_id(Utc::now());
    diesel::insert_into(users::table)
        .values((
            users::id.eq(user),
            users::kind.eq(UserKind::Platform),
            users::username.eq(ADMIN),
            users::name.eq("系统管理员"),
            users::password_hash.eq(password_hash),
        ))
        .execute(conn)
        .await?;
    let role = node::administrator(conn, Node::Platform).await?;
    diesel::insert_into(user_roles::table)
        .values((user_roles::user_id.eq(user), user_roles::role_id.eq(role)))
        .execute(conn)
        .await?;
    Ok(())
}

fn keep(app: &App, password: &str) -> Result<()> {
    let path = app.config.database.folder.join("admin-password");
    std::fs::create_dir_all(&app.config.database.folder)?;
    let mut file = std::fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(file.write_all(password.as_bytes())?)
}

/// What the role is called that every node has from its beginning.
pub const ADMIN_ROLE: &str = "系统管理员";

/// The built-in roles hold all permissions that their node's kind may have, those of a newer version too.
async fn sync_builtin_roles(conn: &mut AsyncPgConnection) -> QueryResult<()> {
    for kind in UserKind::ALL {
        diesel::update(roles::table.filter(roles::builtin).filter(roles::kind.eq(kind)))
            .set(roles::permissions.eq(shared::permission::codes_for(kind)))
            .execute(conn)
            .await?;
    }
    Ok(())
}
