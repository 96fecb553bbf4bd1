//! Who is logged in and what they may do.

use std::sync::LazyLock;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde_json::json;
use shared::codes::Tone;
use shared::user::{Me, Tokens};
use uuid::Uuid;

use crate::api::{self, Ask, Failure};
use crate::kit::toast::toast;
use crate::lang::tr;
use crate::{events, nav};

static ME: LazyLock<ArcRwSignal<Option<Me>>> = LazyLock::new(|| ArcRwSignal::new(None));

/// Who is logged in, followed.
pub fn me() -> Option<Me> {
    ME.get()
}

/// Who is logged in, with all that decides which pages and buttons there are; empty when nobody is; followed. Another name or
/// password is no other standing: nothing has to be drawn anew for it.
pub fn standing() -> String {
    ME.with(|it| {
        let Some(Me { id, provider_id, property_id, collective_id, permissions, .. }) = it else {
            return String::new();
        };
        let node = [provider_id, property_id, collective_id].map(|it| it.map(|it| it.to_string()).unwrap_or_default());
        format!("{id} {} {}", node.join(" "), permissions.join(" "))
    })
}

/// The id of whoever is logged in; empty when nobody is; followed.
pub fn id() -> String {
    ME.with(|it| it.as_ref().map(|it| it.id.to_string()).unwrap_or_default())
}

/// What to call them.
pub fn called() -> String {
    let name = |it: Me| if it.name.is_empty() { it.username } else { it.name };
    me().map(name).unwrap_or_default()
}

/// Whether they must choose a password of their own before anything else; followed.
pub fn must_change_password() -> bool {
    ME.with(|it| it.as_ref().is_some_and(|it| it.must_change_password))
}

/// They have chosen a password of their own. Nothing is asked for it: whoever goes on at once must not be held up by what
/// was known before.
pub fn chose_password() {
    ME.update(|it| it.iter_mut().for_each(|it| it.must_change_password = false));
}

/// The provider, property or collective that they belong to, by the name of the field that asks for it: who belongs to one
/// is not asked which.
pub fn own(field: &str) -> Option<Uuid> {
    ME.with_untracked(|it| {
        let it = it.as_ref()?;
        match field {
            "provider_id" => it.provider_id,
            "property_id" => it.property_id,
            "collective_id" => it.collective_id,
            _ => None,
        }
    })
}

/// Whether they may do this.
pub fn may(permission: &str) -> bool {
    ME.with_untracked(|it| it.as_ref().is_some_and(|it| it.permissions.iter().any(|it| it == permission)))
}

/// Asks the server who we are; rights may have changed since.
///
/// # Errors
/// When the server does not say.
pub async fn load() -> Result<(), Failure> {
    let me: Me = Ask::get("auth/me").json().await?;
    let before = ME.get_untracked();
    if before.as_ref() == Some(&me) {
        return Ok(());
    }
    let changed = before.is_some_and(|it| it.permissions != me.permissions);
    ME.set(Some(me));
    if changed {
        toast(Tone::Warning, tr("您的权限有变更，页面已更新", "Your rights have changed, and the page with them"));
    }
    Ok(())
}

/// The same, when nobody waits for it: what the server does not say now, it says the next time.
pub fn reload() {
    spawn_local(async { drop(load().await) });
}

/// Logs in.
///
/// # Errors
/// When the server refuses.
pub async fn login(username: &str, password: &str) -> Result<(), Failure> {
    let body = json!({"username": username, "password": password});
    let tokens: Tokens = Ask::post("auth/login", &body).json().await?;
    api::keep(&tokens);
    ME.set(Some(tokens.user));
    Ok(())
}

/// Another window has logged out, or somebody else in: this one goes along. Who was only given new tokens stays.
pub fn elsewhere() {
    let (held, own) = (api::whose(), untrack(id));
    // Tokens that an earlier version has kept do not say whose they are.
    if own.is_empty() || held.as_ref().is_some_and(|it| it.is_empty() || *it == own) {
        return;
    }
    forget();
    // What is written of a page must not be shown to somebody else, so nothing leads back to it.
    nav::replace(if held.is_some() { "/" } else { "/login" });
    if held.is_some() {
        // The frame is there already, and asks only once who it is for.
        drop(window().location().reload());
    }
}

/// Logs out.
pub fn leave() {
    spawn_local(async {
        api::logout().await;
        forget();
        nav::go("/login");
    });
}

/// The server no longer knows us (401), or no longer lets us do what we thought we may.
pub fn refused(status: u16) {
    if status != 401 {
        return reload();
    }
    let login = nav::login_path();
    forget();
    nav::replace(&login);
}

fn forget() {
    events::stop();
    ME.set(None);
}
