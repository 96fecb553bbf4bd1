//! A charger goes on with a charge that is over for us, or was never ours: it is told to stop, ever more rarely.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::device_transactions as transactions;
use shared::order::{OrderFlag, OrderStep, StepDetail};
use uuid::Uuid;

use super::Device;
use super::charge::{Charge, PATIENCE};
use crate::command::{self, Command};
use crate::error::Result;

/// What is read this much after the end that the charger told still belongs to the charge.
const AFTERGLOW: TimeDelta = TimeDelta::seconds(30);
/// The longest time until it is told again.
const RAREST: TimeDelta = TimeDelta::hours(1);

/// A charge as the charger names it in its reports.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = transactions, check_for_backend(diesel::pg::Pg))]
pub(super) struct Named {
    pub(super) transaction_id: i32,
    pub(super) order_id: Option<Uuid>,
    pub(super) accepted: bool,
    stopped_at: Option<DateTime<Utc>>,
    told_to_stop_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl Named {
    /// The charge with this number, if it is one of the charger's.
    pub(super) async fn find(conn: &mut AsyncPgConnection, device: &Device, number: i32) -> Result<Option<Self>> {
        let its = transactions::table.find(number).filter(transactions::charger_id.eq(device.charger_id));
        Ok(its.select(Self::as_select()).first(conn).await.optional()?)
    }

    /// The charger reports a charge that it was never to begin.
    pub(super) async fn goes_on(
        &self,
        conn: &mut AsyncPgConnection,
        device: &Device,
        now: DateTime<Utc>,
    ) -> Result<()> {
        if self.stopped_at.is_none() {
            self.tell_to_stop(conn, device, self.created_at, now).await?;
        }
        Ok(())
    }

    /// The charger reports a charge whose order has ended, with what it read last: when by its clock, and by ours. Reports
    /// from before the end, which come late out of its memory, say nothing.
    pub(super) async fn goes_on_after(
        &self,
        conn: &mut AsyncPgConnection,
        device: &Device,
        charge: &mut Charge,
        (told_at, read_at): (Option<DateTime<Utc>>, DateTime<Utc>),
        now: DateTime<Utc>,
    ) -> Result<()> {
        let Some(ended_at) = charge.progress.ended_at else { return Ok(()) };
        // The end that it told is by its clock, too.
        let is_over = match self.stopped_at {
            Some(stopped_at) => told_at.unwrap_or(read_at) > stopped_at + AFTERGLOW,
            None => read_at > ended_at,
        };
        if !is_over {
            return Ok(());
        }
        self.tell_to_stop(conn, device, charge.progress.settled_at.unwrap_or(ended_at), now).await?;
        if charge.flag(OrderFlag::GoesOn) {
            charge.note(conn, OrderStep::GoesOn, None, &StepDetail::default(), "charger", now).await?;
            charge.save(conn).await?;
        }
        Ok(())
    }

    /// Tells the charger to stop, unless it was told lately: the longer it does not obey, the more rarely.
    pub(super) async fn tell_to_stop(
        &self,
        conn: &mut AsyncPgConnection,
        device: &Device,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let told = self.told_to_stop_at;
        if told.is_some_and(|it| now < it + ((it - since) / 2).clamp(PATIENCE, RAREST)) {
            return Ok(());
        }
        // Of two who have seen the same one tells it.
        let unchanged = transactions::told_to_stop_at.is_not_distinct_from(told);
        let row = transactions::table.find(self.transaction_id).filter(unchanged);
        if diesel::update(row).set(transactions::told_to_stop_at.eq(now)).execute(conn).await? == 0 {
            return Ok(());
        }
        let request = command::Request {
            device_id: device.charger_id,
            owner: device.owner,
            command: Command::Stop { transaction_id: self.transaction_id },
            order_id: self.order_id,
            requested_by: "system".to_owned(),
            deadline: now + PATIENCE,
        };
        command::request(conn, request, now).await.map(drop)
    }
}
