//! The simulated payment channel and the text message inbox, served over real HTTP. It checks signatures, signs its
//! answers and notices, and can be told to delay, repeat, lose, refuse and leave in the dark.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Json, Path, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use rand::Rng;
use serde::{Deserialize, Serialize};
use shared::fixed::Fen;
use uuid::Uuid;

use super::fiscal::Fiscal;
use crate::config::Secret;
use crate::payment::sandbox::sign::{ANSWER, Headers, Message, Signer};
use crate::payment::sandbox::wire::{
    NewPayment, NewRefund, Notice, Payment, PaymentState, Refund, RefundState, Refusal,
};

/// What the channel does wrong, on purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Notices and answers are late by up to this, in milliseconds.
    pub delay_ms: u64,
    /// Notices that are told twice, in percent.
    pub duplicate: u32,
    /// Notices that are told late, so that others overtake them, in percent.
    pub reorder: u32,
    /// Notices that are never told, in percent.
    pub lose: u32,
    /// Refunds that fail, in percent.
    pub fail: u32,
    /// Requests that are done and answered with 502, in percent.
    pub unknown: u32,
}

/// Everything that the channel has ever been asked: its books.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Books {
    /// Payments by our number.
    pub payments: HashMap<String, Payment>,
    /// Refunds by our number.
    pub refunds: HashMap<String, Refund>,
    /// The payment that each refund is of.
    pub refund_of: HashMap<String, String>,
}

/// A text message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sms {
    /// To whom.
    pub phone: String,
    /// What it said.
    pub text: String,
    /// The code in it.
    pub code: String,
}

#[derive(Default)]
struct State {
    books: Books,
    notify: HashMap<String, String>,
    closes: HashMap<String, DateTime<Utc>>,
    faults: Faults,
    inbox: HashMap<String, Sms>,
}

/// The channel.
#[derive(Clone)]
pub struct Bank {
    state: Arc<Mutex<State>>,
    signer: Arc<Signer>,
    sms_secret: Arc<Secret>,
    http: reqwest::Client,
}

impl Bank {
    /// A channel with a merchant's number and secret, and the key of the text message gateway.
    pub fn new(merchant: &str, secret: Secret, sms_secret: Secret, http: reqwest::Client) -> Self {
        let signer = Arc::new(Signer::new(merchant, secret));
        Self { state: Arc::default(), signer, sms_secret: Arc::new(sms_secret), http }
    }

    /// Starts serving, the invoicing service beside it, and gives the address.
    ///
    /// # Errors
    /// The address is taken.
    pub fn serve(&self, address: std::net::SocketAddr, beside: &Fiscal) -> Result<std::net::SocketAddr> {
        let (bank, fiscal) = (self.clone(), beside.clone());
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::new(bank.clone()))
                .configure(|config| fiscal.mount(config))
                .route("/v1/payments", web::post().to(create_payment))
                .route("/v1/payments/{no}", web::get().to(get_payment))
                .route("/v1/payments/{no}/close", web::post().to(close_payment))
                .route("/v1/refunds", web::post().to(create_refund))
                .route("/v1/refunds/{no}", web::get().to(get_refund))
                .route("/v1/wallet/pay", web::post().to(pay))
                .route("/control", web::post().to(control))
                .route("/books", web::get().to(books))
                .route("/messages", web::post().to(take_sms))
                .route("/messages", web::get().to(show_sms))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(1)
        .bind(address)
        .with_context(|| format!("the simulated payment channel cannot listen on {address}"))?;
        let address = server.addrs().into_iter().next().unwrap_or(address);
        tokio::spawn(server.run());
        Ok(address)
    }

    /// What it does wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// The books as they stand.
    pub fn books(&self) -> Books {
        self.state().books.clone()
    }

    /// The code that was last sent to a telephone.
    pub fn code(&self, phone: &str) -> Option<String> {
        self.state().inbox.get(phone).map(|it| it.code.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Pays, as the payer does in their wallet.
    ///
    /// # Errors
    /// There is no such payment, or it can no longer be paid.
    pub fn pay(&self, payment_no: &str, now: DateTime<Utc>) -> std::result::Result<(), &'static str> {
        let mut state = self.state();
        let closed = state.closes.get(payment_no).is_some_and(|it| *it <= now);
        let payment = state.books.payments.get_mut(payment_no).ok_or("not_found")?;
        match payment.state {
            PaymentState::Paid => return Ok(()),
            PaymentState::Paying if !closed => {}
            PaymentState::Paying | PaymentState::Closed => return Err("closed"),
        }
        payment.state = PaymentState::Paid;
        payment.paid_at = Some(now);
        let notice = Notice::Payment {
            id: Uuid::new_v4().to_string(),
            payment_no: payment.payment_no.clone(),
            channel_no: payment.channel_no.clone(),
            amount_fen: payment.amount_fen,
            state: PaymentState::Paid,
            at: now,
        };
        drop(state);
        self.tell(payment_no, notice);
        Ok(())
    }

    /// Tells a notice until it is taken, with all the mistakes that were asked for.
    fn tell(&self, number: &str, notice: Notice) {
        let (faults, url) = {
            let state = self.state();
            let Some(url) = state.notify.get(number).cloned() else { return };
            (state.faults, url)
        };
        if chance(faults.lose) {
            return;
        }
        let times = if chance(faults.duplicate) { 2 } else { 1 };
        for _ in 0..times {
            let (bank, notice, url) = (self.clone(), notice.clone(), url.clone());
            tokio::spawn(async move {
                let late = if chance(faults.reorder) { 1500 } else { 0 };
                let wait = rand::rng().random_range(0..=faults.delay_ms) + late;
                tokio::time::sleep(Duration::from_millis(wait)).await;
                for pause in [0, 1, 2, 5, 10, 30, 60] {
                    tokio::time::sleep(Duration::from_secs(pause)).await;
                    if bank.post_notice(&url, &notice).await.unwrap_or(false) {
                        return;
                    }
                }
            });
        }
    }

    async fn post_notice(&self, url: &str, notice: &Notice) -> Result<bool> {
        let body = serde_json::to_vec(notice)?;
        let url: reqwest::Url = url.parse()?;
        let message = Message { method: "POST", path: url.path(), body: &body };
        let headers = self.signer.sign(message, Uuid::new_v4().to_string(), Utc::now());
        let mut request = self.http.post(url.clone()).header("content-type", "application/json");
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        Ok(request.body(body).send().await?.status().is_success())
    }
}

fn chance(percent: u32) -> bool {
    percent > 0 && rand::rng().random_range(0..100) < percent
}

/// A verified request: its nonce, with which the answer is signed.
struct Verified {
    nonce: String,
    path: String,
}

impl Bank {
    fn verify(&self, req: &HttpRequest, body: &[u8]) -> std::result::Result<Verified, Refusal> {
        let header = |name: &str| req.headers().get(name).and_then(|it| it.to_str().ok());
        let message = Message { method: req.method().as_str(), path: req.path(), body };
        let headers = Headers::read(header).and_then(|it| self.signer.verify(message, &it, Utc::now()).map(|()| it));
        match headers {
            Ok(headers) => Ok(Verified { nonce: headers.nonce, path: req.path().to_owned() }),
            Err(fault) => Err(Refusal { code: "unsigned".to_owned(), message: fault.to_string() }),
        }
    }

    async fn answer(&self, to: &Verified, status: StatusCode, value: &impl Serialize) -> HttpResponse {
        let faults = self.state().faults;
        if faults.delay_ms > 0 {
            let wait = rand::rng().random_range(0..=faults.delay_ms);
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        if chance(faults.unknown) {
            return HttpResponse::BadGateway().body("the line to the bank is broken");
        }
        let body = serde_json::to_vec(value).unwrap_or_default();
        let message = Message { method: ANSWER, path: &to.path, body: &body };
        let headers = self.signer.sign(message, to.nonce.clone(), Utc::now());
        let mut response = HttpResponse::build(status);
        for pair in headers.pairs() {
            response.insert_header(pair);
        }
        response.content_type("application/json").body(body)
    }

    async fn refuse(&self, to: &Verified, status: StatusCode, code: &str) -> HttpResponse {
        self.answer(to, status, &Refusal { code: code.to_owned(), message: String::new() }).await
    }
}

async fn create_payment(bank: Data<Bank>, req: HttpRequest, body: Bytes) -> HttpResponse {
    let verified = match bank.verify(&req, &body) {
        Ok(it) => it,
        Err(refusal) => return HttpResponse::Unauthorized().json(refusal),
    };
    let Ok(new) = serde_json::from_slice::<NewPayment>(&body) else {
        return bank.refuse(&verified, StatusCode::BAD_REQUEST, "malformed").await;
    };
    let payment = {
        let mut state = bank.state();
        state.notify.insert(new.payment_no.clone(), new.notify_url);
        state.closes.insert(new.payment_no.clone(), new.expires_at);
        let known = state.books.payments.entry(new.payment_no.clone());
        let payment = known.or_insert_with(|| Payment {
            channel_no: format!("B{}", Uuid::now_v7().simple()),
            amount_fen: new.amount_fen,
            state: PaymentState::Paying,
            pay_url: Some(format!("sandbox://pay/{}", new.payment_no)),
            paid_at: None,
            payment_no: new.payment_no,
        });
        payment.clone()
    };
    if payment.amount_fen != new.amount_fen {
        return bank.refuse(&verified, StatusCode::CONFLICT, "other_amount").await;
    }
    bank.answer(&verified, StatusCode::OK, &payment).await
}

async fn get_payment(bank: Data<Bank>, req: HttpRequest, no: Path<String>) -> HttpResponse {
    let verified = match bank.verify(&req, b"") {
        Ok(it) => it,
        Err(refusal) => return HttpResponse::Unauthorized().json(refusal),
    };
    let payment = bank.state().books.payments.get(no.as_str()).cloned();
    match payment {
        Some(payment) => bank.answer(&verified, StatusCode::OK, &payment).await,
        None => bank.refuse(&verified, StatusCode::NOT_FOUND, "not_found").await,
    }
}

async fn close_payment(bank: Data<Bank>, req: HttpRequest, no: Path<String>, body: Bytes) -> HttpResponse {
    let verified = match bank.verify(&req, &body) {
        Ok(it) => it,
        Err(refusal) => return HttpResponse::Unauthorized().json(refusal),
    };
    let payment = bank.state().books.payments.get_mut(no.as_str()).map(|it| {
        if it.state == PaymentState::Paying {
            it.state = PaymentState::Closed;
        }
        it.clone()
    });
    match payment {
        Some(payment) => bank.answer(&verified, StatusCode::OK, &payment).await,
        None => bank.refuse(&verified, StatusCode::NOT_FOUND, "not_found").await,
    }
}

async fn create_refund(bank: Data<Bank>, req: HttpRequest, body: Bytes) -> HttpResponse {
    let verified = match bank.verify(&req, &body) {
        Ok(it) => it,
        Err(refusal) => return HttpResponse::Unauthorized().json(refusal),
    };
    let Ok(new) = serde_json::from_slice::<NewRefund>(&body) else {
        return bank.refuse(&verified, StatusCode::BAD_REQUEST, "malformed").await;
    };
    let number = new.refund_no.clone();
    match bank.accept_refund(new) {
        Ok(refund) => {
            bank.finish_refund(number);
            bank.answer(&verified, StatusCode::OK, &refund).await
        }
        Err(code) => bank.refuse(&verified, StatusCode::CONFLICT, code).await,
    }
}

impl Bank {
    /// Takes a refund upon itself; the same number again is the same refund.
    fn accept_refund(&self, new: NewRefund) -> std::result::Result<Refund, &'static str> {
        let mut state = self.state();
        if let Some(known) = state.books.refunds.get(&new.refund_no) {
            return if known.amount_fen == new.amount_fen { Ok(known.clone()) } else { Err("other_amount") };
        }
        let payment = state.books.payments.get(&new.payment_no).filter(|it| it.state == PaymentState::Paid);
        let paid = payment.ok_or("not_paid")?.amount_fen;
        let of_payment = |no: &str| state.books.refund_of.get(no).is_some_and(|it| *it == new.payment_no);
        let back: i64 = state
            .books
            .refunds
            .values()
            .filter(|it| of_payment(&it.refund_no) && !matches!(it.state, RefundState::Failed | RefundState::Closed))
            .map(|it| it.amount_fen.0)
            .sum();
        if Fen(back + new.amount_fen.0) > paid {
            return Err("more_than_paid");
        }
        let refund = Refund {
            refund_no: new.refund_no.clone(),
            channel_refund_no: format!("R{}", Uuid::now_v7().simple()),
            amount_fen: new.amount_fen,
            state: RefundState::Processing,
        };
        state.books.refunds.insert(new.refund_no.clone(), refund.clone());
        state.books.refund_of.insert(new.refund_no.clone(), new.payment_no);
        state.notify.insert(new.refund_no, new.notify_url);
        Ok(refund)
    }

    /// Carries a refund out a moment later.
    fn finish_refund(&self, number: String) {
        let bank = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let now = Utc::now();
            let notice = {
                let mut state = bank.state();
                let failed = chance(state.faults.fail);
                let Some(refund) = state.books.refunds.get_mut(&number) else { return };
                if refund.state != RefundState::Processing {
                    return;
                }
                refund.state = if failed { RefundState::Failed } else { RefundState::Succeeded };
                Notice::Refund {
                    id: Uuid::new_v4().to_string(),
                    refund_no: refund.refund_no.clone(),
                    channel_no: refund.channel_refund_no.clone(),
                    amount_fen: refund.amount_fen,
                    state: refund.state,
                    at: now,
                }
            };
            bank.tell(&number, notice);
        });
    }
}

async fn get_refund(bank: Data<Bank>, req: HttpRequest, no: Path<String>) -> HttpResponse {
    let verified = match bank.verify(&req, b"") {
        Ok(it) => it,
        Err(refusal) => return HttpResponse::Unauthorized().json(refusal),
    };
    let refund = bank.state().books.refunds.get(no.as_str()).cloned();
    match refund {
        Some(refund) => bank.answer(&verified, StatusCode::OK, &refund).await,
        None => bank.refuse(&verified, StatusCode::NOT_FOUND, "not_found").await,
    }
}

/// The payer's side: by the address that the platform showed, or by the number.
#[derive(Deserialize)]
struct Pay {
    pay_url: Option<String>,
    payment_no: Option<String>,
}

async fn pay(bank: Data<Bank>, Json(form): Json<Pay>) -> HttpResponse {
    let from_url = form.pay_url.as_deref().and_then(|it| it.strip_prefix("sandbox://pay/")).map(str::to_owned);
    let Some(number) = form.payment_no.or(from_url) else { return HttpResponse::BadRequest().finish() };
    match bank.pay(&number, Utc::now()) {
        Ok(()) => HttpResponse::NoContent().finish(),
        Err(code) => HttpResponse::Conflict().json(Refusal { code: code.to_owned(), message: String::new() }),
    }
}

async fn control(bank: Data<Bank>, Json(faults): Json<Faults>) -> HttpResponse {
    bank.set_faults(faults);
    HttpResponse::NoContent().finish()
}

async fn books(bank: Data<Bank>) -> Json<Books> {
    Json(bank.books())
}

async fn take_sms(bank: Data<Bank>, req: HttpRequest, Json(sms): Json<Sms>) -> HttpResponse {
    let bearer = req.headers().get("authorization").and_then(|it| it.to_str().ok());
    if bearer != Some(&format!("Bearer {}", bank.sms_secret.expose())) {
        return HttpResponse::Unauthorized().finish();
    }
    bank.state().inbox.insert(sms.phone.clone(), sms);
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
struct OfPhone {
    phone: String,
}

async fn show_sms(bank: Data<Bank>, Query(of): Query<OfPhone>) -> HttpResponse {
    let sms = bank.state().inbox.get(&of.phone).cloned();
    sms.map_or_else(|| HttpResponse::NotFound().finish(), |it| HttpResponse::Ok().json(it))
}
