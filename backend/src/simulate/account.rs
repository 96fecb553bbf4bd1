//! A driver's account at the public API: logged in by text message once, renewed with the refresh token whenever the access
//! token has ended, and logged in anew only when that is refused as well. Codes are few: a telephone gets five an hour.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use shared::driver_app::{CodeSent, DriverTokens};
use shared::problem::Problem;
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use super::bank::Bank;

/// The platform says no.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {status} {code} {detail}")]
pub struct Refusal {
    path: String,
    /// The status.
    pub status: StatusCode,
    /// The stable code; empty when somebody in between has answered.
    pub code: String,
    detail: String,
    /// How long to wait before asking again, where that was told.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// The refusal among what can go wrong.
    pub fn of(err: &anyhow::Error) -> Option<&Self> {
        err.downcast_ref()
    }

    /// Whether this went wrong because the platform's state does not permit it now.
    pub fn is_conflict(err: &anyhow::Error) -> bool {
        Self::of(err).is_some_and(|it| it.status == StatusCode::CONFLICT)
    }
}

/// An account.
pub struct Account {
    /// The telephone number.
    pub phone: String,
    platform: String,
    patience: Duration,
    bank: Bank,
    http: reqwest::Client,
    /// Locked while it is renewed, for a refresh token that is used twice ends the session.
    tokens: Mutex<Option<DriverTokens>>,
}

impl Account {
    /// An account that is not logged in yet; text messages are awaited for so long.
    pub fn new(phone: String, platform: String, patience: Duration, bank: Bank, http: reqwest::Client) -> Self {
        Self { phone, platform, patience, bank, http, tokens: Mutex::default() }
    }

    /// Whether it has ever been logged in.
    pub async fn known(&self) -> bool {
        self.tokens.lock().await.is_some()
    }

    /// Logs in with the code that the text message brings.
    ///
    /// # Errors
    /// The platform cannot be reached, sends no code or does not take it.
    pub async fn log_in(&self) -> Result<()> {
        let tokens = self.fresh().await?;
        *self.tokens.lock().await = Some(tokens);
        Ok(())
    }

    async fn fresh(&self) -> Result<DriverTokens> {
        let before = self.bank.code(&self.phone);
        let asked = self.post("auth/code", &json!({ "phone": self.phone }));
        let _: CodeSent = self.once(asked, "auth/code", None).await?;
        let deadline = Instant::now() + self.patience;
        let code = loop {
            if let Some(code) = self.bank.code(&self.phone).filter(|it| Some(it) != before.as_ref()) {
                break code;
            }
            if Instant::now() > deadline {
                bail!("no text message for {}", self.phone);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let form = self.post("auth/login", &json!({ "phone": self.phone, "code": code }));
        self.once(form, "auth/login", None).await
    }

    /// Gets tokens other than those that were just refused.
    async fn renew(&self, refused: &str) -> Result<()> {
        let mut held = self.tokens.lock().await;
        let Some(tokens) = held.as_ref().filter(|it| it.access_token == refused) else { return Ok(()) };
        let form = self.post("auth/refresh", &json!({ "refresh_token": tokens.refresh_token }));
        let renewed = match self.once(form, "auth/refresh", None).await {
            Err(err) if unauthorized(&err) => self.fresh().await,
            renewed => renewed,
        };
        *held = Some(renewed?);
        Ok(())
    }

    /// Reads something.
    ///
    /// # Errors
    /// The platform cannot be reached, refuses ([`Refusal`]), or answers something unexpected.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.send(self.http.get(self.url(path)), path).await
    }

    /// Does something, once however often it is sent.
    ///
    /// # Errors
    /// As [`Account::get`].
    pub async fn call<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T> {
        self.send(self.post(path, body), path).await
    }

    /// Sends a request, and again with new tokens when those at hand have ended.
    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder, path: &str) -> Result<T> {
        let token = self.tokens.lock().await.as_ref().map(|it| it.access_token.clone());
        let again = request.try_clone();
        match (self.once(request, path, token.as_deref()).await, token, again) {
            (Err(err), Some(token), Some(again)) if unauthorized(&err) => {
                self.renew(&token).await?;
                let token = self.tokens.lock().await.as_ref().map(|it| it.access_token.clone());
                self.once(again, path, token.as_deref()).await
            }
            (answer, ..) => answer,
        }
    }

    async fn once<T: DeserializeOwned>(&self, request: RequestBuilder, path: &str, token: Option<&str>) -> Result<T> {
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await?;
        let status = response.status();
        let wait = response.headers().get(RETRY_AFTER).and_then(|it| it.to_str().ok()?.parse().ok());
        let body = response.bytes().await?;
        if !status.is_success() {
            let problem: Option<Problem> = serde_json::from_slice(&body).ok();
            let (code, detail) = problem
                .map_or_else(|| (String::new(), String::from_utf8_lossy(&body).into()), |it| (it.code, it.detail));
            return Err(Refusal {
                path: path.to_owned(),
                status,
                code,
                detail,
                retry_after: wait.map(Duration::from_secs),
            }
            .into());
        }
        let body: &[u8] = if body.is_empty() { b"null" } else { &body };
        serde_json::from_slice(body).with_context(|| format!("{path} answered something unexpected"))
    }

    fn post(&self, path: &str, body: &impl Serialize) -> RequestBuilder {
        let key = Uuid::new_v4().to_string();
        self.http.request(Method::POST, self.url(path)).header("idempotency-key", key).json(body)
    }

    fn url(&self, path: &str) -> String {
        format!("{}/api/app/v1/{path}", self.platform)
    }
}

fn unauthorized(err: &anyhow::Error) -> bool {
    Refusal::of(err).is_some_and(|it| it.status == StatusCode::UNAUTHORIZED)
}
