//! The simulated channel, spoken to over real HTTP: signed requests, answers that are believed only when signed.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::channel::{Demand, Failure, PaymentSeen, PaymentStanding, RefundSeen, RefundStanding, Repayment};
use crate::app::App;
use crate::auth::token;
use crate::config::Config;

pub mod sign;
pub mod wire;

use sign::{ANSWER, Headers, Message, Signer};

/// The path of our address that the channel calls.
pub const CALLBACK: &str = "/api/callbacks/sandbox";
/// The largest answer that is read.
const MAX_ANSWER: usize = 64 << 10;

/// A client of the channel.
pub struct Sandbox<'a> {
    app: &'a App,
    base: Url,
    signer: Signer,
}

/// The key that proves messages both ways.
pub fn signer(config: &Config) -> Signer {
    let sandbox = &config.payment.sandbox;
    Signer::new(&sandbox.merchant_no, sandbox.secret.clone())
}

/// Where the channel is to call us.
pub fn notify_url(config: &Config) -> String {
    format!("{}{CALLBACK}", config.http.public_url.trim_end_matches('/'))
}

impl<'a> Sandbox<'a> {
    /// The client, as the settings say.
    ///
    /// # Errors
    /// The channel is switched off: what is under way stays pending until it is back.
    pub fn of(app: &'a App) -> Result<Self, Failure> {
        let base = Url::parse(&app.config.payment.sandbox.url);
        let base = base.map_err(|err| Failure::Unknown(format!("the address of the sandbox channel: {err}")))?;
        Ok(Self { app, base, signer: signer(&app.config) })
    }

    /// See [`super::channel::open`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn open(&self, demand: &Demand, now: DateTime<Utc>) -> Result<PaymentSeen, Failure> {
        let new = wire::NewPayment {
            payment_no: demand.payment_no.clone(),
            amount_fen: demand.amount,
            subject: demand.subject.clone(),
            notify_url: notify_url(&self.app.config),
            expires_at: demand.expires_at,
        };
        self.payment(self.call(Method::POST, "v1/payments", Some(&new), now).await?, &demand.payment_no)
    }

    /// See [`super::channel::query`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn query(&self, payment_no: &str, now: DateTime<Utc>) -> Result<PaymentSeen, Failure> {
        self.payment(self.get(&format!("v1/payments/{payment_no}"), now).await?, payment_no)
    }

    /// See [`super::channel::close`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn close(&self, payment_no: &str, now: DateTime<Utc>) -> Result<PaymentSeen, Failure> {
        let path = format!("v1/payments/{payment_no}/close");
        self.payment(self.call(Method::POST, &path, None::<&()>, now).await?, payment_no)
    }

    /// See [`super::channel::refund`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn refund(&self, repayment: &Repayment, now: DateTime<Utc>) -> Result<RefundSeen, Failure> {
        let new = wire::NewRefund {
            refund_no: repayment.refund_no.clone(),
            payment_no: repayment.payment_no.clone(),
            amount_fen: repayment.amount,
            reason: repayment.reason.clone(),
            notify_url: notify_url(&self.app.config),
        };
        self.refunded(self.call(Method::POST, "v1/refunds", Some(&new), now).await?, &repayment.refund_no)
    }

    /// See [`super::channel::query_refund`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn query_refund(&self, refund_no: &str, now: DateTime<Utc>) -> Result<RefundSeen, Failure> {
        self.refunded(self.get(&format!("v1/refunds/{refund_no}"), now).await?, refund_no)
    }

    fn payment(&self, it: wire::Payment, asked: &str) -> Result<PaymentSeen, Failure> {
        if it.payment_no != asked {
            return Err(Failure::Unknown(format!("asked for {asked}, answered for {}", it.payment_no)));
        }
        let standing = match (it.state, it.paid_at) {
            (wire::PaymentState::Paying, _) => PaymentStanding::Paying,
            (wire::PaymentState::Closed, _) => PaymentStanding::Closed,
            (wire::PaymentState::Paid, Some(at)) => PaymentStanding::Paid(at),
            (wire::PaymentState::Paid, None) => return Err(Failure::Unknown("paid, but not when".to_owned())),
        };
        Ok(PaymentSeen {
            payment_no: it.payment_no,
            merchant_no: self.app.config.payment.sandbox.merchant_no.clone(),
            channel_no: it.channel_no,
            amount: it.amount_fen,
            standing,
            pay_url: it.pay_url,
        })
    }

    fn refunded(&self, it: wire::Refund, asked: &str) -> Result<RefundSeen, Failure> {
        if it.refund_no != asked {
            return Err(Failure::Unknown(format!("asked for {asked}, answered for {}", it.refund_no)));
        }
        Ok(RefundSeen {
            refund_no: it.refund_no,
            merchant_no: self.app.config.payment.sandbox.merchant_no.clone(),
            channel_refund_no: it.channel_refund_no,
            amount: it.amount_fen,
            standing: refund_standing(it.state),
        })
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, now: DateTime<Utc>) -> Result<T, Failure> {
        self.call(Method::GET, path, None::<&()>, now).await
    }

    /// Whatever cannot be read, or is not signed as it must be, is no answer: it says nothing about what was done.
    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        now: DateTime<Utc>,
    ) -> Result<T, Failure> {
        let unknown = |err: &dyn std::fmt::Display| Failure::Unknown(format!("{method} {path}: {err}"));
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        let body = body.map(serde_json::to_vec).transpose().map_err(|err| unknown(&err))?.unwrap_or_default();
        let message = Message { method: method.as_str(), path: url.path(), body: &body };
        let headers = self.signer.sign(message, token::random(), now);
        let mut request = self.app.http.request(method.clone(), url.clone());
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        let timeout = Duration::from_secs(self.app.config.payment.sandbox.timeout_seconds);
        let request = request.header("content-type", "application/json").timeout(timeout).body(body);
        let mut response = request.send().await.map_err(|err| unknown(&err))?;
        let status = response.status();
        let answered =
            Headers::read(|name| response.headers().get(name)?.to_str().ok()).map_err(|err| unknown(&err))?;
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|err| unknown(&err))? {
            answer.extend_from_slice(&chunk);
            if answer.len() > MAX_ANSWER {
                return Err(unknown(&"the answer is too large"));
            }
        }
        if answered.nonce != headers.nonce {
            return Err(unknown(&sign::Fault::Nonce));
        }
        let message = Message { method: ANSWER, path: url.path(), body: &answer };
        // The answer came later than the question was put, so the clock is read again.
        self.signer.verify(message, &answered, self.app.now()).map_err(|err| unknown(&err))?;
        if status.is_success() {
            return serde_json::from_slice(&answer).map_err(|err| unknown(&err));
        }
        let refusal: wire::Refusal = serde_json::from_slice(&answer).map_err(|err| unknown(&err))?;
        match status {
            StatusCode::NOT_FOUND if refusal.code == "not_found" => Err(Failure::NotFound),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(unknown(&refusal.code)),
            status if status.is_client_error() => {
                Err(Failure::Refused(format!("{}: {}", refusal.code, refusal.message)))
            }
            status => Err(unknown(&format!("{status} {}", refusal.code))),
        }
    }
}

/// The channel's word for where a refund stands, in ours.
pub const fn refund_standing(state: wire::RefundState) -> RefundStanding {
    match state {
        wire::RefundState::Processing => RefundStanding::Processing,
        wire::RefundState::Succeeded => RefundStanding::Succeeded,
        wire::RefundState::Failed => RefundStanding::Failed,
        wire::RefundState::Closed => RefundStanding::Closed,
    }
}
