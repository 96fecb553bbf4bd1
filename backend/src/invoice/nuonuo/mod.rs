//! Nuonuo's open platform, spoken to over HTTP: signed requests, and answers of which a doubtful one is none.

pub mod sign;
pub mod wire;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rand::Rng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::fixed::Fen;
use shared::invoice::{Buyer, InvoiceKind};
use shared::pricing::{InvoiceLine, InvoiceLineKind};
use uuid::Uuid;

use self::sign::{Envelope, sign};
use self::wire::{Answer, Standing, VoidStanding};
use super::Invoice;
use super::state::{Issued, Verdict};
use crate::app::App;
use crate::payment::channel::Failure;

/// The path of our address that the service calls.
pub const CALLBACK: &str = "/api/callbacks/nuonuo";
/// The largest answer that is read.
const MAX_ANSWER: usize = 256 << 10;
/// The longest note at the foot of an invoice.
const MAX_REMARK: usize = 200;

/// What the service says of what it was asked for.
#[derive(Debug)]
pub(super) enum Seen {
    /// On its way.
    Pending,
    /// It is issued; where its file is, once that is sealed.
    Issued(Issued, Option<String>),
    /// Anything else that is for good.
    Over(Verdict),
}

/// A client of the service, about one invoice.
pub(super) struct Nuonuo<'a> {
    app: &'a App,
    about: &'a Invoice,
}

impl<'a> Nuonuo<'a> {
    pub(super) const fn of(app: &'a App, about: &'a Invoice) -> Self {
        Self { app, about }
    }

    /// Has the invoice issued; gives the service's own number, if it says it. The same number again is the same invoice.
    pub(super) async fn issue(&self, remark: &str) -> Result<String, Failure> {
        let answer = self.call(wire::ISSUE, &wire::Issue { order: self.order(remark) }).await?;
        match answer.code.as_str() {
            wire::DONE => {
                let taken: wire::Taken = read(wire::ISSUE, answer)?;
                Ok(taken.invoice_serial_num)
            }
            // What was sent before has its number already; which, the next question tells.
            wire::KNOWN_ALREADY => Ok(String::new()),
            _ => Err(refused(answer)),
        }
    }

    fn order(&self, remark: &str) -> wire::Order {
        let Invoice { kind, buyer, title, tax_id, email, phone, seller, lines, serial_no, .. } = self.about;
        let text = |it: &Option<String>| it.clone().unwrap_or_default();
        wire::Order {
            order_no: serial_no.clone(),
            invoice_type: "1".to_owned(),
            invoice_line: line_code(*kind),
            invoice_date: shared::time::local_text(self.app.now()),
            buyer_name: title.clone(),
            buyer_tax_num: text(tax_id),
            natural_person_flag: if *buyer == Buyer::Person { "1" } else { "0" }.to_owned(),
            email: email.clone(),
            buyer_phone: phone.clone(),
            push_mode: "0".to_owned(),
            saler_tax_num: seller.tax_id.clone(),
            saler_tel: text(&seller.phone),
            saler_address: text(&seller.address),
            saler_account: [text(&seller.bank_name), text(&seller.bank_account)].concat(),
            clerk: seller.drawer.clone(),
            payee: text(&seller.payee),
            checker: text(&seller.checker),
            remark: remark.chars().take(MAX_REMARK).collect(),
            extension_number: self.app.config.invoice.nuonuo.extension_number.clone(),
            callback_url: format!("{}{CALLBACK}", self.app.config.http.public_url.trim_end_matches('/')),
            invoice_detail: lines.0.iter().map(|it| self.line(it)).collect(),
        }
    }

    fn line(&self, it: &InvoiceLine) -> wire::Line {
        let seller = &self.about.seller;
        let (name, code) = match it.line {
            InvoiceLineKind::Electricity => ("充电电费", &seller.elec_code),
            InvoiceLineKind::Service => ("充电服务费", &seller.service_code),
        };
        wire::Line {
            goods_name: name.to_owned(),
            goods_code: code.clone(),
            with_tax_flag: "1".to_owned(),
            num: "1".to_owned(),
            price: it.amount.gross_fen.yuan(),
            unit: "次".to_owned(),
            tax_rate: it.rate.to_string(),
            tax: it.amount.tax_fen.yuan(),
            tax_excluded_amount: it.amount.net_fen.yuan(),
            tax_included_amount: it.amount.gross_fen.yuan(),
        }
    }

    /// Asks where the invoice stands.
    pub(super) async fn seen(&self) -> Result<Seen, Failure> {
        let serial_no = &self.about.serial_no;
        let query = wire::Query { order_nos: vec![serial_no.clone()], is_offer_invoice_detail: "0".to_owned() };
        let answer = self.call(wire::QUERY, &query).await?;
        if answer.code != wire::DONE {
            return Err(unanswered(answer));
        }
        let invoices: Vec<wire::Invoice> = read(wire::QUERY, answer)?;
        let it = invoices.into_iter().find(|it| it.order_no == *serial_no).ok_or(Failure::NotFound)?;
        match wire::standing(&it.status) {
            Some(Standing::Pending) => Ok(Seen::Pending),
            Some(Standing::Failed) => Ok(Seen::Over(Verdict::Failed(it.fail_cause.unwrap_or_default()))),
            Some(Standing::Issued) => Ok(Seen::Issued(self.issued(&it)?, it.pdf_url.filter(|it| !it.is_empty()))),
            Some(Standing::Unsealed) => Ok(Seen::Issued(self.issued(&it)?, None)),
            None => Err(Failure::Unknown(format!("{serial_no} stands at {:?}", it.status))),
        }
    }

    /// What is told of an issued invoice, if it is the one that was asked for.
    fn issued(&self, it: &wire::Invoice) -> Result<Issued, Failure> {
        let doubt = |why: String| Failure::Unknown(format!("{} is issued, but {why}", self.about.serial_no));
        let given = |it: &Option<String>| it.clone().filter(|it| !it.is_empty());
        let number = given(&it.all_electronic_invoice_number).or(given(&it.invoice_no));
        let number = number.ok_or_else(|| doubt("it has no number".to_owned()))?;
        let at = it.invoice_time.and_then(DateTime::from_timestamp_millis);
        let at = at.ok_or_else(|| doubt("not when".to_owned()))?;
        let part = |it: &Option<String>| it.as_deref().and_then(|it| it.parse::<Fen>().ok());
        let gross = part(&it.ex_tax_amount).zip(part(&it.tax_amount)).and_then(|(net, tax)| net.plus(tax).ok());
        if gross.is_some_and(|it| it != self.about.gross_fen) {
            return Err(doubt(format!("over {} yuan instead of {}", gross.unwrap_or_default(), self.about.gross_fen)));
        }
        Ok(Issued { number, code: given(&it.invoice_code), at })
    }

    /// Has an issued invoice sealed once more, for its file is missing.
    pub(super) async fn seal(&self) -> Result<(), Failure> {
        let seal = wire::Seal { fpqqlsh: String::new(), orderno: self.about.serial_no.clone() };
        let answer = self.call(wire::SEAL, &seal).await?;
        if answer.code == wire::DONE { Ok(()) } else { Err(refused(answer)) }
    }

    /// Asks for the red invoice that undoes this one.
    pub(super) async fn void(&self) -> Result<Option<String>, Failure> {
        let Invoice { kind, title, tax_id, seller, number, void_no, .. } = self.about;
        let void = wire::Void {
            bill_id: void_no.clone().unwrap_or_default(),
            blue_invoice_line: line_code(*kind),
            apply_source: "0".to_owned(),
            blue_elec_invoice_number: number.clone().unwrap_or_default(),
            seller_tax_no: seller.tax_id.clone(),
            seller_name: seller.company_name.clone(),
            buyer_tax_no: tax_id.clone().unwrap_or_default(),
            buyer_name: title.clone(),
            red_reason: "2".to_owned(),
            extension_number: self.app.config.invoice.nuonuo.extension_number.clone(),
        };
        let answer = self.call(wire::VOID, &void).await?;
        match answer.code.as_str() {
            wire::DONE | wire::KNOWN_ALREADY => Ok(None),
            _ => Err(refused(answer)),
        }
    }

    /// Asks where the request for the red invoice stands.
    pub(super) async fn void_seen(&self) -> Result<Seen, Failure> {
        let bill_id = self.about.void_no.clone().unwrap_or_default();
        let query = wire::QueryVoid { identity: "0".to_owned(), bill_id: bill_id.clone() };
        let answer = self.call(wire::QUERY_VOID, &query).await?;
        if answer.code != wire::DONE {
            return Err(unanswered(answer));
        }
        let voids: wire::Voids = read(wire::QUERY_VOID, answer)?;
        let form = voids.list.into_iter().find(|it| it.bill_id == bill_id).ok_or(Failure::NotFound)?;
        if form.open_status.as_deref() == Some("1") {
            return Ok(Seen::Over(Verdict::Voided));
        }
        match wire::void_standing(&form.bill_status) {
            Some(VoidStanding::Pending) => Ok(Seen::Pending),
            Some(VoidStanding::Waiting) => {
                self.refresh().await?;
                Ok(Seen::Pending)
            }
            Some(VoidStanding::Refused(why)) => {
                let more = form.bill_message.filter(|it| !it.is_empty()).map(|it| format!("：{it}"));
                Ok(Seen::Over(Verdict::VoidRefused(format!("{why}{}", more.unwrap_or_default()))))
            }
            None => Err(Failure::Unknown(format!("{bill_id} stands at {:?}", form.bill_status))),
        }
    }

    /// Has the service read anew what the buyer did at the tax office.
    async fn refresh(&self) -> Result<(), Failure> {
        let now = self.app.now();
        let day = |at: DateTime<Utc>| shared::time::business_day(at).to_string();
        let refresh = wire::RefreshVoids {
            identity: "0".to_owned(),
            start_time: day(self.about.sent_at.unwrap_or(now).min(now) - TimeDelta::days(1)),
            end_time: day(now),
            extension_number: self.app.config.invoice.nuonuo.extension_number.clone(),
        };
        self.call(wire::REFRESH_VOIDS, &refresh).await.map(drop)
    }

    /// Whatever cannot be read, or says that our credentials are wrong, is no answer: it says nothing about the invoice.
    async fn call(&self, method: &str, body: &impl Serialize) -> Result<Answer, Failure> {
        let unknown = |err: &dyn std::fmt::Display| Failure::Unknown(format!("{method}: {err}"));
        let config = &self.app.config.invoice.nuonuo;
        let body = serde_json::to_string(body).map_err(|err| unknown(&err))?;
        let senid = Uuid::new_v4().simple().to_string();
        let nonce = rand::rng().random_range(10_000_000..100_000_000_u32).to_string();
        let timestamp = self.app.now().timestamp().to_string();
        let (senid, nonce, timestamp) = (senid.as_str(), nonce.as_str(), timestamp.as_str());
        let envelope = Envelope { app_key: &config.app_key, senid, nonce, timestamp };
        let signature = sign(config.app_secret.expose(), envelope, &body);
        let query = [("senid", senid), ("nonce", nonce), ("timestamp", timestamp), ("appkey", &config.app_key)];
        let url = reqwest::Url::parse_with_params(&config.url, query).map_err(|err| unknown(&err))?;
        let request = self.app.http.post(url).timeout(Duration::from_secs(config.timeout_seconds));
        let request = request
            .header("content-type", "application/json")
            .header("x-nuonuo-sign", signature)
            .header("accesstoken", config.access_token.expose())
            .header("usertax", &self.about.seller.tax_id)
            .header("method", method);
        let response = request.body(body).send().await.and_then(reqwest::Response::error_for_status);
        let mut response = response.map_err(|err| unknown(&err.without_url()))?;
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|err| unknown(&err.without_url()))? {
            answer.extend_from_slice(&chunk);
            if answer.len() > MAX_ANSWER {
                return Err(unknown(&"the answer is too large"));
            }
        }
        let answer: Answer = serde_json::from_slice(&answer).map_err(|err| unknown(&err))?;
        if wire::is_about_us(&answer.code) {
            return Err(unknown(&format!("{} {}", answer.code, answer.describe)));
        }
        Ok(answer)
    }
}

fn line_code(kind: InvoiceKind) -> String {
    match kind {
        InvoiceKind::Ordinary => "pc",
        InvoiceKind::Special => "bs",
    }
    .to_owned()
}

fn read<T: DeserializeOwned>(method: &str, answer: Answer) -> Result<T, Failure> {
    serde_json::from_value(answer.result).map_err(|err| Failure::Unknown(format!("{method}: {err}")))
}

/// A definite no to what was asked for.
fn refused(answer: Answer) -> Failure {
    Failure::Refused(format!("{} {}", answer.code, answer.describe))
}

/// A question that was not answered says nothing about the invoice, unless it is not known.
fn unanswered(answer: Answer) -> Failure {
    match answer.code.as_str() {
        wire::NOT_FOUND => Failure::NotFound,
        code => Failure::Unknown(format!("{code} {}", answer.describe)),
    }
}
