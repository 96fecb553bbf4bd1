//! Staff ends an order (3.4.1/5).

use actix_web::web::{Json, Path};
use shared::car_order::{CarOrderDetail, CarOrders, EndForm};
use shared::resource::FormMap;
use uuid::Uuid;

use crate::api::body::Body;
use crate::charging;
use crate::crud::{Ctx, routes};
use crate::error::{Error, Result};

/// `POST /orders/car/{id}/end`: a charger that is there is told to stop, and the order is stopping until its record settles
/// it or does not come in time; otherwise what was reported last settles it at once.
pub async fn end(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<CarOrderDetail>> {
    let EndForm { note } = shared::check::read(EndForm::FIELDS, &form, ctx.lang).map_err(Error::Invalid)?;
    let now = ctx.app.now();
    let id = *id;
    routes::act::<CarOrders, _>(ctx, id, "end", move |conn, actor, _| {
        Box::pin(async move { charging::end_by_staff(conn, id, &note, &actor.caller.name, now).await })
    })
    .await
}
