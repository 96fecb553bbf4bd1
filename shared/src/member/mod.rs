//! Those who charge, and those who pay for them.

pub mod collective;
pub mod driver;
