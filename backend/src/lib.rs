//! The Wattyard server: REST API, device gateway and workers.

pub mod api;
pub mod app;
pub mod auth;
pub mod charging;
pub mod cluster;
pub mod command;
pub mod config;
pub mod console;
mod constraints;
pub mod crud;
pub mod db;
pub mod demo;
pub mod driver;
pub mod error;
pub mod events;
pub mod jobs;
pub mod ledger;
pub mod logs;
pub mod metrics;
pub mod order;
pub mod presence;
pub mod router;
pub mod serve;
pub mod setup;
pub mod station;
pub mod tenant;
pub mod verify;
