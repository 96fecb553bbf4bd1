//! Reservations: a driver has a connector kept free until the car comes, and for as long as it stands there.
//!
//! The platform itself keeps the connector: an order of anybody else is refused there ([`holder`]). The charger is told as
//! well, so that it shows it and refuses strangers; whether it can do that, and whether it answers, changes nothing.

mod create;
mod end;
mod list;
mod release;
pub mod state;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::reservations;
use serde::{Deserialize, Serialize};
use shared::pricing::{ReservationState, reservation_deadline};
use shared::reservation::{EndReservationForm, ReservationDetail, ReservationEnd, Reservations};
use shared::text::t;
use uuid::Uuid;

use crate::api::op::Op;
use crate::app::App;
use crate::auth::scope::Owner;
use crate::command::{self, Command};
use crate::crud::ops;
use crate::error::{Error, Result};
use crate::events::{self, Happening, Kind};
use crate::jobs::{Job, Outcome};
pub use create::create;
pub use release::{release, release_forgotten};
use state::{Event, Step, next};

/// A charger that is not told within this to keep a connector need not be: the platform keeps it.
const PATIENCE: TimeDelta = TimeDelta::seconds(60);

/// Holds for reservations that keep their connector. Written out, so that PostgreSQL knows the indexes of just these to do.
pub fn is_live() -> SqlLiteral<Bool> {
    sql("reservations.state in ('reserved', 'occupying')")
}

/// The reservations that keep their connectors.
pub fn live() -> reservations::BoxedQuery<'static, Pg> {
    reservations::table.filter(is_live()).into_boxed()
}

/// The reservation that keeps a connector, and for whom.
///
/// # Errors
/// The database's.
pub async fn holder(conn: &mut AsyncPgConnection, connector_id: Uuid) -> Result<Option<(Uuid, Uuid)>> {
    let live = live().filter(reservations::connector_id.eq(connector_id));
    Ok(live.select((reservations::id, reservations::driver_id)).first(conn).await.optional()?)
}

/// A reservation, locked until the transaction ends.
#[derive(Queryable, Selectable)]
#[diesel(table_name = reservations, check_for_backend(Pg))]
struct Reservation {
    id: Uuid,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    connector_id: Uuid,
    driver_id: Uuid,
    state: ReservationState,
    entered_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

/// What an event changes; what is not there stays as it is.
#[derive(AsChangeset)]
#[diesel(table_name = reservations)]
struct Change {
    state: ReservationState,
    entered_at: Option<DateTime<Utc>>,
    left_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    end_reason: Option<ReservationEnd>,
    updated_at: DateTime<Utc>,
}

impl Reservation {
    async fn lock(conn: &mut AsyncPgConnection, id: Uuid) -> Result<Self> {
        Ok(reservations::table.find(id).select(Self::as_select()).for_no_key_update().first(conn).await?)
    }

    async fn tell(&self, conn: &mut AsyncPgConnection) -> Result<()> {
        let owner = Owner { provider_id: self.provider_id, property_id: self.property_id, station_id: self.station_id };
        let driver_id = Some(self.driver_id);
        events::tell(conn, &Happening { kind: Kind::Reservation, id: self.id, owner, driver_id }).await
    }
}

/// Has something happen to a reservation, in the caller's transaction: whoever tells it, and however they know. `false`, and
/// nothing done, when it does not concern one in this state.
///
/// # Errors
/// 404 when it is not there.
pub async fn apply(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    event: Event,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<bool> {
    let it = Reservation::lock(conn, id).await?;
    // The clock of whoever saw it may be behind.
    let at = at.max(it.entered_at.unwrap_or(it.created_at));
    let Some(Step { to, reason }) = next(it.state, event, it.created_at, at) else { return Ok(false) };
    if it.state == ReservationState::Reserved {
        // The car is there, or nobody comes any more.
        release(conn, it.connector_id, now).await?;
    }
    let when = |so: bool| Some(at).filter(|_| so);
    let change = Change {
        state: to,
        entered_at: when(to == ReservationState::Occupying),
        left_at: when(event == Event::Left),
        ended_at: when(!to.is_live()),
        end_reason: reason,
        updated_at: now,
    };
    let version = reservations::version.eq(reservations::version + 1);
    diesel::update(reservations::table.find(id)).set((change, version)).execute(conn).await?;
    it.tell(conn).await?;
    Ok(true)
}

/// Something happened at a connector that concerns the reservation which keeps it, if one does: the connector tells it by
/// what it does, an order by its beginning, and a camera may tell the same earlier.
///
/// # Errors
/// The database's.
pub async fn at_connector(
    conn: &mut AsyncPgConnection,
    connector_id: Uuid,
    event: Event,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some((id, _)) = holder(conn, connector_id).await? else { return Ok(()) };
    apply(conn, id, event, at, now).await.map(drop)
}

async fn send(
    conn: &mut AsyncPgConnection,
    charger_id: Uuid,
    owner: Owner,
    command: Command,
    deadline: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<()> {
    let requested_by = "system".to_owned();
    let request = command::Request { device_id: charger_id, owner, command, order_id: None, requested_by, deadline };
    command::request(conn, request, now).await.map(drop)
}

/// The charger does not keep the connector, or cannot. The platform does, so the reservation stands; there is only
/// nothing that the charger has to let go of.
///
/// # Errors
/// The database's.
pub async fn charger_refused(conn: &mut AsyncPgConnection, number: i32) -> Result<()> {
    let named = reservations::table.filter(reservations::number.eq(number));
    diesel::update(named).set(reservations::held_by_charger.eq(false)).execute(conn).await?;
    Ok(())
}

/// The driver does not want a reservation any more.
///
/// # Errors
/// 409 when the car is there already, or the reservation has ended.
pub async fn cancel(conn: &mut AsyncPgConnection, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    if apply(conn, id, Event::Cancelled, now, now).await? { Ok(()) } else { Err(refused()) }
}

/// What who asks for something impossible is told.
fn refused() -> Error {
    let text = t("预约订单当前状态不允许该操作", "The reservation's state does not allow this");
    Error::Conflict("reservation_state", text)
}

/// Ends a reservation whose car does not come. It acts on what it finds under the reservation's lock, so running twice is
/// running once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Expire {
    /// The reservation.
    pub reservation_id: Uuid,
}

impl Expire {
    /// When the car of a reservation is too late.
    fn due(created: DateTime<Utc>) -> DateTime<Utc> {
        reservation_deadline(created) + TimeDelta::milliseconds(1)
    }
}

impl Job for Expire {
    const KIND: &'static str = "expire_reservation";
    // A reservation that nobody ends would keep its connector for ever.
    const ATTEMPTS: i32 = i32::MAX;

    fn key(&self) -> String {
        self.reservation_id.to_string()
    }

    async fn run(self, app: &App) -> anyhow::Result<Outcome> {
        let mut conn = app.conn().await?;
        let now = app.now();
        let created = reservations::table.find(self.reservation_id).select(reservations::created_at);
        let due = Self::due(created.first(&mut conn).await?);
        // The clock of another process may be ahead.
        if now < due {
            return Ok(Outcome::Again(due));
        }
        conn.transaction(async |conn| apply(conn, self.reservation_id, Event::Waited, now, now).await).await?;
        Ok(Outcome::Done)
    }
}

/// The operations of reservations.
pub fn operations() -> Vec<Op> {
    let end = ops::action::<Reservations>("end").form::<EndReservationForm>(EndReservationForm::FIELDS);
    let end = end.returns::<ReservationDetail>().to(end::end);
    ops::browse::<Reservations>().into_iter().chain([end]).collect()
}
