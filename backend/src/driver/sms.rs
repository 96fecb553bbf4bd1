//! Sends text messages through the gateway that the settings name. Nothing else knows that gateway.

use std::time::Duration;

use serde::Serialize;
use shared::text::t;

use crate::app::App;
use crate::error::{Error, Result};

/// A text message with a one-time code.
#[derive(Serialize)]
pub struct Message<'a> {
    /// To whom.
    pub phone: &'a str,
    /// All of it.
    pub text: String,
    /// The code, for gateways that fill in templates of their own.
    pub code: &'a str,
}

/// Sends a message.
///
/// # Errors
/// 503 when the gateway is switched off or did not take it.
pub async fn send(app: &App, message: &Message<'_>) -> Result<()> {
    let unavailable = || {
        Error::Unavailable(
            "sms_unavailable",
            t("短信暂时无法发送，请稍后再试", "No text message can be sent now; try later"),
        )
    };
    let settings = &app.config.sms;
    if settings.url.is_empty() {
        return Err(unavailable());
    }
    let sent = app
        .http
        .post(format!("{}/messages", settings.url.trim_end_matches('/')))
        .bearer_auth(settings.secret.expose())
        .timeout(Duration::from_secs(8))
        .json(message)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status);
    sent.map(drop).map_err(|err| {
        tracing::error!(error = %err, "the text message gateway took no message: {err}");
        unavailable()
    })
}
