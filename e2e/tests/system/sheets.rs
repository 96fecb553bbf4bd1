//! Users and departments as sheets: a template to download, an import that takes all or nothing, an export.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use e2e::{Browser, Platform, in_browser, until};
use thirtyfour::By;

#[tokio::test(flavor = "multi_thread")]
async fn users_and_departments_come_and_go_as_sheets_in_the_console() -> Result<()> {
    let platform = Platform::start().await?;
    platform.tenant("云栖充电", "滨江物业").await?;
    let folder = std::env::temp_dir().join(format!("wattyard-sheets-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = in_browser(&platform, "sheets", async |browser| sheets(browser, &folder).await).await;
    std::fs::remove_dir_all(&folder)?;
    done
}

async fn sheets(it: &Browser, folder: &Path) -> Result<()> {
    it.save_files_in(folder).await?;
    it.log_in().await?;
    for (path, title) in [("system/users", "用户"), ("system/departments", "部门")] {
        it.page(path).await?;
        it.click("[data-test='import']").await?;
        it.click(".el-dialog [data-test='template']").await?;
        let template = file(folder, &format!("{title}-导入模板")).await?;
        // A template without rows is a sheet without errors: there is nothing to import in it.
        it.driver
            .find(By::Css(".el-dialog input[type='file']"))
            .await?
            .send_keys(template.display().to_string())
            .await?;
        it.click(".el-dialog [data-test='ok']").await?;
        it.see(".el-dialog .upload-file.is-error, .el-dialog [data-test='import-errors']").await?;
        it.screenshot(&format!("import-{title}")).await?;
        it.click(".el-dialog [data-test='cancel']").await?;
        // What is no sheet is not even sent.
        it.click("[data-test='import']").await?;
        let text = folder.join("notes.txt");
        std::fs::write(&text, "no sheet")?;
        it.driver.find(By::Css(".el-dialog input[type='file']")).await?.send_keys(text.display().to_string()).await?;
        it.see_text(".el-dialog .upload-why", ".xlsx").await?;
        it.click(".el-dialog [data-test='cancel']").await?;
        it.click("[data-test='export']").await?;
        let exported = file(folder, &format!("{title}-2")).await?;
        ensure!(std::fs::metadata(&exported)?.len() > 1000, "an export has rows");
    }
    Ok(())
}

/// The file in the folder whose name begins so, once it is there as a whole.
async fn file(folder: &Path, begins: &str) -> Result<PathBuf> {
    let found = || {
        let files = std::fs::read_dir(folder).ok()?.flatten().map(|it| it.path());
        let named = |it: &PathBuf| {
            it.file_name().and_then(|it| it.to_str()).is_some_and(|it| it.starts_with(begins) && it.ends_with(".xlsx"))
        };
        files.into_iter().find(named)
    };
    until("the file is saved", async || Ok(found().is_some())).await?;
    found().with_context(|| begins.to_owned())
}
