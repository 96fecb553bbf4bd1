//! What a prepayment would buy at a connector.

use actix_web::web::{Json, Path};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::connectors;
use shared::driver_app::{NewOrder, Quote, QuoteQuery, ReachView};
use shared::fixed::Fen;
use shared::pricing::reach;
use shared::text::t;
use uuid::Uuid;

use super::place;
use crate::api::body::Params;
use crate::crud::DriverCtx;
use crate::error::{Error, Result};

/// `GET /connectors/{id}/quote`.
pub async fn quote(ctx: DriverCtx, id: Path<Uuid>, Params(query): Params<QuoteQuery>) -> Result<Json<Quote>> {
    let DriverCtx { app, driver_id, mut conn, lang, .. } = ctx;
    let prepaid_fen = query.prepaid_fen.map(Fen);
    if prepaid_fen.is_some_and(|it| !(Fen(1)..=NewOrder::MOST).contains(&it)) {
        return Err(Error::field("prepaid_fen", "range", t("超出范围", "Out of range")));
    }
    let charger_id = connectors::table.find(*id).select(connectors::charger_id).first(&mut conn).await?;
    let now = app.now();
    let viewer = place::Viewer { driver_id, lang, now };
    let place = place::found(&mut conn, viewer, charger_id, Some(*id)).await?;
    let no_tariff = t("该区域暂无生效的计费规则", "No price is in force here");
    let tariff = place.tariff.ok_or(Error::Conflict("no_tariff", no_tariff))?;
    let connector = place.charger.connectors.into_iter().find(|it| it.id == *id).ok_or(Error::NotFound)?;
    let power_w = place.charger.output_power_w;
    let far = |prepaid| reach(&tariff.tariff, now, power_w, prepaid).map_err(anyhow::Error::from);
    let reach = prepaid_fen.map(far).transpose()?.flatten();
    let reach = reach.map(|it| ReachView { kwh: it.kwh, seconds: it.seconds });
    Ok(Json(Quote { connector, tariff, prepaid_fen, reach }))
}
