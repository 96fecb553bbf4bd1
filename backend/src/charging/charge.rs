//! An order with its charge, locked: what every event works on, and how one changes its state.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Jsonb;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, charge_sessions, connectors, order_events};
use serde_json::Value;
use shared::fixed::{Fen, Kwh};
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep, StepDetail};
use shared::pricing::{Tariff, settle};
use uuid::Uuid;

use super::clock::Clock;
use super::meter::Meter;
use super::settle;
use super::state::{Effect, Event, Step, next};
use super::watch::{Wake, Watch};
use crate::auth::scope::Owner;
use crate::command::{self, Command};
use crate::error::{Error, Result};
use crate::events::{self, Happening, Kind};
use crate::jobs;
use crate::reservation;

/// A command about a charge that was not delivered within this must not reach the charger any more.
pub(super) const PATIENCE: TimeDelta = TimeDelta::seconds(60);

/// What stays the same as long as the order lives.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = car_orders, check_for_backend(Pg))]
pub struct Order {
    /// Id.
    pub id: Uuid,
    /// Its number.
    pub order_no: String,
    /// The provider.
    pub provider_id: Uuid,
    /// The property.
    pub property_id: Uuid,
    /// The station.
    pub station_id: Uuid,
    /// The charger.
    pub charger_id: Uuid,
    /// The connector.
    pub connector_id: Uuid,
    /// Who charges.
    pub driver_id: Uuid,
    /// What was paid in advance.
    pub prepaid_fen: Fen,
}

/// What becomes of it.
#[derive(Clone, Debug, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = car_orders, check_for_backend(Pg), treat_none_as_null = true)]
pub struct Progress {
    /// Where it stands.
    pub state: OrderState,
    /// Why it ended, or is about to.
    pub end_reason: Option<EndReason>,
    /// That in somebody's words.
    pub end_note: Option<String>,
    /// The energy fee so far.
    pub elec_fen: Fen,
    /// The service fee so far.
    pub service_fen: Fen,
    /// Both.
    pub total_fen: Fen,
    /// What of it the prepayment covers.
    pub charged_fen: Fen,
    /// What it does not.
    pub overrun_fen: Fen,
    /// The energy so far.
    pub kwh: Kwh,
    /// When the charge began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// When it was settled.
    pub settled_at: Option<DateTime<Utc>>,
    /// What somebody may have to look at.
    pub flags: Vec<OrderFlag>,
}

/// What was agreed at its start.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = charge_sessions, check_for_backend(Pg))]
pub struct Agreed {
    /// How the charger knows it.
    pub tag: String,
    /// What it is priced by.
    pub tariff: Tariff,
    /// What the charger can deliver at most.
    pub rated_power_w: i64,
}

/// What the charger told, and was told.
#[derive(Clone, Debug, Queryable, Selectable, AsChangeset)]
#[diesel(table_name = charge_sessions, check_for_backend(Pg), treat_none_as_null = true)]
pub struct Session {
    /// The charge's number for the charger.
    pub transaction_id: Option<i32>,
    /// What the charger's times mean.
    pub clock: Option<Clock>,
    /// Its readings, added up.
    pub meter: Option<Meter>,
    /// The last reported power.
    pub power_w: Option<i64>,
    /// The last reported current.
    pub current_ma: Option<i64>,
    /// The last reported voltage.
    pub voltage_mv: Option<i64>,
    /// The last reported state of the battery.
    pub soc: Option<i32>,
    /// When current flowed first.
    pub flowing_at: Option<DateTime<Utc>>,
    /// When a report came last.
    pub last_report_at: Option<DateTime<Utc>>,
    /// When the charger was told to start.
    pub start_sent_at: Option<DateTime<Utc>>,
    /// When it was told last to stop.
    pub stop_sent_at: Option<DateTime<Utc>>,
    /// Since when it is suspended.
    pub suspended_at: Option<DateTime<Utc>>,
    /// When staff ended it while the charger was there.
    pub staff_asked_at: Option<DateTime<Utc>>,
    /// When the charger last agreed to stop it.
    pub stop_accepted_at: Option<DateTime<Utc>>,
    /// Since when the charger behaves as if it had no such charge.
    pub lost_at: Option<DateTime<Utc>>,
}

impl ToSql<Jsonb, Pg> for Meter {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let value = serde_json::to_value(self)?;
        ToSql::<Jsonb, Pg>::to_sql(&value, &mut out.reborrow())
    }
}

impl FromSql<Jsonb, Pg> for Meter {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let value: Value = FromSql::<Jsonb, Pg>::from_sql(value)?;
        Ok(serde_json::from_value(value)?)
    }
}

impl ToSql<Jsonb, Pg> for Clock {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let value = serde_json::to_value(self)?;
        ToSql::<Jsonb, Pg>::to_sql(&value, &mut out.reborrow())
    }
}

impl FromSql<Jsonb, Pg> for Clock {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let value: Value = FromSql::<Jsonb, Pg>::from_sql(value)?;
        Ok(serde_json::from_value(value)?)
    }
}

/// An order with its charge, locked until the transaction ends.
#[derive(Clone, Debug)]
pub struct Charge {
    /// What stays the same.
    pub order: Order,
    /// What becomes of it.
    pub progress: Progress,
    /// What was agreed.
    pub agreed: Agreed,
    /// What the charger told, and was told.
    pub session: Session,
}

/// What is told about a charge.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// What it is.
    pub event: Event,
    /// Its line on the timeline.
    pub step: OrderStep,
    /// Who tells it: `charger`, `driver`, `system`, or a member of staff by name.
    pub by: &'a str,
    /// Why the charge ends with it, or is to end.
    pub reason: Option<EndReason>,
    /// That in somebody's words.
    pub words: Option<String>,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl<'a> Told<'a> {
    /// An event without reason and words, which happens now.
    pub const fn new(event: Event, step: OrderStep, by: &'a str, now: DateTime<Utc>) -> Self {
        Self { event, step, by, reason: None, words: None, at: now }
    }

    /// Why the charge ends with it, or is to end.
    pub const fn because(mut self, reason: EndReason) -> Self {
        self.reason = Some(reason);
        self
    }
}

impl Charge {
    /// Locks an order.
    ///
    /// # Errors
    /// 404 when it is not there.
    pub async fn lock(conn: &mut AsyncPgConnection, order_id: Uuid) -> Result<Self> {
        let (order, progress, agreed, session) = car_orders::table
            .inner_join(charge_sessions::table)
            .filter(car_orders::id.eq(order_id))
            .select((Order::as_select(), Progress::as_select(), Agreed::as_select(), Session::as_select()))
            .for_no_key_update()
            .first(conn)
            .await?;
        Ok(Self { order, progress, agreed, session })
    }

    /// Whose it is.
    pub const fn owner(&self) -> Owner {
        let Order { provider_id, property_id, station_id, .. } = self.order;
        Owner { provider_id, property_id, station_id }
    }

    /// What an event would make of it.
    pub const fn would(&self, event: Event) -> Option<Step> {
        next(self.progress.state, self.progress.end_reason.is_some(), event)
    }

    /// Marks it for somebody to look at; `false` when it is marked so already.
    pub fn flag(&mut self, flag: OrderFlag) -> bool {
        let new = !self.progress.flags.contains(&flag);
        if new {
            self.progress.flags.push(flag);
        }
        new
    }

    /// Marks it, or no longer: for what depends on all that is known of it.
    pub fn flag_if(&mut self, flag: OrderFlag, so: bool) {
        self.progress.flags.retain(|it| so || *it != flag);
        if so {
            self.flag(flag);
        }
    }

    /// Takes over what is billed so far.
    ///
    /// # Errors
    /// An amount is out of range.
    pub fn bill(&mut self, bill: &shared::pricing::Bill) -> Result<()> {
        let parts = settle(self.order.prepaid_fen, bill.total_fen).map_err(anyhow::Error::from)?;
        self.progress.elec_fen = bill.elec_fen;
        self.progress.service_fen = bill.service_fen;
        self.progress.total_fen = bill.total_fen;
        self.progress.charged_fen = parts.charged_fen;
        self.progress.overrun_fen = parts.overrun_fen;
        self.progress.kwh = bill.kwh_total;
        Ok(())
    }

    /// Has something happen to it: its state follows the table, what has to be done then is done, all of it is saved and
    /// told. `false`, and nothing done, when it does not concern a charge in this state.
    ///
    /// # Errors
    /// The database's.
    pub async fn happen(&mut self, conn: &mut AsyncPgConnection, told: Told<'_>, now: DateTime<Utc>) -> Result<bool> {
        let Some(Step { to, effects }) = self.would(told.event) else { return Ok(false) };
        let Told { event, step, by, reason, words, at } = told;
        let from = self.progress.state;
        self.progress.state = to;
        self.progress.end_reason = reason.or(self.progress.end_reason);
        match to {
            OrderState::Suspended if from != to => self.session.suspended_at = Some(now),
            OrderState::Completed | OrderState::Failed | OrderState::Cancelled => {
                // Out of contact or without a record, a charge ended with its last report as far as anybody knows.
                let unseen = event == Event::NoRecord || from == OrderState::Suspended && event != Event::Ended;
                let at = self.session.last_report_at.filter(|_| unseen).unwrap_or(at);
                self.progress.ended_at = self.progress.ended_at.or(Some(at));
                // What staff wrote is not replaced by the charger's word.
                self.progress.end_note = self.progress.end_note.take().or_else(|| words.clone());
            }
            OrderState::Created
            | OrderState::Starting
            | OrderState::Charging
            | OrderState::Stopping
            | OrderState::Suspended => {}
        }
        for effect in effects {
            match effect {
                Effect::SendStart => self.send_start(conn, now).await?,
                Effect::WithdrawStart => {
                    command::withdraw_start(conn, self.order.charger_id, self.order.id, now).await?;
                }
                Effect::SendStop => self.send_stop(conn, now).await?,
                Effect::SendRefresh => self.send(conn, Command::Refresh, now).await?,
                Effect::Settle => settle::settle(conn, self, now).await?,
            }
        }
        // A report that changes nothing but numbers is on the curve, not on the timeline.
        if event != Event::Metered || from != to {
            let detail = StepDetail { reason, words, ..StepDetail::default() };
            self.note(conn, step, Some(from), &detail, by, now).await?;
        }
        self.save(conn).await?;
        Ok(true)
    }

    /// Writes a line on the timeline.
    ///
    /// # Errors
    /// The database's.
    pub async fn note(
        &self,
        conn: &mut AsyncPgConnection,
        step: OrderStep,
        from: Option<OrderState>,
        detail: &StepDetail,
        by: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let detail = serde_json::to_value(detail).map_err(anyhow::Error::from)?;
        diesel::insert_into(order_events::table)
            .values((
                order_events::order_id.eq(self.order.id),
                order_events::kind.eq(step),
                order_events::from_state.eq(from),
                order_events::to_state.eq(self.progress.state),
                order_events::detail.eq(detail),
                order_events::actor.eq(by),
                order_events::created_at.eq(now),
            ))
            .execute(conn)
            .await?;
        Ok(())
    }

    /// Writes down what has become of it, and tells.
    ///
    /// # Errors
    /// The database's.
    pub async fn save(&self, conn: &mut AsyncPgConnection) -> Result<()> {
        let version = car_orders::version.eq(car_orders::version + 1);
        diesel::update(car_orders::table.find(self.order.id)).set((&self.progress, version)).execute(conn).await?;
        diesel::update(charge_sessions::table.find(self.order.id)).set(&self.session).execute(conn).await?;
        self.tell(conn).await
    }

    /// Tells that something became of it.
    ///
    /// # Errors
    /// The database's.
    pub async fn tell(&self, conn: &mut AsyncPgConnection) -> Result<()> {
        let (id, driver_id) = (self.order.id, Some(self.order.driver_id));
        events::tell(conn, &Happening { kind: Kind::CarOrder, id, owner: self.owner(), driver_id }).await
    }

    /// Has the charger start, and from then on watches that it does.
    async fn send_start(&mut self, conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<()> {
        let connector = connectors::table.find(self.order.connector_id).select(connectors::number).first(conn).await?;
        reservation::release(conn, self.order.connector_id, now).await?;
        self.session.start_sent_at = Some(now);
        self.send(conn, Command::Start { connector, tag: self.agreed.tag.clone() }, now).await?;
        jobs::enqueue(conn, &Watch { order_id: self.order.id }, now).await
    }

    /// Has the watch look at once, because something new is due before it would look by itself.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn wake_watch(&self, conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<()> {
        jobs::enqueue(conn, &Wake { order_id: self.order.id, since: now }, now).await
    }

    /// Whether its record of the end can show this now, with what the charger can deliver.
    pub(super) fn can_show(&self, wh: i64, now: DateTime<Utc>) -> bool {
        self.session.meter.as_ref().is_some_and(|it| it.can_show(wh, self.agreed.rated_power_w, now))
    }

    /// Has the charger stop, unless it was just told to.
    async fn send_stop(&mut self, conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<()> {
        let Some(transaction_id) = self.session.transaction_id else { return Ok(()) };
        if self.session.stop_sent_at.is_some_and(|it| now < it + PATIENCE) {
            return Ok(());
        }
        self.session.stop_sent_at = Some(now);
        // What it agreed to before it did not do.
        self.session.stop_accepted_at = None;
        self.send(conn, Command::Stop { transaction_id }, now).await
    }

    /// Tells the charger to do something about this charge.
    ///
    /// # Errors
    /// The database's.
    pub async fn send(&self, conn: &mut AsyncPgConnection, command: Command, now: DateTime<Utc>) -> Result<()> {
        let request = command::Request {
            device_id: self.order.charger_id,
            owner: self.owner(),
            command,
            order_id: Some(self.order.id),
            requested_by: "system".to_owned(),
            deadline: now + PATIENCE,
        };
        command::request(conn, request, now).await.map(drop)
    }
}

/// The order that bears this tag.
///
/// # Errors
/// The database's.
pub async fn tagged(conn: &mut AsyncPgConnection, tag: &str) -> Result<Option<Uuid>> {
    let found = charge_sessions::table.filter(charge_sessions::tag.eq(tag)).select(charge_sessions::order_id);
    Ok(found.first(conn).await.optional()?)
}

/// What who asks for something impossible is told.
pub(super) fn refused() -> Error {
    let text = shared::text::t("订单当前状态不允许该操作", "The order's state does not allow this");
    Error::Conflict("order_state", text)
}
