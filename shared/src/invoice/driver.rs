//! Invoices as drivers ask for them (5/8).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Buyer, EMAIL, InvoiceKind, InvoiceState, KIND, TAX_ID, TITLE, check_tax_id};
use crate::codes::Code;
use crate::describe::{Field, Input};
use crate::fixed::Fen;
use crate::problem::FieldError;
use crate::resource::{Form, Row};
use crate::text::{Lang, t};

/// An order that its driver can have invoiced.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct InvoiceableOrder {
    /// The order.
    pub id: Uuid,
    /// Its number.
    #[schema(example = "C26112210000001")]
    pub order_no: String,
    /// The station. Orders of one station can be put on one invoice.
    pub station_id: Uuid,
    /// That station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// What can be invoiced: the fee that was kept, less what was given back.
    #[schema(example = 3345)]
    pub gross_fen: Fen,
    /// When the charge ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl Row for InvoiceableOrder {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// Asks for an invoice over some of one's orders.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverInvoiceRequest {
    /// The orders, all of one station.
    #[schema(max_items = 50)]
    pub order_ids: Vec<Uuid>,
    /// Whom it is for.
    pub buyer: Buyer,
    /// What it is good for; ordinary when nothing is said.
    pub kind: Option<InvoiceKind>,
    /// The name on it.
    #[schema(example = "杭州滨江物流有限公司")]
    pub title: String,
    /// The company's taxpayer number; a person needs none.
    #[schema(example = "91330108MA27XXXX1B")]
    pub tax_id: Option<String>,
    /// Where it is sent.
    #[schema(example = "finance@example.com")]
    pub email: String,
}

impl Form for DriverInvoiceRequest {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.order_ids.len() > Self::MOST {
            let message = t("一张发票最多 50 个订单", "At most 50 orders on one invoice").get(lang);
            errors.push(FieldError::new("order_ids", "range", message));
        }
        match (self.buyer, &self.tax_id) {
            (Buyer::Company, Some(tax_id)) => errors.extend(check_tax_id(tax_id, lang)),
            (Buyer::Company, None) | (Buyer::Person, _) => {}
        }
        if self.buyer == Buyer::Person && self.kind == Some(InvoiceKind::Special) {
            let message = t("专票只能开给企业", "Only a company gets a special invoice").get(lang);
            errors.push(FieldError::new("kind", "choice", message));
        }
        errors
    }
}

impl DriverInvoiceRequest {
    /// So many orders are on one invoice at most.
    pub const MOST: usize = 50;
    /// How it is filled in.
    pub const FIELDS: &'static [Field] = &[
        Field::new("order_ids", t("订单", "Orders"), Input::Lookups("orders/car")).required(),
        Field::new("buyer", t("购买方类型", "Buyer"), Input::Choice(Buyer::CHOICES)).required(),
        KIND,
        TITLE,
        TAX_ID.only("buyer", &["company"]),
        EMAIL,
    ];
}

/// An invoice as its driver sees it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverInvoice {
    /// Id.
    pub id: Uuid,
    /// Our number.
    #[schema(example = "F26112610000001")]
    pub invoice_no: String,
    /// Where it stands.
    pub state: InvoiceState,
    /// What it is good for.
    pub kind: InvoiceKind,
    /// The station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// The name on it.
    #[schema(example = "杭州滨江物流有限公司")]
    pub title: String,
    /// The amount with tax.
    #[schema(example = 3345)]
    pub gross_fen: Fen,
    /// The invoice's own number.
    pub number: Option<String>,
    /// Where it is sent.
    #[schema(example = "finance@example.com")]
    pub email: String,
    /// What went wrong last.
    pub failure: Option<String>,
    /// The file can be fetched.
    pub file: bool,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was issued.
    pub issued_at: Option<DateTime<Utc>>,
}

impl Row for DriverInvoice {
    fn id(&self) -> Uuid {
        self.id
    }
}
