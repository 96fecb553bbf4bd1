//! OCPP 1.6-J: frames and messages, without any network or database.
//!
//! A line of text becomes a [`Frame`], a frame's payload becomes a [`Request`] (sent by a charger) or a [`Command`]
//! (sent to one). What chargers send is read leniently, what is sent to them is checked before it becomes a frame. Every
//! message is readable and writable, so the server and a simulated charger share the same types.

mod call_error;
mod decimal;
mod frame;
mod id_tag;
mod lenient;
mod limit;
pub mod message;
mod time;
mod word;

pub use call_error::{CallError, ErrorCode};
pub use frame::{Frame, MAX_BYTES, MAX_ORDINARY_BYTES, Malformed, Payload};
pub use id_tag::IdTag;
pub use lenient::read;
pub use limit::{Refused, Why};
pub use message::{Command, Incoming, Message, Outgoing, Request};
