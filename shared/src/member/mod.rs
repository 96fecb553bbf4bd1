//! Those who charge.

pub mod driver;
