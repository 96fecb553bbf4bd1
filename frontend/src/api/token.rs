//! The pair of tokens: kept where all windows see it, rotated by one window at a time.

use std::cell::RefCell;

use js_sys::{Function, Promise, Reflect};
use serde::Deserialize;
use serde_json::json;
use shared::user::Tokens;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::{Ask, Body};
use crate::{answer, store};

const KEY: &str = "tokens";

/// What is kept of an answer: the rest of it is read anew.
#[derive(Deserialize)]
struct Kept {
    access_token: String,
    refresh_token: String,
    /// Whose they are.
    user: Option<String>,
}

thread_local! {
    /// The refresh under way in this window; whoever needs a token meanwhile waits for the same one.
    static UNDER_WAY: RefCell<Option<Promise>> = const { RefCell::new(None) };
    /// What to do when the server refuses to serve us.
    static REFUSED: RefCell<Option<fn(u16)>> = const { RefCell::new(None) };
}

fn tokens() -> Option<Kept> {
    answer::read(&store::get(KEY)?).ok()
}

/// Keeps a pair of tokens.
pub fn keep(tokens: &Tokens) {
    let Tokens { access_token, refresh_token, user, .. } = tokens;
    let kept = json!({"access_token": access_token, "refresh_token": refresh_token, "user": user.id.to_string()});
    store::set(KEY, &kept.to_string());
}

/// Whose tokens are at hand, if there are any.
pub fn whose() -> Option<String> {
    tokens().map(|it| it.user.unwrap_or_default())
}

/// Whether there is anything to show to the server.
pub fn logged_in() -> bool {
    tokens().is_some()
}

/// The token that goes with requests.
pub fn access() -> Option<String> {
    tokens().map(|it| it.access_token)
}

/// Ends the session here and on the server.
pub async fn logout() {
    if let Some(tokens) = tokens() {
        let body = json!({"refresh_token": tokens.refresh_token});
        // The server may be away; then the tokens die of age.
        drop(Ask::new("POST", "auth/logout", Body::Json(&body)).once(Some(&tokens.access_token)).await);
    }
    store::remove(KEY);
}

/// Says what is to happen when the session has ended (401), or a right is missing that we thought we had (403).
pub fn on_refused(act: fn(u16)) {
    REFUSED.set(Some(act));
}

/// Says that the server refuses to serve us; when the session has ended, the tokens are forgotten first.
pub fn signal_refused(status: u16) {
    if status == 401 {
        store::remove(KEY);
    }
    if let Some(act) = REFUSED.with_borrow(|it| *it) {
        act(status);
    }
}

/// Gets a token other than the one that was just refused; `None` when the session is over.
pub async fn refresh(refused: Option<&str>) -> Option<String> {
    let promise = UNDER_WAY
        .with_borrow_mut(|it| it.get_or_insert_with(|| future_to_promise(locked(refused.map(str::to_owned)))).clone());
    let done = JsFuture::from(promise).await;
    UNDER_WAY.set(None);
    done.ok()?;
    access().filter(|it| Some(it.as_str()) != refused)
}

/// Rotates under a lock that all windows of this browser share, for a refresh token used twice ends the session.
async fn locked(refused: Option<String>) -> Result<JsValue, JsValue> {
    let navigator = web_sys::window().ok_or(JsValue::NULL)?.navigator();
    let locks = Reflect::get(&navigator, &"locks".into())?;
    if locks.is_undefined() {
        // Plain HTTP from another machine has no locks; a clash then costs a new login.
        return rotate(refused).await;
    }
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    let work = Closure::once(move |_: JsValue| future_to_promise(rotate(refused)));
    let done: Promise = request.call2(&locks, &"wattyard-refresh".into(), work.as_ref())?.dyn_into()?;
    let outcome = JsFuture::from(done).await;
    drop(work);
    outcome
}

async fn rotate(refused: Option<String>) -> Result<JsValue, JsValue> {
    let held = tokens().ok_or(JsValue::NULL)?;
    if Some(&held.access_token) != refused.as_ref() {
        // Another window was faster.
        return Ok(JsValue::NULL);
    }
    let body = json!({"refresh_token": held.refresh_token});
    let response = Ask::new("POST", "auth/refresh", Body::Json(&body)).once(None).await.map_err(|_| JsValue::NULL)?;
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let fresh: Tokens = answer::read(&text).map_err(|_| JsValue::NULL)?;
    keep(&fresh);
    Ok(JsValue::NULL)
}
