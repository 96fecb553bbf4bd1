//! Those who charge, those who pay for them, and the cards by which they do, as staff looks after them.

pub mod card;
pub mod card_product;
pub mod collective;
pub mod driver;

use crate::api::op::Op;

/// The operations of those who charge, those who pay for them, and their cards.
pub fn operations() -> Vec<Op> {
    [driver::operations(), collective::operations(), card_product::operations(), card::operations()]
        .into_iter()
        .flatten()
        .collect()
}
