//! Refunds: money that goes back to where it came from, each of them exactly once.
//!
//! A refund is created with its number under a lock on its payment, so that together they never exceed it; then a job
//! carries it out. `sent` is written before the channel is called, and whoever finds it asks before sending again.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{payments, refunds};
use shared::fixed::Fen;
use shared::payment::{Channel, PaymentState, RefundKind, RefundState};
use shared::pricing::refund_limit;
use uuid::Uuid;

use super::Payment;
use crate::app::new_id;
use crate::auth::scope::Owner;
use crate::error::{Error, Result};
use crate::events::{self, Happening, Kind};
use crate::jobs;
use crate::ledger::{self, Account, Posting};

pub mod apply;
pub mod send;
pub mod staff;

use send::SendRefund;

/// The states in which the amount is free again: the money has definitely not gone.
const GIVEN_UP: [RefundState; 2] = [RefundState::Failed, RefundState::Closed];
/// Who asks for refunds that nobody asks for.
const SYSTEM: &str = "system";

/// A refund, as far as its machine needs to know it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = refunds, check_for_backend(Pg))]
pub struct Refund {
    /// Id.
    pub id: Uuid,
    /// Our number.
    pub refund_no: String,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    /// The payment whose money it is.
    pub payment_id: Uuid,
    /// The order.
    pub order_id: Uuid,
    /// That order's number.
    pub order_no: String,
    /// The way that the money takes.
    pub channel: Channel,
    /// Why it goes back.
    pub kind: RefundKind,
    seq: i32,
    /// How much.
    pub amount_fen: Fen,
    /// The part that lowers the energy fee.
    pub elec_fen: Fen,
    /// The part that lowers the service fee.
    pub service_fen: Fen,
    /// Where it stands.
    pub state: RefundState,
    /// Why, in words.
    pub reason: String,
    /// When the channel was asked to carry it out.
    pub sent_at: Option<DateTime<Utc>>,
    /// When the channel said first that it does not know it.
    pub not_found_at: Option<DateTime<Utc>>,
    /// The number under which it was asked for again.
    retried_as: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

impl Refund {
    /// Whose it is.
    pub const fn owner(&self) -> Owner {
        Owner { provider_id: self.provider_id, property_id: self.property_id, station_id: self.station_id }
    }

    /// Tells that something became of it.
    async fn tell(&self, conn: &mut AsyncPgConnection, driver_id: Uuid) -> Result<()> {
        let happening = Happening { kind: Kind::Refund, id: self.id, owner: self.owner(), driver_id: Some(driver_id) };
        events::tell(conn, &happening).await
    }
}

#[derive(Insertable)]
#[diesel(table_name = refunds, treat_none_as_default_value = false)]
struct Row<'a> {
    id: Uuid,
    refund_no: String,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    payment_id: Uuid,
    order_id: Uuid,
    order_no: &'a str,
    phone: &'a str,
    channel: Channel,
    kind: RefundKind,
    seq: i32,
    amount_fen: Fen,
    elec_fen: Fen,
    service_fen: Fen,
    state: RefundState,
    reason: &'a str,
    requested_by: &'a str,
    created_at: DateTime<Utc>,
}

/// What is asked to go back.
struct Wish<'a> {
    kind: RefundKind,
    amount: Fen,
    /// Its parts of the energy and the service fee.
    parts: (Fen, Fen),
    reason: &'a str,
    by: &'a str,
}

/// Gives the rest of an order's prepayment back, in the transaction that settles the order and has booked the amount as
/// due to the payer. An order has one such refund, so asking twice is asking once.
///
/// # Errors
/// The order was not paid, or more is asked for than is left of the payment.
pub async fn automatic(
    conn: &mut AsyncPgConnection,
    order_id: Uuid,
    amount: Fen,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    if amount == Fen::ZERO {
        return Ok(());
    }
    let payment = lock_used(conn, order_id).await?;
    let first = refunds::table.filter(refunds::payment_id.eq(payment.id)).filter(refunds::seq.eq(0));
    let known: Option<Fen> = first.select(refunds::amount_fen).first(conn).await.optional()?;
    match known {
        None => {}
        Some(known) if known == amount => return Ok(()),
        Some(known) => {
            let no = &payment.payment_no;
            return Err(Error::internal(format!("{known} yuan of {no} went back already, now {amount}")));
        }
    }
    let wish = Wish { kind: RefundKind::Automatic, amount, parts: Default::default(), reason, by: SYSTEM };
    insert(conn, &payment, wish, now, now).await?;
    Ok(())
}

/// Gives all of a payment back that found no order to pay for.
///
/// # Errors
/// The database's.
pub async fn orphan(conn: &mut AsyncPgConnection, payment: &Payment, now: DateTime<Utc>) -> Result<()> {
    let amount = payment.amount_fen;
    let reason = "支付到账时订单已关闭";
    let wish = Wish { kind: RefundKind::Orphan, amount, parts: Default::default(), reason, by: SYSTEM };
    let refund_no = insert(conn, payment, wish, now, now).await?;
    due(conn, payment, &refund_no, vec![(Account::Prepaid(payment.order_no.clone()), amount)]).await
}

/// Asks once more, under the next number, for what a definitely failed refund did not bring back, and is due still.
///
/// # Errors
/// The database's.
async fn again(
    conn: &mut AsyncPgConnection,
    payment: &Payment,
    failed: &Refund,
    by: &str,
    run_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let wish = Wish {
        kind: failed.kind,
        amount: failed.amount_fen,
        parts: (failed.elec_fen, failed.service_fen),
        reason: &failed.reason,
        by,
    };
    let refund_no = insert(conn, payment, wish, run_at, now).await?;
    succeed_by(conn, failed, &refund_no).await
}

/// Writes down under which number a failed refund was asked for again. That happens once: the refund is locked.
async fn succeed_by(conn: &mut AsyncPgConnection, failed: &Refund, refund_no: &str) -> Result<()> {
    let set = (refunds::retried_as.eq(refund_no), refunds::version.eq(refunds::version + 1));
    diesel::update(refunds::table.find(failed.id)).set(set).execute(conn).await?;
    Ok(())
}

/// Locks the payment that an order runs on: the paid one that was not sent back as an orphan.
async fn lock_used(conn: &mut AsyncPgConnection, order_id: Uuid) -> Result<Payment> {
    let orphaned = refunds::table.filter(refunds::order_id.eq(order_id)).filter(refunds::kind.eq(RefundKind::Orphan));
    let used = payments::table
        .filter(payments::order_id.eq(order_id))
        .filter(payments::state.eq(PaymentState::Paid))
        .filter(payments::id.ne_all(orphaned.select(refunds::payment_id)));
    let payment = used.select(Payment::as_select()).for_no_key_update().first(conn).await.optional()?;
    payment.ok_or_else(|| Error::internal(format!("order {order_id} has no payment to give back")))
}

/// Refuses more than is left of a locked payment after all that has gone of it or may still go.
async fn check_limit(conn: &mut AsyncPgConnection, payment: &Payment, amount: Fen) -> Result<()> {
    let standing = refunds::table.filter(refunds::payment_id.eq(payment.id)).filter(refunds::state.ne_all(GIVEN_UP));
    let taken: Vec<Fen> = standing.select(refunds::amount_fen).load(conn).await?;
    let taken = Fen::sum(taken).map_err(anyhow::Error::from)?;
    let limit = refund_limit(payment.amount_fen, taken, amount).map_err(anyhow::Error::from)?;
    if limit.accepted { Ok(()) } else { Err(Error::RefundLimit(limit.max_refund_fen)) }
}

/// Writes a refund of a locked payment and has it carried out from `run_at` on; gives its number.
async fn insert(
    conn: &mut AsyncPgConnection,
    payment: &Payment,
    wish: Wish<'_>,
    run_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<String> {
    check_limit(conn, payment, wish.amount).await?;
    let earlier = refunds::table.filter(refunds::payment_id.eq(payment.id)).select(diesel::dsl::max(refunds::seq));
    let earlier: Option<i32> = earlier.first(conn).await?;
    // What happens by itself comes first and is number 0, so that it can exist only once; staff begins with 1.
    let first = if wish.kind == RefundKind::Manual { 1 } else { 0 };
    let seq = earlier.map_or(first, |it| it.saturating_add(1));
    let id = new_id(now);
    let owner = payment.owner();
    let (elec_fen, service_fen) = wish.parts;
    let row = Row {
        id,
        refund_no: format!("R{}{seq}", payment.payment_no),
        provider_id: owner.provider_id,
        property_id: owner.property_id,
        station_id: owner.station_id,
        payment_id: payment.id,
        order_id: payment.order_id,
        order_no: &payment.order_no,
        phone: &payment.phone,
        channel: payment.channel,
        kind: wish.kind,
        seq,
        amount_fen: wish.amount,
        elec_fen,
        service_fen,
        state: RefundState::Created,
        reason: wish.reason,
        requested_by: wish.by,
        created_at: now,
    };
    let refund: Refund =
        diesel::insert_into(refunds::table).values(row).returning(Refund::as_returning()).get_result(conn).await?;
    jobs::enqueue(conn, &SendRefund { refund_id: id }, run_at).await?;
    refund.tell(conn, payment.driver_id).await?;
    Ok(refund.refund_no)
}

/// Books what is taken from these accounts as due to the payer.
async fn due(
    conn: &mut AsyncPgConnection,
    payment: &Payment,
    refund_no: &str,
    mut entries: Vec<(Account, Fen)>,
) -> Result<()> {
    let amount = Fen::sum(entries.iter().map(|it| it.1)).and_then(Fen::negated).map_err(anyhow::Error::from)?;
    entries.push((Account::RefundDue(payment.order_no.clone()), amount));
    let idem_key = format!("refund_due:{refund_no}");
    ledger::post(conn, Posting { kind: "refund_due", business_id: payment.order_id, idem_key, entries }).await?;
    Ok(())
}
