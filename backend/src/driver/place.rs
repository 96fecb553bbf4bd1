//! Stations, chargers and connectors as a driver sees them, with what keeps them from starting (5/2, 5/5).

use std::collections::HashMap;

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Jsonb, Text as SqlText, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{areas, car_orders, charger_states, chargers, connectors, reservations, stations};
use shared::device::ConnectorStatus;
use shared::driver_app::{
    AreaView, ChargerFound, ChargerView, ConnectorView, Obstacle, PriceNow, StationView, TariffView,
};
use shared::fixed::Fen;
use shared::text::{Lang, t};
use uuid::Uuid;

use crate::crud::DriverCtx;
use crate::crud::lookup::{sql_squeezed, squeezed};
use crate::error::{Error, Result};
use crate::order::is_running;
use crate::order::standing::{Kept, Standing};
use crate::{qr, reservation};

#[derive(Queryable)]
struct ChargerRow {
    id: Uuid,
    area_id: Uuid,
    code: String,
    name: String,
    output_power_w: i64,
    reservable: bool,
    enabled: bool,
    online: Option<bool>,
}

impl ChargerRow {
    fn online(&self) -> bool {
        self.online.unwrap_or_default()
    }
}

#[derive(Queryable)]
struct ConnectorRow {
    id: Uuid,
    charger_id: Uuid,
    code: String,
    number: i32,
    name: String,
    status: ConnectorStatus,
    enabled: bool,
}

#[derive(QueryableByName)]
struct TariffRow {
    #[diesel(sql_type = SqlUuid)]
    area_id: Uuid,
    #[diesel(sql_type = SqlText)]
    name: String,
    #[diesel(sql_type = Array<BigInt>)]
    presets: Vec<i64>,
    #[diesel(sql_type = Jsonb)]
    body: serde_json::Value,
}

/// The tariffs in force in some areas.
async fn tariffs(
    conn: &mut AsyncPgConnection,
    areas: &[Uuid],
    now: DateTime<Utc>,
) -> Result<HashMap<Uuid, TariffView>> {
    let rows: Vec<TariffRow> = sql_query(
        "select t.area_id, t.name, t.presets, v.body from tariffs t \
           join tariff_versions v on v.id = tariff_version_in_force(t.id, $2) \
         where t.enabled and t.area_id = any($1)",
    )
    .bind::<Array<SqlUuid>, _>(areas)
    .bind::<Timestamptz, _>(now)
    .load(conn)
    .await?;
    let view = |row: TariffRow| {
        let tariff = serde_json::from_value(row.body).map_err(anyhow::Error::from)?;
        let now = PriceNow::of(&tariff, now);
        let presets = row.presets.into_iter().map(Fen).collect();
        Ok((row.area_id, TariffView { name: row.name, tariff, now, presets }))
    };
    rows.into_iter().map(view).collect()
}

/// Chargers of a station, or just one of them, with their areas' tariffs.
struct Chargers {
    tariffs: HashMap<Uuid, TariffView>,
    /// By area.
    chargers: Vec<(Uuid, ChargerView)>,
}

/// Who looks: which driver, in which language, when.
#[derive(Clone, Copy)]
pub(super) struct Viewer {
    pub(super) driver_id: Uuid,
    pub(super) lang: Lang,
    pub(super) now: DateTime<Utc>,
}

async fn load(conn: &mut AsyncPgConnection, viewer: Viewer, areas: &[Uuid], only: Option<Uuid>) -> Result<Chargers> {
    let Viewer { driver_id, lang, now } = viewer;
    let tariffs = tariffs(conn, areas, now).await?;
    let mut query = chargers::table
        .left_join(charger_states::table)
        .filter(chargers::area_id.eq_any(areas))
        .order(chargers::id)
        .into_boxed();
    if let Some(id) = only {
        query = query.filter(chargers::id.eq(id));
    }
    let columns = (
        chargers::id,
        chargers::area_id,
        chargers::code,
        chargers::name,
        chargers::output_power_w,
        chargers::reservable,
        chargers::enabled,
        charger_states::online.nullable(),
    );
    let rows: Vec<ChargerRow> = query.select(columns).load(conn).await?;
    let ids: Vec<Uuid> = rows.iter().map(|it| it.id).collect();
    let below: Vec<ConnectorRow> = connectors::table
        .filter(connectors::charger_id.eq_any(&ids))
        .order((connectors::charger_id, connectors::number))
        .select((
            connectors::id,
            connectors::charger_id,
            connectors::code,
            connectors::number,
            connectors::name,
            connectors::status,
            connectors::enabled,
        ))
        .load(conn)
        .await?;
    let running = car_orders::table.filter(car_orders::charger_id.eq_any(&ids)).filter(is_running());
    let busy: Vec<Uuid> = running.select(car_orders::connector_id).load(conn).await?;
    let live = reservation::live().filter(reservations::charger_id.eq_any(ids));
    let kept = live.select((reservations::connector_id, reservations::driver_id)).load(conn).await?;
    let kept: HashMap<Uuid, Uuid> = kept.into_iter().collect();
    let view = |charger: &ChargerRow, it: &ConnectorRow| {
        // The order is refused for the same reasons, in the same words.
        let standing = Standing {
            enabled: charger.enabled && it.enabled,
            priced: tariffs.contains_key(&charger.area_id),
            online: charger.online(),
            busy: busy.contains(&it.id),
            kept: Kept::by(kept.get(&it.id).copied(), driver_id),
            status: it.status,
        };
        let obstacle = standing.obstacle();
        ConnectorView {
            id: it.id,
            code: it.code.clone(),
            number: it.number,
            name: it.name.clone(),
            status: it.status,
            obstacle: obstacle
                .map(|(code, text)| Obstacle { code: code.to_owned(), message: text.get(lang).to_owned() }),
        }
    };
    let chargers = rows
        .iter()
        .map(|it| {
            let connectors =
                below.iter().filter(|below| below.charger_id == it.id).map(|below| view(it, below)).collect();
            let charger = ChargerView {
                id: it.id,
                code: it.code.clone(),
                name: it.name.clone(),
                output_power_w: it.output_power_w,
                online: it.online(),
                reservable: it.reservable,
                connectors,
            };
            (it.area_id, charger)
        })
        .collect();
    Ok(Chargers { tariffs, chargers })
}

/// `GET /stations/{id}`.
pub async fn station(ctx: DriverCtx, id: Path<Uuid>) -> Result<Json<StationView>> {
    let DriverCtx { app, driver_id, mut conn, lang, .. } = ctx;
    let mut view = open_station(&mut conn, *id).await?;
    let parts: Vec<(Uuid, String)> = areas::table
        .filter(areas::station_id.eq(*id))
        .filter(areas::enabled)
        .order(areas::id)
        .select((areas::id, areas::name))
        .load(&mut conn)
        .await?;
    let ids: Vec<Uuid> = parts.iter().map(|it| it.0).collect();
    let Chargers { mut tariffs, chargers } =
        load(&mut conn, Viewer { driver_id, lang, now: app.now() }, &ids, None).await?;
    view.areas = parts
        .into_iter()
        .map(|(id, name)| {
            let below = chargers.iter().filter(|(area, _)| *area == id).map(|(_, it)| it.clone()).collect();
            AreaView { id, name, tariff: tariffs.remove(&id), chargers: below }
        })
        .collect();
    Ok(Json(view))
}

/// A station that is open to drivers, without its areas.
async fn open_station(conn: &mut AsyncPgConnection, id: Uuid) -> Result<StationView> {
    #[derive(Queryable, Selectable)]
    #[diesel(table_name = stations, check_for_backend(diesel::pg::Pg))]
    struct Row {
        id: Uuid,
        name: String,
        intro: Option<String>,
        city: Option<String>,
        address: Option<String>,
        lng: Option<f64>,
        lat: Option<f64>,
        business_hours: Option<String>,
        hotline: Option<String>,
    }
    let open = stations::table.find(id).filter(stations::enabled).filter(stations::line.eq("car"));
    let Row { id, name, intro, city, address, lng, lat, business_hours, hotline } =
        open.select(Row::as_select()).first(conn).await?;
    Ok(StationView { id, name, intro, city, address, lng, lat, business_hours, hotline, areas: vec![] })
}

/// `GET /chargers/by-code/{code}`: a connector's number, a charger's number or serial number, or all that a QR code holds.
pub async fn by_code(ctx: DriverCtx, scanned: Path<String>) -> Result<Json<ChargerFound>> {
    let DriverCtx { app, driver_id, mut conn, lang, .. } = ctx;
    let viewer = Viewer { driver_id, lang, now: app.now() };
    match found_by(&mut conn, viewer, qr::code_in(&scanned)).await {
        Err(Error::NotFound) => {
            let text = t("没有找到该电枪，请核对编号", "There is no such connector; please check its number");
            Err(Error::NoSuch(text))
        }
        found => found.map(Json),
    }
}

async fn found_by(conn: &mut AsyncPgConnection, viewer: Viewer, code: &str) -> Result<ChargerFound> {
    let code = squeezed(code);
    let connector: Option<(Uuid, Uuid)> = connectors::table
        .filter(sql_squeezed(connectors::code).eq(&code))
        .select((connectors::charger_id, connectors::id))
        .first(conn)
        .await
        .optional()?;
    let (charger_id, connector_id) = match connector {
        Some((charger, connector)) => (charger, Some(connector)),
        None => (charger_by_code(conn, &code).await?, None),
    };
    found(conn, viewer, charger_id, connector_id).await
}

async fn charger_by_code(conn: &mut AsyncPgConnection, code: &str) -> Result<Uuid> {
    let named = chargers::code.eq(code).or(sql_squeezed(chargers::serial_no).eq(code));
    // A number that is the one charger's code and the other's serial number means the code.
    let order = chargers::code.eq(code).desc();
    Ok(chargers::table.filter(named).order(order).select(chargers::id).first(conn).await?)
}

/// A charger in a station and an area that are open to drivers.
pub(super) async fn found(
    conn: &mut AsyncPgConnection,
    viewer: Viewer,
    charger_id: Uuid,
    connector_id: Option<Uuid>,
) -> Result<ChargerFound> {
    let place = chargers::table
        .inner_join(areas::table)
        .inner_join(stations::table)
        .filter(chargers::id.eq(charger_id))
        .filter(areas::enabled)
        .filter(stations::enabled);
    let (area_id, area_name, station_id, station_name): (Uuid, String, Uuid, String) =
        place.select((areas::id, areas::name, stations::id, stations::name)).first(conn).await?;
    let Chargers { mut tariffs, chargers } = load(conn, viewer, &[area_id], Some(charger_id)).await?;
    let charger = chargers.into_iter().map(|it| it.1).next().ok_or(Error::NotFound)?;
    let tariff = tariffs.remove(&area_id);
    Ok(ChargerFound { station_id, station_name, area_name, tariff, charger, connector_id })
}
