//! Charging: from what devices tell to settled orders.

pub mod event;
