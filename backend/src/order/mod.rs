//! Charge orders.

use shared::order::OrderState;

/// The states in which a connector is taken.
pub const RUNNING: [OrderState; 4] =
    [OrderState::Starting, OrderState::Charging, OrderState::Stopping, OrderState::Suspended];
