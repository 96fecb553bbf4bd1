//! Watches an open payment: asks the channel until it knows, and closes what nobody paid, there first and here then.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::payments;
use serde::{Deserialize, Serialize};
use shared::payment::PaymentState;
use uuid::Uuid;

use super::apply::{self, Applied};
use super::channel::{self, Failure, PaymentSeen};
use super::{Payment, create, find};
use crate::app::App;
use crate::error::Result;
use crate::jobs::{self, Job, Outcome, ask_again};

/// The first question comes when the channel's own word should have come.
const FIRST: TimeDelta = TimeDelta::seconds(3);
/// Between two questions about one payment there is never more than this.
const LONGEST: TimeDelta = TimeDelta::seconds(30);

/// Watches one payment until it is over. It only asks, and puts answers into effect once, so it may run twice.
#[derive(Serialize, Deserialize)]
pub struct Watch {
    /// Which one.
    pub payment_id: Uuid,
}

impl Watch {
    /// Begins to watch, in the transaction that creates the payment.
    ///
    /// # Errors
    /// The database's.
    pub async fn enqueue(&self, conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<()> {
        jobs::enqueue(conn, self, now + FIRST).await
    }
}

impl Job for Watch {
    const KIND: &'static str = "payment.watch";

    fn key(&self) -> String {
        self.payment_id.to_string()
    }

    async fn run(self, app: &App) -> anyhow::Result<Outcome> {
        let payment = find(&mut *app.conn().await?, self.payment_id).await?;
        if is_over(payment.state) {
            return Ok(Outcome::Done);
        }
        let expired = payment.expires_at <= app.now();
        match look(app, &payment, expired).await {
            Ok(seen) => {
                let mut conn = app.conn().await?;
                let now = app.now();
                let applied =
                    conn.transaction(async |conn| apply::payment_result(conn, &seen, false, now).await).await?;
                if let Applied::Rejected(why) = applied {
                    tracing::error!(payment_no = %payment.payment_no, "the channel's answer does not fit: {why}");
                }
            }
            Err(Failure::NotFound) if expired => never_opened(app, &payment).await?,
            // What we asked for was lost on the way.
            Err(Failure::NotFound) if payment.state == PaymentState::Created => {
                create::open(app, payment.id).await.context("opening again")?;
            }
            Err(failure) => {
                tracing::warn!(payment_no = %payment.payment_no, error = %failure, "a payment is pending: {failure}");
            }
        }
        let state = find(&mut *app.conn().await?, payment.id).await?.state;
        if is_over(state) {
            return Ok(Outcome::Done);
        }
        let now = app.now();
        let next = ask_again(payment.created_at, now, TimeDelta::seconds(app.config.payment.poll_seconds), LONGEST);
        // At its end it is closed in time, and then asked about as before until it is known to be closed.
        Ok(Outcome::Again(if now < payment.expires_at { next.min(payment.expires_at) } else { next }))
    }
}

const fn is_over(state: PaymentState) -> bool {
    match state {
        PaymentState::Created | PaymentState::Paying => false,
        PaymentState::Paid | PaymentState::Closed | PaymentState::Failed => true,
    }
}

async fn look(app: &App, payment: &Payment, expired: bool) -> Result<PaymentSeen, Failure> {
    if expired {
        match channel::close(app, payment.channel, &payment.payment_no).await {
            // It cannot be closed: perhaps it was paid at the last moment.
            Err(Failure::Refused(_)) => {}
            answer => return answer,
        }
    }
    channel::query(app, payment.channel, &payment.payment_no).await
}

/// The channel has no such payment and its time is over. Should it turn up paid after all, the money goes back.
async fn never_opened(app: &App, payment: &Payment) -> Result<()> {
    let mut conn = app.conn().await?;
    conn.transaction(async |conn| {
        let payment = super::lock(conn, payment.order_id, payment.id).await?;
        if is_over(payment.state) {
            return Ok(());
        }
        let set = (payments::state.eq(PaymentState::Closed), payments::version.eq(payments::version + 1));
        diesel::update(payments::table.find(payment.id)).set(set).execute(conn).await?;
        crate::order::closed_unpaid(conn, payment.order_id, app.now()).await?;
        payment.tell(conn).await
    })
    .await
}
