//! Chargers for cars: entered by staff, heard of through the gateway.

mod actions;
mod change;
mod list;
mod log;

use chrono::Utc;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use schema::chargers;
use shared::charger::CarChargers;
use uuid::Uuid;

use crate::api::op::Op;
use crate::auth::scope::Owner;
use crate::command::{self, Command};
use crate::crud::ops;
use crate::error::{Error, Result};

/// What a connector takes over from its charger.
#[derive(Queryable, Selectable)]
#[diesel(table_name = chargers, check_for_backend(Pg))]
struct Parent {
    id: Uuid,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    area_id: Uuid,
    code: String,
    enabled: bool,
}

impl Parent {
    const fn owner(&self) -> Owner {
        Owner { provider_id: self.provider_id, property_id: self.property_id, station_id: self.station_id }
    }
}

/// Tells a charger to take a connector, or with 0 all of them, into service or out of it. One that is offline is not
/// told: the platform refuses new charges on what is disabled by itself.
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
    let command = Command::Availability { connector, available };
    match command::to_charger(conn, charger, owner, command, by, Utc::now()).await {
        Ok(_) | Err(Error::Unavailable("device_offline", _)) => Ok(()),
        Err(err) => Err(err),
    }
}

/// The operations of chargers.
pub fn operations() -> Vec<Op> {
    [
        ops::browse::<CarChargers>(),
        ops::write::<CarChargers>(),
        ops::switch::<CarChargers>(),
        ops::history::<CarChargers>(),
        actions::operations(),
        log::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
