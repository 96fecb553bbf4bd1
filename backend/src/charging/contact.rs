//! What follows for charges from what a charger tells about itself: that it is back, that it has started anew, what its
//! connectors do.
//!
//! A charger that behaves as if it had no such charge has lost it, or still has its record to bring. It gets some time for
//! that from its last word about any charge on; then the watch settles the order without.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, charge_sessions, connectors, device_transactions as transactions};
use shared::device::ConnectorStatus;
use shared::order::{OrderState, OrderStep};
use uuid::Uuid;

use super::charge::{Charge, Told};
use super::over::Named;
use super::state::Event;
use super::{Device, start};
use crate::command;
use crate::error::Result;
use crate::order::is_running;

/// A charge that was settled without a record is asked to stop when its charger comes back within this.
const LONG_AGO: TimeDelta = TimeDelta::hours(72);
/// Such charges of one charger, the newest: more are not looked through.
const MOST: i64 = 20;

/// The orders that have a connector of a charger.
async fn running_at(conn: &mut AsyncPgConnection, charger_id: Uuid) -> Result<Vec<Uuid>> {
    let at = connectors::table.filter(connectors::charger_id.eq(charger_id)).select(connectors::id);
    let running = car_orders::table.filter(car_orders::connector_id.eq_any(at)).filter(is_running());
    Ok(running.order(car_orders::id).select(car_orders::id).load(conn).await?)
}

/// The charger is connected again: what it could not be told while it was away is told now. Each order in a transaction of
/// its own.
///
/// # Errors
/// The database's.
pub async fn returned(conn: &mut AsyncPgConnection, charger_id: Uuid, now: DateTime<Utc>) -> Result<()> {
    for id in running_at(conn, charger_id).await? {
        conn.transaction(async |conn| {
            let mut charge = Charge::lock(conn, id).await?;
            if charge.progress.state == OrderState::Starting {
                // From now on it has some time to tell that it has begun.
                charge.wake_watch(conn, now).await?;
            }
            if charge.session.lost_at.is_some() {
                charge.lose(conn, now).await?;
                charge.save(conn).await?;
            }
            let asked_again = charge.would(Event::Returned).is_some();
            if asked_again && !command::stop_is_pending(conn, charger_id, id, now).await? {
                charge.session.stop_sent_at = None;
                charge.happen(conn, Told::new(Event::Returned, OrderStep::StopRepeated, "system", now), now).await?;
            }
            Ok::<_, crate::error::Error>(())
        })
        .await?;
    }
    for id in ended_unseen(conn, charger_id, now).await? {
        conn.transaction(async |conn| {
            let charge = Charge::lock(conn, id).await?;
            let device = Device { charger_id, owner: charge.owner() };
            let Some(number) = charge.session.transaction_id else { return Ok(()) };
            let Some(named) = Named::find(conn, &device, number).await? else { return Ok(()) };
            let since = charge.progress.settled_at.unwrap_or(now);
            named.tell_to_stop(conn, &device, since, now).await
        })
        .await?;
    }
    Ok(())
}

/// The orders that were settled while the charger was away, and of whose end it has told nothing yet.
async fn ended_unseen(conn: &mut AsyncPgConnection, charger_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Uuid>> {
    let open = transactions::table
        .inner_join(car_orders::table.on(transactions::order_id.eq(car_orders::id.nullable())))
        .inner_join(charge_sessions::table.on(charge_sessions::order_id.eq(car_orders::id)))
        .filter(transactions::charger_id.eq(charger_id))
        .filter(transactions::stopped_at.is_null().and(transactions::accepted))
        .filter(car_orders::settled_at.gt(now - LONG_AGO))
        .filter(charge_sessions::lost_at.is_null())
        .order(transactions::created_at.desc());
    Ok(open.select(car_orders::id).limit(MOST).load(conn).await?)
}

/// The charger has started anew: charges that it does not take up again are over.
///
/// # Errors
/// The database's.
pub async fn booted(conn: &mut AsyncPgConnection, device: &Device, now: DateTime<Utc>) -> Result<()> {
    for id in running_at(conn, device.charger_id).await? {
        conn.transaction(async |conn| {
            let mut charge = Charge::lock(conn, id).await?;
            if charge.session.transaction_id.is_some() && charge.would(Event::NoRecord).is_some() {
                charge.lose(conn, now).await?;
                charge.save(conn).await?;
            }
            Ok::<_, crate::error::Error>(())
        })
        .await?;
    }
    Ok(())
}

/// A connector told what it does: one that is free has no charge, one that charges has not lost it.
///
/// # Errors
/// The database's.
pub async fn connector_told(
    conn: &mut AsyncPgConnection,
    device: &Device,
    connector: i32,
    status: ConnectorStatus,
    now: DateTime<Utc>,
) -> Result<()> {
    use ConnectorStatus as Is;
    let charges = match status {
        Is::Available => false,
        Is::Charging | Is::SuspendedEv | Is::SuspendedEvse => true,
        // The record of a charge that is finishing comes in its own time; the rest says nothing about charges.
        Is::Preparing | Is::Finishing | Is::Reserved | Is::Unavailable | Is::Faulted | Is::Unknown => return Ok(()),
    };
    let Some(id) = start::running_on(conn, device, connector).await? else { return Ok(()) };
    conn.transaction(async |conn| {
        let mut charge = Charge::lock(conn, id).await?;
        match (charges, charge.session.lost_at) {
            (true, Some(_)) => charge.session.lost_at = None,
            (false, None) if charge.would(Event::NoRecord).is_some() => charge.lose(conn, now).await?,
            (true, None) | (false, _) => return Ok(()),
        }
        charge.save(conn).await
    })
    .await
}

/// The charger brings records out of its memory: those of the charges that it seems to have lost may be among them.
pub(super) async fn flushes(conn: &mut AsyncPgConnection, charger_id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let at = connectors::table.filter(connectors::charger_id.eq(charger_id)).select(connectors::id);
    let running = car_orders::table.filter(car_orders::connector_id.eq_any(at)).filter(is_running());
    let lost = charge_sessions::table
        .filter(charge_sessions::order_id.eq_any(running.select(car_orders::id)))
        .filter(charge_sessions::lost_at.is_not_null());
    diesel::update(lost).set(charge_sessions::lost_at.eq(now)).execute(conn).await?;
    Ok(())
}

impl Charge {
    /// The charger behaves as if it had no such charge: from now on it has some time to bring the record.
    pub(super) async fn lose(&mut self, conn: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<()> {
        self.session.lost_at = Some(now);
        self.wake_watch(conn, now).await
    }

    /// The charger reports the charge that it seemed to have lost, with what it read last: it goes on, unless that comes out
    /// of the charger's memory, or the connector is free.
    pub(super) async fn reported_again(
        &mut self,
        conn: &mut AsyncPgConnection,
        read_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Some(lost_at) = self.session.lost_at else { return Ok(()) };
        let connector = connectors::table.find(self.order.connector_id).select(connectors::status);
        let status: ConnectorStatus = connector.first(conn).await?;
        let goes_on = read_at >= lost_at && status != ConnectorStatus::Available;
        self.session.lost_at = (!goes_on).then_some(now);
        Ok(())
    }
}
