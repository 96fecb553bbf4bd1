//! What a channel said of a payment, put into effect. Being told and asking meet here; which comes first is all the same.

use chrono::{DateTime, Utc};
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::payments;
use shared::payment::PaymentState;
use uuid::Uuid;

use super::channel::{PaymentSeen, PaymentStanding};
use super::{Payment, refund};
use crate::error::{Error, Result};
use crate::ledger::{self, Account, Posting};

/// What came of something that a channel said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Things are different now.
    Changed,
    /// It was known already, or came too late to matter.
    Unchanged,
    /// It does not fit what we know, so nothing was believed.
    Rejected(String),
}

/// What to do about a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Nothing,
    Paying,
    Paid(DateTime<Utc>),
    Closed,
}

/// What is paid stays paid, and money that comes late counts all the same.
const fn next(state: PaymentState, standing: PaymentStanding) -> Step {
    use {PaymentStanding as Seen, PaymentState as Is};
    match (state, standing) {
        (Is::Paid, _) => Step::Nothing,
        (Is::Created | Is::Paying | Is::Closed | Is::Failed, Seen::Paid(at)) => Step::Paid(at),
        (Is::Created | Is::Paying, Seen::Paying) => Step::Paying,
        (Is::Created | Is::Paying, Seen::Closed) => Step::Closed,
        (Is::Closed | Is::Failed, Seen::Paying | Seen::Closed) => Step::Nothing,
    }
}

/// Puts into effect what a channel said of a payment, `told` by itself or asked, within the caller's transaction.
///
/// # Errors
/// The database's; then nothing is changed and it can be tried again.
pub async fn payment_result(
    conn: &mut AsyncPgConnection,
    seen: &PaymentSeen,
    told: bool,
    now: DateTime<Utc>,
) -> Result<Applied> {
    let known = payments::table.filter(payments::payment_no.eq(&seen.payment_no));
    let known: Option<(Uuid, Uuid)> = known.select((payments::order_id, payments::id)).first(conn).await.optional()?;
    let Some((order_id, id)) = known else {
        return Ok(Applied::Rejected(format!("there is no payment {}", seen.payment_no)));
    };
    let payment = super::lock(conn, order_id, id).await?;
    if let Some(why) = misfit(conn, &payment, seen).await? {
        return Ok(Applied::Rejected(why));
    }
    let row = payments::table.find(id);
    if told {
        let first = row.filter(payments::notified_at.is_null());
        diesel::update(first).set(payments::notified_at.eq(now)).execute(conn).await?;
    }
    let version = payments::version.eq(payments::version + 1);
    let channel_no = payments::channel_no.eq(&seen.channel_no);
    match next(payment.state, seen.standing) {
        Step::Nothing => return Ok(Applied::Unchanged),
        Step::Paying => {
            let news = payment.state == PaymentState::Created || payment.pay_url.is_none() && seen.pay_url.is_some();
            if !news {
                return Ok(Applied::Unchanged);
            }
            let url = seen.pay_url.as_ref().map(|it| payments::pay_url.eq(it));
            let set = (payments::state.eq(PaymentState::Paying), channel_no, version, url);
            diesel::update(row).set(set).execute(conn).await?;
        }
        Step::Closed => {
            diesel::update(row)
                .set((payments::state.eq(PaymentState::Closed), channel_no, version))
                .execute(conn)
                .await?;
            crate::order::closed_unpaid(conn, order_id, now).await?;
        }
        Step::Paid(at) => {
            let set = (payments::state.eq(PaymentState::Paid), payments::paid_at.eq(at), channel_no, version);
            diesel::update(row).set(set).execute(conn).await?;
            paid(conn, &payment, seen, now).await?;
        }
    }
    payment.tell(conn).await?;
    Ok(Applied::Changed)
}

/// Why something said cannot be about this payment.
async fn misfit(conn: &mut AsyncPgConnection, payment: &Payment, seen: &PaymentSeen) -> Result<Option<String>> {
    if payment.merchant_no != seen.merchant_no {
        return Ok(Some(format!("it is for the merchant {}, not {}", payment.merchant_no, seen.merchant_no)));
    }
    if payment.amount_fen != seen.amount {
        return Ok(Some(format!("it is for {} yuan, not {}", payment.amount_fen, seen.amount)));
    }
    let others = payments::table
        .filter(payments::channel.eq(payment.channel))
        .filter(payments::channel_no.eq(&seen.channel_no))
        .filter(payments::id.ne(payment.id));
    let taken: bool = diesel::select(exists(others)).get_result(conn).await?;
    Ok(taken.then(|| format!("{} is another payment's number", seen.channel_no)))
}

/// The money is there: it is booked, and starts the charge, or goes back if there is none to start any more.
async fn paid(conn: &mut AsyncPgConnection, payment: &Payment, seen: &PaymentSeen, now: DateTime<Utc>) -> Result<()> {
    let amount = payment.amount_fen;
    let owed = amount.negated().map_err(anyhow::Error::from)?;
    let posting = Posting {
        kind: "pay",
        business_id: payment.order_id,
        idem_key: format!("pay:{}:{}", payment.channel, seen.channel_no),
        entries: vec![(payment.clearing(), amount), (Account::Prepaid(payment.order_no.clone()), owed)],
    };
    if !ledger::post(conn, posting).await? {
        return Err(Error::internal(format!("payment {} was booked before it was paid", payment.payment_no)));
    }
    if !crate::order::paid(conn, payment.order_id, now).await? {
        refund::orphan(conn, payment, now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_paid_stays_paid_and_late_money_counts() {
        use {PaymentStanding as Seen, PaymentState as Is};
        let at = DateTime::from_timestamp(1_795_311_005, 0).unwrap();
        let table = [
            (Is::Created, [Step::Paying, Step::Paid(at), Step::Closed]),
            (Is::Paying, [Step::Paying, Step::Paid(at), Step::Closed]),
            (Is::Paid, [Step::Nothing; 3]),
            (Is::Closed, [Step::Nothing, Step::Paid(at), Step::Nothing]),
            (Is::Failed, [Step::Nothing, Step::Paid(at), Step::Nothing]),
        ];
        for (state, steps) in table {
            assert_eq!([Seen::Paying, Seen::Paid(at), Seen::Closed].map(|seen| next(state, seen)), steps, "{state}");
        }
    }
}
