//! Carries refunds out. The call to the channel lies between two transactions, so at any moment the process may die:
//! `sent` is written first, and whoever finds it asks the channel before anything is sent again.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::refunds;
use serde::{Deserialize, Serialize};
use shared::payment::RefundState;
use uuid::Uuid;

use super::super::Payment;
use super::super::apply::Applied;
use super::super::channel::{self, Failure, Repayment};
use super::{Refund, apply};
use crate::app::App;
use crate::error::Result;
use crate::jobs::{Job, Outcome, ask_again};

/// The shortest and the longest time between two questions about one refund.
const SHORTEST: TimeDelta = TimeDelta::seconds(2);
const LONGEST: TimeDelta = TimeDelta::minutes(30);

/// Carries one refund out. Run twice it sends the same number twice at worst, which is the same refund.
#[derive(Serialize, Deserialize)]
pub struct SendRefund {
    /// Which one.
    pub refund_id: Uuid,
}

/// What is to be done now.
enum Task {
    Send,
    Ask,
    Nothing,
}

impl Job for SendRefund {
    const KIND: &'static str = "refund.send";

    fn key(&self) -> String {
        self.refund_id.to_string()
    }

    async fn run(self, app: &App) -> anyhow::Result<Outcome> {
        let (task, payment, refund) = begin(app, self.refund_id).await?;
        let wait = match task {
            Task::Nothing => return Ok(Outcome::Done),
            Task::Send => send(app, &payment, &refund).await?,
            Task::Ask => ask(app, &payment, &refund).await?,
        };
        let state: RefundState =
            refunds::table.find(refund.id).select(refunds::state).first(&mut app.conn().await?).await?;
        Ok(match (state, wait) {
            (RefundState::Succeeded | RefundState::Failed | RefundState::Closed, _) => Outcome::Done,
            (_, Some(at)) => Outcome::Again(at),
            (_, None) => {
                Outcome::Again(ask_again(refund.sent_at.unwrap_or(refund.created_at), app.now(), SHORTEST, LONGEST))
            }
        })
    }
}

/// Writes `sent` into a new refund before anything is sent.
async fn begin(app: &App, id: Uuid) -> Result<(Task, Payment, Refund)> {
    let now = app.now();
    let mut conn = app.conn().await?;
    conn.transaction(async |conn| {
        let (payment, mut refund) = apply::lock(conn, id).await?;
        let task = match refund.state {
            RefundState::Created => {
                let set = (refunds::state.eq(RefundState::Sent), refunds::sent_at.eq(now));
                diesel::update(refunds::table.find(id)).set(set).execute(conn).await?;
                (refund.state, refund.sent_at) = (RefundState::Sent, Some(now));
                refund.tell(conn, payment.driver_id).await?;
                Task::Send
            }
            RefundState::Sent | RefundState::Processing | RefundState::Abnormal => Task::Ask,
            RefundState::Succeeded | RefundState::Failed | RefundState::Closed => Task::Nothing,
        };
        Ok((task, payment, refund))
    })
    .await
}

/// Sends it, the first time or again; the number is the same, so it is the same refund.
async fn send(app: &App, payment: &Payment, refund: &Refund) -> Result<Option<DateTime<Utc>>> {
    let repayment = Repayment {
        refund_no: refund.refund_no.clone(),
        payment_no: payment.payment_no.clone(),
        amount: refund.amount_fen,
        reason: refund.reason.clone(),
    };
    match channel::refund(app, refund.channel, &repayment).await {
        Ok(seen) => take(app, &seen).await?,
        Err(Failure::Refused(why)) => {
            let (mut conn, now) = (app.conn().await?, app.now());
            conn.transaction(async |conn| apply::refused(conn, refund.id, &why, now).await).await?;
        }
        Err(failure @ (Failure::Unknown(_) | Failure::NotFound)) => pending(refund, &failure),
    }
    Ok(None)
}

/// Asks what became of it. That the channel does not know it is believed when it says so twice, well apart: what was
/// sent may still be on its way.
async fn ask(app: &App, payment: &Payment, refund: &Refund) -> Result<Option<DateTime<Utc>>> {
    let (now, apart) = (app.now(), TimeDelta::seconds(app.config.payment.not_found_seconds));
    match (channel::query_refund(app, refund.channel, &refund.refund_no).await, refund.not_found_at) {
        (Ok(seen), _) => take(app, &seen).await?,
        (Err(Failure::NotFound), None) if refund.state == RefundState::Sent => {
            not_found(&mut *app.conn().await?, refund.id, Some(now)).await?;
            return Ok(Some(now + apart));
        }
        (Err(Failure::NotFound), Some(first)) if refund.state == RefundState::Sent && now < first + apart => {
            return Ok(Some(first + apart));
        }
        (Err(Failure::NotFound), Some(_)) if refund.state == RefundState::Sent => {
            not_found(&mut *app.conn().await?, refund.id, None).await?;
            return send(app, payment, refund).await;
        }
        (Err(failure), _) => pending(refund, &failure),
    }
    Ok(None)
}

async fn take(app: &App, seen: &channel::RefundSeen) -> Result<()> {
    let (mut conn, now) = (app.conn().await?, app.now());
    let applied = conn.transaction(async |conn| apply::refund_result(conn, seen, now).await).await?;
    if let Applied::Rejected(why) = applied {
        tracing::error!(refund_no = %seen.refund_no, "the channel's answer does not fit: {why}");
    }
    Ok(())
}

async fn not_found(conn: &mut AsyncPgConnection, id: Uuid, at: Option<DateTime<Utc>>) -> Result<()> {
    diesel::update(refunds::table.find(id)).set(refunds::not_found_at.eq(at)).execute(conn).await?;
    Ok(())
}

fn pending(refund: &Refund, failure: &Failure) {
    tracing::warn!(refund_no = %refund.refund_no, error = %failure, "a refund is pending: {failure}");
}
