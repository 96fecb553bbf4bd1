//! Commands that came to nothing, and that nobody else ends.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::device_commands as commands;
use serde::{Deserialize, Serialize};
use shared::device::{CommandOutcome, CommandState};

use super::{End, State, Taken, TakenRow, end};
use crate::app::App;
use crate::jobs::{self, Job};

/// Ends commands that nobody delivered, or whose gateway died before the answer. Runs for ever.
#[derive(Serialize, Deserialize)]
pub struct Sweep {}

impl Job for Sweep {
    const KIND: &'static str = "sweep_commands";
    const ATTEMPTS: i32 = i32::MAX;

    fn key(&self) -> String {
        String::new()
    }

    // Run twice it finds less to do.
    async fn run(self, app: &App) -> anyhow::Result<jobs::Outcome> {
        let now = app.now();
        let mut conn = app.conn().await?;
        // A gateway that has sent a command ends it itself, unless it dies.
        let given_up = now - TimeDelta::seconds(i64::try_from(app.config.gateway.call_seconds)? + 5);
        for (state, before, outcome) in [
            (CommandState::Pending, now, CommandOutcome::NotDelivered),
            (CommandState::Sent, given_up, CommandOutcome::NoAnswer),
        ] {
            let due = commands::table.filter(commands::state.eq(state)).filter(commands::deadline.le(before)).select((
                commands::id,
                commands::payload,
                commands::secret,
                commands::order_id,
                commands::provider_id,
                commands::property_id,
                commands::station_id,
            ));
            for row in due.limit(500).load::<TakenRow>(&mut conn).await? {
                if let Some(taken) = Taken::read(&mut conn, row, now).await? {
                    end(&mut conn, &taken, &End::new(State::TimedOut, outcome), now).await?;
                }
            }
        }
        Ok(jobs::Outcome::Again(now + TimeDelta::seconds(2)))
    }
}
