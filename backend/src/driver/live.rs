//! A running order as its driver watches it: by asking again, or as a stream (5/3).

use std::time::Duration;

use actix_web::web::{Bytes, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, charge_sessions};
use shared::driver_app::LiveOrder;
use shared::fixed::{Fen, Kwh};
use shared::order::OrderState;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::session;
use crate::api::request;
use crate::app::App;
use crate::charging::watch::{Seen, start_deadline};
use crate::config;
use crate::crud::DriverCtx;
use crate::db::Connection;
use crate::error::Result;
use crate::events::{self, Happening, Kind};

/// A quiet line is kept open with a comment this often.
const BEAT: Duration = Duration::from_secs(20);
/// The session is looked at this often: one that has ended ends the stream.
const RECHECK: Duration = Duration::from_secs(5);

#[derive(Queryable)]
struct Row {
    id: Uuid,
    state: OrderState,
    kwh: Kwh,
    prepaid_fen: Fen,
    total_fen: Fen,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    power_w: Option<i64>,
    current_ma: Option<i64>,
    voltage_mv: Option<i64>,
    soc: Option<i32>,
    reported_at: Option<DateTime<Utc>>,
    charger_id: Uuid,
    connector_id: Uuid,
    start_sent_at: Option<DateTime<Utc>>,
}

/// Reads a driver's own order as it is now.
///
/// # Errors
/// 404 when it is not theirs.
pub(super) async fn read(
    conn: &mut AsyncPgConnection,
    rules: &config::Charging,
    driver_id: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<LiveOrder> {
    let mine = car_orders::table
        .inner_join(charge_sessions::table)
        .filter(car_orders::id.eq(id))
        .filter(car_orders::driver_id.eq(driver_id));
    let it: Row = mine
        .select((
            car_orders::id,
            car_orders::state,
            car_orders::kwh,
            car_orders::prepaid_fen,
            car_orders::total_fen,
            car_orders::started_at,
            car_orders::ended_at,
            charge_sessions::power_w,
            charge_sessions::current_ma,
            charge_sessions::voltage_mv,
            charge_sessions::soc,
            charge_sessions::last_report_at,
            car_orders::charger_id,
            car_orders::connector_id,
            charge_sessions::start_sent_at,
        ))
        .first(conn)
        .await?;
    let seen = Seen::at(conn, it.charger_id, it.connector_id).await?;
    let told_at = it.start_sent_at.filter(|_| it.state == OrderState::Starting);
    let until = it.ended_at.unwrap_or(now);
    // What was measured last says nothing any more once the charge has ended.
    let runs = it.ended_at.is_none();
    Ok(LiveOrder {
        id: it.id,
        state: it.state,
        kwh: it.kwh,
        power_w: it.power_w.filter(|_| runs),
        current_ma: it.current_ma.filter(|_| runs),
        voltage_mv: it.voltage_mv.filter(|_| runs),
        soc: it.soc,
        accrued_fen: it.total_fen,
        left_fen: it.prepaid_fen.minus(it.total_fen).map_err(anyhow::Error::from)?.max(Fen::ZERO),
        charge_seconds: it.started_at.map_or(0, |from| (until - from).num_seconds().max(0)),
        reported_at: it.reported_at,
        charger_online: seen.online,
        start_until: told_at.map(|it| start_deadline(it, &seen, rules)),
    })
}

/// `GET /orders/{id}/live`.
pub async fn live(mut ctx: DriverCtx, id: Path<Uuid>) -> Result<Json<LiveOrder>> {
    let now = ctx.app.now();
    Ok(Json(read(&mut ctx.conn, &ctx.app.config.charging, ctx.driver_id, *id, now).await?))
}

/// What a stream knows between two messages.
struct Watcher {
    app: App,
    driver_id: Uuid,
    family: Uuid,
    id: Uuid,
    charger_id: Uuid,
    happenings: Receiver<Happening>,
    recheck_at: Instant,
    beat_at: Instant,
    expires_at: Instant,
    /// What was not sent yet.
    news: Option<LiveOrder>,
}

/// `GET /orders/{id}/events`: the order now, and again whenever something changes.
pub async fn events(ctx: DriverCtx, req: HttpRequest, id: Path<Uuid>) -> Result<HttpResponse> {
    let expires_at = request::expiry(&req, &ctx.app)?;
    let DriverCtx { app, driver_id, family, mut conn, .. } = ctx;
    // It listens before it looks, so that nothing falls in between.
    let happenings = app.hub.happenings();
    let now = read(&mut conn, &app.config.charging, driver_id, *id, app.now()).await?;
    let charger_id = car_orders::table.find(*id).select(car_orders::charger_id).first(&mut conn).await?;
    // A stream lives long; its connection goes back to the pool at once.
    drop(conn);
    let (recheck_at, beat_at) = (Instant::now() + RECHECK, Instant::now() + BEAT);
    let watcher = Watcher {
        app,
        driver_id,
        family,
        id: *id,
        charger_id,
        happenings,
        recheck_at,
        beat_at,
        expires_at,
        news: Some(now),
    };
    Ok(events::answer(futures_util::stream::unfold(watcher, |mut watcher| async move {
        let line = watcher.next().await?;
        Some((Ok(Bytes::from(line)), watcher))
    })))
}

impl Watcher {
    /// The next message; nothing when the server stops, or the token or the session has ended.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(news) = self.news.take() {
                return Some(format!("data: {}\n\n", serde_json::to_string(&news).ok()?));
            }
            tokio::select! {
                () = self.app.stopping.cancelled() => return None,
                () = sleep_until(self.expires_at) => return None,
                () = sleep_until(self.recheck_at) => drop(self.checked().await?),
                () = sleep_until(self.beat_at) => {
                    self.beat_at = Instant::now() + BEAT;
                    return Some(": still here\n\n".to_owned());
                }
                it = self.happenings.recv() => match it {
                    Ok(it) if ![(Kind::CarOrder, self.id), (Kind::Charger, self.charger_id)].contains(&(it.kind, it.id)) => continue,
                    // Whoever missed something looks again as well.
                    Ok(_) | Err(RecvError::Lagged(_)) => {
                        let mut conn = self.checked().await?;
                        let rules = &self.app.config.charging;
                        self.news = Some(read(&mut conn, rules, self.driver_id, self.id, self.app.now()).await.ok()?);
                    }
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// A connection, if the session is still good.
    async fn checked(&mut self) -> Option<Connection> {
        self.recheck_at = Instant::now() + RECHECK;
        let mut conn = self.app.conn().await.ok()?;
        session::check(&mut conn, self.driver_id, self.family).await.ok()?;
        Some(conn)
    }
}
