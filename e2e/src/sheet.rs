//! Files that the browser saves, and sheets among them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use calamine::{Reader, Xlsx, open_workbook};

use crate::{Browser, until};

/// A folder that a browser saves files in. It goes with this.
pub struct Saved {
    /// Where it is.
    pub folder: PathBuf,
}

impl Saved {
    /// Has the browser save files in a folder of their own.
    ///
    /// # Errors
    /// There cannot be one.
    pub async fn by(browser: &Browser) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("wattyard-saved-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder)?;
        browser.save_files_in(&folder).await?;
        Ok(Self { folder })
    }

    /// The sheet in the folder whose name begins so, once it is there as a whole.
    ///
    /// # Errors
    /// It does not come.
    pub async fn sheet(&self, begins: &str) -> Result<PathBuf> {
        self.file(begins, ".xlsx").await
    }

    /// The file in the folder whose name begins and ends so, once it is there as a whole.
    ///
    /// # Errors
    /// It does not come.
    pub async fn file(&self, begins: &str, ends: &str) -> Result<PathBuf> {
        let found = || {
            let files = std::fs::read_dir(&self.folder).ok()?.flatten().map(|it| it.path());
            let named = |it: &PathBuf| {
                let name = it.file_name().and_then(|it| it.to_str());
                name.is_some_and(|it| it.starts_with(begins) && it.ends_with(ends))
            };
            files.into_iter().find(named)
        };
        until("the file is saved", async || Ok(found().is_some())).await?;
        found().with_context(|| begins.to_owned())
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Browser {
    /// The rows that the list on the screen is exported as.
    ///
    /// # Errors
    /// It cannot be exported.
    pub async fn exported(&self, title: &str) -> Result<Vec<Row>> {
        let saved = Saved::by(self).await?;
        self.click("[data-test='export']").await?;
        rows(&saved.sheet(&format!("{title}-2")).await?)
    }
}

/// A row of a sheet: headings with what stands below them.
#[derive(Debug)]
pub struct Row(Vec<(String, String)>);

impl Row {
    /// Sees that something stands below a heading, and that it begins so.
    ///
    /// # Errors
    /// It does not.
    pub fn tells(&self, head: &str, begins: &str) -> Result<()> {
        let found = self.0.iter().find(|it| it.0 == head);
        let (_, told) = found.with_context(|| format!("no {head}: {self:?}"))?;
        ensure!(!told.is_empty() && told.starts_with(begins), "{head}: {told}");
        Ok(())
    }
}

/// The rows of a sheet.
///
/// # Errors
/// It is no sheet.
pub fn rows(sheet: &Path) -> Result<Vec<Row>> {
    let mut book: Xlsx<_> = open_workbook(sheet)?;
    let first = book.worksheet_range_at(0).context("no sheet")??;
    let mut lines = first.rows().map(|it| it.iter().map(ToString::to_string).collect::<Vec<_>>());
    let heads = lines.next().context("no headings")?;
    Ok(lines.map(|it| Row(heads.iter().cloned().zip(it).collect())).collect())
}
