//! The wire between server and console: what resources are, how they look, how they are priced.

pub mod area;
pub mod car_order;
pub mod charger;
pub mod check;
pub mod codes;
pub mod connector;
pub mod describe;
pub mod device;
pub mod device_log;
pub mod driver_app;
pub mod fault;
pub mod fixed;
pub mod order;
pub mod page;
pub mod payment;
pub mod permission;
pub mod pricing;
pub mod problem;
pub mod resource;
pub mod station;
pub mod system;
pub mod tariff;
pub mod text;
pub mod time;
pub mod user;
