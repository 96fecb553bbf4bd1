//! What chargers tell about themselves: that they are there, what they are, what their connectors do.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{charger_states as states, connectors, unknown_devices};
use serde::{Deserialize, Serialize};
use shared::device::{ConnectionReason, ConnectorStatus};
use uuid::Uuid;

use crate::app::{App, new_id};
use crate::auth::scope::Owner;
use crate::charging::{self, Device};
use crate::error::{Error, Result};
use crate::events::{self, Happening, Kind};
use crate::jobs::{self, Job};
use crate::reservation;

/// How often a process writes down whom it heard of. Single signs of life are not written.
pub const FLUSH: Duration = Duration::from_secs(15);

/// Something that a charger told about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has started.
    Booted {
        /// Who made it.
        vendor: String,
        /// Its model.
        model: String,
        /// The version of its firmware.
        firmware: Option<String>,
        /// Its serial number, as it says.
        serial_no: Option<String>,
        /// The number of its SIM card.
        iccid: Option<String>,
    },
    /// A connector, or with 0 the whole charger, is doing this.
    Status {
        /// The connector's number.
        connector: i32,
        /// What it is doing.
        status: ConnectorStatus,
        /// What is broken, in the protocol's word.
        error_code: Option<String>,
        /// More about that.
        info: Option<String>,
        /// Since when.
        at: DateTime<Utc>,
    },
    /// It told its settings.
    Configured(serde_json::Value),
}

/// Writes down what a charger told.
///
/// # Errors
/// The database's.
pub async fn apply(
    conn: &mut AsyncPgConnection,
    device: &Device,
    presence: Presence,
    now: DateTime<Utc>,
) -> Result<()> {
    match presence {
        Presence::Booted { vendor, model, firmware, serial_no, iccid } => {
            let set = (
                states::booted_at.eq(now),
                states::vendor.eq(cut(&vendor, 100)),
                states::reported_model.eq(cut(&model, 100)),
                states::firmware.eq(firmware.map(|it| cut(&it, 100))),
                states::reported_serial_no.eq(serial_no.map(|it| cut(&it, 100))),
                states::iccid.eq(iccid.map(|it| cut(&it, 100))),
            );
            diesel::update(states::table.find(device.charger_id)).set(set).execute(conn).await?;
            tell(conn, Kind::Charger, device.charger_id, device.owner).await?;
            charging::booted(conn, device, now).await
        }
        Presence::Status { connector: 0, status, error_code, info: _, at } => {
            let error_code = error_code.map(|it| cut(&it, 60));
            let set = (states::status.eq(status), states::error_code.eq(&error_code), states::status_at.eq(at));
            let changed = states::table
                .find(device.charger_id)
                .filter(states::status.ne(status).or(states::error_code.is_distinct_from(&error_code)));
            match diesel::update(changed).set(set).execute(conn).await? {
                0 => Ok(()),
                _ => tell(conn, Kind::Charger, device.charger_id, device.owner).await,
            }
        }
        Presence::Status { connector, status, error_code, info, at } => {
            let (error_code, info) = (error_code.map(|it| cut(&it, 60)), info.map(|it| cut(&it, 300)));
            let set = (
                connectors::status.eq(status),
                connectors::error_code.eq(&error_code),
                connectors::status_info.eq(&info),
                connectors::status_at.eq(at),
            );
            let changed = connectors::table
                .filter(connectors::charger_id.eq(device.charger_id).and(connectors::number.eq(connector)))
                .filter(
                    connectors::status
                        .ne(status)
                        .or(connectors::error_code.is_distinct_from(&error_code))
                        .or(connectors::status_info.is_distinct_from(&info)),
                );
            conn.transaction(async |conn| {
                // A connector that nobody has entered yet changes nothing.
                let ids: Vec<Uuid> =
                    diesel::update(changed).set(set).returning(connectors::id).get_results(conn).await?;
                for id in ids {
                    tell(conn, Kind::Connector, id, device.owner).await?;
                    if let Some(event) = reservation::state::told_by(status) {
                        reservation::at_connector(conn, id, event, at, now).await?;
                    }
                }
                Ok::<_, Error>(())
            })
            .await?;
            // Told again it counts as well: after an outage a connector may be what it was before.
            charging::connector_told(conn, device, connector, status, now).await
        }
        Presence::Configured(settings) => {
            diesel::update(states::table.find(device.charger_id))
                .set(states::configuration.eq(settings))
                .execute(conn)
                .await?;
            Ok(())
        }
    }
}

/// The connection that has a charger, if one has.
///
/// # Errors
/// The database's.
pub async fn holder(conn: &mut AsyncPgConnection, charger_id: Uuid) -> Result<Option<Holder>> {
    let columns = (states::connection, states::last_seen_at);
    type Row = (Option<Uuid>, Option<DateTime<Utc>>);
    let row: Option<Row> = states::table.find(charger_id).select(columns).first(conn).await.optional()?;
    Ok(row.and_then(|(connection, seen_at)| Some(Holder { connection: connection?, seen_at })))
}

/// Whether this connection still holds the charger; another process may have a newer one.
///
/// # Errors
/// The database's.
pub async fn holds(conn: &mut AsyncPgConnection, charger_id: Uuid, connection: Uuid) -> Result<bool> {
    Ok(holder(conn, charger_id).await?.is_some_and(|it| it.connection == connection))
}

/// A charger, the connection that holds it as far as its process knows, and when that was last heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The charger.
    pub charger_id: Uuid,
    /// The connection.
    pub connection: Uuid,
    /// When it was last heard of.
    pub seen_at: DateTime<Utc>,
}

/// A connection that a charger has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The connection. A later one has a greater id.
    pub connection: Uuid,
    /// What the charger called itself.
    pub called: String,
    /// Where it is.
    pub remote_address: String,
    /// Whose place it may take.
    pub claim: Claim,
}

/// Whose place a connection may take. The place that nobody has is anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// That of any older connection: it has proved which charger it is.
    Proved,
    /// Only that of a connection which did not answer: it may be anybody.
    Unproved {
        /// The connection that did not answer.
        dead: Option<Uuid>,
    },
}

/// The connection that has a charger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The connection.
    pub connection: Uuid,
    /// When it was last heard of.
    pub seen_at: Option<DateTime<Utc>>,
}

/// Gives a charger to a connection, which holds it from now on, unless it may not take the place of the one that has it:
/// then nothing changes. Gives whether the connection holds the charger.
///
/// # Errors
/// The database's.
pub async fn online(conn: &mut AsyncPgConnection, charger_id: Uuid, arrival: &Arrival) -> Result<bool> {
    let Arrival { connection, called, remote_address, claim } = arrival;
    let (proved, dead) = match *claim {
        Claim::Proved => (true, None),
        Claim::Unproved { dead } => (false, dead),
    };
    let taken_at = conn.transaction(async |conn| {
        // One statement finds out who has held the charger and takes it.
        let taken = diesel::sql_query(
            "with before as (select connection from charger_states where charger_id = $1 for update) \
             insert into charger_states as s (charger_id, online, connection, connected_at, last_seen_at, remote_address) \
             select $1, true, $2, clock_timestamp(), clock_timestamp(), $3 from (select) it left join before on true \
             on conflict (charger_id) do update set online = true, connection = excluded.connection, \
               connected_at = excluded.connected_at, last_seen_at = excluded.last_seen_at, \
               remote_address = excluded.remote_address \
             where s.connection is null or ($4 and s.connection < excluded.connection) or s.connection = $5 \
             returning charger_id, clock_timestamp() as at, (select connection from before) as before",
        )
        .bind::<SqlUuid, _>(charger_id)
        .bind::<SqlUuid, _>(connection)
        .bind::<Text, _>(remote_address)
        .bind::<Bool, _>(proved)
        .bind::<Nullable<SqlUuid>, _>(dead)
        .get_result::<Taken>(conn)
        .await
        .optional()?;
        let Some(Taken { touched, before }) = taken else { return Ok(None) };
        // It got in, so it is no stranger any more.
        diesel::delete(unknown_devices::table.find(called)).execute(conn).await?;
        let reason = match before {
            None => ConnectionReason::Connected,
            Some(_) => {
                // The process that has the older connection looks, and lets go of it.
                events::notify(conn, events::COMMANDS, &charger_id.to_string()).await?;
                ConnectionReason::Reconnected
            }
        };
        let at = touched.at;
        record(conn, &[touched], true, reason).await?;
        Ok::<_, Error>(Some(at))
    });
    let Some(at) = taken_at.await? else { return Ok(false) };
    // It may talk all the same: what it reports makes up for this.
    if let Err(err) = charging::returned(conn, charger_id, at).await {
        tracing::warn!(charger = %charger_id, error = %err, "what {charger_id} missed could not be told: {err:#}");
    }
    Ok(true)
}

/// Writes down when chargers were last heard of, all in one statement; gives those that are still held.
///
/// # Errors
/// The database's.
pub async fn seen(conn: &mut AsyncPgConnection, held: &[Held]) -> Result<Vec<Uuid>> {
    Ok(touch(conn, held, "").await?.into_iter().map(|it| it.charger_id).collect())
}

/// Writes down at once that a connection is alive, by the clock of the database: whoever waits for that sees the time
/// change, whatever other clocks say.
///
/// # Errors
/// The database's.
pub async fn alive(conn: &mut AsyncPgConnection, held: &Held) -> Result<()> {
    diesel::define_sql_function! { fn clock_timestamp() -> diesel::sql_types::Timestamptz; }
    diesel::update(states::table.find(held.charger_id).filter(states::connection.eq(held.connection)))
        .set(states::last_seen_at.eq(clock_timestamp().nullable()))
        .execute(conn)
        .await?;
    Ok(())
}

/// Sets chargers offline that are still held; gives how many were.
///
/// # Errors
/// The database's.
pub async fn offline(conn: &mut AsyncPgConnection, held: &[Held], reason: ConnectionReason) -> Result<usize> {
    let mut count = 0;
    // A statement takes only so many values.
    for some in held.chunks(1000) {
        let gone: Result<usize> = conn
            .transaction(async |conn| {
                let gone = touch(conn, some, ", online = false, connection = null").await?;
                record(conn, &gone, false, reason).await?;
                Ok(gone.len())
            })
            .await;
        count += gone?;
    }
    Ok(count)
}

/// A row of a charger that was written, and when, by the clock of the database while it held the row: so the times of
/// one charger are in the order in which its row changed, whoever changed it.
#[derive(QueryableByName)]
struct Touched {
    #[diesel(sql_type = SqlUuid)]
    charger_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(embed)]
    touched: Touched,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    before: Option<Uuid>,
}

/// Only who holds a charger may say anything about it: an older connection changes nothing.
async fn touch(conn: &mut AsyncPgConnection, held: &[Held], more: &str) -> Result<Vec<Touched>> {
    let touched = diesel::sql_query(format!(
        "update charger_states s set last_seen_at = greatest(s.last_seen_at, it.seen_at){more} \
         from unnest($1, $2, $3) as it (charger_id, connection, seen_at) \
         where s.charger_id = it.charger_id and s.connection = it.connection \
         returning s.charger_id, clock_timestamp() as at"
    ))
    .bind::<Array<SqlUuid>, _>(held.iter().map(|it| it.charger_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(held.iter().map(|it| it.connection).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(held.iter().map(|it| it.seen_at).collect::<Vec<_>>())
    .load(conn)
    .await?;
    Ok(touched)
}

/// Writes connection records, and tells that these chargers changed.
async fn record(
    conn: &mut AsyncPgConnection,
    touched: &[Touched],
    online: bool,
    reason: ConnectionReason,
) -> Result<()> {
    let changed: Vec<Owned> = diesel::sql_query(
        "insert into connection_records (id, provider_id, property_id, station_id, device_id, device_kind, serial_no, \
           online, reason, remote_address, created_at) \
         select it.id, c.provider_id, c.property_id, c.station_id, c.id, 'charger', c.serial_no, \
           $4, $5, s.remote_address, it.at \
         from unnest($1, $2, $3) as it (charger_id, id, at) join chargers c on c.id = it.charger_id \
           join charger_states s on s.charger_id = c.id \
         returning device_id, provider_id, property_id, station_id",
    )
    .bind::<Array<SqlUuid>, _>(touched.iter().map(|it| it.charger_id).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(touched.iter().map(|it| new_id(it.at)).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(touched.iter().map(|it| it.at).collect::<Vec<_>>())
    .bind::<Bool, _>(online)
    .bind::<Text, _>(reason)
    .load(conn)
    .await?;
    let happening = |Owned { device_id: id, provider_id, property_id, station_id }: Owned| Happening {
        kind: Kind::Charger,
        id,
        owner: Owner { provider_id, property_id, station_id },
        driver_id: None,
    };
    events::tell_all(conn, &changed.into_iter().map(happening).collect::<Vec<_>>()).await
}

#[derive(QueryableByName)]
struct Owned {
    #[diesel(sql_type = SqlUuid)]
    device_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    provider_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    property_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    station_id: Uuid,
}

async fn tell(conn: &mut AsyncPgConnection, kind: Kind, id: Uuid, owner: Owner) -> Result<()> {
    events::tell(conn, &Happening { kind, id, owner, driver_id: None }).await
}

/// The first characters of a text that a device may have made too long.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// Sets offline what a dead process left online. Runs for ever.
#[derive(Serialize, Deserialize)]
pub struct Watch {}

impl Job for Watch {
    const KIND: &'static str = "watch_presence";
    const ATTEMPTS: i32 = i32::MAX;

    fn key(&self) -> String {
        String::new()
    }

    // Run twice it finds nobody any more.
    async fn run(self, app: &App) -> anyhow::Result<jobs::Outcome> {
        let now = app.now();
        // A living process closes silent connections itself, and writes down the others every few seconds.
        let silence = Duration::from_secs(app.config.gateway.idle_seconds) + FLUSH * 2;
        let before = now - TimeDelta::from_std(silence)?;
        let mut conn = app.conn().await?;
        let left: Vec<(Uuid, Option<Uuid>, Option<DateTime<Utc>>)> = states::table
            .filter(states::online.and(states::last_seen_at.lt(before)))
            .select((states::charger_id, states::connection, states::last_seen_at))
            .load(&mut conn)
            .await?;
        let held: Vec<Held> = left
            .into_iter()
            .filter_map(|(charger_id, connection, seen_at)| {
                Some(Held { charger_id, connection: connection?, seen_at: seen_at? })
            })
            .collect();
        if !held.is_empty() {
            let gone = offline(&mut conn, &held, ConnectionReason::Lost).await?;
            tracing::warn!(chargers = gone, "{gone} chargers were left online by a dead process");
        }
        Ok(jobs::Outcome::Again(now + TimeDelta::from_std(FLUSH)?))
    }
}
