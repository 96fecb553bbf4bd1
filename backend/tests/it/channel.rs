//! A payment channel and an invoicing service of one's own for a test: real HTTP, real signatures, and every way of going wrong on demand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use backend::config::{Config, Nuonuo, Secret};
use backend::payment::sandbox::sign::{ANSWER, Headers, Message, Signer};
use backend::payment::sandbox::wire::{
    NewPayment, NewRefund, Notice, Payment, PaymentState, Refund, RefundState, Refusal,
};
use backend::simulate::fiscal::Fiscal;
use chrono::Utc;
use serde::Serialize;
use shared::fixed::Fen;
use uuid::Uuid;

const SECRET: &str = "a secret of the channel";
const SMS_SECRET: &str = "a key of the gateway";

/// What the invoicing service knows us by.
fn invoicing() -> Nuonuo {
    Nuonuo {
        app_key: "a key".to_owned(),
        app_secret: Secret::new("a secret of the invoicing service"),
        access_token: Secret::new("a token of the sellers"),
        ..Nuonuo::default()
    }
}

/// How the channel behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mood {
    /// As agreed.
    #[default]
    Fine,
    /// Requests are lost before anything is done.
    LosesRequests,
    /// Everything is done, and the answer is lost.
    LosesAnswers,
    /// Everything is done, and the answer comes too late.
    Late,
    /// Answers that say yes, signed by somebody else.
    Forges,
    /// Signed answers that nobody can read.
    Babbles,
    /// A signed no.
    Refuses,
}

#[derive(Default)]
struct State {
    mood: Mood,
    payments: HashMap<String, Payment>,
    refunds: HashMap<String, Refund>,
    refund_requests: Vec<String>,
    codes: HashMap<String, String>,
}

/// The channel, and the gateway for text messages beside it.
#[derive(Clone)]
pub struct Channel {
    /// The invoicing service beside it.
    pub fiscal: Fiscal,
    url: String,
    state: Arc<Mutex<State>>,
    http: reqwest::Client,
}

impl Channel {
    /// Starts one.
    pub fn start() -> Self {
        let state = Arc::<Mutex<State>>::default();
        let data = Data::from(state.clone());
        let fiscal = Fiscal::new(&invoicing(), backend::app::http_client().unwrap());
        let beside = fiscal.clone();
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .configure(|config| beside.mount(config))
                .route("/messages", web::post().to(take_message))
                .route("/v1/payments", web::post().to(create_payment))
                .route("/v1/payments/{no}", web::get().to(get_payment))
                .route("/v1/payments/{no}/close", web::post().to(close_payment))
                .route("/v1/refunds", web::post().to(create_refund))
                .route("/v1/refunds/{no}", web::get().to(get_refund))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        tokio::spawn(server.run());
        Self { fiscal, url, state, http: backend::app::http_client().unwrap() }
    }

    /// Has a server use this channel, and ask again without waiting.
    pub fn configure(&self, config: &mut Config) {
        config.payment.sandbox.url.clone_from(&self.url);
        config.payment.sandbox.secret = Secret::new(SECRET);
        config.payment.sandbox.timeout_seconds = 1;
        config.payment.not_found_seconds = 0;
        config.invoice.nuonuo = Nuonuo { url: format!("{}/open/v1/services", self.url), ..invoicing() };
        config.invoice.not_found_seconds = 0;
        config.sms.url.clone_from(&self.url);
        config.sms.secret = Secret::new(SMS_SECRET);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// It behaves like this from now on.
    pub fn set(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// A payment as it has it.
    pub fn payment(&self, no: &str) -> Payment {
        self.state().payments[no].clone()
    }

    /// All refunds as it has them.
    pub fn refunds(&self) -> Vec<Refund> {
        self.state().refunds.values().cloned().collect()
    }

    /// The numbers that it was asked to refund, as often as it was asked.
    pub fn refund_requests(&self) -> Vec<String> {
        self.state().refund_requests.clone()
    }

    /// The code that was last sent to a telephone.
    pub fn code(&self, phone: &str) -> String {
        self.state().codes[phone].clone()
    }

    /// The payer pays; nobody is told. Gives what would be told.
    pub fn pay(&self, no: &str) -> Notice {
        let mut state = self.state();
        let payment = state.payments.get_mut(no).unwrap();
        payment.state = PaymentState::Paid;
        payment.paid_at.get_or_insert_with(Utc::now);
        Notice::Payment {
            id: Uuid::new_v4().to_string(),
            payment_no: no.to_owned(),
            channel_no: payment.channel_no.clone(),
            amount_fen: payment.amount_fen,
            state: PaymentState::Paid,
            at: payment.paid_at.unwrap(),
        }
    }

    /// A refund ends; nobody is told. Gives what would be told.
    pub fn finish(&self, no: &str, end: RefundState) -> Notice {
        let mut state = self.state();
        let refund = state.refunds.get_mut(no).unwrap();
        refund.state = end;
        Notice::Refund {
            id: Uuid::new_v4().to_string(),
            refund_no: no.to_owned(),
            channel_no: refund.channel_refund_no.clone(),
            amount_fen: refund.amount_fen,
            state: end,
            at: Utc::now(),
        }
    }

    /// Tells a notice, signed; gives the status.
    pub async fn tell(&self, server: &str, notice: &Notice) -> u16 {
        self.tell_as(server, &serde_json::to_vec(notice).unwrap(), &signer()).await
    }

    /// Tells anything, signed with any key.
    pub async fn tell_as(&self, server: &str, body: &[u8], signer: &Signer) -> u16 {
        let path = "/api/callbacks/sandbox";
        let headers = signer.sign(Message { method: "POST", path, body }, Uuid::new_v4().to_string(), Utc::now());
        self.post(server, body, &headers).await
    }

    /// Posts a callback with these headers.
    pub async fn post(&self, server: &str, body: &[u8], headers: &Headers) -> u16 {
        let mut request = self.http.post(format!("{server}/api/callbacks/sandbox")).body(body.to_vec());
        for (name, value) in headers.pairs() {
            request = request.header(name, value);
        }
        request.send().await.unwrap().status().as_u16()
    }
}

/// The key that both sides have.
pub fn signer() -> Signer {
    Signer::new("M1000", Secret::new(SECRET))
}

type Books = Data<Mutex<State>>;

/// Checks the signature, does what is to be done, and answers in the channel's mood.
async fn serve<T: Serialize>(
    books: &Books,
    req: &HttpRequest,
    body: &[u8],
    deed: impl FnOnce(&mut State) -> Result<T, (u16, &'static str)>,
) -> HttpResponse {
    let message = Message { method: req.method().as_str(), path: req.path(), body };
    let headers = Headers::read(|name| req.headers().get(name)?.to_str().ok()).unwrap();
    signer().verify(message, &headers, Utc::now()).unwrap();
    let mood = books.lock().unwrap().mood;
    let done = match mood {
        Mood::LosesRequests => return HttpResponse::BadGateway().finish(),
        Mood::Refuses => Err((422, "refused")),
        Mood::Fine | Mood::LosesAnswers | Mood::Late | Mood::Forges | Mood::Babbles => deed(&mut books.lock().unwrap()),
    };
    let (status, answer) = match &done {
        Ok(it) => (200, serde_json::to_vec(it).unwrap()),
        Err((status, code)) => {
            (*status, serde_json::to_vec(&Refusal { code: (*code).to_owned(), message: String::new() }).unwrap())
        }
    };
    let (key, answer) = match mood {
        Mood::LosesAnswers => return HttpResponse::BadGateway().finish(),
        Mood::Late => {
            tokio::time::sleep(std::time::Duration::from_secs(3)).await;
            (signer(), answer)
        }
        Mood::Forges => (Signer::new("M1000", Secret::new("guessed")), answer),
        Mood::Babbles => (signer(), b"<html>".to_vec()),
        Mood::Fine | Mood::LosesRequests | Mood::Refuses => (signer(), answer),
    };
    let message = Message { method: ANSWER, path: req.path(), body: &answer };
    let signed = key.sign(message, headers.nonce, Utc::now());
    let mut response = HttpResponse::build(status.try_into().unwrap());
    for pair in signed.pairs() {
        response.insert_header(pair);
    }
    response.body(answer)
}

async fn create_payment(books: Books, req: HttpRequest, body: Bytes) -> HttpResponse {
    let new: NewPayment = serde_json::from_slice(&body).unwrap();
    serve(&books, &req, &body, |state| {
        let payment = state.payments.entry(new.payment_no.clone()).or_insert_with(|| Payment {
            channel_no: format!("S{}", Uuid::new_v4().simple()),
            amount_fen: new.amount_fen,
            state: PaymentState::Paying,
            pay_url: Some(format!("sandbox://pay/{}", new.payment_no)),
            paid_at: None,
            payment_no: new.payment_no,
        });
        Ok(payment.clone())
    })
    .await
}

async fn get_payment(books: Books, req: HttpRequest, no: web::Path<String>) -> HttpResponse {
    serve(&books, &req, b"", |state| state.payments.get(&*no).cloned().ok_or((404, "not_found"))).await
}

async fn close_payment(books: Books, req: HttpRequest, no: web::Path<String>, body: Bytes) -> HttpResponse {
    serve(&books, &req, &body, |state| {
        let payment = state.payments.get_mut(&*no).ok_or((404, "not_found"))?;
        if payment.state == PaymentState::Paying {
            payment.state = PaymentState::Closed;
        }
        Ok(payment.clone())
    })
    .await
}

async fn create_refund(books: Books, req: HttpRequest, body: Bytes) -> HttpResponse {
    let new: NewRefund = serde_json::from_slice(&body).unwrap();
    serve(&books, &req, &body, |state| {
        state.refund_requests.push(new.refund_no.clone());
        let paid = state.payments.get(&new.payment_no).filter(|it| it.state == PaymentState::Paid);
        let most = paid.ok_or((409, "not_paid"))?.amount_fen;
        let of_payment = |it: &&Refund| it.refund_no.starts_with(&format!("R{}", new.payment_no));
        let standing = state.refunds.values().filter(of_payment).filter(|it| it.state != RefundState::Failed);
        let gone = Fen::sum(standing.map(|it| it.amount_fen));
        let known = state.refunds.contains_key(&new.refund_no);
        if !known && gone.unwrap().plus(new.amount_fen).unwrap() > most {
            return Err((409, "more_than_paid"));
        }
        let refund = state.refunds.entry(new.refund_no.clone()).or_insert_with(|| Refund {
            channel_refund_no: format!("Q{}", Uuid::new_v4().simple()),
            amount_fen: new.amount_fen,
            state: RefundState::Processing,
            refund_no: new.refund_no,
        });
        Ok(refund.clone())
    })
    .await
}

async fn get_refund(books: Books, req: HttpRequest, no: web::Path<String>) -> HttpResponse {
    serve(&books, &req, b"", |state| state.refunds.get(&*no).cloned().ok_or((404, "not_found"))).await
}

async fn take_message(books: Books, req: HttpRequest, message: web::Json<serde_json::Value>) -> HttpResponse {
    assert_eq!(req.headers().get("authorization").unwrap(), &format!("Bearer {SMS_SECRET}"));
    let (phone, code) = (message["phone"].as_str().unwrap(), message["code"].as_str().unwrap());
    assert!(message["text"].as_str().unwrap().contains(code));
    let mut state = books.lock().unwrap();
    if state.mood == Mood::LosesRequests {
        return HttpResponse::BadGateway().finish();
    }
    state.codes.insert(phone.to_owned(), code.to_owned());
    HttpResponse::Ok().json(serde_json::json!({}))
}
