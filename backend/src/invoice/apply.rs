//! Puts into effect what the invoicing service said.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{invoice_orders, invoices};
use shared::invoice::InvoiceState;
use uuid::Uuid;

use super::Invoice;
use super::state::{Verdict, next};
use crate::error::Result;

/// Locks an invoice.
pub(super) async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> Result<Invoice> {
    Ok(invoices::table.find(id).select(Invoice::as_select()).for_no_key_update().first(conn).await?)
}

/// Writes down what was said for good of what was sent under a number, within the caller's transaction. What is about an
/// earlier number, or was known, changes nothing.
pub(super) async fn verdict(
    conn: &mut AsyncPgConnection,
    about: &Invoice,
    said: Verdict,
    now: DateTime<Utc>,
) -> Result<()> {
    let invoice = lock(conn, about.id).await?;
    let Some(state) = next(invoice.state, &said) else { return Ok(()) };
    if (&invoice.serial_no, &invoice.void_no) != (&about.serial_no, &about.void_no) {
        return Ok(());
    }
    let one = invoices::table.find(invoice.id);
    let failure = match said {
        Verdict::Issued(it) => {
            let set = (invoices::number.eq(it.number), invoices::code.eq(it.code), invoices::issued_at.eq(it.at));
            diesel::update(one).set((set, invoices::state.eq(state))).execute(conn).await?;
            None
        }
        Verdict::Failed(why) | Verdict::VoidRefused(why) => Some(why),
        Verdict::Voided => None,
    };
    let set = (
        invoices::failure.eq(failure),
        invoices::finished_at.eq(now),
        invoices::not_found_at.eq(None::<DateTime<Utc>>),
    );
    become_state(conn, &invoice, state).await?;
    diesel::update(one).set(set).execute(conn).await?;
    invoice.tell(conn).await
}

/// Moves a locked invoice to a state; whether its orders can be in another one follows.
pub(super) async fn become_state(conn: &mut AsyncPgConnection, invoice: &Invoice, state: InvoiceState) -> Result<()> {
    let set = (invoices::state.eq(state), invoices::version.eq(invoices::version + 1));
    diesel::update(invoices::table.find(invoice.id)).set(set).execute(conn).await?;
    if state.is_live() != invoice.state.is_live() {
        let orders = invoice_orders::table.filter(invoice_orders::invoice_id.eq(invoice.id));
        diesel::update(orders).set(invoice_orders::live.eq(state.is_live())).execute(conn).await?;
    }
    Ok(())
}

/// Writes down why there is no answer yet, for people.
pub(super) async fn pending(conn: &mut AsyncPgConnection, invoice: &Invoice, why: Option<&str>) -> Result<()> {
    diesel::update(invoices::table.find(invoice.id)).set(invoices::failure.eq(why)).execute(conn).await?;
    Ok(())
}
