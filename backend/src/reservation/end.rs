//! Staff ends a reservation (3.4.4/3).

use actix_web::web::{Json, Path};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::reservations;
use shared::reservation::{EndReservationForm, ReservationDetail, Reservations};
use shared::resource::FormMap;
use uuid::Uuid;

use super::state::Event;
use crate::api::body::Body;
use crate::crud::{Ctx, routes};
use crate::error::{Error, Result};

/// `POST /orders/reservations/{id}/end`: the connector is free for others; a charge that runs there goes on.
pub async fn end(ctx: Ctx, id: Path<Uuid>, Body(form): Body<FormMap>) -> Result<Json<ReservationDetail>> {
    let EndReservationForm { note } =
        shared::check::read(EndReservationForm::FIELDS, &form, ctx.lang).map_err(Error::Invalid)?;
    let now = ctx.app.now();
    let id = *id;
    routes::act::<Reservations, _>(ctx, id, "end", move |conn, actor, _| {
        Box::pin(async move {
            if !super::apply(conn, id, Event::StaffEnded, now, now).await? {
                return Err(super::refused());
            }
            let words = (reservations::ended_by.eq(&actor.caller.name), reservations::end_note.eq(note));
            diesel::update(reservations::table.find(id)).set(words).execute(conn).await?;
            Ok(())
        })
    })
    .await
}
