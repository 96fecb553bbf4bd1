//! Begins a payment: a row in the order's transaction first, then, once that is committed, a call to the channel.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::payments;
use shared::fixed::Fen;
use shared::payment::{Channel, OrderKind, PaymentState};
use shared::text::t;
use uuid::Uuid;

use super::apply::{self, Applied};
use super::channel::{self, Demand, Failure};
use super::watch::Watch;
use super::{Payment, find, number};
use crate::app::{App, new_id};
use crate::auth::scope::Owner;
use crate::error::{Error, Result};

/// What is paid for, by whom, through which channel.
pub struct NewPayment {
    /// The order.
    pub order_id: Uuid,
    /// Its number.
    pub order_no: String,
    /// Whose it is.
    pub owner: Owner,
    /// Who pays.
    pub driver_id: Uuid,
    /// Their telephone number.
    pub phone: String,
    /// The way that the money takes.
    pub channel: Channel,
    /// Our merchant number there.
    pub merchant_no: String,
    /// How much.
    pub amount: Fen,
    /// When it is closed if nobody pays.
    pub expires_at: DateTime<Utc>,
}

#[derive(Insertable)]
#[diesel(table_name = payments, treat_none_as_default_value = false)]
struct Row {
    id: Uuid,
    payment_no: String,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    order_kind: OrderKind,
    order_id: Uuid,
    order_no: String,
    driver_id: Uuid,
    phone: String,
    channel: Channel,
    merchant_no: String,
    amount_fen: Fen,
    state: PaymentState,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// Writes the payment of a car order, in the order's transaction, and has it watched from then on.
///
/// # Errors
/// The database's.
pub async fn create(conn: &mut AsyncPgConnection, new: NewPayment, now: DateTime<Utc>) -> Result<Uuid> {
    let NewPayment { order_id, order_no, owner, driver_id, phone, channel, merchant_no, amount, expires_at } = new;
    let Owner { provider_id, property_id, station_id } = owner;
    let id = new_id(now);
    let row = Row {
        id,
        payment_no: number('P', now),
        provider_id,
        property_id,
        station_id,
        order_kind: OrderKind::Car,
        order_id,
        order_no,
        driver_id,
        phone,
        channel,
        merchant_no,
        amount_fen: amount,
        state: PaymentState::Created,
        created_at: now,
        expires_at,
    };
    diesel::insert_into(payments::table).values(row).execute(conn).await?;
    Watch { payment_id: id }.enqueue(conn, now).await?;
    find(conn, id).await?.tell(conn).await?;
    Ok(id)
}

/// Asks the channel for a payment that was created, or once more for one that the driver came back to: the number is
/// the same, so it is the same payment. No answer leaves it pending.
///
/// # Errors
/// 503 when the channel refused, now or before; the order is then cancelled.
pub async fn open(app: &App, id: Uuid) -> Result<()> {
    let mut conn = app.conn().await?;
    let payment = find(&mut conn, id).await?;
    match payment.state {
        PaymentState::Created | PaymentState::Paying => {}
        PaymentState::Paid | PaymentState::Closed => return Ok(()),
        PaymentState::Failed => return Err(refusal()),
    }
    // A connection is not held while the channel thinks.
    drop(conn);
    let demand = Demand {
        payment_no: payment.payment_no.clone(),
        amount: payment.amount_fen,
        subject: format!("充电预付 {}", payment.order_no),
        expires_at: payment.expires_at,
    };
    let answer = channel::open(app, payment.channel, &demand).await;
    let mut conn = app.conn().await?;
    match answer {
        Ok(seen) => {
            let now = app.now();
            let applied = conn.transaction(async |conn| apply::payment_result(conn, &seen, false, now).await).await?;
            if let Applied::Rejected(why) = applied {
                tracing::error!(payment_no = %payment.payment_no, "the channel's answer to opening does not fit: {why}");
            }
            Ok(())
        }
        Err(failure @ (Failure::Unknown(_) | Failure::NotFound)) => {
            tracing::warn!(payment_no = %payment.payment_no, error = %failure, "opening a payment is pending: {failure}");
            Ok(())
        }
        Err(Failure::Refused(why)) => {
            tracing::error!(payment_no = %payment.payment_no, "the channel refused a payment: {why}");
            refused(&mut conn, &payment, &why, app.now()).await?;
            Err(refusal())
        }
    }
}

fn refusal() -> Error {
    let text = t("支付渠道拒绝了本次支付", "The payment channel refused the payment");
    Error::Unavailable("payment_refused", text)
}

/// The channel has definitely not made the payment, so the order ends with it. One that was made stays as it is.
async fn refused(conn: &mut AsyncPgConnection, payment: &Payment, why: &str, now: DateTime<Utc>) -> Result<()> {
    conn.transaction(async |conn| {
        let payment = super::lock(conn, payment.order_id, payment.id).await?;
        if payment.state != PaymentState::Created {
            return Ok(());
        }
        let set = (
            payments::state.eq(PaymentState::Failed),
            payments::result.eq(why),
            payments::version.eq(payments::version + 1),
        );
        diesel::update(payments::table.find(payment.id)).set(set).execute(conn).await?;
        crate::order::closed_unpaid(conn, payment.order_id, now).await?;
        payment.tell(conn).await
    })
    .await
}
