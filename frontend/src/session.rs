//! Who is logged in and what they may do.

use std::collections::HashSet;
use std::sync::LazyLock;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use serde_json::json;

use crate::api::{self, Ask, Failure, Tokens};
use crate::{events, nav};

/// The person at the screen.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The name they log in with.
    pub username: String,
    /// What they are called.
    #[serde(default)]
    pub name: String,
    /// They must choose a password of their own before anything else.
    #[serde(default)]
    pub must_change_password: bool,
}

impl User {
    /// What to call them.
    pub fn called(&self) -> String {
        if self.name.is_empty() { self.username.clone() } else { self.name.clone() }
    }
}

/// The session as the server knows it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Me {
    /// Who it is.
    pub user: User,
    /// The codes of all that they may do.
    #[serde(default)]
    pub permissions: HashSet<String>,
}

static ME: LazyLock<ArcRwSignal<Option<Me>>> = LazyLock::new(|| ArcRwSignal::new(None));

/// Who is logged in, followed.
pub fn me() -> Option<Me> {
    ME.get()
}

/// Whether they may do this.
pub fn may(permission: &str) -> bool {
    ME.with_untracked(|it| it.as_ref().is_some_and(|it| it.permissions.contains(permission)))
}

/// Asks the server who we are; rights may have changed since.
///
/// # Errors
/// When the server does not say.
pub async fn load() -> Result<(), Failure> {
    let me: Me = Ask::get("auth/me").json().await?;
    if ME.with_untracked(|it| it.as_ref() != Some(&me)) {
        ME.set(Some(me));
    }
    Ok(())
}

/// Logs in.
///
/// # Errors
/// When the server refuses.
pub async fn login(username: &str, password: &str) -> Result<(), Failure> {
    let body = json!({"username": username, "password": password});
    let tokens: Tokens = Ask::post("auth/login", &body).json().await?;
    api::keep(&tokens);
    load().await
}

/// Logs out.
pub fn leave() {
    spawn_local(async {
        api::logout().await;
        forget();
        nav::go("/login");
    });
}

/// The server no longer knows us.
pub fn expired() {
    let login = nav::login_path();
    forget();
    nav::replace(&login);
}

fn forget() {
    events::stop();
    ME.set(None);
}
