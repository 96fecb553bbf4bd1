//! Staff gives a part of an order's fee back (3.4.1/4).

use actix_web::web::{Json, Path};
use shared::car_order::{CarOrderDetail, CarOrders, RefundForm};
use shared::resource::FormMap;
use uuid::Uuid;

use crate::api::body::Body;
use crate::crud::{Ctx, routes};
use crate::error::{Error, Result};
use crate::payment::refund::staff;

/// `POST /orders/car/{id}/refund`: the money goes back to where it came from.
pub async fn refund(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<CarOrderDetail>> {
    let RefundForm { amount_fen, reason } =
        shared::check::read(RefundForm::FIELDS, &form, ctx.lang).map_err(Error::Invalid)?;
    let now = ctx.app.now();
    let id = *id;
    routes::act::<CarOrders, _>(ctx, id, "refund", move |conn, actor, _| {
        Box::pin(async move { staff::manual(conn, id, amount_fen, &reason, &actor.caller.name, now).await.map(drop) })
    })
    .await
}
