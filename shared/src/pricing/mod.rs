//! What things cost, and who gets the money: pure integer arithmetic, the same in the server and the console.
//!
//! Every amount is computed exactly in 128 bits and rounded half up once, where it becomes fen. Nothing here
//! knows the time of now, and no input makes it panic: what does not fit is an [`PricingError`].

use thiserror::Error;

use crate::fixed::{Fen, Overflow};
use crate::time::Clock;

mod bike;
mod bill;
mod card;
mod invoice;
mod meter;
mod occupancy;
mod power;
mod reach;
mod settle;
mod share;
#[cfg(feature = "diesel")]
mod sql;
mod tariff;

pub use bike::{BikeBill, BikeMode, BikeTariff, DurationPrice, Step, Usage, bike_bill, bike_max_minutes};
pub use bill::{Bill, Line, bill, bill_by_period, quote_each_period, trial};
pub use card::{
    CardIssue, CardPayment, CardRefund, IssuedCard, RechargeTier, RechargeTiers, issue_card, pay_by_card,
    recharge_bonus, refund_to_card,
};
pub use invoice::{InvoiceLine, InvoiceLineKind, InvoiceLines, OrderInvoice, TaxedAmount, invoice_order, split_tax};
pub use meter::{Sample, Segment, segments};
pub use occupancy::{ReservationState, occupancy_seconds, reservation_deadline, reservation_state};
pub use power::{Granularity, PowerBasis, PowerPrice, PowerSegment, PowerTier};
pub use reach::{Reach, reach};
pub use settle::{RefundLimit, RefundParts, Settlement, refund_limit, refund_parts, settle, should_stop};
pub use share::{Receiver, Share, ShareReturn, Shares, SharesReturned, return_shares, share};
pub use tariff::{Period, Range, Tariff, TariffMode, UnitPrice, check_presets, effective_from, in_force};

/// Why something cannot be priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PricingError {
    /// A number left the range of its type.
    #[error(transparent)]
    Overflow(#[from] Overflow),
    /// An amount that cannot be less than nothing is.
    #[error("an amount of money is negative")]
    Negative,
    /// Energy was used in a period for which the tariff has no price.
    #[error("the tariff has no price for the {0} period")]
    NoPrice(Period),
    /// The ranges of a tariff leave a part of the day open.
    #[error("the tariff does not say which period {0} belongs to")]
    Uncovered(Clock),
    /// The meter readings span more time than any charge lasts, so a clock must be wrong.
    #[error("the meter readings span more than a year")]
    TooLong,
    /// A tariff by duration or power has no step or tier.
    #[error("the tariff has no step or tier")]
    NoTier,
    /// How long money lasts is only known in advance when time alone is priced.
    #[error("the tariff is not by duration")]
    NotByDuration,
    /// More is to be given back than was taken.
    #[error("the refund is larger than what there is to refund")]
    RefundTooLarge,
    /// The receivers together would get more than there is.
    #[error("the receivers' shares exceed the whole")]
    SharesTooLarge,
}

/// Divides what is not negative, rounding half up.
fn half_up(dividend: i128, divisor: i128) -> i128 {
    (2 * dividend + divisor) / (2 * divisor)
}

/// An exact whole number of fen as money.
fn fen(exact: i128) -> Result<Fen, Overflow> {
    i64::try_from(exact).map(Fen).map_err(|_| Overflow)
}

/// Lets only amounts pass that are not negative.
fn not_negative<const N: usize>(amounts: [Fen; N]) -> Result<(), PricingError> {
    if amounts.iter().all(|amount| *amount >= Fen::ZERO) { Ok(()) } else { Err(PricingError::Negative) }
}
