//! Watches an order from its start to its end: that the charger starts in time, that current flows, that it is heard of.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::charger_states;
use serde::{Deserialize, Serialize};
use shared::order::{EndReason, OrderFlag, OrderState, OrderStep};
use uuid::Uuid;

use super::charge::{Charge, Session, Told};
use super::state::Event;
use crate::app::App;
use crate::config;
use crate::error::{Error, Result};
use crate::jobs::{Job, Outcome};

/// A charger that lives and does not report a charge for this long has lost it.
const NO_REPORTS: TimeDelta = TimeDelta::minutes(15);
/// A charge that was told to stop and has not ended after this waits for its record.
const STOP_TIME: TimeDelta = TimeDelta::minutes(2);
/// Nobody wakes the watch when the state changes, so it looks at least this often.
const LONGEST_SLEEP: TimeDelta = TimeDelta::minutes(5);

/// The watch of one order. It acts under the order's lock on what it finds then, so running twice is running once.
#[derive(Debug, Serialize, Deserialize)]
pub struct Watch {
    /// The order.
    pub order_id: Uuid,
}

impl Job for Watch {
    const KIND: &'static str = "watch_charge";
    // An order that nobody watches would never end.
    const ATTEMPTS: i32 = i32::MAX;

    fn key(&self) -> String {
        self.order_id.to_string()
    }

    async fn run(self, app: &App) -> anyhow::Result<Outcome> {
        let mut conn = app.conn().await?;
        Ok(look(&mut conn, &app.config.charging, self.order_id, app.now()).await?)
    }
}

/// Looks after an order, and says when to look again.
///
/// # Errors
/// The database's.
pub async fn look(
    conn: &mut AsyncPgConnection,
    rules: &config::Charging,
    order_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Outcome> {
    conn.transaction(async |conn| {
        loop {
            let mut charge = Charge::lock(conn, order_id).await?;
            let seen = charger_states::table.find(charge.order.charger_id).select(charger_states::last_seen_at);
            let seen: Option<Option<DateTime<Utc>>> = seen.first(conn).await.optional()?;
            match due(&charge, seen.flatten(), rules, now) {
                Due::Never => return Ok::<_, Error>(Outcome::Done),
                Due::At(at) => return Ok(Outcome::Again(at.min(now + LONGEST_SLEEP))),
                Due::Now(Verdict { event, step, reason, flag }) => {
                    if let Some(flag) = flag {
                        charge.flag(flag);
                    }
                    let mut told = Told::new(event, step, "system", now);
                    told.reason = reason;
                    if !charge.happen(conn, told, now).await? {
                        return Err(Error::internal("the watch saw what cannot be"));
                    }
                }
            }
        }
    })
    .await
}

/// What the watch has to say.
#[derive(Debug, PartialEq, Eq)]
enum Due {
    /// The order has ended, or has not begun.
    Never,
    /// Nothing before this.
    At(DateTime<Utc>),
    /// This happens now.
    Now(Verdict),
}

#[derive(Debug, PartialEq, Eq)]
struct Verdict {
    event: Event,
    step: OrderStep,
    reason: Option<EndReason>,
    flag: Option<OrderFlag>,
}

const fn verdict(event: Event, step: OrderStep, reason: Option<EndReason>, flag: Option<OrderFlag>) -> Verdict {
    Verdict { event, step, reason, flag }
}

/// What is due, by the times that are known. Pure.
fn due(charge: &Charge, seen_at: Option<DateTime<Utc>>, rules: &config::Charging, now: DateTime<Utc>) -> Due {
    let Session { flowing_at, last_report_at, start_sent_at, stop_sent_at, suspended_at, .. } = charge.session;
    let began = charge.progress.started_at.or(start_sent_at).unwrap_or(now);
    let reported = last_report_at.map_or(began, |it| it.max(began));
    let heard = seen_at.map_or(reported, |it| it.max(reported));
    let seconds = TimeDelta::seconds;
    let silent = (heard + seconds(rules.silent_seconds), verdict(Event::Silent, OrderStep::Suspended, None, None));
    let lost = verdict(Event::Silent, OrderStep::Suspended, None, Some(OrderFlag::NoReports));
    let lost = (reported + NO_REPORTS, lost);
    let times = match charge.progress.state {
        OrderState::Starting => {
            let failed = verdict(Event::StartFailed, OrderStep::StartFailed, Some(EndReason::StartTimeout), None);
            vec![(start_sent_at.unwrap_or(now) + seconds(rules.start_seconds), failed)]
        }
        OrderState::Charging => {
            let mut times = vec![silent, lost];
            if let Some(still) = charge.still().filter(|_| flowing_at.is_none()) {
                let asleep = verdict(Event::StopAsked, OrderStep::StopAsked, Some(EndReason::NoCurrent), None);
                let at = began + seconds(rules.idle_stop_seconds).max(still);
                times.push((at.max(last_report_at.unwrap_or(at)), asleep));
            }
            times
        }
        OrderState::Stopping => {
            let stuck = verdict(Event::Silent, OrderStep::Suspended, None, None);
            vec![silent, lost, (stop_sent_at.unwrap_or(now) + STOP_TIME, stuck)]
        }
        OrderState::Suspended => {
            let reason = Some(EndReason::SuspendedTooLong);
            let given_up = verdict(Event::GivenUp, OrderStep::GivenUp, reason, None);
            vec![(suspended_at.unwrap_or(now) + seconds(rules.suspended_settle_seconds), given_up)]
        }
        OrderState::Created | OrderState::Completed | OrderState::Failed | OrderState::Cancelled => vec![],
    };
    match times.into_iter().min_by_key(|(at, _)| *at) {
        None => Due::Never,
        Some((at, verdict)) if at <= now => Due::Now(verdict),
        Some((at, _)) => Due::At(at),
    }
}
