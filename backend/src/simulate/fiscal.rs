//! The simulated invoicing service, served over real HTTP as Nuonuo's open platform is: it checks signatures, issues
//! invoices and red ones, and can be told to dawdle, refuse, fail, lose its answers and leave files unsealed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::{self, Bytes, Data, Path, Query, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::fixed::Fen;

use crate::config::Nuonuo;
use crate::invoice::nuonuo::sign::{Envelope, sign};
use crate::invoice::nuonuo::wire::{self, Invoice, Issue, Order, Query as Asked, QueryVoid, Seal, Void, VoidForm};

/// What the service does, one after the other, when it should do otherwise than well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// Invoices are under way for so many questions.
    pub dawdles: u32,
    /// Requests for an invoice are refused at once.
    pub refuses: bool,
    /// Invoices fail after they were taken in.
    pub fails: bool,
    /// What is asked for is lost before anything is done.
    pub loses_requests: bool,
    /// What is asked for is done, and the answer is lost.
    pub loses_answers: bool,
    /// Our credentials count for nothing.
    pub knows_us_not: bool,
    /// Files are not sealed until they are asked for.
    pub unsealed: bool,
    /// Invoices are issued over another amount.
    pub miscounts: bool,
    /// Buyers have to agree to a red invoice for so many questions.
    pub waits: u32,
    /// Buyers do not agree to a red invoice.
    pub disagrees: bool,
}

/// An invoice in its books.
#[derive(Debug)]
pub struct Booked {
    /// What was asked for.
    pub order: Order,
    /// How often it was asked about.
    asked: u32,
    number: String,
    sealed: bool,
    at: DateTime<Utc>,
}

#[derive(Default)]
struct State {
    habits: Habits,
    invoices: HashMap<String, Booked>,
    voids: HashMap<String, (Void, u32)>,
    requests: Vec<String>,
}

/// The service.
#[derive(Clone)]
pub struct Fiscal {
    state: Arc<Mutex<State>>,
    config: Arc<Nuonuo>,
    http: reqwest::Client,
}

impl Fiscal {
    /// A service with the keys of the settings.
    pub fn new(config: &Nuonuo, http: reqwest::Client) -> Self {
        Self { state: Arc::default(), config: Arc::new(config.clone()), http }
    }

    /// Adds its addresses to a server.
    pub fn mount(&self, config: &mut ServiceConfig) {
        config.app_data(Data::new(self.clone()));
        config.route("/open/v1/services", web::post().to(services)).route("/fp/{number}.pdf", web::get().to(pdf));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it does from now on.
    pub fn set(&self, habits: Habits) {
        self.state().habits = habits;
    }

    /// The numbers under which invoices and red ones were asked for, as often as they were.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// Reads the order that was sent under a number.
    pub fn order<T>(&self, serial_no: &str, read: impl FnOnce(&Order) -> T) -> Option<T> {
        self.state().invoices.get(serial_no).map(|it| read(&it.order))
    }

    /// Tells the platform that something became of an invoice, as the service does: unsigned.
    pub fn tell(&self, url: String, serial_no: String) {
        let http = self.http.clone();
        tokio::spawn(async move {
            let notice = [("operater", "callback"), ("orderno", &serial_no), ("content", "{\"c_status\":\"1\"}")];
            let body = serde_urlencoded::to_string(notice).unwrap_or_default();
            let told =
                http.post(url).header("content-type", "application/x-www-form-urlencoded").body(body).send().await;
            if let Err(err) = told {
                tracing::warn!(error = %err, "the platform does not hear of {serial_no}: {err}");
            }
        });
    }

    fn answer(&self, method: &str, body: &str, origin: &str) -> Result<Value, (&'static str, &'static str)> {
        match method {
            wire::ISSUE => self.issue(parse(body)?),
            wire::QUERY => self.query(parse(body)?, origin),
            wire::SEAL => self.seal(&parse(body)?),
            wire::VOID => self.void(parse(body)?),
            wire::QUERY_VOID => self.query_void(&parse(body)?),
            wire::REFRESH_VOIDS => Ok(Value::Null),
            _ => Err(("E9999", "没有这个接口")),
        }
    }

    fn issue(&self, Issue { order }: Issue) -> Result<Value, (&'static str, &'static str)> {
        let mut state = self.state();
        state.requests.push(order.order_no.clone());
        if state.habits.refuses {
            return Err(("E9501", "开票员未登录电子税务局"));
        }
        if order.order_no.len() > 20 {
            return Err(("E9502", "订单号超长"));
        }
        if state.invoices.contains_key(&order.order_no) {
            return Err((wire::KNOWN_ALREADY, "订单编号不能重复"));
        }
        let fen = |it: &str| it.parse::<Fen>().map_or(0, |it| it.0);
        let fits = |it: &wire::Line| fen(&it.tax_excluded_amount) + fen(&it.tax) == fen(&it.tax_included_amount);
        if order.invoice_detail.is_empty() || !order.invoice_detail.iter().all(fits) {
            return Err(("E9503", "金额有误"));
        }
        let serial = 26_332_000_000_010_000_001_u128 + u128::try_from(state.invoices.len()).unwrap_or_default();
        let (number, at) = (serial.to_string(), Utc::now());
        let (told, serial_no) = (order.callback_url.clone(), order.order_no.clone());
        let dawdles = state.habits.dawdles > 0;
        let sealed = !state.habits.unsealed;
        state.invoices.insert(serial_no.clone(), Booked { order, asked: 0, number, sealed, at });
        drop(state);
        if !dawdles && !told.is_empty() {
            self.tell(told, serial_no.clone());
        }
        Ok(json!({"invoiceSerialNum": format!("26112609{serial_no}")}))
    }

    fn query(&self, asked: Asked, origin: &str) -> Result<Value, (&'static str, &'static str)> {
        let mut state = self.state();
        let habits = state.habits;
        let Some(no) = asked.order_nos.into_iter().next() else { return Err(("E9504", "缺少订单号")) };
        let Some(it) = state.invoices.get_mut(&no) else { return Err((wire::NOT_FOUND, "没有查询到发票")) };
        it.asked = it.asked.saturating_add(1);
        let mut told = Invoice { order_no: no, ..Invoice::default() };
        if it.asked <= habits.dawdles {
            told.status = "20".to_owned();
        } else if habits.fails {
            told.status = "22".to_owned();
            told.fail_cause = Some("授信额度不足".to_owned());
        } else {
            let sum = |part: fn(&wire::Line) -> &str| {
                let parts = it.order.invoice_detail.iter().filter_map(|it| part(it).parse::<Fen>().ok());
                parts.fold(0, |sum, it| sum + it.0)
            };
            let more = i64::from(habits.miscounts);
            told.status = if it.sealed { "2" } else { "24" }.to_owned();
            told.all_electronic_invoice_number = Some(it.number.clone());
            told.invoice_time = Some(it.at.timestamp_millis());
            told.ex_tax_amount = Some(Fen(sum(|it| &it.tax_excluded_amount) + more).yuan());
            told.tax_amount = Some(Fen(sum(|it| &it.tax)).yuan());
            told.pdf_url = it.sealed.then(|| format!("{origin}/fp/{}.pdf", it.number));
        }
        Ok(json!([told]))
    }

    fn seal(&self, seal: &Seal) -> Result<Value, (&'static str, &'static str)> {
        let mut state = self.state();
        let Some(it) = state.invoices.get_mut(&seal.orderno) else {
            return Err((wire::NOT_FOUND, "没有查询到发票"));
        };
        it.sealed = true;
        Ok(Value::Null)
    }

    fn void(&self, void: Void) -> Result<Value, (&'static str, &'static str)> {
        let mut state = self.state();
        state.requests.push(void.bill_id.clone());
        if !state.invoices.values().any(|it| it.number == void.blue_elec_invoice_number) {
            return Err(("E9505", "蓝字发票不存在"));
        }
        let id = void.bill_id.clone();
        state.voids.entry(id.clone()).or_insert((void, 0));
        Ok(json!(id))
    }

    fn query_void(&self, asked: &QueryVoid) -> Result<Value, (&'static str, &'static str)> {
        let mut state = self.state();
        let habits = state.habits;
        let found = state.voids.get_mut(&asked.bill_id);
        let forms: Vec<VoidForm> = found
            .into_iter()
            .map(|(void, asked)| {
                *asked = asked.saturating_add(1);
                let (status, opened) = match () {
                    () if *asked <= habits.waits => ("02", "0"),
                    () if habits.disagrees => ("05", "0"),
                    () => ("04", "1"),
                };
                VoidForm {
                    bill_id: void.bill_id.clone(),
                    bill_status: status.to_owned(),
                    bill_message: habits.disagrees.then(|| "发票已入账".to_owned()),
                    open_status: Some(opened.to_owned()),
                }
            })
            .collect();
        Ok(json!({"total": forms.len(), "list": forms}))
    }
}

fn parse<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, (&'static str, &'static str)> {
    serde_json::from_str(body).map_err(|_| ("E9500X", "报文有误"))
}

#[derive(Deserialize)]
struct Signed {
    senid: String,
    nonce: String,
    timestamp: String,
    appkey: String,
}

async fn services(fiscal: Data<Fiscal>, req: HttpRequest, signed: Query<Signed>, body: Bytes) -> HttpResponse {
    let header = |name: &str| req.headers().get(name).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let Ok(body) = std::str::from_utf8(&body) else { return HttpResponse::BadRequest().finish() };
    let Signed { senid, nonce, timestamp, appkey } = &*signed;
    let wanted = sign(fiscal.config.app_secret.expose(), Envelope { app_key: appkey, senid, nonce, timestamp }, body);
    let known = *appkey == fiscal.config.app_key && header("accesstoken") == fiscal.config.access_token.expose();
    let habits = fiscal.state().habits;
    if !known || header("x-nuonuo-sign") != wanted || habits.knows_us_not {
        return HttpResponse::Ok().json(json!({"code": "070304", "describe": "凭证无效"}));
    }
    if habits.loses_requests {
        return HttpResponse::BadGateway().finish();
    }
    let origin = format!("{}://{}", req.connection_info().scheme(), req.connection_info().host());
    let answer = match fiscal.answer(header("method"), body, &origin) {
        Ok(result) => json!({"code": wire::DONE, "describe": "成功", "result": result}),
        Err((code, describe)) => json!({"code": code, "describe": describe}),
    };
    if habits.loses_answers {
        return HttpResponse::BadGateway().finish();
    }
    HttpResponse::Ok().json(answer)
}

async fn pdf(number: Path<String>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/pdf").body(page_saying(&format!("INVOICE {number}")))
}

/// The smallest PDF that a viewer shows: one page with one line of ASCII.
fn page_saying(line: &str) -> Vec<u8> {
    let text = format!("BT /F1 18 Tf 60 760 Td ({line}) Tj ET");
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>".to_owned(),
        format!("<</Length {}>>stream\n{text}\nendstream", text.len()),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let (mut file, mut places) = (String::from("%PDF-1.4\n"), String::new());
    for (number, object) in (1..).zip(&objects) {
        places.push_str(&format!("{:010} 00000 n \n", file.len()));
        file.push_str(&format!("{number} 0 obj{object}endobj\n"));
    }
    let (start, count) = (file.len(), objects.len() + 1);
    file.push_str(&format!("xref\n0 {count}\n0000000000 65535 f \n{places}"));
    file.push_str(&format!("trailer<</Size {count}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n"));
    file.into_bytes()
}
