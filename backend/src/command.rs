//! Commands to devices: rows that the API writes and the gateway carries out. Their outcome is there to be seen.

mod sweep;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{charger_states, device_commands as commands};
use serde::{Deserialize, Serialize};
use shared::codes::Code;
use shared::device::{CommandKind, CommandOutcome, CommandState};
use shared::text::t;
use uuid::Uuid;

pub use self::sweep::Sweep;
use crate::app::new_id;
use crate::auth::scope::Owner;
use crate::charging;
use crate::config::Secret;
use crate::error::{Error, Result};
use crate::events::{self, Happening, Kind};
use crate::reservation;

/// A command that somebody waits for is worth nothing later.
pub const PATIENCE: TimeDelta = TimeDelta::seconds(30);
/// What is to hold whenever the device comes back waits this long for it.
const KEPT: TimeDelta = TimeDelta::days(365);

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
    /// Keep a connector free.
    Reserve {
        /// The connector's number.
        connector: i32,
        /// The reservation's number.
        number: i32,
        /// What the driver for whom it is kept is known by.
        tag: String,
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Keep a connector free no longer.
    CancelReservation {
        /// The reservation's number.
        number: i32,
    },
    /// Log in with this password from now on.
    SetPassword {
        /// The password: kept beside the command, and no longer than until that has ended.
        #[serde(skip)]
        password: Secret,
    },
}

impl Command {
    /// Its kind, as it is stored and shown.
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Reboot { .. } => CommandKind::Reboot,
            Self::Refresh => CommandKind::Refresh,
            Self::SyncClock => CommandKind::SyncClock,
            Self::Availability { .. } => CommandKind::Availability,
            Self::Start { .. } => CommandKind::Start,
            Self::Stop { .. } => CommandKind::Stop,
            Self::Unlock { .. } => CommandKind::Unlock,
            Self::Reserve { .. } => CommandKind::Reserve,
            Self::CancelReservation { .. } => CommandKind::CancelReservation,
            Self::SetPassword { .. } => CommandKind::SetPassword,
        }
    }

    /// What of it nobody may read.
    fn secret(&self) -> Option<&str> {
        match self {
            Self::SetPassword { password } => Some(password.expose()),
            _ => None,
        }
    }

    /// Takes back what nobody may read.
    fn with_secret(self, secret: Option<String>) -> Self {
        match (self, secret) {
            (Self::SetPassword { .. }, Some(secret)) => Self::SetPassword { password: Secret::new(secret) },
            (command, _) => command,
        }
    }
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The device did it, or promised to.
    Acknowledged,
    /// The device said no.
    Refused,
    /// The device did not answer, or was not there.
    TimedOut,
}

impl From<State> for CommandState {
    fn from(state: State) -> Self {
        match state {
            State::Acknowledged => Self::Acknowledged,
            State::Refused => Self::Refused,
            State::TimedOut => Self::TimedOut,
        }
    }
}

/// How a command ended, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// How.
    pub state: State,
    /// Why.
    pub outcome: CommandOutcome,
    /// The device's own words, if it had any.
    pub words: Option<String>,
}

impl End {
    /// An end without words of the device.
    pub const fn new(state: State, outcome: CommandOutcome) -> Self {
        Self { state, outcome, words: None }
    }

    /// What [`shared::device::outcome_text`] reads.
    fn stored(&self) -> String {
        let code = self.outcome.as_str();
        self.words.as_ref().map_or_else(|| code.to_owned(), |words| format!("{code}: {words}"))
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

/// A command as it is stored, without what nobody may read.
fn payload(command: &Command) -> Result<serde_json::Value> {
    serde_json::to_value(command).map_err(|err| Error::internal(err.to_string()))
}

/// Asks for a command, in the caller's transaction.
///
/// # Errors
/// The database's.
pub async fn request(conn: &mut AsyncPgConnection, request: Request, now: DateTime<Utc>) -> Result<Uuid> {
    let Request { device_id, owner, command, order_id, requested_by, deadline } = request;
    let id = new_id(now);
    let payload = payload(&command)?;
    diesel::insert_into(commands::table)
        .values((
            commands::id.eq(id),
            commands::provider_id.eq(owner.provider_id),
            commands::property_id.eq(owner.property_id),
            commands::station_id.eq(owner.station_id),
            commands::device_id.eq(device_id),
            commands::kind.eq(command.kind().as_str()),
            commands::payload.eq(payload),
            commands::secret.eq(command.secret()),
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

/// Asks a charger in scope for a command that somebody waits for.
///
/// # Errors
/// 503 when the charger is offline.
pub async fn to_charger(
    conn: &mut AsyncPgConnection,
    charger_id: Uuid,
    owner: Owner,
    command: Command,
    by: &str,
    now: DateTime<Utc>,
) -> Result<Uuid> {
    if !is_online(conn, charger_id).await? {
        return Err(Error::Unavailable("device_offline", t("设备离线", "The device is offline")));
    }
    let requested_by = by.to_owned();
    let deadline = now + PATIENCE;
    let wanted = Request { device_id: charger_id, owner, command, order_id: None, requested_by, deadline };
    request(conn, wanted, now).await
}

/// Has a charger take a connector, or with 0 all of them, into service or out of it. One that is away is told when it is
/// back; what it was still to be told of that connector is void.
///
/// # Errors
/// The database's.
pub async fn change_availability(
    conn: &mut AsyncPgConnection,
    charger_id: Uuid,
    owner: Owner,
    (connector, available): (i32, bool),
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let of_connector = sql::<Bool>("payload ->> 'connector' = ").bind::<Text, _>(connector.to_string());
    let waiting = commands::table
        .filter(commands::device_id.eq(charger_id))
        .filter(commands::state.eq(CommandState::Pending))
        .filter(commands::kind.eq(CommandKind::Availability))
        .filter(of_connector);
    let void: Vec<Uuid> = diesel::update(waiting)
        .set((
            commands::state.eq(CommandState::Cancelled),
            commands::outcome.eq(CommandOutcome::Superseded.as_str()),
            commands::finished_at.eq(now),
        ))
        .returning(commands::id)
        .get_results(conn)
        .await?;
    for id in void {
        tell(conn, id, owner).await?;
    }
    let patience = if is_online(conn, charger_id).await? { PATIENCE } else { KEPT };
    let command = Command::Availability { connector, available };
    let (requested_by, deadline) = (by.to_owned(), now + patience);
    let wanted = Request { device_id: charger_id, owner, command, order_id: None, requested_by, deadline };
    request(conn, wanted, now).await.map(drop)
}

/// Whether a device is to be told one of these, or has not answered it yet.
///
/// # Errors
/// The database's.
pub async fn is_open(conn: &mut AsyncPgConnection, device_id: Uuid, any: &[Command]) -> Result<bool> {
    let payloads: Result<Vec<_>> = any.iter().map(payload).collect();
    let open = commands::table
        .filter(commands::device_id.eq(device_id))
        .filter(commands::state.eq_any([CommandState::Pending, CommandState::Sent]))
        .filter(commands::payload.eq_any(payloads?));
    Ok(diesel::select(diesel::dsl::exists(open)).get_result(conn).await?)
}

async fn is_online(conn: &mut AsyncPgConnection, charger_id: Uuid) -> Result<bool> {
    let online = charger_states::table.find(charger_id).select(charger_states::online);
    Ok(online.first(conn).await.optional()?.unwrap_or_default())
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

type TakenRow = (Uuid, serde_json::Value, Option<String>, Option<Uuid>, Uuid, Uuid, Uuid);

impl Taken {
    /// Reads a row. One that another version of the program wrote and this one cannot read is refused.
    async fn read(conn: &mut AsyncPgConnection, row: TakenRow, now: DateTime<Utc>) -> Result<Option<Self>> {
        let (id, payload, secret, order_id, provider_id, property_id, station_id) = row;
        let owner = Owner { provider_id, property_id, station_id };
        match serde_json::from_value::<Command>(payload) {
            Ok(command) => Ok(Some(Self { id, command: command.with_secret(secret), order_id, owner })),
            Err(err) => {
                tracing::error!(command = %id, error = %err, "command {id} cannot be read: {err}");
                write_end(conn, id, owner, &End::new(State::Refused, CommandOutcome::Unsendable), now).await?;
                Ok(None)
            }
        }
    }
}

/// Takes the oldest pending command of a device; nobody else gets it.
///
/// # Errors
/// The database's.
pub async fn take(conn: &mut AsyncPgConnection, device: Uuid, now: DateTime<Utc>) -> Result<Option<Taken>> {
    let pending = commands::table
        .filter(commands::device_id.eq(device))
        .filter(commands::state.eq(CommandState::Pending))
        .filter(commands::deadline.gt(now))
        .order(commands::id)
        .select(commands::id);
    let Some(id) = pending.first::<Uuid>(conn).await.optional()? else { return Ok(None) };
    let taken = diesel::update(commands::table.find(id).filter(commands::state.eq(CommandState::Pending)))
        .set((commands::state.eq(CommandState::Sent), commands::sent_at.eq(now)))
        .returning((
            commands::id,
            commands::payload,
            commands::secret,
            commands::order_id,
            commands::provider_id,
            commands::property_id,
            commands::station_id,
        ))
        .get_result::<TakenRow>(conn)
        .await
        .optional()?;
    // Without a row somebody else was faster.
    let Some(row) = taken else { return Ok(None) };
    let taken = Taken::read(conn, row, now).await?;
    if let Some(taken) = &taken {
        tell(conn, taken.id, taken.owner).await?;
    }
    Ok(taken)
}

/// The devices that have commands to carry out.
///
/// # Errors
/// The database's.
pub async fn awaited(conn: &mut AsyncPgConnection) -> Result<Vec<Uuid>> {
    let pending = commands::table.filter(commands::state.eq(CommandState::Pending));
    Ok(pending.select(commands::device_id).distinct().load(conn).await?)
}

/// Writes down how a command ended and tells its order, or the reservation. The first end counts; gives whether this was it.
///
/// # Errors
/// The database's.
pub async fn end(conn: &mut AsyncPgConnection, taken: &Taken, end: &End, now: DateTime<Utc>) -> Result<bool> {
    conn.transaction(async |conn| {
        let first = write_end(conn, taken.id, taken.owner, end, now).await?;
        if let Some(order_id) = taken.order_id.filter(|_| first) {
            charging::command_ended(conn, order_id, &taken.command, end, now).await?;
        }
        if let (Command::Reserve { number, .. }, State::Refused, true) = (&taken.command, end.state, first) {
            reservation::charger_refused(conn, *number).await?;
        }
        Ok(first)
    })
    .await
}

/// Takes back a start that the charger was not told yet, because its order has ended. One that is being taken or ended at
/// this moment is left alone: the charger's record will find no order that waits.
///
/// # Errors
/// The database's.
pub async fn withdraw_start(
    conn: &mut AsyncPgConnection,
    device_id: Uuid,
    order_id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    let waiting = commands::table
        .filter(commands::device_id.eq(device_id).and(commands::order_id.eq(order_id)))
        .filter(commands::kind.eq(CommandKind::Start.as_str()).and(commands::state.eq(CommandState::Pending)))
        .select((commands::id, commands::provider_id, commands::property_id, commands::station_id))
        .for_no_key_update()
        .skip_locked();
    let waiting: Vec<(Uuid, Uuid, Uuid, Uuid)> = waiting.load(conn).await?;
    for (id, provider_id, property_id, station_id) in waiting {
        let owner = Owner { provider_id, property_id, station_id };
        write_end(conn, id, owner, &End::new(State::TimedOut, CommandOutcome::Withdrawn), now).await?;
    }
    Ok(())
}

/// Whether a device is still to be told to stop an order's charge.
///
/// # Errors
/// The database's.
pub async fn stop_is_pending(
    conn: &mut AsyncPgConnection,
    device_id: Uuid,
    order_id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool> {
    let waiting = commands::table
        .filter(commands::device_id.eq(device_id).and(commands::order_id.eq(order_id)))
        .filter(commands::kind.eq(CommandKind::Stop.as_str()).and(commands::state.eq(CommandState::Pending)))
        .filter(commands::deadline.gt(now));
    Ok(diesel::select(diesel::dsl::exists(waiting)).get_result(conn).await?)
}

async fn write_end(
    conn: &mut AsyncPgConnection,
    id: Uuid,
    owner: Owner,
    end: &End,
    now: DateTime<Utc>,
) -> Result<bool> {
    let open = commands::table.find(id).filter(commands::state.eq_any([CommandState::Pending, CommandState::Sent]));
    let set = (
        commands::state.eq(CommandState::from(end.state)),
        commands::outcome.eq(end.stored()),
        commands::finished_at.eq(now),
        commands::secret.eq(None::<String>),
    );
    if diesel::update(open).set(set).execute(conn).await? == 0 {
        return Ok(false);
    }
    tell(conn, id, owner).await?;
    Ok(true)
}

async fn tell(conn: &mut AsyncPgConnection, id: Uuid, owner: Owner) -> Result<()> {
    events::tell(conn, &Happening { kind: Kind::Command, id, owner, driver_id: None }).await
}
