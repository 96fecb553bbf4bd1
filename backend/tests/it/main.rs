//! The server as its clients see it: over real sockets, on a real database, one file a feature.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that meets what it does not expect has to fail"
)]

mod access;
mod app;
mod auth;
mod bike;
mod car;
mod card;
mod channel;
mod charged;
mod charging;
mod clock;
mod cluster;
mod course;
mod coverage;
mod crash;
mod crud;
mod dashboard;
mod device_log;
mod draft;
mod driver;
mod ending;
mod events;
mod gateway;
mod headers;
mod hostile;
mod import;
mod invoice;
mod jobs;
mod ledger;
mod lockout;
mod member;
mod openapi;
mod order;
mod outage;
mod payment;
mod plugged;
mod pressure;
mod process;
mod refund;
mod repeat;
mod reservation;
mod retention;
mod search;
mod seen;
mod sheet;
mod simulate;
mod starting;
mod system;
mod tariff;
mod verify;
