//! Those who charge and those who pay for them, as staff looks after them.

pub mod collective;
pub mod driver;

use shared::member::driver::Drivers;

use crate::api::op::Op;
use crate::crud::ops;

/// The operations of those who charge, and of those who pay for them.
pub fn operations() -> Vec<Op> {
    ops::browse::<Drivers>().into_iter().chain(collective::operations()).collect()
}
