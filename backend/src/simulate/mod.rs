//! A simulated world around the platform: chargers over real sockets, drivers with the public API, a payment channel and
//! a text message inbox over real HTTP. Demo, tests and benchmarks use the same one.

pub mod charger;
pub mod connector;
mod outbox;
