//! Watches an order from its start to its end: that the charger starts in time, that current flows, that it is heard of.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{charger_states, connectors};
use serde::{Deserialize, Serialize};
use shared::device::ConnectorStatus;
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
/// Whoever brings something nearer wakes the watch. It looks at least this often all the same.
const LONGEST_SLEEP: TimeDelta = TimeDelta::minutes(5);
/// A charger whose line is alive was heard of within this: it is pinged every half minute, and that it was heard of is
/// written down every quarter.
const HEARD_OF: TimeDelta = TimeDelta::seconds(50);
/// What nobody tells is looked at this often while it matters: whether a line that seems dead is alive after all, and
/// whether a connector has ended what its charger agreed to end.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(10);

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

/// Has the watch look when something has come nearer than it knows. Each of these ends as soon as nothing is near any more;
/// they act as the watch does.
#[derive(Debug, Serialize, Deserialize)]
pub struct Wake {
    /// The order.
    pub order_id: Uuid,
    /// What tells it from others: the watch that runs already may not have seen what this one is to see.
    pub since: DateTime<Utc>,
}

impl Job for Wake {
    const KIND: &'static str = "wake_watch";
    const ATTEMPTS: i32 = i32::MAX;

    fn key(&self) -> String {
        format!("{}:{}", self.order_id, self.since.timestamp_micros())
    }

    async fn run(self, app: &App) -> anyhow::Result<Outcome> {
        let (mut conn, rules) = (app.conn().await?, &app.config.charging);
        look(&mut conn, rules, self.order_id, app.now()).await?;
        conn.transaction(async |conn| {
            let charge = Charge::lock(conn, self.order_id).await?;
            let seen = Seen::of(conn, &charge).await?;
            let near = soon(&charge, &seen, rules, app.now()).into_iter().map(|(at, _)| at).min();
            Ok::<_, Error>(near.map_or(Outcome::Done, Outcome::Again))
        })
        .await
        .map_err(anyhow::Error::from)
    }
}

/// What is known of the charger and its connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// It has a connection.
    pub online: bool,
    /// Since when.
    pub connected_at: Option<DateTime<Utc>>,
    /// When it was last heard of.
    pub seen_at: Option<DateTime<Utc>>,
    /// What the connector last said that it does.
    pub status: ConnectorStatus,
}

impl Seen {
    /// Reads it for a charge.
    ///
    /// # Errors
    /// The database's.
    pub async fn of(conn: &mut AsyncPgConnection, charge: &Charge) -> Result<Self> {
        Self::at(conn, charge.order.charger_id, charge.order.connector_id).await
    }

    /// Reads it for a charger and one of its connectors.
    ///
    /// # Errors
    /// The database's.
    pub async fn at(conn: &mut AsyncPgConnection, charger_id: Uuid, connector_id: Uuid) -> Result<Self> {
        let connector = connectors::table.find(connector_id).select(connectors::status);
        let status = connector.first(conn).await?;
        let charger = charger_states::table.find(charger_id);
        let charger =
            charger.select((charger_states::online, charger_states::connected_at, charger_states::last_seen_at));
        let (online, connected_at, seen_at) = charger.first(conn).await.optional()?.unwrap_or_default();
        Ok(Self { online, connected_at, seen_at, status })
    }

    /// Its line seems dead, although nobody has closed it yet.
    fn is_unheard(&self, now: DateTime<Utc>) -> bool {
        self.online && self.seen_at.is_some_and(|it| it + HEARD_OF < now)
    }
}

/// Until when a start is waited for. A charger that has gone meanwhile may come back with the record of it, and gets some
/// time to tell it then. Pure.
pub fn start_deadline(told_at: DateTime<Utc>, seen: &Seen, rules: &config::Charging) -> DateTime<Utc> {
    let usual = told_at + TimeDelta::seconds(rules.start_seconds);
    let longest = usual.max(told_at + TimeDelta::seconds(rules.start_away_seconds));
    let back = seen.connected_at.map(|it| it + TimeDelta::seconds(rules.start_seconds));
    if seen.online { back.map_or(usual, |it| it.min(longest).max(usual)) } else { longest }
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
            let seen = Seen::of(conn, &charge).await?;
            match due(&charge, &seen, rules, now) {
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
fn due(charge: &Charge, seen: &Seen, rules: &config::Charging, now: DateTime<Utc>) -> Due {
    let mut times = soon(charge, seen, rules, now);
    times.extend(routine(charge, seen, rules, now));
    // Of two at once the first counts.
    match times.into_iter().min_by_key(|(at, _)| *at) {
        None => Due::Never,
        Some((at, Some(verdict))) if at <= now => Due::Now(verdict),
        Some((at, _)) => Due::At(at.max(now)),
    }
}

type Times = Vec<(DateTime<Utc>, Option<Verdict>)>;

/// What somebody waits for: a start, or the end of a charge that is over or is to be. Pure.
fn soon(charge: &Charge, seen: &Seen, rules: &config::Charging, now: DateTime<Utc>) -> Times {
    let Session { start_sent_at, staff_asked_at, stop_accepted_at, last_report_at, lost_at, .. } = charge.session;
    let state = charge.progress.state;
    if state == OrderState::Starting {
        let failed = verdict(Event::StartFailed, OrderStep::StartFailed, Some(EndReason::StartTimeout), None);
        let told_at = start_sent_at.unwrap_or(now);
        let at = start_deadline(told_at, seen, rules);
        let longest = start_deadline(told_at, &Seen { online: false, ..seen.clone() }, rules);
        // A line that has died without a word looks alive for a while.
        let wait = at <= now && seen.is_unheard(now) && now < longest;
        return vec![if wait { ((now + LOOK_AGAIN).min(longest), None) } else { (at, Some(failed)) }];
    }
    if !matches!(state, OrderState::Charging | OrderState::Stopping | OrderState::Suspended) {
        return vec![];
    }
    // Who asked for the end is why it ended, with or without a record.
    let reason = charge.progress.end_reason.is_none().then_some(EndReason::NoRecord);
    let over = |at| (at, Some(verdict(Event::NoRecord, OrderStep::NoRecord, reason, Some(OrderFlag::NoRecord))));
    let wait = TimeDelta::seconds(rules.stop_seconds);
    let mut times = vec![];
    if let Some(at) = lost_at.filter(|_| seen.online) {
        times.push(over(at + TimeDelta::seconds(rules.lost_seconds)));
    }
    if let Some(at) = staff_asked_at {
        times.push(over(at + wait));
    }
    // A charger that has agreed to stop and falls silent about the charge has ended it. While it reports, or says that it
    // charges, the car goes on being billed.
    if let Some(accepted) = stop_accepted_at.filter(|_| state == OrderState::Stopping && seen.online) {
        use ConnectorStatus as Is;
        let quiet_since = last_report_at.map_or(accepted, |it| it.max(accepted));
        let charges = matches!(seen.status, Is::Charging | Is::SuspendedEv | Is::SuspendedEvse);
        if charges {
            times.extend(Some((now + LOOK_AGAIN, None)).filter(|_| now < accepted + STOP_TIME));
        } else if quiet_since <= accepted + wait {
            times.push(over(quiet_since + wait));
        }
    }
    times
}

/// What the watch sees in time by itself. Pure.
fn routine(charge: &Charge, seen: &Seen, rules: &config::Charging, now: DateTime<Utc>) -> Times {
    let Session { flowing_at, last_report_at, start_sent_at, stop_sent_at, suspended_at, .. } = charge.session;
    let began = charge.progress.started_at.or(start_sent_at).unwrap_or(now);
    let reported = last_report_at.map_or(began, |it| it.max(began));
    let heard = seen.seen_at.map_or(reported, |it| it.max(reported));
    let seconds = TimeDelta::seconds;
    let suspended = |flag| Some(verdict(Event::Silent, OrderStep::Suspended, None, flag));
    let silent = (heard + seconds(rules.silent_seconds), suspended(None));
    let unreported = (reported + NO_REPORTS, suspended(Some(OrderFlag::NoReports)));
    match charge.progress.state {
        OrderState::Charging => {
            let mut times = vec![silent, unreported];
            if let Some(still) = charge.still().filter(|_| flowing_at.is_none()) {
                let asleep = verdict(Event::StopAsked, OrderStep::StopAsked, Some(EndReason::NoCurrent), None);
                let at = began + seconds(rules.idle_stop_seconds).max(still);
                times.push((at.max(last_report_at.unwrap_or(at)), Some(asleep)));
            }
            times
        }
        OrderState::Stopping => {
            vec![silent, unreported, (stop_sent_at.unwrap_or(now) + STOP_TIME, suspended(None))]
        }
        OrderState::Suspended => {
            let reason = Some(EndReason::SuspendedTooLong);
            let given_up = verdict(Event::GivenUp, OrderStep::GivenUp, reason, None);
            vec![(suspended_at.unwrap_or(now) + seconds(rules.suspended_settle_seconds), Some(given_up))]
        }
        OrderState::Starting
        | OrderState::Created
        | OrderState::Completed
        | OrderState::Failed
        | OrderState::Cancelled => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_waited_for_while_its_charger_is_away_and_a_while_after() {
        let told = DateTime::from_timestamp(1_795_311_005, 0).unwrap();
        let rules = config::Charging { start_seconds: 60, start_away_seconds: 600, ..config::Charging::default() };
        let waits = |rules: &config::Charging, online, connected: Option<i64>| {
            let connected_at = connected.map(|it| told + TimeDelta::seconds(it));
            let seen = Seen { online, connected_at, seen_at: None, status: ConnectorStatus::Preparing };
            (start_deadline(told, &seen, rules) - told).num_seconds()
        };
        for (online, connected, seconds) in [
            (true, None, 60),
            (true, Some(-3600), 60),
            (false, Some(-3600), 600),
            (true, Some(30), 90),
            (true, Some(300), 360),
            (true, Some(590), 600),
            (true, Some(9000), 600),
        ] {
            assert_eq!(waits(&rules, online, connected), seconds, "{online} {connected:?}");
        }
        // Nobody waits for less than for a charger that is there.
        let hasty = config::Charging { start_away_seconds: 0, ..rules };
        assert_eq!([waits(&hasty, false, None), waits(&hasty, true, Some(30))], [60, 60]);
    }
}
