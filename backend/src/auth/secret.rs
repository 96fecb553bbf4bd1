//! The secret that access tokens are signed with: a setting, or a row that all processes of a platform find in its database.

use anyhow::{Context, Result};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::secrets;

use super::token;
use crate::config::{Config, Secret};
use crate::db;

const NAME: &str = "jwt";

/// Sees to it that there is a secret. The first process to start makes it; one that an earlier version kept in a file is
/// taken over, so that nobody is logged out by the upgrade.
///
/// # Errors
/// The database cannot be reached.
pub async fn settle(config: &mut Config, url: &str) -> Result<()> {
    if !config.auth.jwt_secret.is_empty() {
        return Ok(());
    }
    let mut conn = db::connect(url).await.context("the database cannot be reached")?;
    let file = config.database.folder.join("jwt-secret");
    let kept = std::fs::read_to_string(&file).ok().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty());
    let taken_over = kept.is_some();
    let new = (secrets::name.eq(NAME), secrets::value.eq(kept.unwrap_or_else(token::random)));
    // Of processes that start together one makes it, and all read that one.
    let made = diesel::insert_into(secrets::table).values(new).on_conflict_do_nothing().execute(&mut conn).await?;
    if made == 1 && taken_over {
        tracing::info!("the secret in {} is in the database now; the file is no longer needed", file.display());
    }
    let value: String = secrets::table.find(NAME).select(secrets::value).first(&mut conn).await?;
    config.auth.jwt_secret = Secret::new(value);
    Ok(())
}
