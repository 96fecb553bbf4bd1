//! What a channel can do, and which channels there are: a closed set, so that none can be forgotten anywhere.

use chrono::{DateTime, Utc};
use shared::fixed::Fen;
use shared::order::StartMethod;
use shared::payment::Channel;
use shared::text::t;

use super::sandbox::Sandbox;
use crate::app::App;
use crate::config::Config;
use crate::error::{Error, Result};

/// Why a call to a channel gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nobody knows whether it was done: no answer, or none that can be believed. It is pending, never failed.
    #[error("no answer that counts: {0}")]
    Unknown(String),
    /// The channel has never heard of the number.
    #[error("the channel does not know the number")]
    NotFound,
    /// The channel said no, and has done nothing.
    #[error("refused: {0}")]
    Refused(String),
}

/// What a payer is asked for.
#[derive(Clone, Debug)]
pub struct Demand {
    /// Our number.
    pub payment_no: String,
    /// How much.
    pub amount: Fen,
    /// What the payer reads.
    pub subject: String,
    /// After this nobody can pay it any more.
    pub expires_at: DateTime<Utc>,
}

/// Where a payment stands at the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStanding {
    /// The payer has not decided.
    Paying,
    /// The money is there, since then.
    Paid(DateTime<Utc>),
    /// Nobody can pay it any more.
    Closed,
}

/// What a channel says of a payment, whether it was asked or told it by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentSeen {
    /// Our number.
    pub payment_no: String,
    /// Our merchant number, whose key proved the message.
    pub merchant_no: String,
    /// The channel's number.
    pub channel_no: String,
    /// How much.
    pub amount: Fen,
    /// Where it stands.
    pub standing: PaymentStanding,
    /// Where the payer pays.
    pub pay_url: Option<String>,
}

/// What is to go back.
#[derive(Clone, Debug)]
pub struct Repayment {
    /// Our number.
    pub refund_no: String,
    /// The payment whose money it is.
    pub payment_no: String,
    /// How much of it.
    pub amount: Fen,
    /// What the payer reads.
    pub reason: String,
}

/// Where a refund stands at the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundStanding {
    /// It is being carried out.
    Processing,
    /// The payer has the money.
    Succeeded,
    /// It cannot be carried out; the money stayed.
    Failed,
    /// It was given up; the money stayed.
    Closed,
}

/// What a channel says of a refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundSeen {
    /// Our number.
    pub refund_no: String,
    /// Our merchant number, whose key proved the message.
    pub merchant_no: String,
    /// The channel's number.
    pub channel_refund_no: String,
    /// How much.
    pub amount: Fen,
    /// Where it stands.
    pub standing: RefundStanding,
}

/// The channel and our merchant number there for an order that is started in this way.
///
/// # Errors
/// 409 when nobody can pay in this way yet.
pub fn choose(config: &Config, method: StartMethod) -> Result<(Channel, String)> {
    let sandbox = &config.payment.sandbox;
    match method {
        StartMethod::Scan | StartMethod::Code if !sandbox.url.is_empty() => {
            Ok((Channel::Sandbox, sandbox.merchant_no.clone()))
        }
        StartMethod::Scan | StartMethod::Code => {
            let text = t("本站尚未开通在线支付", "Paying online is not possible here yet");
            Err(Error::Conflict("channel_unavailable", text))
        }
        StartMethod::Card => {
            let text = t("电卡支付尚未开通", "Paying by card is not possible yet");
            Err(Error::Conflict("channel_unavailable", text))
        }
    }
}

/// No payment was ever made by card, so none can be asked about.
fn no_cards() -> Failure {
    Failure::Refused("payments by card are not open".to_owned())
}

/// Asks for a payment. The same number again gives the same payment.
///
/// # Errors
/// See [`Failure`].
pub async fn open(app: &App, channel: Channel, demand: &Demand) -> Result<PaymentSeen, Failure> {
    match channel {
        Channel::Sandbox => Sandbox::of(app)?.open(demand, app.now()).await,
        Channel::Card => Err(no_cards()),
    }
}

/// Asks where a payment stands.
///
/// # Errors
/// See [`Failure`].
pub async fn query(app: &App, channel: Channel, payment_no: &str) -> Result<PaymentSeen, Failure> {
    match channel {
        Channel::Sandbox => Sandbox::of(app)?.query(payment_no, app.now()).await,
        Channel::Card => Err(no_cards()),
    }
}

/// Closes a payment, unless it is paid; either way the answer says where it stands now.
///
/// # Errors
/// See [`Failure`].
pub async fn close(app: &App, channel: Channel, payment_no: &str) -> Result<PaymentSeen, Failure> {
    match channel {
        Channel::Sandbox => Sandbox::of(app)?.close(payment_no, app.now()).await,
        Channel::Card => Err(no_cards()),
    }
}

/// Sends money back. The same number again is the same refund.
///
/// # Errors
/// See [`Failure`].
pub async fn refund(app: &App, channel: Channel, repayment: &Repayment) -> Result<RefundSeen, Failure> {
    match channel {
        Channel::Sandbox => Sandbox::of(app)?.refund(repayment, app.now()).await,
        Channel::Card => Err(no_cards()),
    }
}

/// Asks where a refund stands.
///
/// # Errors
/// See [`Failure`].
pub async fn query_refund(app: &App, channel: Channel, refund_no: &str) -> Result<RefundSeen, Failure> {
    match channel {
        Channel::Sandbox => Sandbox::of(app)?.query_refund(refund_no, app.now()).await,
        Channel::Card => Err(no_cards()),
    }
}
