//! Charge orders.

/// The states in which a connector is taken.
pub const RUNNING: [&str; 4] = ["starting", "charging", "stopping", "suspended"];
