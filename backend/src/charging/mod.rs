//! Charging: from what devices tell to settled orders.

pub mod event;
pub mod meter;
pub mod state;

use uuid::Uuid;

use crate::auth::scope::Owner;

/// A charger that is connected, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// The charger.
    pub charger_id: Uuid,
    /// Whose it is.
    pub owner: Owner,
}
