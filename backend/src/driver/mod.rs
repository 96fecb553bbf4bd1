//! Drivers: everyone who uses the mini-program.

pub mod session;
