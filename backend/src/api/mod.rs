//! The REST API's frame: operations, what they take, and how failures are told.

pub mod address;
pub mod body;
pub mod idempotency;
pub mod intake;
pub mod op;
pub mod openapi;
pub mod peers;
pub mod request;
pub mod turn;
pub mod work;
