//! Electronic invoices. One is made with its number in a transaction that locks its orders; a job then has the invoicing
//! service issue it, asks until there is an answer, and keeps the file. What is not known is under way, never failed.

mod apply;
mod carry;
mod file;
mod list;
mod mine;
mod notice;
pub mod nuonuo;
mod request;
mod state;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{invoice_orders, invoices};
use shared::fixed::Fen;
use shared::invoice::{Buyer, InvoiceKind, InvoiceState, Seller};
use shared::pricing::InvoiceLines;
use uuid::Uuid;

use crate::api::op::Op;
use crate::auth::scope::Owner;
use crate::error::Result;
use crate::events::{self, Happening, Kind};

pub use carry::Carry;
pub use list::of_order;
pub use request::{for_order, is_live};

/// Who asked for an invoice in the mini-program.
const DRIVER: &str = "driver";

/// An invoice, as far as its machine needs to know it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = invoices, check_for_backend(Pg))]
struct Invoice {
    id: Uuid,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    driver_id: Uuid,
    state: InvoiceState,
    kind: InvoiceKind,
    buyer: Buyer,
    title: String,
    tax_id: Option<String>,
    email: String,
    phone: String,
    seller: Seller,
    lines: InvoiceLines,
    gross_fen: Fen,
    serial_no: String,
    number: Option<String>,
    void_no: Option<String>,
    sent_at: Option<DateTime<Utc>>,
    not_found_at: Option<DateTime<Utc>>,
    version: i64,
}

impl Invoice {
    /// Whose it is.
    const fn owner(&self) -> Owner {
        Owner { provider_id: self.provider_id, property_id: self.property_id, station_id: self.station_id }
    }

    /// Tells that something became of it, and so of its orders.
    async fn tell(&self, conn: &mut AsyncPgConnection) -> Result<()> {
        let orders = invoice_orders::table.filter(invoice_orders::invoice_id.eq(self.id));
        let orders: Vec<Uuid> = orders.select(invoice_orders::order_id).load(conn).await?;
        let about = |kind, id| Happening { kind, id, owner: self.owner(), driver_id: Some(self.driver_id) };
        let mut told = vec![about(Kind::Invoice, self.id)];
        told.extend(orders.into_iter().map(|id| about(Kind::CarOrder, id)));
        events::tell_all(conn, &told).await
    }
}

/// The operations of invoices.
pub fn operations() -> Vec<Op> {
    [list::operations(), mine::operations(), notice::operations()].into_iter().flatten().collect()
}
