//! What every answer says beside its body.

use crate::app::{Answer, TestApp};

fn said<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |it| it.to_str().unwrap())
}

#[tokio::test]
async fn answers_are_neither_guessed_at_nor_kept() {
    let app = TestApp::new().await;
    let answers = [
        (200, app.admin.get("/api/v1/auth/me").await),
        (401, app.guest().get("/api/v1/auth/me").await),
        (401, app.admin.get("/api/app/v1/me").await),
        (404, app.admin.get("/api/v1/nothing").await),
        (422, app.guest().post("/api/v1/auth/login", serde_json::json!({})).await),
        (200, app.guest().get("/api/openapi.json").await),
        (200, app.guest().get("/api/docs/").await),
        (200, app.guest().get("/readyz").await),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status, status);
        assert_eq!(
            (said(&answer, "x-content-type-options"), said(&answer, "cache-control")),
            ("nosniff", "no-store"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn the_reader_of_the_document_is_framed_by_nobody_and_loads_its_own_files_alone() {
    let app = TestApp::new().await;
    let page = app.guest().get("/api/docs/").await;
    let policy = said(&page, "content-security-policy");
    for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(said(&page, "x-frame-options"), "DENY");
    // Nothing in it needs what the policy forbids: no script stands in the page, and all files are beside it.
    let html = String::from_utf8(page.bytes).unwrap();
    assert_eq!(html.matches("<script").count(), html.matches("<script src=\"./").count());
    assert_eq!(html.matches("<script").count(), html.matches("> </script>").count());
    assert!(!html.contains("<style") && !html.contains(" on"), "{html}");
    let named = |attribute| html.split(attribute).skip(1).map(|it| it.split('"').next().unwrap());
    let files: Vec<&str> = named("src=\"").chain(named("href=\"")).collect();
    assert_eq!(files.len(), 7);
    for name in files {
        let file = app.guest().get(&format!("/api/docs/{name}")).await;
        assert_eq!((file.status, said(&file, "x-content-type-options")), (200, "nosniff"), "{name}");
    }
}
