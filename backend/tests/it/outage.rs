//! The database away, or full: requests are told to come again, and the server says that it is not ready.

use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde_json::json;

use crate::app::{TestApp, fresh_database};
use crate::payment::eventually;

#[tokio::test]
async fn a_full_disk_is_told_from_a_mistake_of_ours() {
    let app = TestApp::new().await;
    let tenant = app.tenant().await;
    let mut conn = app.conn().await;
    // What PostgreSQL itself says when a file cannot grow.
    conn.batch_execute(
        "create function full_disk() returns trigger language plpgsql as $$ begin \
           raise exception 'could not extend file \"base/16384/16385\": No space left on device' \
           using errcode = '53100', hint = 'Check free disk space.'; end $$; \
         create trigger full_disk before insert on stations execute function full_disk()",
    )
    .await
    .unwrap();
    let form = json!({"property_id": tenant.property, "name": "东门单车站", "nature": "public"});
    let refused = tenant.boss.post("/api/v1/bike/stations", form).await;
    assert_eq!(refused.refused(), (503, "database_full"));
    assert!(refused.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_connection_that_is_lost_in_a_request_is_no_mistake_of_ours() {
    let app = TestApp::new().await;
    let mut conn = app.conn().await;
    conn.batch_execute("begin; lock table posts").await.unwrap();
    let asked = tokio::spawn({
        let admin = app.admin.clone();
        async move { admin.get("/api/v1/system/posts").await }
    });
    let mut other = backend::db::connect(&app.app.database_url).await.unwrap();
    let ended = tokio::sync::Mutex::new(&mut other);
    eventually("the request waits for the table, and is cut off", async || {
        let waiting = "select pg_terminate_backend(pid) from pg_stat_activity \
            where datname = current_database() and wait_event_type = 'Lock'";
        diesel::sql_query(waiting).execute(*ended.lock().await).await.unwrap() > 0
    })
    .await;
    let refused = asked.await.unwrap();
    assert_eq!(refused.refused(), (503, "database_unavailable"));
    assert!(refused.headers.contains_key("retry-after"));
    conn.batch_execute("rollback").await.unwrap();
    let next = async || app.admin.get("/api/v1/system/posts").await.status == 200;
    eventually("the lost connection is replaced", next).await;
}

#[tokio::test]
async fn a_server_that_cannot_write_is_not_ready() {
    for setting in ["temp_file_limit = 0", "default_transaction_read_only = on"] {
        let url = fresh_database().await;
        let app = TestApp::with_database(url.clone()).await;
        let mut conn = backend::db::connect(&url).await.unwrap();
        // For the connections that come from now on.
        let set = format!(
            "do $$ begin execute format('alter database %I set {setting}', current_database()); end $$; \
             select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid()"
        );
        conn.batch_execute(&set).await.unwrap();
        eventually("it has connections again, and reads", async || {
            app.admin.get("/api/v1/auth/me").await.status == 200
        })
        .await;
        assert_eq!(app.guest().get("/readyz").await.refused(), (503, "not_ready"), "{setting}");
        let reset = "do $$ begin execute format('alter database %I reset all', current_database()); end $$; \
             select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and pid <> pg_backend_pid()";
        conn.batch_execute(&format!("set default_transaction_read_only = off; {reset}")).await.unwrap();
        eventually("it is ready again", async || app.guest().get("/readyz").await.status == 200).await;
    }
}
