//! Charging: from what devices tell to settled orders.
//!
//! Every event is one transaction that locks the order first. What follows from it is looked up in one table
//! ([`state::next`]); what has to be done then is written as rows (commands, jobs, ledger), never called from within.

pub mod charge;
pub mod clock;
mod contact;
pub mod event;
pub mod meter;
mod over;
mod power;
#[cfg(test)]
mod random_charges;
pub mod readings;
mod record;
pub mod report;
pub mod settle;
mod start;
pub mod state;
mod stop;
pub mod watch;

use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared::device::CommandOutcome;
use shared::order::{EndReason, OrderState, OrderStep, StepDetail};
use uuid::Uuid;

use crate::auth::scope::Owner;
use crate::command::{self, Command};
use crate::error::Result;
use charge::{Charge, Told};
pub use contact::{booted, connector_told, returned};
use event::{Event, Reply};
pub use stop::{end_by_staff, stop};

/// A charger that is connected, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// The charger.
    pub charger_id: Uuid,
    /// Whose it is.
    pub owner: Owner,
}

/// Takes what a charger tells about charging, in a transaction of its own. Told again, it changes nothing and is answered
/// as before.
///
/// # Errors
/// The database's.
pub async fn apply(conn: &mut AsyncPgConnection, device: &Device, event: Event, now: DateTime<Utc>) -> Result<Reply> {
    let flushes = matches!(event, Event::Started { .. } | Event::Stopped { .. });
    let reply = conn
        .transaction(async |conn| match event {
            Event::Authorize { tag } => start::authorize(conn, device, &tag).await,
            Event::Started { connector, tag, meter_wh, at } => {
                start::started(conn, device, start::Start { connector, tag, meter_wh, at }, now).await
            }
            Event::Metered { connector, transaction, readings } => {
                report::metered(conn, device, connector, transaction, readings, now).await
            }
            Event::Stopped { transaction, tag, meter_wh, at, reason, readings } => {
                let stop = record::Stop { transaction, tag, meter_wh, at, reason, readings };
                stop::stopped(conn, device, stop, now).await
            }
        })
        .await?;
    if flushes {
        contact::flushes(conn, device.charger_id, now).await?;
    }
    Ok(reply)
}

/// A payment is confirmed: the charger is told to start. `false` when the order cannot start any more, because it has
/// ended, or somebody else has the connector or has reserved it; the money then has to go back.
///
/// # Errors
/// The database's.
pub async fn paid(conn: &mut AsyncPgConnection, order_id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let mut charge = Charge::lock(conn, order_id).await?;
    let told = if crate::order::connector_is_free(conn, charge.order.connector_id, charge.order.driver_id).await? {
        Told::new(state::Event::Paid, OrderStep::Paid, "driver", now)
    } else {
        Told::new(state::Event::Taken, OrderStep::Cancelled, "system", now).because(EndReason::ConnectorTaken)
    };
    Ok(charge.happen(conn, told, now).await? && charge.progress.state == OrderState::Starting)
}

/// A payment was closed without money: the order ends, unless it was paid for otherwise.
///
/// # Errors
/// The database's.
pub async fn closed_unpaid(conn: &mut AsyncPgConnection, order_id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let mut charge = Charge::lock(conn, order_id).await?;
    let told = Told::new(state::Event::Unpaid, OrderStep::Cancelled, "system", now).because(EndReason::Unpaid);
    charge.happen(conn, told, now).await?;
    Ok(())
}

/// A command about an order has ended, in the transaction that writes that down.
///
/// # Errors
/// The database's.
pub async fn command_ended(
    conn: &mut AsyncPgConnection,
    order_id: Uuid,
    command: &Command,
    end: &command::End,
    now: DateTime<Utc>,
) -> Result<()> {
    use command::State;
    let mut charge = Charge::lock(conn, order_id).await?;
    let failed = Told::new(state::Event::StartFailed, OrderStep::StartFailed, "charger", now);
    let told = match (command, end.state) {
        (Command::Start { .. }, State::Acknowledged) => {
            // It will try; only the charger's record says that it did.
            if charge.progress.state == OrderState::Starting {
                let nothing = StepDetail::default();
                charge.note(conn, OrderStep::StartAccepted, None, &nothing, "charger", now).await?;
            }
            return Ok(());
        }
        (Command::Start { .. }, State::Refused) => failed.because(EndReason::StartRefused),
        (Command::Start { .. }, State::TimedOut) if end.outcome == CommandOutcome::NotDelivered => {
            failed.because(EndReason::StartTimeout)
        }
        (Command::Stop { .. }, State::Acknowledged) => {
            if charge.progress.state == OrderState::Stopping {
                charge.session.stop_accepted_at = Some(now);
                charge.wake_watch(conn, now).await?;
                charge.save(conn).await?;
            }
            return Ok(());
        }
        (Command::Stop { .. }, State::Refused) => {
            Told::new(state::Event::StopRefused, OrderStep::StopRefused, "charger", now)
        }
        // Whether a charger that did not answer has started only the watch will see, when its time is over. One that does
        // not answer a stop is silent, and the watch sees that too.
        (Command::Start { .. } | Command::Stop { .. }, State::TimedOut)
        | (
            Command::Reboot { .. }
            | Command::Refresh
            | Command::SyncClock
            | Command::Availability { .. }
            | Command::Unlock { .. }
            | Command::Reserve { .. }
            | Command::CancelReservation { .. }
            | Command::SetPassword { .. },
            _,
        ) => return Ok(()),
    };
    charge.happen(conn, told, now).await?;
    Ok(())
}
