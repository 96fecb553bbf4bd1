//! Carries an invoice on: has it issued or undone, asks until there is an answer, and keeps its file. The call to the
//! service lies between two transactions: `sent_at` is written first, and whoever finds it asks before sending again.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, invoice_orders, invoices};
use serde::{Deserialize, Serialize};
use shared::invoice::InvoiceState;
use uuid::Uuid;

use super::nuonuo::{Nuonuo, Seen};
use super::state::Verdict;
use super::{Invoice, apply, file};
use crate::app::App;
use crate::error::Result;
use crate::jobs::{Job, Outcome, ask_again};
use crate::payment::channel::Failure;

/// The shortest and the longest time between two questions about one invoice.
const SHORTEST: TimeDelta = TimeDelta::seconds(3);
const LONGEST: TimeDelta = TimeDelta::hours(1);

/// Carries one invoice on until nothing is left to do. Run twice it sends the same number twice at worst, which is the
/// same invoice.
#[derive(Serialize, Deserialize)]
pub struct Carry {
    /// Which one.
    pub invoice_id: Uuid,
}

/// What is to be done now.
enum Task {
    Send,
    Ask,
    Fetch,
    Nothing,
}

impl Job for Carry {
    const KIND: &'static str = "invoice.carry";

    fn key(&self) -> String {
        self.invoice_id.to_string()
    }

    async fn run(self, app: &App) -> anyhow::Result<Outcome> {
        let (task, invoice) = begin(app, self.invoice_id).await?;
        let next = match task {
            Task::Nothing => return Ok(Outcome::Done),
            Task::Send => send(app, &invoice).await?,
            Task::Ask => ask(app, &invoice).await?,
            Task::Fetch => fetch(app, &invoice).await?,
        };
        let mut conn = app.conn().await?;
        if next.is_none() && is_over(&mut conn, self.invoice_id).await? {
            return Ok(Outcome::Done);
        }
        let since = invoice.sent_at.unwrap_or_else(|| app.now());
        Ok(Outcome::Again(next.unwrap_or_else(|| ask_again(since, app.now(), SHORTEST, LONGEST))))
    }
}

/// Whether nothing is left to do.
async fn is_over(conn: &mut AsyncPgConnection, id: Uuid) -> Result<bool> {
    let state = invoices::table.find(id).select(invoices::state).first(conn).await?;
    Ok(match state {
        InvoiceState::Submitted | InvoiceState::Voiding => false,
        InvoiceState::Issued => file::is_kept(conn, id).await?,
        InvoiceState::Failed | InvoiceState::Voided => true,
    })
}

/// Writes down that it is sent before it is.
async fn begin(app: &App, id: Uuid) -> Result<(Task, Invoice)> {
    let now = app.now();
    let mut conn = app.conn().await?;
    conn.transaction(async |conn| {
        let mut invoice = apply::lock(conn, id).await?;
        let task = match invoice.state {
            InvoiceState::Submitted | InvoiceState::Voiding if invoice.sent_at.is_none() => {
                diesel::update(invoices::table.find(id)).set(invoices::sent_at.eq(now)).execute(conn).await?;
                invoice.sent_at = Some(now);
                Task::Send
            }
            InvoiceState::Submitted | InvoiceState::Voiding => Task::Ask,
            InvoiceState::Issued if file::is_kept(conn, id).await? => Task::Nothing,
            InvoiceState::Issued => Task::Fetch,
            InvoiceState::Failed | InvoiceState::Voided => Task::Nothing,
        };
        Ok((task, invoice))
    })
    .await
}

/// Sends it, the first time or again; the number is the same, so it is the same invoice.
async fn send(app: &App, invoice: &Invoice) -> Result<Option<DateTime<Utc>>> {
    let service = Nuonuo::of(app, invoice);
    let sent = match invoice.state {
        InvoiceState::Voiding => service.void().await,
        _ => service.issue(&remark(app, invoice).await?).await.map(Some),
    };
    match sent {
        Ok(service_no) => {
            let mut conn = app.conn().await?;
            if let Some(it) = service_no {
                diesel::update(invoices::table.find(invoice.id))
                    .set(invoices::service_no.eq(it))
                    .execute(&mut conn)
                    .await?;
            }
            apply::pending(&mut conn, invoice, None).await?;
        }
        Err(Failure::Refused(why)) => settle(app, invoice, refusal(invoice.state, why)).await?,
        Err(failure @ (Failure::Unknown(_) | Failure::NotFound)) => pending(app, invoice, &failure).await?,
    }
    Ok(None)
}

/// The numbers of the orders, for the foot of the invoice.
async fn remark(app: &App, invoice: &Invoice) -> Result<String> {
    let orders = invoice_orders::table.inner_join(car_orders::table).filter(invoice_orders::invoice_id.eq(invoice.id));
    let numbers = orders.order(car_orders::id).select(car_orders::order_no);
    let numbers: Vec<String> = numbers.load(&mut app.conn().await?).await?;
    Ok(numbers.join(" "))
}

/// What a definite no to what is under way means.
fn refusal(state: InvoiceState, why: String) -> Verdict {
    if state == InvoiceState::Voiding { Verdict::VoidRefused(why) } else { Verdict::Failed(why) }
}

/// Asks what became of it. That the service does not know it is believed when it says so twice, well apart: what was sent
/// may still be on its way.
async fn ask(app: &App, invoice: &Invoice) -> Result<Option<DateTime<Utc>>> {
    let (now, apart) = (app.now(), TimeDelta::seconds(app.config.invoice.not_found_seconds));
    let service = Nuonuo::of(app, invoice);
    let seen = match invoice.state {
        InvoiceState::Voiding => service.void_seen().await,
        _ => service.seen().await,
    };
    match (seen, invoice.not_found_at) {
        (Ok(seen), _) => take(app, invoice, seen).await?,
        (Err(Failure::NotFound), None) => {
            not_found(&mut *app.conn().await?, invoice.id, Some(now)).await?;
            return Ok(Some(now + apart));
        }
        (Err(Failure::NotFound), Some(first)) if now < first + apart => return Ok(Some(first + apart)),
        (Err(Failure::NotFound), Some(_)) => {
            not_found(&mut *app.conn().await?, invoice.id, None).await?;
            return send(app, invoice).await;
        }
        (Err(Failure::Refused(why)), _) => settle(app, invoice, refusal(invoice.state, why)).await?,
        (Err(failure @ Failure::Unknown(_)), _) => pending(app, invoice, &failure).await?,
    }
    Ok(None)
}

async fn take(app: &App, invoice: &Invoice, seen: Seen) -> Result<()> {
    match seen {
        Seen::Pending => apply::pending(&mut *app.conn().await?, invoice, None).await,
        Seen::Issued(issued, url) => {
            settle(app, invoice, Verdict::Issued(issued)).await?;
            keep(app, invoice, url.as_deref()).await
        }
        Seen::Over(verdict) => settle(app, invoice, verdict).await,
    }
}

async fn settle(app: &App, invoice: &Invoice, said: Verdict) -> Result<()> {
    let (mut conn, now) = (app.conn().await?, app.now());
    conn.transaction(async |conn| apply::verdict(conn, invoice, said, now).await).await
}

/// Fetches the file of an issued invoice; its address is asked for anew, for addresses expire.
async fn fetch(app: &App, invoice: &Invoice) -> Result<Option<DateTime<Utc>>> {
    match Nuonuo::of(app, invoice).seen().await {
        Ok(Seen::Issued(_, url)) => keep(app, invoice, url.as_deref()).await?,
        Ok(Seen::Pending | Seen::Over(_)) => {}
        Err(failure) => pending(app, invoice, &failure).await?,
    }
    Ok(None)
}

/// Keeps the file. One that is not there yet, because it was not sealed, is asked for.
async fn keep(app: &App, invoice: &Invoice, url: Option<&str>) -> Result<()> {
    let kept = match url {
        Some(url) => file::keep(app, invoice.id, url).await,
        None => Nuonuo::of(app, invoice).seal().await,
    };
    match kept {
        Ok(()) => invoice.tell(&mut *app.conn().await?).await,
        Err(failure) => pending(app, invoice, &failure).await,
    }
}

async fn not_found(conn: &mut AsyncPgConnection, id: Uuid, at: Option<DateTime<Utc>>) -> Result<()> {
    diesel::update(invoices::table.find(id)).set(invoices::not_found_at.eq(at)).execute(conn).await?;
    Ok(())
}

async fn pending(app: &App, invoice: &Invoice, failure: &Failure) -> Result<()> {
    tracing::warn!(serial_no = %invoice.serial_no, error = %failure, "an invoice is pending: {failure}");
    apply::pending(&mut *app.conn().await?, invoice, Some(&failure.to_string())).await
}
