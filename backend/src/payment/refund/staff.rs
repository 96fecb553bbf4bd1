//! What staff asks for: a part of a settled fee back, and a refund that failed for good once more.

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, refunds};
use shared::fixed::Fen;
use shared::order::OrderState;
use shared::payment::{RefundDetail, RefundKind, Refunds};
use shared::pricing::{RefundParts, refund_limit, refund_parts};
use shared::text::t;
use uuid::Uuid;

use super::{GIVEN_UP, Wish, again, apply, due, insert, lock_used, succeed_by};
use crate::crud::{Ctx, routes};
use crate::error::{Error, Result};
use crate::ledger::Account;

/// What staff has given back of an order or is about to: each amount, and its parts of the energy and the service fee.
async fn given(conn: &mut AsyncPgConnection, order_id: Uuid) -> Result<Vec<(Fen, Fen, Fen)>> {
    let given = refunds::table
        .filter(refunds::order_id.eq(order_id))
        .filter(refunds::kind.eq(RefundKind::Manual))
        .filter(refunds::state.ne_all(GIVEN_UP));
    Ok(given.select((refunds::amount_fen, refunds::elec_fen, refunds::service_fen)).load(conn).await?)
}

/// What staff can still give back of what an order was charged (3.4.1/4.1). What goes back by itself is the payer's
/// already, even while no channel takes it, so this is the prepayment less all that went back or is to.
///
/// # Errors
/// The database's.
pub async fn left(conn: &mut AsyncPgConnection, order_id: Uuid, charged: Fen) -> Result<Fen> {
    let given = Fen::sum(given(conn, order_id).await?.into_iter().map(|it| it.0)).map_err(anyhow::Error::from)?;
    Ok(charged.minus(given).map_err(anyhow::Error::from)?.max(Fen::ZERO))
}

/// Gives a part of a settled fee back; the service fee is given up before the energy fee. Gives the refund's number.
///
/// # Errors
/// 409 when the order is not completed, cost nothing, or less than the amount is left of what was paid.
pub async fn manual(
    conn: &mut AsyncPgConnection,
    order_id: Uuid,
    amount: Fen,
    reason: &str,
    by: &str,
    now: DateTime<Utc>,
) -> Result<String> {
    let row = car_orders::table.find(order_id).for_no_key_update();
    let (state, elec, service, charged): (OrderState, Fen, Fen, Fen) = row
        .select((car_orders::state, car_orders::elec_fen, car_orders::service_fen, car_orders::charged_fen))
        .first(conn)
        .await?;
    if state != OrderState::Completed || (elec, service) == (Fen::ZERO, Fen::ZERO) {
        let text = t("只有已完成且有费用的订单可以退费", "Only a completed order that cost something can be refunded");
        return Err(Error::Conflict("not_refundable", text));
    }
    if crate::invoice::is_live(conn, order_id).await? {
        let text =
            t("订单已开票或正在开票，请先作废发票再退费", "The order is invoiced; void the invoice before refunding");
        return Err(Error::Conflict("invoiced", text));
    }
    let payment = lock_used(conn, order_id).await?;
    let given = given(conn, order_id).await?;
    let sum = |part: fn(&(Fen, Fen, Fen)) -> Fen| Fen::sum(given.iter().map(part)).map_err(anyhow::Error::from);
    let limit = refund_limit(charged, sum(|it| it.0)?, amount).map_err(anyhow::Error::from)?;
    if !limit.accepted {
        return Err(Error::RefundLimit(limit.max_refund_fen));
    }
    let elec = elec.minus(sum(|it| it.1)?).map_err(anyhow::Error::from)?;
    let service = service.minus(sum(|it| it.2)?).map_err(anyhow::Error::from)?;
    let RefundParts { from_service_fen, from_elec_fen, .. } =
        refund_parts(elec, service, amount).map_err(anyhow::Error::from)?;
    let wish = Wish { kind: RefundKind::Manual, amount, parts: (from_elec_fen, from_service_fen), reason, by };
    let refund_no = insert(conn, &payment, wish, now, now).await?;
    let station = payment.station_id;
    let from =
        vec![(Account::ServiceIncome(station), from_service_fen), (Account::EnergyIncome(station), from_elec_fen)];
    due(conn, &payment, &refund_no, from).await?;
    Ok(refund_no)
}

/// `POST /orders/refunds/{id}/retry`: asks once more for what a refund did not bring back.
pub async fn retry(ctx: Ctx, id: Path<Uuid>) -> Result<Json<RefundDetail>> {
    let now = ctx.app.now();
    let id = *id;
    routes::act::<Refunds, _>(ctx, id, "retry", move |conn, actor, _| {
        Box::pin(async move { once_more(conn, id, &actor.caller.name, now).await })
    })
    .await
}

/// Only a definite failure is retried, and only once: its successor has the amount. What was due is due still; what
/// staff wanted has become income again, and is asked for anew.
async fn once_more(conn: &mut AsyncPgConnection, id: Uuid, by: &str, now: DateTime<Utc>) -> Result<()> {
    let (payment, failed) = apply::lock(conn, id).await?;
    if !failed.state.is_given_up() {
        let text =
            t("只有渠道明确失败的退款可以重新发起", "Only a refund that has definitely failed can be asked for again");
        return Err(Error::Conflict("refund_state", text));
    }
    if failed.retried_as.is_some() {
        let text = t("该退款已重新发起", "It was asked for again already");
        return Err(Error::Conflict("retried", text));
    }
    match failed.kind {
        RefundKind::Automatic | RefundKind::Orphan => again(conn, &payment, &failed, by, now, now).await,
        RefundKind::Manual => {
            let next = manual(conn, failed.order_id, failed.amount_fen, &failed.reason, by, now).await?;
            succeed_by(conn, &failed, &next).await
        }
    }
}
