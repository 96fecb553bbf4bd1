//! 3.7.6: posts.

use anyhow::{Result, ensure};
use e2e::{Browser, walk};

async fn fill(it: &Browser, name: &str, position: &str, on: bool) -> Result<()> {
    it.add("system/posts").await?;
    it.choose("kind", "服务商").await?;
    it.choose("provider_id", "云栖充电").await?;
    it.choose("department_id", "云栖充电").await?;
    it.enter("name", name).await?;
    it.enter("position", position).await?;
    if on {
        it.flip("enabled").await?;
    }
    it.save().await
}

/// Fills in a user of the department who has this post.
async fn user(it: &Browser, post: &str) -> Result<()> {
    it.add("system/users").await?;
    it.choose("kind", "服务商").await?;
    it.choose("provider_id", "云栖充电").await?;
    it.choose("department_id", "云栖充电").await?;
    it.choose("post_id", post).await?;
    it.enter("username", "zhou.ning").await?;
    it.enter("name", "周宁").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_posts_is_done_in_the_console() -> Result<()> {
    walk("3.7.6", async |walk| {
        walk.does("3.7.6/3 3.7.6/3.1", async |it| {
            fill(it, "值班长", "1", true).await?;
            fill(it, "巡检员", "2", false).await?;
            it.see_rows(&["值班长", "巡检员"]).await?;
            ensure!(it.is_on("值班长").await? && !it.is_on("巡检员").await?, "their states are those of the form");
            it.screenshot("posts").await
        })
        .await?;
        walk.does("3.7.6/1 3.7.6/2", async |it| {
            it.search("name", "值班").await?;
            it.see_rows(&["值班长"]).await?;
            it.reset().await?;
            it.search_for("enabled", "禁用").await?;
            it.see_rows(&["巡检员"]).await?;
            it.reset().await?;
            it.search_for("department_id", "滨江物业").await?;
            it.see_rows(&[]).await?;
            it.reset().await?;
            it.search_for("department_id", "云栖充电").await?;
            it.see_rows(&["值班长", "巡检员"]).await?;
            it.reset().await
        })
        .await?;
        walk.does("3.7.6/3.3", async |it| {
            user(it, "巡检员").await?;
            let why = it.refused().await?;
            ensure!(why.contains("岗位已禁用"), "{why}");
            Ok(())
        })
        .await?;
        walk.does("3.7.6/3.2", async |it| {
            it.page("system/posts").await?;
            it.switch("巡检员").await?;
            it.agree().await?;
            it.told("启用成功").await?;
            user(it, "巡检员").await?;
            it.save().await?;
            it.one_time_password().await.map(drop)
        })
        .await?;
        walk.does("3.7.6/4", async |it| {
            it.page("system/posts").await?;
            it.act("值班长", "edit").await?;
            it.enter("name", "值班经理").await?;
            it.enter("position", "5").await?;
            it.flip("enabled").await?;
            it.save().await?;
            it.see_rows(&["值班经理", "巡检员"]).await?;
            ensure!(!it.is_on("值班经理").await?, "it was switched off in the form");
            Ok(())
        })
        .await?;
        walk.does("3.7.6/5", async |it| {
            // One that somebody has stays.
            it.act("巡检员", "delete").await?;
            it.agree().await?;
            it.see_text("[data-test='toast']", "用户").await?;
            it.act("值班经理", "delete").await?;
            it.agree().await?;
            it.told("已删除").await?;
            it.see_rows(&["巡检员"]).await
        })
        .await
    })
    .await
}
