//! The server as its clients see it: over real sockets, on a real database, one file a feature.

#[cfg(test)]
mod access;
mod app;
mod auth;
mod car;
mod channel;
mod charging;
mod coverage;
mod crash;
mod crud;
mod device_log;
mod driver;
mod gateway;
mod ledger;
mod openapi;
mod payment;
mod system;
mod tariff;
