//! A charge begins: the charger's own record of it is kept once, however often it is told, and answered the same.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel::upsert::excluded;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, charger_states, connectors, device_transactions as transactions, driver_visits};
use shared::order::{OrderFlag, OrderStep, StepDetail};
use uuid::Uuid;

use super::Device;
use super::charge::{Charge, Told, tagged};
use super::clock::Clock;
use super::event::{Reading, Reply};
use super::meter::Meter;
use super::readings::{Kind, Register};
use super::record::{self, free_number};
use super::state::Event;
use super::{report, stop};
use crate::command::{self, Command};
use crate::error::{Error, Result};
use crate::reservation;

/// A charge that is not ours is told to stop for this long.
const PATIENCE: TimeDelta = TimeDelta::minutes(5);

/// A start as the charger tells it. All of it together is what a replay is known by.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) connector: i32,
    pub(super) tag: String,
    pub(super) meter_wh: i64,
    pub(super) at: Option<DateTime<Utc>>,
}

impl Start {
    /// The time that a replay is known by: a charger without a clock tells the same start with no time again.
    fn key(&self) -> DateTime<Utc> {
        self.at.unwrap_or(DateTime::UNIX_EPOCH)
    }
}

/// May somebody with this tag charge? Only for the order that bears it, where and while that is about to run or runs.
pub(super) async fn authorize(conn: &mut AsyncPgConnection, device: &Device, tag: &str) -> Result<Reply> {
    let Some(order_id) = tagged(conn, tag).await? else { return Ok(Reply::Authorized(false)) };
    let here = car_orders::table
        .find(order_id)
        .filter(car_orders::charger_id.eq(device.charger_id))
        .filter(car_orders::state.eq_any(crate::order::RUNNING));
    Ok(Reply::Authorized(diesel::select(diesel::dsl::exists(here)).get_result(conn).await?))
}

/// The charger began. The order goes on if it waits for this; otherwise the charger is told to stop.
pub(super) async fn started(
    conn: &mut AsyncPgConnection,
    device: &Device,
    start: Start,
    now: DateTime<Utc>,
) -> Result<Reply> {
    let order_id = tagged(conn, &start.tag).await?;
    let charge = match order_id {
        Some(id) => Some(Charge::lock(conn, id).await?).filter(|it| it.order.charger_id == device.charger_id),
        None => None,
    };
    // The lock comes first, so that of two equal records the second finds the first.
    if let Some(reply) = known(conn, device, &start).await? {
        return Ok(reply);
    }
    let accepted = match &charge {
        Some(charge) => charge.would(Event::Started).is_some() && is_at(conn, charge, start.connector).await?,
        None => false,
    };
    let new = (
        transactions::transaction_id.eq(free_number(conn).await?),
        transactions::charger_id.eq(device.charger_id),
        transactions::connector_number.eq(start.connector),
        transactions::id_tag.eq(&start.tag),
        transactions::meter_start_wh.eq(start.meter_wh),
        transactions::started_at.eq(start.key()),
        transactions::order_id.eq(charge.as_ref().map(|it| it.order.id)),
        transactions::accepted.eq(accepted),
        transactions::told_to_stop_at.eq((!accepted).then_some(now)),
        transactions::created_at.eq(now),
    );
    let insert = diesel::insert_into(transactions::table).values(new).on_conflict_do_nothing();
    let inserted = insert.returning(transactions::transaction_id).get_result(conn).await.optional()?;
    let Some(transaction_id) = inserted else {
        // Without an order there was nothing to lock, and somebody told the same at the same time.
        return known(conn, device, &start).await?.ok_or_else(|| Error::internal("a start came and went"));
    };
    match charge {
        Some(mut charge) if accepted => {
            begin(conn, &mut charge, transaction_id, &start, now).await?;
            // The record of its end may have been faster.
            if let Some(stop) = record::take_kept(conn, &charge, &start, now).await? {
                record::write_end(conn, transaction_id, &stop, now).await?;
                stop::end(conn, charge, stop, now).await?;
            }
        }
        mut charge => disown(conn, device, charge.as_mut(), transaction_id, &start, now).await?,
    }
    Ok(Reply::Started { transaction_id, accepted })
}

/// What the same record was answered before.
async fn known(conn: &mut AsyncPgConnection, device: &Device, start: &Start) -> Result<Option<Reply>> {
    let same = transactions::table
        .filter(transactions::charger_id.eq(device.charger_id))
        .filter(transactions::connector_number.eq(start.connector))
        .filter(transactions::id_tag.eq(&start.tag))
        .filter(transactions::started_at.eq(start.key()))
        .filter(transactions::meter_start_wh.eq(start.meter_wh))
        .select((transactions::transaction_id, transactions::accepted));
    let known = same.first(conn).await.optional()?;
    Ok(known.map(|(transaction_id, accepted)| Reply::Started { transaction_id, accepted }))
}

/// The order that has a connector of the charger.
pub(super) async fn running_on(conn: &mut AsyncPgConnection, device: &Device, number: i32) -> Result<Option<Uuid>> {
    let here = connectors::table
        .filter(connectors::charger_id.eq(device.charger_id))
        .filter(connectors::number.eq(number))
        .select(connectors::id);
    match here.first(conn).await.optional()? {
        Some(connector) => crate::order::holder(conn, connector).await,
        None => Ok(None),
    }
}

async fn is_at(conn: &mut AsyncPgConnection, charge: &Charge, connector: i32) -> Result<bool> {
    let number: i32 = connectors::table.find(charge.order.connector_id).select(connectors::number).first(conn).await?;
    Ok(number == connector)
}

async fn begin(
    conn: &mut AsyncPgConnection,
    charge: &mut Charge,
    transaction_id: i32,
    start: &Start,
    now: DateTime<Utc>,
) -> Result<()> {
    let connected_at = charger_states::table.find(charge.order.charger_id).select(charger_states::connected_at);
    let connected_at: Option<Option<DateTime<Utc>>> = connected_at.first(conn).await.optional()?;
    let clock = Clock::begin(start.at, charge.session.start_sent_at.unwrap_or(now), connected_at.flatten(), now);
    let at = clock.began_at();
    charge.flag_if(OrderFlag::ClockSuspect, clock.is_suspect());
    charge.session.transaction_id = Some(transaction_id);
    charge.session.meter = Some(Meter::begin(Register { at, arrived_at: now, wh: start.meter_wh }));
    charge.progress.started_at = Some(at);
    let reading = Reading { at: start.at, wh: Some(start.meter_wh), ..Reading::default() };
    let first = report::Stamped { kind: Kind::Begin, stamp: clock.beginning(), reading };
    charge.session.clock = Some(clock);
    report::store(conn, charge.order.id, &[first], true, now).await?;
    visit(conn, charge, now).await?;
    // Nobody but the driver for whom it is kept gets this far at a reserved connector.
    reservation::at_connector(conn, charge.order.connector_id, reservation::state::Event::Entered, at, now).await?;
    charge.happen(conn, Told::new(Event::Started, OrderStep::Started, "charger", now), now).await?;
    Ok(())
}

diesel::define_sql_function! {
    /// The later of two instants.
    fn greatest(one: Timestamptz, other: Timestamptz) -> Timestamptz;
}

/// The driver has charged here: the station's staff may see them from now on.
async fn visit(conn: &mut AsyncPgConnection, charge: &Charge, now: DateTime<Utc>) -> Result<()> {
    diesel::insert_into(driver_visits::table)
        .values((
            driver_visits::driver_id.eq(charge.order.driver_id),
            driver_visits::station_id.eq(charge.order.station_id),
            driver_visits::provider_id.eq(charge.order.provider_id),
            driver_visits::property_id.eq(charge.order.property_id),
            driver_visits::orders.eq(1),
            driver_visits::last_at.eq(now),
        ))
        .on_conflict((driver_visits::driver_id, driver_visits::station_id))
        .do_update()
        // Of two charges that begin at once the later one counts, whichever is written last.
        .set((
            driver_visits::orders.eq(driver_visits::orders + 1),
            driver_visits::last_at.eq(greatest(driver_visits::last_at, excluded(driver_visits::last_at))),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// A charge that no order waits for: the charger is to stop it. An order of that connector which we thought to run has
/// been lost by the charger, and waits for its record.
async fn disown(
    conn: &mut AsyncPgConnection,
    device: &Device,
    charge: Option<&mut Charge>,
    transaction_id: i32,
    start: &Start,
    now: DateTime<Utc>,
) -> Result<()> {
    let request = command::Request {
        device_id: device.charger_id,
        owner: device.owner,
        command: Command::Stop { transaction_id },
        order_id: charge.as_ref().map(|it| it.order.id),
        requested_by: "system".to_owned(),
        deadline: now + PATIENCE,
    };
    command::request(conn, request, now).await?;
    if let Some(charge) = charge
        && charge.progress.ended_at.is_some()
    {
        charge.flag(OrderFlag::LateStart);
        charge.note(conn, OrderStep::LateStart, None, &StepDetail::default(), "charger", now).await?;
        charge.save(conn).await?;
    }
    let running = running_on(conn, device, start.connector).await?;
    let Some(running) = running else { return Ok(()) };
    let mut lost = Charge::lock(conn, running).await?;
    if lost.would(Event::Silent).is_some() {
        lost.flag(OrderFlag::TransactionLost);
        lost.lose(conn, now).await?;
        lost.happen(conn, Told::new(Event::Silent, OrderStep::Suspended, "charger", now), now).await?;
    }
    Ok(())
}
