//! Commands to devices: rows that the API writes and the gateway carries out. Their outcome is there to be seen.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::device_commands as commands;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::app::new_id;
use crate::auth::scope::Owner;
use crate::error::{Error, Result};
use crate::events::{self, Happening};

/// What a charger can be told, in the words of no protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Command {
    /// Start over; running charges are ended first unless `hard`.
    Reboot {
        /// At once, whatever runs.
        hard: bool,
    },
    /// Tell the state of everything anew.
    Refresh,
    /// Take over our time.
    SyncClock,
    /// Take a connector, or with 0 all of them, into service or out of it.
    Availability {
        /// The connector's number.
        connector: i32,
        /// Into service.
        available: bool,
    },
    /// Begin a charge.
    Start {
        /// The connector's number.
        connector: i32,
        /// What the charge is to be known by.
        tag: String,
    },
    /// End a charge.
    Stop {
        /// The charge's number.
        transaction_id: i32,
    },
    /// Let go of the plug.
    Unlock {
        /// The connector's number.
        connector: i32,
    },
}

impl Command {
    /// Its kind, as it is stored and shown.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Reboot { .. } => "reboot",
            Self::Refresh => "refresh",
            Self::SyncClock => "sync_clock",
            Self::Availability { .. } => "availability",
            Self::Start { .. } => "start",
            Self::Stop { .. } => "stop",
            Self::Unlock { .. } => "unlock",
        }
    }
}

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The device did it, or promised to.
    Acknowledged,
    /// The device said no.
    Refused,
    /// The device did not answer, or was not there.
    TimedOut,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
            Self::TimedOut => "timed_out",
        }
    }
}

/// Which device is to do what, for whom, until when.
pub struct Request {
    /// The device.
    pub device_id: Uuid,
    /// Whose it is.
    pub owner: Owner,
    /// What to do.
    pub command: Command,
    /// The order that it is about.
    pub order_id: Option<Uuid>,
    /// Who wants it, for people.
    pub requested_by: String,
    /// After this it need not be done any more.
    pub deadline: DateTime<Utc>,
}

/// Asks for a command, in the caller's transaction.
///
/// # Errors
/// The database's.
pub async fn request(conn: &mut AsyncPgConnection, request: Request, now: DateTime<Utc>) -> Result<Uuid> {
    let Request { device_id, owner, command, order_id, requested_by, deadline } = request;
    let id = new_id(now);
    let payload = serde_json::to_value(&command).map_err(|err| Error::internal(err.to_string()))?;
    diesel::insert_into(commands::table)
        .values((
            commands::id.eq(id),
            commands::provider_id.eq(owner.provider_id),
            commands::property_id.eq(owner.property_id),
            commands::station_id.eq(owner.station_id),
            commands::device_id.eq(device_id),
            commands::kind.eq(command.kind()),
            commands::payload.eq(payload),
            commands::order_id.eq(order_id),
            commands::requested_by.eq(requested_by),
            commands::deadline.eq(deadline),
            commands::created_at.eq(now),
        ))
        .execute(conn)
        .await?;
    events::notify(conn, events::COMMANDS, &device_id.to_string()).await?;
    tell(conn, id, owner).await?;
    Ok(id)
}

/// A command that a gateway has taken upon itself.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Its id.
    pub id: Uuid,
    /// What to do.
    pub command: Command,
    /// The order that it is about.
    pub order_id: Option<Uuid>,
    /// Whose the device is.
    pub owner: Owner,
}

/// Takes the oldest pending command of a device; nobody else gets it.
///
/// # Errors
/// The database's.
pub async fn take(conn: &mut AsyncPgConnection, device: Uuid, now: DateTime<Utc>) -> Result<Option<Taken>> {
    type Row = (Uuid, serde_json::Value, Option<Uuid>, Uuid, Uuid, Uuid);
    let pending = commands::table
        .filter(commands::device_id.eq(device))
        .filter(commands::state.eq("pending"))
        .filter(commands::deadline.gt(now))
        .order(commands::id)
        .select(commands::id)
        .limit(1)
        .for_update()
        .skip_locked();
    let Some(id) = pending.first::<Uuid>(conn).await.optional()? else { return Ok(None) };
    let (id, payload, order_id, provider_id, property_id, station_id): Row =
        diesel::update(commands::table.find(id).filter(commands::state.eq("pending")))
            .set((commands::state.eq("sent"), commands::sent_at.eq(now)))
            .returning((
                commands::id,
                commands::payload,
                commands::order_id,
                commands::provider_id,
                commands::property_id,
                commands::station_id,
            ))
            .get_result(conn)
            .await?;
    let command = serde_json::from_value(payload).map_err(|err| Error::internal(format!("command {id}: {err}")))?;
    let owner = Owner { provider_id, property_id, station_id };
    tell(conn, id, owner).await?;
    Ok(Some(Taken { id, command, order_id, owner }))
}

/// Writes down how a command ended. The first end counts; gives whether this was it.
///
/// # Errors
/// The database's.
pub async fn end(
    conn: &mut AsyncPgConnection,
    taken: &Taken,
    state: State,
    outcome: &str,
    now: DateTime<Utc>,
) -> Result<bool> {
    let open = commands::table.find(taken.id).filter(commands::state.eq_any(["pending", "sent"]));
    let set = (commands::state.eq(state.as_str()), commands::outcome.eq(outcome), commands::finished_at.eq(now));
    let ended = diesel::update(open).set(set).execute(conn).await? == 1;
    if ended {
        tell(conn, taken.id, taken.owner).await?;
    }
    Ok(ended)
}

async fn tell(conn: &mut AsyncPgConnection, id: Uuid, owner: Owner) -> Result<()> {
    events::tell(conn, &Happening { kind: "command".to_owned(), id, owner, driver_id: None }).await
}
