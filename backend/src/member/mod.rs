//! Those who charge, as staff looks after them.

pub mod driver;

use shared::member::driver::Drivers;

use crate::api::op::Op;
use crate::crud::ops;

/// The operations of those who charge.
pub fn operations() -> Vec<Op> {
    ops::browse::<Drivers>()
}
