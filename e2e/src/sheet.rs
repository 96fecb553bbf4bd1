//! Files that the browser saves, and sheets among them.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
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
        let found = || {
            let files = std::fs::read_dir(&self.folder).ok()?.flatten().map(|it| it.path());
            let named = |it: &PathBuf| {
                let name = it.file_name().and_then(|it| it.to_str());
                name.is_some_and(|it| it.starts_with(begins) && it.ends_with(".xlsx"))
            };
            files.into_iter().find(named)
        };
        until("the sheet is saved", async || Ok(found().is_some())).await?;
        found().with_context(|| begins.to_owned())
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The rows of a sheet as texts, its headings first.
///
/// # Errors
/// It is no sheet.
pub fn rows(sheet: &Path) -> Result<Vec<Vec<String>>> {
    let mut book: Xlsx<_> = open_workbook(sheet)?;
    let first = book.worksheet_range_at(0).context("no sheet")??;
    Ok(first.rows().map(|it| it.iter().map(ToString::to_string).collect()).collect())
}
