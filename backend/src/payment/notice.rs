//! Callbacks of channels: read raw, verify, store, commit, answer; what they say is put into effect afterwards.

use actix_web::HttpRequest;
use actix_web::web::{Bytes, Json};
use serde_json::{Map, Value};
use shared::payment::Channel;
use shared::text::t;

use super::channel::{PaymentSeen, PaymentStanding, RefundSeen};
use super::inbox::{self, Told};
use super::sandbox::sign::{Headers, MERCHANT, Message, NONCE, SIGNATURE, TIMESTAMP};
use super::sandbox::wire::{self, Notice, Stored};
use super::sandbox::{self, CALLBACK};
use crate::api::body::nul;
use crate::api::op::Op;
use crate::app::App;
use crate::auth::token::digest;
use crate::config::Config;
use crate::crud::Guest;
use crate::error::{Error, Result};

/// The largest callback that is taken.
const MAX_BYTES: usize = 64 << 10;
/// So many callbacks a minute that are not believed are kept; the others are only counted.
const KEPT_A_MINUTE: u32 = 60;

/// `POST /api/callbacks/sandbox`.
async fn sandbox_callback(req: HttpRequest, guest: Guest, body: Bytes) -> Result<Json<Stored>> {
    let Guest { app, mut conn, tries, .. } = guest;
    if body.len() > MAX_BYTES {
        return Err(Error::TooLarge);
    }
    let now = app.now();
    let header = |name: &str| req.headers().get(name).and_then(|it| it.to_str().ok());
    let told = Told { channel: Channel::Sandbox, headers: kept_headers(&header), body: &body };
    let message = Message { method: "POST", path: &callback_path(&app), body: &body };
    let proved = match (app.config.payment.sandbox.url.is_empty(), Headers::read(header)) {
        (true, _) => Err("the channel is switched off".to_owned()),
        (false, Err(fault)) => Err(fault.to_string()),
        (false, Ok(headers)) => {
            sandbox::signer(&app.config).verify(message, &headers, now).map_err(|fault| fault.to_string())
        }
    };
    if let Err(why) = proved {
        tracing::warn!("a callback of the sandbox channel is not believed: {why}");
        metrics::counter!("wattyard_callbacks_refused_total", "channel" => "sandbox").increment(1);
        if tries.allow("refused callbacks", KEPT_A_MINUTE).is_ok() {
            inbox::keep_rejected(&mut conn, told, &why, now).await?;
        }
        return Err(Error::Unauthenticated(t("签名无效", "The signature is not right")));
    }
    if let Some(id) = inbox::store(&mut conn, told, &dedupe_key(&body), now).await? {
        // The channel need not wait for what follows. Should this process die now, the job does it.
        actix_web::rt::spawn(async move {
            if let Err(err) = inbox::process(&app, id).await {
                tracing::warn!(inbox_id = %id, error = %err, "a callback waits for its job: {err}");
            }
        });
    }
    Ok(Json(Stored { code: "ok".to_owned() }))
}

/// The path that the channel signed: that of the address it was given.
fn callback_path(app: &App) -> String {
    let url = reqwest::Url::parse(&sandbox::notify_url(&app.config));
    url.map_or_else(|_| CALLBACK.to_owned(), |it| it.path().to_owned())
}

fn kept_headers<'a>(header: &impl Fn(&str) -> Option<&'a str>) -> Value {
    let names = [MERCHANT, TIMESTAMP, NONCE, SIGNATURE, "content-type", "user-agent"];
    let kept: Map<String, Value> =
        names.into_iter().filter_map(|name| Some((name.to_owned(), Value::from(header(name)?)))).collect();
    Value::Object(kept)
}

/// What makes two messages the same: the channel's own name for it, or all of it when it has none.
fn dedupe_key(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Named {
        id: String,
    }
    match serde_json::from_slice::<Named>(body) {
        Ok(Named { id }) if !id.is_empty() && id.len() <= 128 && !id.contains('\0') => id,
        _ => digest(&String::from_utf8_lossy(body)),
    }
}

/// What a message says.
pub enum Seen {
    /// Of a payment.
    Payment(PaymentSeen),
    /// Of a refund.
    Refund(RefundSeen),
}

/// Reads a stored message.
///
/// # Errors
/// Why it says nothing.
pub fn read(config: &Config, channel: &str, body: &str) -> Result<Seen, String> {
    match channel.parse::<Channel>().map_err(|err| err.to_string())? {
        Channel::Sandbox => {}
        Channel::Card => return Err("cards do not call back".to_owned()),
    }
    let merchant_no = config.payment.sandbox.merchant_no.clone();
    let unreadable = |err: serde_json::Error| format!("it cannot be read: {err}");
    let message: Value = serde_json::from_str(body).map_err(unreadable)?;
    if let Some(place) = nul(&message) {
        return Err(format!("it cannot be kept: {place} holds U+0000"));
    }
    Ok(match serde_json::from_value(message).map_err(unreadable)? {
        Notice::Payment { id: _, payment_no, channel_no, amount_fen, state, at } => {
            let standing = match state {
                wire::PaymentState::Paying => PaymentStanding::Paying,
                wire::PaymentState::Paid => PaymentStanding::Paid(at),
                wire::PaymentState::Closed => PaymentStanding::Closed,
            };
            Seen::Payment(PaymentSeen {
                payment_no,
                merchant_no,
                channel_no,
                amount: amount_fen,
                standing,
                pay_url: None,
            })
        }
        Notice::Refund { id: _, refund_no, channel_no, amount_fen, state, at: _ } => Seen::Refund(RefundSeen {
            refund_no,
            merchant_no,
            channel_refund_no: channel_no,
            amount: amount_fen,
            standing: sandbox::refund_standing(state),
        }),
    })
}

/// The operations that channels call.
pub fn operations() -> Vec<Op> {
    let callback = Op::post(CALLBACK, "sandboxCallback", t("模拟支付回调", "What the sandbox channel tells"));
    vec![callback.tag("callbacks").public().fails(&["401"]).body::<Notice>().returns::<Stored>().to(sandbox_callback)]
}
