//! 3.7.3: users.

use anyhow::{Result, ensure};
use e2e::walk;

use crate::{provider_role, provider_user};

const OWN: &str = "an own password of mine";

#[tokio::test(flavor = "multi_thread")]
async fn every_action_on_users_is_done_in_the_console() -> Result<()> {
    walk("3.7.3", async |walk| {
        let mut password = String::new();
        walk.does("3.7.3/3", async |it| {
            // What a user can be linked to.
            it.add("system/posts").await?;
            it.choose("kind", "服务商").await?;
            it.choose("provider_id", "云栖充电").await?;
            it.choose("department_id", "云栖充电").await?;
            it.enter("name", "值班长").await?;
            it.flip("enabled").await?;
            it.save().await?;
            provider_role(it, "场站值班", "汽车管理").await?;
            it.add("members/collectives").await?;
            it.choose("provider_id", "云栖充电").await?;
            it.choose("property_id", "滨江物业").await?;
            for (field, text) in [("name", "滨江出租"), ("contact", "郑浩"), ("phone", "13900000301")] {
                it.enter(field, text).await?;
            }
            it.save().await?;
            // A user of each kind.
            it.add("system/users").await?;
            it.choose("kind", "系统").await?;
            it.enter("username", "auditor").await?;
            it.enter("name", "钱审").await?;
            it.enter("password", "audits are read here").await?;
            it.save().await?;
            it.add("system/users").await?;
            it.choose("kind", "服务商").await?;
            it.choose("provider_id", "云栖充电").await?;
            for (field, text) in
                [("username", "zhou.ning"), ("name", "周宁"), ("phone", "13900000302"), ("email", "zhou@example.com")]
            {
                it.enter(field, text).await?;
            }
            it.choose("department_id", "云栖充电").await?;
            it.choose("post_id", "值班长").await?;
            it.choose("role_ids", "场站值班").await?;
            it.screenshot("user-form").await?;
            it.save().await?;
            password = it.one_time_password().await?;
            for (kind, username, name) in [("物业", "bin.jiang", "江滨"), ("集体户", "taxi", "郑浩")] {
                it.add("system/users").await?;
                it.choose("kind", kind).await?;
                it.choose("provider_id", "云栖充电").await?;
                it.choose("property_id", "滨江物业").await?;
                if kind == "集体户" {
                    it.choose("collective_id", "滨江出租").await?;
                }
                it.enter("username", username).await?;
                it.enter("name", name).await?;
                it.save().await?;
                it.one_time_password().await?;
            }
            it.see_rows(&["admin", "auditor", "zhou.ning", "bin.jiang", "taxi"]).await?;
            it.screenshot("users").await
        })
        .await?;
        walk.does("3.7.3/1 3.7.3/2", async |it| {
            let all = ["admin", "auditor", "zhou.ning", "bin.jiang", "taxi"];
            it.search("username", "zhou").await?;
            it.see_rows(&["zhou.ning"]).await?;
            it.reset().await?;
            it.search("name", "滨").await?;
            it.see_rows(&["bin.jiang"]).await?;
            it.reset().await?;
            for (field, text, found) in [
                ("kind", "系统", &["admin", "auditor"][..]),
                ("provider_id", "云栖充电", &["zhou.ning", "bin.jiang", "taxi"]),
                ("property_id", "滨江物业", &["bin.jiang", "taxi"]),
                ("collective_id", "滨江出租", &["taxi"]),
                ("department_id", "云栖充电", &["zhou.ning"]),
                ("reach", "指定电站", &[]),
                ("role_id", "场站值班", &["zhou.ning"]),
                ("enabled", "禁用", &[]),
            ] {
                it.search_for(field, text).await?;
                it.see_rows(found).await?;
                it.reset().await?;
            }
            it.search_days("created", "昨天").await?;
            it.see_rows(&[]).await?;
            it.reset().await?;
            it.search_days("created", "今天").await?;
            it.see_rows(&all).await?;
            it.reset().await
        })
        .await?;
        walk.does("3.7.3/4", async |it| {
            it.act("zhou.ning", "edit").await?;
            ensure!(!it.see(".el-dialog [name='username']").await?.is_enabled().await?, "the account's name stays");
            it.enter("name", "周宁宁").await?;
            it.enter("email", "ning@example.com").await?;
            it.enter("password", "chosen for them").await?;
            it.save().await?;
            password = "chosen for them".to_owned();
            let detail = it.detail("zhou.ning").await?;
            ensure!(detail.contains("周宁宁") && detail.contains("ning@example.com"), "{detail}");
            Ok(())
        })
        .await?;
        walk.does("3.7.3/6", async |it| {
            it.switch("zhou.ning").await?;
            it.agree().await?;
            it.told("禁用成功").await?;
            it.log_out().await?;
            it.log_in_as("zhou.ning", &password).await?;
            it.see_text("[data-test='login-error']", "账号").await?;
            it.log_in().await
        })
        .await?;
        walk.does("3.7.3/5", async |it| {
            it.page("system/users").await?;
            it.switch("zhou.ning").await?;
            it.agree().await?;
            it.told("启用成功").await?;
            it.log_out().await?;
            it.log_in_first("zhou.ning", &password, OWN).await?;
            // The role opens cars and nothing else.
            it.page("car/stations").await?;
            ensure!(!it.pages().await?.iter().any(|it| it.contains("/system/")), "no right to see the system");
            it.log_out().await?;
            it.log_in().await
        })
        .await?;
        walk.does("3.7.3/8", async |it| {
            for (path, name) in
                [("car/stations", "江畔站"), ("car/stations", "钱江站"), ("bike/stations", "梧桐里单车站")]
            {
                it.fill_in_station(path, "滨江物业", name).await?;
                it.save().await?;
            }
            it.page("system/users").await?;
            it.act("zhou.ning", "bind-stations").await?;
            it.carry("car_station_ids", "left", "江畔站").await?;
            it.carry("bike_station_ids", "left", "梧桐里单车站").await?;
            it.screenshot("user-stations").await?;
            it.save().await?;
            it.search_for("reach", "指定电站").await?;
            it.see_rows(&["zhou.ning"]).await?;
            it.reset().await?;
            it.log_out().await?;
            it.log_in_as("zhou.ning", OWN).await?;
            it.page("car/stations").await?;
            it.see_text("tr.el-table__row", "江畔站").await?;
            ensure!(it.rows().await?.len() == 1, "the other station is out of sight");
            it.log_out().await?;
            it.log_in().await?;
            // What is bound is shown, and can be loosed.
            it.page("system/users").await?;
            it.act("zhou.ning", "bind-stations").await?;
            it.see_text(".el-dialog [data-test='car_station_ids'] [data-test='right'] .transfer-item", "江畔站")
                .await?;
            it.carry("car_station_ids", "right", "江畔站").await?;
            it.save().await?;
            // Bound to e-bikes alone, they see no cars.
            it.log_out().await?;
            it.log_in_as("zhou.ning", OWN).await?;
            it.page("car/stations").await?;
            it.see_rows(&[]).await?;
            it.log_out().await?;
            it.log_in().await?;
            it.page("system/users").await?;
            it.act("zhou.ning", "bind-stations").await?;
            it.carry("bike_station_ids", "right", "梧桐里单车站").await?;
            it.save().await?;
            it.search_for("reach", "指定电站").await?;
            it.see_rows(&[]).await?;
            it.reset().await
        })
        .await?;
        walk.does("3.7.3/9", async |it| {
            it.act("zhou.ning", "reset-password").await?;
            it.agree().await?;
            let given = it.one_time_password().await?;
            it.log_out().await?;
            it.log_in_as("zhou.ning", OWN).await?;
            it.see_text("[data-test='login-error']", "密码").await?;
            it.log_in_first("zhou.ning", &given, "another one of my own").await?;
            it.log_out().await?;
            it.log_in().await
        })
        .await?;
        walk.does("3.7.3/7", async |it| {
            provider_user(it, "short.lived", "短工", Some("系统管理员")).await?;
            it.act("short.lived", "delete").await?;
            it.agree().await?;
            it.told("已删除").await?;
            it.see_rows(&["admin", "auditor", "zhou.ning", "bin.jiang", "taxi"]).await
        })
        .await
    })
    .await
}
