//! Those who charge, those who pay for them, and the cards by which they do.

pub mod card;
pub mod card_product;
pub mod collective;
pub mod driver;
