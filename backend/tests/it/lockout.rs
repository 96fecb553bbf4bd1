//! Guessing passwords: every wrong one counts, and whoever guesses shuts out nobody but themselves.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use reqwest::Method;
use schema::login_tries;
use serde_json::{Value, json};

use crate::app::{Answer, PASSWORD, TestApp};

/// A server that believes what the proxy in front of it says of addresses, which is us.
async fn behind_a_proxy(lock_after: i32, lock_after_everywhere: i32) -> TestApp {
    TestApp::with(|it| {
        it.http.trusted_proxies = vec![[127, 0, 0, 1].into()];
        (it.auth.lock_after, it.auth.lock_after_everywhere) = (lock_after, lock_after_everywhere);
    })
    .await
}

async fn login(app: &TestApp, from: &str, username: &str, password: &str) -> Answer {
    let body = json!({"username": username, "password": password}).to_string().into_bytes();
    app.guest().send(Method::POST, "/api/v1/auth/login", Some(body), &[("x-forwarded-for", from)]).await
}

async fn guess(app: &TestApp, n: usize) -> u16 {
    login(app, "203.0.113.9", "admin", &format!("guess number {n}")).await.status
}

#[tokio::test]
async fn wrong_passwords_that_come_at_once_count_each() {
    let app = behind_a_proxy(25, 1000).await;
    let guesses = (0..25).map(|n| guess(&app, n));
    let statuses = futures_util::future::join_all(guesses).await;
    assert_eq!(statuses.iter().filter(|it| **it == 401).count(), 24, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|it| **it == 429).count(), 1, "{statuses:?}");
    let of_admin =
        login_tries::table.filter(login_tries::name.eq("admin")).filter(login_tries::network.ne("127.0.0.1"));
    let counted = of_admin.order(login_tries::network).select(login_tries::failed);
    assert_eq!(counted.load::<i32>(&mut app.conn().await).await.unwrap(), [25, 25]);
    assert_eq!(login(&app, "203.0.113.9", "admin", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn guesses_at_once_get_no_further_than_one_after_the_other() {
    let app = behind_a_proxy(5, 1000).await;
    let guesses = (0..25).map(|n| guess(&app, n));
    let checked = futures_util::future::join_all(guesses).await.iter().filter(|it| **it == 401).count();
    assert_eq!(checked, 4, "the fifth is told to wait, like all after it");
    let failed = login_tries::table.find(("admin", "203.0.113.9")).select(login_tries::failed);
    assert_eq!(failed.first::<i32>(&mut app.conn().await).await.unwrap(), 5);
}

#[tokio::test]
async fn whoever_guesses_shuts_out_their_own_network_alone() {
    let app = behind_a_proxy(5, 1000).await;
    let statuses = async |from: &str| {
        let mut statuses = vec![];
        for _ in 0..6 {
            statuses.push(login(&app, from, "admin", "wrong-wrong").await.status);
        }
        statuses
    };
    assert_eq!(statuses("203.0.113.9").await, [401, 401, 401, 401, 429, 429]);
    // Addresses of one customer are one network.
    assert_eq!(statuses("2001:db8:1:2::1").await, [401, 401, 401, 401, 429, 429]);
    assert_eq!(login(&app, "2001:db8:1:2:99::1", "admin", PASSWORD).await.status, 429);
    for from in ["198.51.100.1", "2001:db8:1:3::1", "127.0.0.1"] {
        assert_eq!(login(&app, from, "admin", PASSWORD).await.status, 200, "{from}");
    }
    assert_eq!(login(&app, "203.0.113.9", "admin", PASSWORD).await.status, 429);
    let admin = app.admin.get("/api/v1/system/users?username=admin").await.ok();
    assert!(admin["items"][0]["locked_until"].is_string(), "{admin}");
}

#[tokio::test]
async fn many_who_guess_together_do_not_keep_the_owner_out() {
    let app = behind_a_proxy(5, 12).await;
    assert_eq!(login(&app, "198.51.100.1", "admin", PASSWORD).await.status, 200);
    for n in 0..12 {
        let status = login(&app, &format!("203.0.113.{n}"), "admin", "wrong-wrong").await.status;
        assert_eq!(status, if n < 11 { 401 } else { 429 }, "guess {n}");
    }
    // A network of which nothing is known waits, and one where somebody has logged in does not.
    assert_eq!(login(&app, "203.0.113.99", "admin", PASSWORD).await.status, 429);
    assert_eq!(login(&app, "198.51.100.1", "admin", PASSWORD).await.status, 200);
    // It has a count of its own.
    for n in 0..5 {
        let status = login(&app, "198.51.100.1", "admin", "wrong-wrong").await.status;
        assert_eq!(status, if n < 4 { 401 } else { 429 }, "guess {n}");
    }
}

#[tokio::test]
async fn names_that_nobody_bears_are_refused_alike() {
    let app = behind_a_proxy(3, 1000).await;
    let told = async |username: &str, from: &str| {
        let mut told = vec![];
        for _ in 0..4 {
            let answer = login(&app, from, username, "wrong-wrong").await;
            let mut json = answer.json.clone();
            json["request_id"] = Value::Null;
            told.push((answer.status, answer.headers.get("retry-after").cloned(), json));
        }
        told
    };
    let (known, unknown) = (told("admin", "203.0.113.1").await, told("nobody", "203.0.113.2").await);
    assert_eq!(known.iter().map(|it| it.0).collect::<Vec<_>>(), [401, 401, 429, 429]);
    // The seconds to wait differ by what has passed meanwhile.
    assert!(known.iter().zip(&unknown).all(|(a, b)| (a.0, &a.2) == (b.0, &b.2)), "{known:?} {unknown:?}");
    assert!(known.iter().zip(&unknown).all(|(a, b)| a.1.is_some() == b.1.is_some()));
    assert!(known[2].1.is_some());
}

#[tokio::test]
async fn a_new_password_opens_what_wrong_ones_had_locked() {
    let app = behind_a_proxy(2, 1000).await;
    let (id, username) = app.user_named(shared::user::UserKind::Platform, None, None, None).await;
    for _ in 0..2 {
        login(&app, "203.0.113.1", &username, "wrong-wrong").await;
    }
    assert_eq!(login(&app, "203.0.113.1", &username, PASSWORD).await.status, 429);
    let path = format!("/api/v1/system/users/{id}/reset-password");
    let told = app.admin.post(&path, json!({})).await.ok();
    let password = told["initial_password"].as_str().unwrap();
    assert_eq!(login(&app, "203.0.113.1", &username, password).await.status, 200);
}

#[tokio::test]
async fn the_present_password_cannot_be_guessed_without_end() {
    let app = behind_a_proxy(5, 1000).await;
    let change = async |old: &str| {
        let form = json!({"old_password": old, "new_password": "another horse battery"});
        app.admin.post("/api/v1/auth/password", form).await
    };
    let wrong = (0..10).map(|n| {
        let change = &change;
        async move { change(&format!("guess number {n}")).await.status }
    });
    let mut statuses = futures_util::future::join_all(wrong).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [[422; 4].as_slice(), &[429; 6]].concat());
    let shut_out = change(PASSWORD).await;
    assert_eq!(shut_out.refused(), (429, "limited"));
    assert!(shut_out.headers.contains_key("retry-after"));
    assert_eq!(app.admin.get("/api/v1/auth/me").await.status, 200, "the session goes on");
}
