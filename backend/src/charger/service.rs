//! In service or out of it: what staff want of chargers and connectors, and chargers that are brought to it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use schema::{chargers, connectors};
use shared::device::ConnectorStatus;
use uuid::Uuid;

use crate::auth::scope::Owner;
use crate::charging::Device;
use crate::command::{self, Command};
use crate::error::Result;
use crate::reservation;

/// Tells a charger to take a connector, or with 0 all of them, into service or out of it. One that is away is told when it
/// is back; until then the platform refuses new charges on what is disabled by itself.
///
/// # Errors
/// The database's.
pub async fn make_available(
    conn: &mut AsyncPgConnection,
    charger: Uuid,
    owner: Owner,
    connector: i32,
    available: bool,
    by: &str,
) -> Result<()> {
    command::change_availability(conn, charger, owner, (connector, available), by, Utc::now()).await
}

/// Has a charger correct what a connector, or with 0 itself, says that it does: it may have missed what it was told, or
/// forgotten it. Gives whether it is told anything.
///
/// # Errors
/// The database's.
pub async fn correct(
    conn: &mut AsyncPgConnection,
    device: &Device,
    connector: i32,
    status: ConnectorStatus,
    now: DateTime<Utc>,
) -> Result<bool> {
    use ConnectorStatus as Is;
    let in_service = match status {
        Is::Unavailable => false,
        Is::Available | Is::Preparing | Is::Finishing | Is::Reserved => true,
        // What runs there goes on; and what is broken is in no service.
        Is::Charging | Is::SuspendedEv | Is::SuspendedEvse | Is::Faulted | Is::Unknown => return Ok(false),
    };
    conn.transaction(async |conn| {
        let Some((id, wanted)) = wanted(conn, device.charger_id, connector).await? else { return Ok(false) };
        let mut told = false;
        if wanted != in_service {
            let command = |connector| Command::Availability { connector, available: wanted };
            told = !command::is_open(conn, device.charger_id, &[command(0), command(connector)]).await?;
            if told {
                make_available(conn, device.charger_id, device.owner, connector, wanted, "system").await?;
            }
        }
        if status == Is::Reserved
            && let Some(id) = id
        {
            told |= reservation::release_forgotten(conn, id, now).await?;
        }
        Ok(told)
    })
    .await
}

/// Whether a connector, with its id, or with 0 the charger is wanted in service; nothing when nobody has entered it.
async fn wanted(conn: &mut AsyncPgConnection, charger: Uuid, connector: i32) -> Result<Option<(Option<Uuid>, bool)>> {
    if connector == 0 {
        let enabled: Option<bool> =
            chargers::table.find(charger).select(chargers::enabled).first(conn).await.optional()?;
        return Ok(enabled.map(|it| (None, it)));
    }
    let row: Option<(Uuid, bool)> = connectors::table
        .inner_join(chargers::table)
        .filter(connectors::charger_id.eq(charger))
        .filter(connectors::number.eq(connector))
        .select((connectors::id, connectors::enabled.and(chargers::enabled)))
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(|(id, wanted)| (Some(id), wanted)))
}
