//! Electronic invoices of charge orders: what is asked for, and where it stands.

mod driver;
mod seller;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

pub use self::driver::{DriverInvoice, DriverInvoiceRequest, InvoiceableOrder};
pub use self::seller::{Seller, VatRate};
use crate::codes::{Code, codes};
use crate::describe::{Action, As, Column, Fact, Field, Input};
use crate::fixed::Fen;
use crate::payment::OrderKind;
use crate::pricing::InvoiceLine;
use crate::problem::FieldError;
use crate::resource::{Form, Resource, Row, Verb};
use crate::text::{Lang, Text, t};

codes! {
    /// What an invoice is good for (发票类型).
    pub enum InvoiceKind {
        Ordinary = "ordinary", Primary, "数电普票", "Ordinary";
        Special = "special", Warning, "数电专票", "Special";
    }
    /// Whom an invoice is for.
    pub enum Buyer {
        Company = "company", Primary, "企业", "Company";
        Person = "person", Info, "个人", "Person";
    }
    /// Where an invoice stands (开票状态).
    pub enum InvoiceState {
        Submitted = "submitted", Warning, "开票中", "Under way";
        Issued = "issued", Success, "开票成功", "Issued";
        Failed = "failed", Danger, "开票失败", "Failed";
        Voiding = "voiding", Warning, "作废中", "Being voided";
        Voided = "voided", Info, "已作废", "Voided";
    }
}

impl InvoiceState {
    /// It counts: its orders can be in no other invoice, and what was paid for them is not refunded.
    pub const fn is_live(self) -> bool {
        match self {
            Self::Submitted | Self::Issued | Self::Voiding => true,
            Self::Failed | Self::Voided => false,
        }
    }
}

/// An invoice as the list and the sheet show it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InvoiceRow {
    /// Id.
    pub id: Uuid,
    /// Our own number (发票编号).
    #[schema(example = "F26112610000001")]
    pub invoice_no: String,
    /// Where it stands.
    pub state: InvoiceState,
    /// What it is good for.
    pub kind: InvoiceKind,
    /// What kind of orders it is about (配置类型).
    pub order_kind: OrderKind,
    /// The provider whose station it is.
    pub provider_id: Uuid,
    /// The property whose station it is.
    pub property_id: Uuid,
    /// The station.
    pub station_id: Uuid,
    /// That station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// Whom it is for.
    pub buyer: Buyer,
    /// The name on it (发票抬头).
    #[schema(example = "杭州滨江物流有限公司")]
    pub title: String,
    /// The buyer's taxpayer number.
    #[schema(example = "91330108MA27XXXX1B")]
    pub tax_id: Option<String>,
    /// Where it is sent.
    #[schema(example = "finance@example.com")]
    pub email: String,
    /// The buyer's telephone.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// The amount with tax, in fen.
    #[schema(example = 3345)]
    pub gross_fen: Fen,
    /// The tax within it, in fen.
    #[schema(example = 385)]
    pub tax_fen: Fen,
    /// The invoice's own number (发票号码), once it is issued.
    #[schema(example = "26332000000012345678")]
    pub number: Option<String>,
    /// The invoice's own code (发票代码); invoices of our days have none.
    pub code: Option<String>,
    /// The number that the invoicing service knows it by (发票订单号).
    #[schema(example = "F26112610000001A1")]
    pub serial_no: String,
    /// The service's own number (流水号).
    pub service_no: Option<String>,
    /// What the invoicing service knows the seller by (商户号).
    #[schema(example = "ZS100001")]
    pub merchant_no: String,
    /// Who asked for it: the driver, or a member of staff by name (申请人).
    #[schema(example = "driver")]
    pub requested_by: String,
    /// What went wrong last, for people.
    pub failure: Option<String>,
    /// Why it was to be voided.
    pub void_reason: Option<String>,
    /// The file is there.
    pub file: bool,
    /// Version.
    pub version: i64,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was issued.
    pub issued_at: Option<DateTime<Utc>>,
    /// When it came to its end: issued, failed or voided.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Row for InvoiceRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// An order that an invoice is about.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InvoicedOrder {
    /// The order.
    pub order_id: Uuid,
    /// Its number.
    #[schema(example = "C26112210000001")]
    pub order_no: String,
    /// What of it is on the invoice, in fen.
    #[schema(example = 3345)]
    pub gross_fen: Fen,
}

/// All that is known of an invoice.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InvoiceDetail {
    /// The invoice itself.
    #[serde(flatten)]
    pub invoice: InvoiceRow,
    /// The seller on it.
    pub seller: Seller,
    /// A line for each fee.
    pub lines: Vec<InvoiceLine>,
    /// The orders that it is about.
    pub orders: Vec<InvoicedOrder>,
}

impl Row for InvoiceDetail {
    fn id(&self) -> Uuid {
        self.invoice.id
    }
}

/// How invoices are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct InvoiceFilter {
    /// Of orders at this station.
    pub station_id: Option<Uuid>,
    /// Of this kind.
    pub kind: Option<InvoiceKind>,
    /// In this state.
    pub state: Option<InvoiceState>,
    /// With this number of ours.
    pub invoice_no: Option<String>,
    /// With this number of its own.
    pub number: Option<String>,
    /// Part of the name on it.
    pub title: Option<String>,
    /// For the taxpayer with this number.
    pub tax_id: Option<String>,
    /// Part of who asked for it: a name, or the buyer's telephone.
    pub requested_by: Option<String>,
    /// Asked for on this local day or later.
    #[param(example = "2026-11-16")]
    pub created_from: Option<NaiveDate>,
    /// Asked for on this local day or earlier.
    #[param(example = "2026-11-22")]
    pub created_to: Option<NaiveDate>,
    /// Ended on this local day or later.
    #[param(example = "2026-11-16")]
    pub finished_from: Option<NaiveDate>,
    /// Ended on this local day or earlier.
    #[param(example = "2026-11-22")]
    pub finished_to: Option<NaiveDate>,
}

/// Invoices (发票).
pub struct Invoices;

impl Resource for Invoices {
    const PATH: &'static str = "orders/invoices";
    const ONE: &'static str = "Invoice";
    const MANY: &'static str = "Invoices";
    const TITLE: Text = t("发票管理", "Invoices");
    const PERMISSION: &'static str = "order.invoice";
    const NAME: &'static str = "invoice_no";
    type Row = InvoiceRow;
    type Detail = InvoiceDetail;
    type Filter = InvoiceFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("invoice_no", t("发票编号", "Invoice"), As::Text),
        Column::new("state", t("开票状态", "State"), As::Code(InvoiceState::CHOICES)),
        Column::new("kind", t("发票类型", "Kind"), As::Code(InvoiceKind::CHOICES)),
        Column::new("order_kind", t("配置类型", "Orders"), As::Code(OrderKind::CHOICES)).detail_only(),
        Column::new("station", t("电站", "Station"), As::Text).at("station_name"),
        Column::new("buyer", t("购买方类型", "Buyer"), As::Code(Buyer::CHOICES)).detail_only(),
        Column::new("title", t("发票抬头", "Title"), As::Text),
        Column::new("tax_id", t("纳税人识别号", "Tax id"), As::Text),
        Column::new("email", t("邮箱", "E-mail"), As::Text).detail_only(),
        Column::new("phone", t("手机号", "Phone"), As::Text).detail_only(),
        Column::new("gross", t("开票金额(元)", "Amount (yuan)"), As::Fen).at("gross_fen"),
        Column::new("tax", t("税额(元)", "Tax (yuan)"), As::Fen).at("tax_fen").detail_only(),
        Column::new("number", t("发票号码", "Number"), As::Text),
        Column::new("code", t("发票代码", "Code"), As::Text).detail_only(),
        Column::new("serial_no", t("发票订单号", "Sent as"), As::Text).detail_only(),
        Column::new("service_no", t("流水号", "Serial no."), As::Text).detail_only(),
        Column::new("merchant_no", t("商户号", "Merchant no."), As::Text).detail_only(),
        Column::new("requested_by", t("申请人", "Asked for by"), As::Actor),
        Column::new("failure", t("失败原因", "What went wrong"), As::Text).detail_only(),
        Column::new("void_reason", t("作废原因", "Why it was voided"), As::Text).detail_only(),
        Column::new("id", t("申请时间", "Asked for"), As::Time).at("created_at").sorted(),
        Column::new("issued_at", t("开票时间", "Issued"), As::Time).detail_only(),
        Column::new("finished_at", t("完成时间", "Ended"), As::Time),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("state", t("开票状态", "State"), Input::Choice(InvoiceState::CHOICES)),
        Field::new("title", t("发票抬头", "Title"), Input::Text(100)),
        Field::new("tax_id", t("纳税识别号", "Tax id"), Input::Text(20)),
        Field::new("station_id", t("电站", "Station"), Input::Lookup("car/stations")),
        Field::new("created", t("申请时间", "Asked for"), Input::Days),
        Field::new("kind", t("发票类型", "Kind"), Input::Choice(InvoiceKind::CHOICES)),
        Field::new("invoice_no", t("发票编号", "Invoice"), Input::Text(32)),
        Field::new("number", t("发票号码", "Number"), Input::Text(32)),
        Field::new("requested_by", t("申请人", "Asked for by"), Input::Text(50)),
        Field::new("finished", t("完成时间", "Ended"), Input::Days),
    ];
    const ACTIONS: &'static [Action] = &[
        Action::new("download", t("下载PDF", "Download PDF")).when(|it| it["file"] == true).file("pdf"),
        Action::new("reissue", t("重开", "Issue again"))
            .done(t("重开申请已提交", "It is being issued again"))
            .confirm(t(
                "用电站当前的发票配置重新开票，购买方信息不变。",
                "It is issued anew with the station's particulars as they are now; the buyer's stay.",
            ))
            .when(|it| it["state"] == "failed")
            .keyed(),
        Action::new("void", t("作废", "Void"))
            .done(t("作废申请已提交", "It is being voided"))
            .fields(VoidForm::FIELDS)
            .facts(&[
                Fact::new("title", t("发票抬头", "Title"), As::Text),
                Fact::new("gross_fen", t("开票金额(元)", "Amount (yuan)"), As::Fen),
            ])
            .when(|it| it["state"] == "issued")
            .danger()
            .keyed(),
    ];
    const VERBS: &'static [Verb] = &[Verb::View, Verb::Export];
}

/// Why an invoice is voided.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct VoidForm {
    /// For those who look at it later.
    #[schema(example = "抬头填写错误")]
    pub reason: String,
}

impl Form for VoidForm {}

impl VoidForm {
    /// How it is filled in.
    pub const FIELDS: &'static [Field] =
        &[Field::new("reason", t("作废原因", "Reason"), Input::Text(100)).required().help(t(
            "数电发票不能直接作废：将申请红字发票冲销，购买方已入账的须其确认，可能需要数日。",
            "An invoice of our days is undone by a red one; a buyer who has booked it must agree, which can take days.",
        ))];
}

/// What staff fills in to have an order invoiced (3.4.1/3).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InvoiceRequest {
    /// What it is good for; ordinary when nothing is said.
    pub kind: Option<InvoiceKind>,
    /// The name on it.
    #[schema(example = "杭州滨江物流有限公司")]
    pub title: String,
    /// The buyer's taxpayer number.
    #[schema(example = "91330108MA27XXXX1B")]
    pub tax_id: String,
    /// Where it is sent.
    #[schema(example = "finance@example.com")]
    pub email: String,
}

impl Form for InvoiceRequest {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        check_tax_id(&self.tax_id, lang).into_iter().collect()
    }
}

const KIND: Field = Field::new("kind", t("发票类型", "Kind"), Input::Choice(InvoiceKind::CHOICES));
const TITLE: Field = Field::new("title", t("发票抬头", "Title"), Input::Text(100)).required();
const TAX_ID: Field = Field::new("tax_id", t("纳税人识别号", "Tax id"), Input::Text(20));
const EMAIL: Field = Field::new("email", t("邮箱", "E-mail"), Input::Email).required();

impl InvoiceRequest {
    /// How it is filled in.
    pub const FIELDS: &'static [Field] = &[
        KIND.help(t("不选则开具数电普票。", "Ordinary when none is chosen.")),
        TITLE,
        TAX_ID.required(),
        EMAIL.help(t("开具后由开票服务发送到此邮箱。", "The invoicing service sends the invoice there.")),
    ];
}

/// A taxpayer's number: 15 to 20 digits and capital letters.
fn check_tax_id(tax_id: &str, lang: Lang) -> Option<FieldError> {
    let good =
        (15..=20).contains(&tax_id.len()) && tax_id.bytes().all(|it| it.is_ascii_digit() || it.is_ascii_uppercase());
    let message = t("请填写 15 至 20 位数字或大写字母", "15 to 20 digits and capital letters").get(lang);
    (!good).then(|| FieldError::new("tax_id", "format", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taxpayers_have_numbers_of_15_to_20_signs() {
        for good in ["91330108MA27XXXX1B", "123456789012345", "12345678901234567890"] {
            assert_eq!(check_tax_id(good, Lang::Zh), None);
        }
        for bad in [
            "",
            "12345678901234",
            "123456789012345678901",
            "91330108ma27xxxx1b",
            "9133 108MA27XXXX1B",
            "税号税号税号税号税号",
        ] {
            assert_eq!(check_tax_id(bad, Lang::Zh).unwrap().code, "format");
        }
    }
}
