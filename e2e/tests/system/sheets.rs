//! Users and departments as sheets: a template to download, an import that takes all or nothing, an export.

use anyhow::{Result, ensure};
use e2e::sheet::rows;
use e2e::{Browser, Platform, Saved, in_browser};
use thirtyfour::By;

#[tokio::test(flavor = "multi_thread")]
async fn users_and_departments_come_and_go_as_sheets_in_the_console() -> Result<()> {
    let platform = Platform::start().await?;
    platform.tenant("云栖充电", "滨江物业").await?;
    in_browser(&platform, "sheets", sheets).await
}

async fn sheets(it: &Browser) -> Result<()> {
    let saved = Saved::by(it).await?;
    it.log_in().await?;
    for (path, title) in [("system/users", "用户"), ("system/departments", "部门")] {
        it.page(path).await?;
        it.click("[data-test='import']").await?;
        it.click(".el-dialog [data-test='template']").await?;
        let template = saved.sheet(&format!("{title}-导入模板")).await?;
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
        let text = saved.folder.join("notes.txt");
        std::fs::write(&text, "no sheet")?;
        it.driver.find(By::Css(".el-dialog input[type='file']")).await?.send_keys(text.display().to_string()).await?;
        it.see_text(".el-dialog .upload-why", ".xlsx").await?;
        it.click(".el-dialog [data-test='cancel']").await?;
        it.click("[data-test='export']").await?;
        let exported = rows(&saved.sheet(&format!("{title}-2")).await?)?;
        ensure!(!exported.is_empty(), "an export has rows");
    }
    Ok(())
}
