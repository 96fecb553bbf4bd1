//! What a channel said of a refund, put into effect.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, order_days, payments, refunds};
use shared::fixed::Fen;
use shared::payment::{RefundKind, RefundState};
use uuid::Uuid;

use super::super::Payment;
use super::super::apply::Applied;
use super::super::channel::{RefundSeen, RefundStanding};
use super::{Refund, SYSTEM, again};
use crate::error::Result;
use crate::ledger::{self, Account, Posting};

/// So often what goes back by itself is asked for, under a new number each time; then somebody must look.
const TRIES: i32 = 5;

/// The state that follows; `None` when nothing changes, and `Err` when the channel contradicts itself.
fn next(state: RefundState, standing: RefundStanding) -> Result<Option<RefundState>, ()> {
    use {RefundStanding as Seen, RefundState as Is};
    let said = match standing {
        Seen::Processing => Is::Processing,
        Seen::Succeeded => Is::Succeeded,
        Seen::Failed => Is::Failed,
        Seen::Closed => Is::Closed,
    };
    match (state, standing) {
        (Is::Created | Is::Sent | Is::Processing | Is::Abnormal, _) => Ok((said != state).then_some(said)),
        // Old news that was overtaken.
        (Is::Succeeded | Is::Failed | Is::Closed, Seen::Processing) => Ok(None),
        (Is::Succeeded | Is::Failed | Is::Closed, _) if said == state => Ok(None),
        (Is::Failed | Is::Closed, Seen::Failed | Seen::Closed) => Ok(None),
        (Is::Succeeded | Is::Failed | Is::Closed, _) => Err(()),
    }
}

/// Locks a refund after its order and its payment.
pub(super) async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> Result<(Payment, Refund)> {
    let (order_id, payment_id) =
        refunds::table.find(id).select((refunds::order_id, refunds::payment_id)).first(conn).await?;
    let payment = super::super::lock(conn, order_id, payment_id).await?;
    let refund = refunds::table.find(id).select(Refund::as_select()).for_no_key_update().first(conn).await?;
    Ok((payment, refund))
}

/// Puts into effect what a channel said of a refund, within the caller's transaction.
///
/// # Errors
/// The database's; then nothing is changed and it can be tried again.
pub async fn refund_result(conn: &mut AsyncPgConnection, seen: &RefundSeen, now: DateTime<Utc>) -> Result<Applied> {
    let known = refunds::table.filter(refunds::refund_no.eq(&seen.refund_no)).select(refunds::id);
    let Some(id) = known.first::<Uuid>(conn).await.optional()? else {
        return Ok(Applied::Rejected(format!("there is no refund {}", seen.refund_no)));
    };
    let (payment, refund) = lock(conn, id).await?;
    if payment.merchant_no != seen.merchant_no {
        let why = format!("it is for the merchant {}, not {}", payment.merchant_no, seen.merchant_no);
        return Ok(Applied::Rejected(why));
    }
    if refund.amount_fen != seen.amount {
        let why = format!("渠道称退款 {} 元，应为 {} 元", seen.amount, refund.amount_fen);
        return abnormal(conn, &payment, &refund, why).await;
    }
    let state = match next(refund.state, seen.standing) {
        Ok(Some(state)) => state,
        Ok(None) => return Ok(Applied::Unchanged),
        // What was done about the first word cannot be undone here.
        Err(()) => return Ok(Applied::Rejected(format!("{} is {} already", refund.refund_no, refund.state))),
    };
    let set = refunds::channel_refund_no.eq(&seen.channel_refund_no);
    diesel::update(refunds::table.find(id)).set(set).execute(conn).await?;
    become_state(conn, &payment, &refund, state, None, now).await?;
    Ok(Applied::Changed)
}

/// The channel has definitely refused a refund, before it had a number there.
pub(super) async fn refused(conn: &mut AsyncPgConnection, id: Uuid, why: &str, now: DateTime<Utc>) -> Result<()> {
    let (payment, refund) = lock(conn, id).await?;
    match next(refund.state, RefundStanding::Failed) {
        Ok(Some(state)) => become_state(conn, &payment, &refund, state, Some(why), now).await,
        Ok(None) | Err(()) => Ok(()),
    }
}

/// Something does not fit, and a person has to find out what the channel did.
async fn abnormal(conn: &mut AsyncPgConnection, payment: &Payment, refund: &Refund, why: String) -> Result<Applied> {
    tracing::error!(refund_no = %refund.refund_no, "the channel's word on a refund does not fit: {why}");
    if !matches!(refund.state, RefundState::Created | RefundState::Sent | RefundState::Processing) {
        return Ok(Applied::Rejected(why));
    }
    let set =
        (refunds::state.eq(RefundState::Abnormal), refunds::result.eq(&why), refunds::version.eq(refunds::version + 1));
    diesel::update(refunds::table.find(refund.id)).set(set).execute(conn).await?;
    refund.tell(conn, payment.driver_id).await?;
    Ok(Applied::Rejected(why))
}

async fn become_state(
    conn: &mut AsyncPgConnection,
    payment: &Payment,
    refund: &Refund,
    state: RefundState,
    result: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let over = matches!(state, RefundState::Succeeded | RefundState::Failed | RefundState::Closed);
    let set = (
        refunds::state.eq(state),
        refunds::result.eq(result),
        refunds::finished_at.eq(over.then_some(now)),
        refunds::version.eq(refunds::version + 1),
    );
    diesel::update(refunds::table.find(refund.id)).set(set).execute(conn).await?;
    match state {
        RefundState::Succeeded => succeeded(conn, payment, refund, now).await?,
        RefundState::Failed | RefundState::Closed => failed(conn, payment, refund, now).await?,
        RefundState::Created | RefundState::Sent | RefundState::Processing | RefundState::Abnormal => {}
    }
    refund.tell(conn, payment.driver_id).await
}

/// The payer has the money.
async fn succeeded(conn: &mut AsyncPgConnection, payment: &Payment, refund: &Refund, now: DateTime<Utc>) -> Result<()> {
    let amount = refund.amount_fen;
    let version = payments::version.eq(payments::version + 1);
    diesel::update(payments::table.find(payment.id))
        .set((payments::refunded_fen.eq(payments::refunded_fen + amount.0), version))
        .execute(conn)
        .await?;
    // What never paid for the order is none of the order's money, nor of the station's day.
    if refund.kind != RefundKind::Orphan {
        diesel::update(car_orders::table.find(refund.order_id))
            .set((
                car_orders::refunded_fen.eq(car_orders::refunded_fen + amount.0),
                car_orders::version.eq(car_orders::version + 1),
            ))
            .execute(conn)
            .await?;
        payment.tell_order(conn).await?;
    }
    payment.tell(conn).await?;
    let posting = Posting {
        kind: "refund_ok",
        business_id: refund.order_id,
        idem_key: format!("refund_ok:{}", refund.refund_no),
        entries: vec![
            (Account::RefundDue(refund.order_no.clone()), amount),
            (payment.clearing(), amount.negated().map_err(anyhow::Error::from)?),
        ],
    };
    ledger::post(conn, posting).await?;
    if refund.kind == RefundKind::Orphan { Ok(()) } else { count(conn, refund, now).await }
}

/// Adds a refund to the day on which the money went.
async fn count(conn: &mut AsyncPgConnection, refund: &Refund, now: DateTime<Utc>) -> Result<()> {
    let owner = refund.owner();
    diesel::insert_into(order_days::table)
        .values((
            order_days::day.eq(shared::time::business_day(now)),
            order_days::line.eq("car"),
            order_days::station_id.eq(owner.station_id),
            order_days::provider_id.eq(owner.provider_id),
            order_days::property_id.eq(owner.property_id),
            order_days::refunds.eq(1),
            order_days::refunded_fen.eq(refund.amount_fen),
        ))
        .on_conflict((order_days::day, order_days::line, order_days::station_id))
        .do_update()
        .set((
            order_days::refunds.eq(order_days::refunds + excluded(order_days::refunds)),
            order_days::refunded_fen.eq(order_days::refunded_fen + excluded(order_days::refunded_fen)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The money has definitely not gone. What goes back by itself is tried again under a new number; what staff wanted is
/// income again, and staff decides.
async fn failed(conn: &mut AsyncPgConnection, payment: &Payment, refund: &Refund, now: DateTime<Utc>) -> Result<()> {
    match refund.kind {
        RefundKind::Manual => {
            let negative = |it: Fen| it.negated().map_err(anyhow::Error::from);
            let station = refund.owner().station_id;
            let posting = Posting {
                kind: "refund_undo",
                business_id: refund.order_id,
                idem_key: format!("refund_undo:{}", refund.refund_no),
                entries: vec![
                    (Account::RefundDue(refund.order_no.clone()), refund.amount_fen),
                    (Account::EnergyIncome(station), negative(refund.elec_fen)?),
                    (Account::ServiceIncome(station), negative(refund.service_fen)?),
                ],
            };
            ledger::post(conn, posting).await?;
            Ok(())
        }
        RefundKind::Automatic | RefundKind::Orphan if refund.seq < TRIES => {
            let wait = TimeDelta::minutes(5_i64 << refund.seq.clamp(0, TRIES));
            again(conn, payment, refund, SYSTEM, now + wait, now).await
        }
        RefundKind::Automatic | RefundKind::Orphan => {
            tracing::error!(refund_no = %refund.refund_no, "refund {} failed for good; staff must look", refund.refund_no);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refund_ends_once() {
        use {RefundStanding as Seen, RefundState as Is};
        let seen = [Seen::Processing, Seen::Succeeded, Seen::Failed, Seen::Closed];
        let open = |first| [first, Ok(Some(Is::Succeeded)), Ok(Some(Is::Failed)), Ok(Some(Is::Closed))];
        let table = [
            (Is::Created, open(Ok(Some(Is::Processing)))),
            (Is::Sent, open(Ok(Some(Is::Processing)))),
            (Is::Processing, open(Ok(None))),
            (Is::Abnormal, open(Ok(Some(Is::Processing)))),
            (Is::Succeeded, [Ok(None), Ok(None), Err(()), Err(())]),
            (Is::Failed, [Ok(None), Err(()), Ok(None), Ok(None)]),
            (Is::Closed, [Ok(None), Err(()), Ok(None), Ok(None)]),
        ];
        for (state, wanted) in table {
            assert_eq!(seen.map(|it| next(state, it)), wanted, "{state}");
        }
    }
}
