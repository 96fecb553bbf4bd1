//! A walk through one section of the manual: every numbered action is done in the browser, and named by its id.

use anyhow::{Context, Result, ensure};

use crate::platform::root;
use crate::{Browser, Platform, in_browser};

/// A walk.
pub struct Walk<'a> {
    /// Where it goes.
    pub platform: &'a Platform,
    browser: &'a Browser,
    done: Vec<String>,
}

impl Walk<'_> {
    /// Does one of the numbered actions.
    ///
    /// # Errors
    /// What went wrong, behind its id.
    pub async fn does(&mut self, ids: &str, act: impl AsyncFnOnce(&Browser) -> Result<()>) -> Result<()> {
        act(self.browser).await.with_context(|| ids.to_owned())?;
        self.done.extend(ids.split(' ').map(str::to_owned));
        Ok(())
    }
}

/// Walks through a section of the manual as the platform's administrator, among the tenants 云栖充电 and 滨江物业, and sees
/// that no numbered action of it is left out.
///
/// # Errors
/// Something does not work, or was left out.
pub async fn walk(section: &str, steps: impl AsyncFnOnce(&mut Walk<'_>) -> Result<()>) -> Result<()> {
    let platform = Platform::start().await?;
    platform.tenant("云栖充电", "滨江物业").await?;
    walk_on(&platform, section, steps).await
}

/// Walks through a section, or through all that are below it, on a platform that is there already.
///
/// # Errors
/// As [`walk`].
pub async fn walk_on(
    platform: &Platform,
    section: &str,
    steps: impl AsyncFnOnce(&mut Walk<'_>) -> Result<()>,
) -> Result<()> {
    in_browser(platform, section, async |browser| {
        let mut walk = Walk { platform, browser, done: vec![] };
        browser.log_in().await?;
        steps(&mut walk).await?;
        let left = left_out(section, &walk.done)?;
        ensure!(left.is_empty(), "left out: {left:?}");
        Ok(())
    })
    .await
}

/// The ids of a section that were not done.
fn left_out(section: &str, done: &[String]) -> Result<Vec<String>> {
    let table = std::fs::read_to_string(root().join("docs/coverage.tsv")).context("docs/coverage.tsv")?;
    let ids = table.lines().filter_map(|it| it.split('\t').next());
    let within = |of: &str| of.strip_prefix(section).is_some_and(|it| it.is_empty() || it.starts_with('.'));
    let ours = ids.filter(|it| it.split_once('/').is_some_and(|it| within(it.0)));
    Ok(ours.filter(|it| !done.iter().any(|done| done == it)).map(str::to_owned).collect())
}
