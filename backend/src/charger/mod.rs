//! Chargers for cars: entered by staff, heard of through the gateway.

mod actions;
mod change;
mod list;
mod log;
pub mod service;

use diesel::pg::Pg;
use diesel::prelude::*;
use schema::chargers;
use shared::charger::CarChargers;
use uuid::Uuid;

use crate::api::op::Op;
use crate::auth::scope::Owner;
use crate::crud::ops;

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

/// The operations of chargers.
pub fn operations() -> Vec<Op> {
    [
        ops::browse::<CarChargers>(),
        change::operations(),
        ops::switch::<CarChargers>(),
        ops::history::<CarChargers>(),
        actions::operations(),
        log::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
