//! What is said to Nuonuo's open platform and what it answers, for invoices of our days (数电票).
//!
//! Taken from published clients and the vendor's pages, not from a contract: names and codes that another service has
//! otherwise stay in this file. Amounts are yuan as text.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Asks for an invoice.
pub const ISSUE: &str = "nuonuo.OpeMplatform.requestBillingNew";
/// Asks where an invoice stands.
pub const QUERY: &str = "nuonuo.OpeMplatform.queryInvoiceResult";
/// Has an issued invoice sealed once more.
pub const SEAL: &str = "nuonuo.OpeMplatform.reInvoice";
/// Asks for a red invoice.
pub const VOID: &str = "nuonuo.OpeMplatform.saveInvoiceRedConfirm";
/// Asks where that stands.
pub const QUERY_VOID: &str = "nuonuo.OpeMplatform.queryInvoiceRedConfirm";
/// Has the service read from the tax office where the red ones stand.
pub const REFRESH_VOIDS: &str = "nuonuo.OpeMplatform.refreshInvoiceRedConfirm";

/// It was done.
pub const DONE: &str = "E0000";
/// The number was used before: it is the same invoice.
pub const KNOWN_ALREADY: &str = "E9106";
/// The service does not know the number.
pub const NOT_FOUND: &str = "E9500";

/// A code that says that our credentials are wrong or used up: nothing was done, and the same can be sent again.
pub fn is_about_us(code: &str) -> bool {
    matches!(code, "070101" | "070304" | "070305" | "070306" | "070307")
}

/// An answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// [`DONE`] or why not.
    pub code: String,
    /// For people.
    #[serde(default)]
    pub describe: String,
    /// What was asked for.
    #[serde(default)]
    pub result: Value,
}

/// What [`ISSUE`] takes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Issue {
    /// The invoice.
    pub order: Order,
}

/// The invoice that is asked for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Our number, which makes sending twice the same as once.
    pub order_no: String,
    /// 1: blue.
    pub invoice_type: String,
    /// `pc` ordinary, `bs` special.
    pub invoice_line: String,
    /// Local, `2026-11-26 09:30:05`.
    pub invoice_date: String,
    /// The name on it.
    pub buyer_name: String,
    /// The buyer's taxpayer number.
    pub buyer_tax_num: String,
    /// 1 for a person.
    pub natural_person_flag: String,
    /// Where it is sent.
    pub email: String,
    /// The buyer's telephone.
    pub buyer_phone: String,
    /// 0: the service sends it by e-mail.
    pub push_mode: String,
    /// The seller's taxpayer number.
    pub saler_tax_num: String,
    /// The seller's telephone.
    pub saler_tel: String,
    /// The seller's address.
    pub saler_address: String,
    /// The seller's bank and account.
    pub saler_account: String,
    /// Who draws it.
    pub clerk: String,
    /// Who takes the money.
    pub payee: String,
    /// Who checks it.
    pub checker: String,
    /// The note at its foot.
    pub remark: String,
    /// The seller's terminal.
    pub extension_number: String,
    /// Where to tell that something became of it.
    #[serde(rename = "callBackUrl")]
    pub callback_url: String,
    /// Its lines.
    pub invoice_detail: Vec<Line>,
}

/// A line of it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What it is for.
    pub goods_name: String,
    /// That in the catalogue of goods.
    pub goods_code: String,
    /// 1: prices are with tax.
    pub with_tax_flag: String,
    /// How many.
    pub num: String,
    /// The price of one.
    pub price: String,
    /// Of what.
    pub unit: String,
    /// The tax rate, such as `0.13`.
    pub tax_rate: String,
    /// The tax.
    pub tax: String,
    /// The amount without it.
    pub tax_excluded_amount: String,
    /// The amount with it.
    pub tax_included_amount: String,
}

/// What [`ISSUE`] gives.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Taken {
    /// The service's own number.
    pub invoice_serial_num: String,
}

/// What [`QUERY`] takes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    /// Our numbers.
    pub order_nos: Vec<String>,
    /// 0: without lines.
    pub is_offer_invoice_detail: String,
}

/// An invoice as [`QUERY`] tells it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Invoice {
    /// Our number.
    pub order_no: String,
    /// Where it stands; see [`standing`].
    pub status: String,
    /// Why it was not issued.
    pub fail_cause: Option<String>,
    /// The service's own number.
    pub serial_no: Option<String>,
    /// The number of an invoice of our days.
    pub all_electronic_invoice_number: Option<String>,
    /// The number of an older one.
    pub invoice_no: Option<String>,
    /// The code of an older one.
    pub invoice_code: Option<String>,
    /// When it was issued, in milliseconds since 1970.
    pub invoice_time: Option<i64>,
    /// The amount without tax.
    pub ex_tax_amount: Option<String>,
    /// The tax.
    pub tax_amount: Option<String>,
    /// Where the file is.
    pub pdf_url: Option<String>,
}

/// Where an invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// On its way.
    Pending,
    /// Issued.
    Issued,
    /// Issued, but its file could not be sealed.
    Unsealed,
    /// Not issued.
    Failed,
}

/// What a status means.
pub fn standing(status: &str) -> Option<Standing> {
    match status {
        "20" | "21" => Some(Standing::Pending),
        "24" => Some(Standing::Unsealed),
        "22" => Some(Standing::Failed),
        // A red one that is asked for leaves the blue one issued.
        "2" | "15" | "16" | "3" | "31" => Some(Standing::Issued),
        _ => None,
    }
}

/// What [`SEAL`] takes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Seal {
    /// The service's own number; empty when we do not have it.
    pub fpqqlsh: String,
    /// Our number.
    pub orderno: String,
}

/// What [`VOID`] takes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Void {
    /// Our number of the request.
    pub bill_id: String,
    /// As [`Order::invoice_line`].
    pub blue_invoice_line: String,
    /// 0: the seller asks.
    pub apply_source: String,
    /// The number of the invoice.
    pub blue_elec_invoice_number: String,
    /// The seller's taxpayer number.
    pub seller_tax_no: String,
    /// The seller.
    pub seller_name: String,
    /// The buyer's taxpayer number.
    pub buyer_tax_no: String,
    /// The buyer.
    pub buyer_name: String,
    /// 2: the invoice was wrong.
    pub red_reason: String,
    /// The seller's terminal.
    pub extension_number: String,
}

/// What [`QUERY_VOID`] takes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueryVoid {
    /// 0: the seller asks.
    pub identity: String,
    /// Our number of the request.
    pub bill_id: String,
}

/// What [`REFRESH_VOIDS`] takes.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefreshVoids {
    /// 0: the seller asks.
    pub identity: String,
    /// From this local day.
    pub start_time: String,
    /// To this local day.
    pub end_time: String,
    /// The seller's terminal.
    pub extension_number: String,
}

/// What [`QUERY_VOID`] gives.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Voids {
    /// The requests with the number: one or none.
    pub list: Vec<VoidForm>,
}

/// A request for a red invoice (红字确认单).
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VoidForm {
    /// Our number.
    pub bill_id: String,
    /// Where it stands; see [`void_standing`].
    pub bill_status: String,
    /// Why.
    pub bill_message: Option<String>,
    /// 1: the red invoice is issued.
    pub open_status: Option<String>,
}

/// Where a request for a red invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoidStanding {
    /// On its way.
    Pending,
    /// The buyer has to agree.
    Waiting,
    /// It will not be: why.
    Refused(&'static str),
}

/// What a status means.
pub fn void_standing(status: &str) -> Option<VoidStanding> {
    Some(match status {
        "01" | "04" | "15" => VoidStanding::Pending,
        "02" | "03" => VoidStanding::Waiting,
        "05" | "06" => VoidStanding::Refused("购买方不同意红冲"),
        "07" => VoidStanding::Refused("购买方 72 小时内未确认"),
        "08" | "09" => VoidStanding::Refused("红字确认单已撤销"),
        "10" => VoidStanding::Refused("红字确认单异常"),
        "16" => VoidStanding::Refused("红字确认单申请失败"),
        _ => return None,
    })
}

/// What the service tells by itself. Nothing signs it, so that it only says that it is time to ask.
#[derive(Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Always `callback`.
    #[serde(default)]
    pub operater: String,
    /// Our number.
    pub orderno: String,
    /// What became of it, as JSON.
    #[serde(default)]
    pub content: String,
}
