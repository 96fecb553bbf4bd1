//! System management (3.7 of the manual), page by page, by clicks and typing.

mod department;
mod own;
mod post;
mod property;
mod provider;
mod records;
mod rights;
mod role;
mod secret;
mod sheets;
mod user;

use anyhow::Result;
use e2e::Browser;

/// Adds a user of the provider, with a role or none; gives the one-time password that is told.
async fn provider_user(it: &Browser, username: &str, name: &str, role: Option<&str>) -> Result<String> {
    it.add("system/users").await?;
    it.choose("kind", "服务商").await?;
    it.choose("provider_id", "云栖充电").await?;
    it.enter("username", username).await?;
    it.enter("name", name).await?;
    if let Some(role) = role {
        it.choose("role_ids", role).await?;
    }
    it.save().await?;
    it.one_time_password().await
}

/// Adds a role of the provider that may do all there is in one part of the menu.
async fn provider_role(it: &Browser, name: &str, part: &str) -> Result<()> {
    it.add("system/roles").await?;
    it.choose("kind", "服务商").await?;
    it.choose("provider_id", "云栖充电").await?;
    it.enter("name", name).await?;
    it.click_text(".el-dialog .el-tree-node__label", part).await?;
    it.save().await
}
