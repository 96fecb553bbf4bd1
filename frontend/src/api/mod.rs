//! The one place that talks to the server: token, language, silent refresh, problems as typed failures.

mod file;
mod token;

pub use file::{data_url, download, picture, upload};
pub use token::{keep, logged_in, logout, on_refused, signal_refused, whose};

use js_sys::{Function, Promise};
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::problem::{FieldError, Problem};
use uuid::Uuid;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Blob, Headers, RequestInit, Response};

use crate::answer;
use crate::lang::{lang, t};

#[wasm_bindgen(module = "/src/api/send.js")]
extern "C" {
    fn send(
        method: &str,
        address: &str,
        headers: &Headers,
        body: &JsValue,
        signal: &JsValue,
        told: &Function,
    ) -> Promise;
    #[wasm_bindgen(js_name = dataUrl)]
    fn read_as_data_url(file: &Blob) -> Promise;
}

/// Why a request did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status; 0 when no answer came at all.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// What people are told.
    pub message: String,
    /// What is wrong with which field.
    pub errors: Vec<FieldError>,
    /// After how many seconds another try makes sense.
    pub retry_after: Option<u32>,
}

impl Failure {
    fn told(status: u16, code: &str, message: &str) -> Self {
        Self { status, code: code.to_owned(), message: message.to_owned(), errors: Vec::new(), retry_after: None }
    }

    fn offline() -> Self {
        let text = t("连不上服务器，请检查网络后重试", "The server cannot be reached. Check the network and try again");
        Self::told(0, "offline", text.get(lang()))
    }

    /// An answer that is not what it should be.
    pub fn unreadable(reason: &str) -> Self {
        let text = t("服务器的回答无法识别", "The server's answer makes no sense");
        Self::told(0, "unreadable", &format!("{} ({reason})", text.get(lang())))
    }
}

/// A request to be sent; paths are below `/api/v1/`.
pub struct Ask<'a> {
    method: &'static str,
    path: &'a str,
    body: Body<'a>,
    key: Option<Uuid>,
    accept: &'static str,
    abort: Option<AbortSignal>,
    /// Told how much of the body has left, in hundredths.
    told: Option<&'a Function>,
}

enum Body<'a> {
    None,
    Json(&'a Value),
    Form(&'a web_sys::FormData),
}

impl<'a> Ask<'a> {
    const fn new(method: &'static str, path: &'a str, body: Body<'a>) -> Self {
        Self { method, path, body, key: None, accept: "application/json", abort: None, told: None }
    }

    /// Reads something.
    pub const fn get(path: &'a str) -> Self {
        Self::new("GET", path, Body::None)
    }

    /// Does something.
    pub const fn post(path: &'a str, body: &'a Value) -> Self {
        Self::new("POST", path, Body::Json(body))
    }

    /// Changes something.
    pub const fn put(path: &'a str, body: &'a Value) -> Self {
        Self::new("PUT", path, Body::Json(body))
    }

    /// Removes something.
    pub const fn delete(path: &'a str) -> Self {
        Self::new("DELETE", path, Body::None)
    }

    /// Names the attempt: a repeat with the same key gets the first answer again.
    pub const fn keyed(mut self, key: Option<Uuid>) -> Self {
        self.key = key;
        self
    }

    /// Sends it and reads the answer as text.
    ///
    /// # Errors
    /// Whatever went wrong, worded for people.
    pub async fn text(self) -> Result<String, Failure> {
        let response = self.send().await?;
        let text = JsFuture::from(response.text().map_err(|_| Failure::offline())?).await;
        text.map_err(|_| Failure::offline()).map(|it| it.as_string().unwrap_or_default())
    }

    /// Sends it and parses the answer.
    ///
    /// # Errors
    /// Whatever went wrong, worded for people.
    pub async fn value(self) -> Result<Value, Failure> {
        answer::parse(&self.text().await?).map_err(|err| Failure::unreadable(&err))
    }

    /// Sends it and reads the answer into a type.
    ///
    /// # Errors
    /// Whatever went wrong, worded for people.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Failure> {
        let text = self.text().await?;
        answer::read(&text).map_err(|err| Failure::unreadable(&err))
    }

    /// Opens a stream of server-sent events that ends when the signal is raised.
    ///
    /// # Errors
    /// Whatever went wrong, worded for people.
    pub async fn stream(mut self, abort: AbortSignal) -> Result<Response, Failure> {
        self.accept = "text/event-stream";
        self.abort = Some(abort);
        self.send().await
    }

    /// Sends it; a 401 is answered by refreshing the token once and trying again.
    async fn send(self) -> Result<Response, Failure> {
        let token = token::access();
        let mut response = self.once(token.as_deref()).await?;
        if response.status() == 401 && token.is_some() {
            match token::refresh(token.as_deref()).await {
                Some(token) => response = self.once(Some(&token)).await?,
                None => {
                    signal_refused(401);
                    return Err(failure(response).await);
                }
            }
        }
        if response.ok() {
            return Ok(response);
        }
        if response.status() == 403 {
            signal_refused(403);
        }
        Err(failure(response).await)
    }

    async fn once(&self, token: Option<&str>) -> Result<Response, Failure> {
        let promise = self.begin(token).map_err(|_| Failure::offline())?;
        let response = JsFuture::from(promise).await;
        response.ok().and_then(|it| it.dyn_into().ok()).ok_or_else(Failure::offline)
    }

    fn begin(&self, token: Option<&str>) -> Result<Promise, JsValue> {
        let address = format!("/api/v1/{}", self.path);
        let headers = self.headers(token)?;
        let body = match &self.body {
            Body::None => JsValue::NULL,
            Body::Json(value) => value.to_string().into(),
            Body::Form(form) => JsValue::from(*form),
        };
        if let Some(told) = self.told {
            let signal = self.abort.as_ref().map_or(JsValue::UNDEFINED, JsValue::from);
            return Ok(send(self.method, &address, &headers, &body, &signal, told));
        }
        let init = RequestInit::new();
        init.set_method(self.method);
        init.set_body(&body);
        init.set_headers(&headers);
        init.set_signal(self.abort.as_ref());
        let window = web_sys::window().ok_or(JsValue::NULL)?;
        Ok(window.fetch_with_str_and_init(&address, &init))
    }

    fn headers(&self, token: Option<&str>) -> Result<Headers, JsValue> {
        let headers = Headers::new()?;
        headers.set("Accept", self.accept)?;
        headers.set("Accept-Language", lang().tag())?;
        if let Some(token) = token {
            headers.set("Authorization", &format!("Bearer {token}"))?;
        }
        if let Some(key) = self.key {
            headers.set("Idempotency-Key", &key.to_string())?;
        }
        if matches!(self.body, Body::Json(_)) {
            headers.set("Content-Type", "application/json")?;
        }
        Ok(headers)
    }
}

/// Reads a failed answer: a problem document, or whatever a proxy in between may have said.
async fn failure(response: Response) -> Failure {
    let status = response.status();
    let retry_after = response.headers().get("Retry-After").ok().flatten().and_then(|it| it.parse().ok());
    let text = match response.text() {
        Ok(promise) => JsFuture::from(promise).await.ok().and_then(|it| it.as_string()).unwrap_or_default(),
        Err(_) => String::new(),
    };
    let failure = match answer::read::<Problem>(&text) {
        Ok(problem) => Failure {
            status,
            code: problem.code,
            message: if problem.detail.is_empty() { problem.title } else { problem.detail },
            errors: problem.errors,
            retry_after: None,
        },
        Err(_) => Failure::told(status, "http", &format!("HTTP {status}")),
    };
    Failure { retry_after, ..failure }
}
