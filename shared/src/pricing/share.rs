//! Profit sharing: who gets which part of what an order brought in, and what comes back when money is refunded.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PricingError, fen, not_negative};
use crate::fixed::{Bp, Fen};

/// Somebody who gets a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receiver {
    /// The account at the payment channel.
    pub account: String,
    /// The part.
    pub bp: Bp,
}

/// What everybody gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Shares {
    /// The receivers' parts, in their order. A part of nothing is not requested from the channel.
    pub shares: Vec<Share>,
    /// What the main merchant keeps.
    pub main_keeps_fen: Fen,
}

/// What one receiver gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Share {
    /// The account at the payment channel.
    pub account: String,
    /// The amount.
    pub share_fen: Fen,
}

/// What everybody gives back for a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharesReturned {
    /// What the receivers return, in their order.
    pub returns: Vec<ShareReturn>,
    /// What everybody has afterwards.
    pub after: Shares,
}

/// What one receiver gives back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShareReturn {
    /// The account at the payment channel.
    pub account: String,
    /// The amount.
    pub return_fen: Fen,
}

/// Shares what an order brought in: every part is rounded down, the main merchant keeps the rest.
///
/// # Errors
/// The base is negative, or the parts together exceed the whole.
pub fn share(base: Fen, receivers: &[Receiver]) -> Result<Shares, PricingError> {
    not_negative([base])?;
    let parts: i64 = receivers.iter().map(|it| i64::from(it.bp.get())).sum();
    if parts > i64::from(Bp::WHOLE.get()) {
        return Err(PricingError::SharesTooLarge);
    }
    let mut main_keeps_fen = base;
    let mut shares = Vec::with_capacity(receivers.len());
    for receiver in receivers {
        let share_fen = fen(i128::from(base.0) * i128::from(receiver.bp.get()) / i128::from(Bp::WHOLE.get()))?;
        main_keeps_fen = main_keeps_fen.minus(share_fen)?;
        shares.push(Share { account: receiver.account.clone(), share_fen });
    }
    Ok(Shares { shares, main_keeps_fen })
}

/// What the receivers return so that everybody ends with the share of what is left after a refund. Of several refunds
/// each starts from the base that the one before it left.
///
/// # Errors
/// An amount is negative, the refund exceeds the base, or the parts together exceed the whole.
pub fn return_shares(base: Fen, receivers: &[Receiver], refund: Fen) -> Result<SharesReturned, PricingError> {
    not_negative([base, refund])?;
    if refund > base {
        return Err(PricingError::RefundTooLarge);
    }
    let before = share(base, receivers)?;
    let after = share(base.minus(refund)?, receivers)?;
    let pairs = before.shares.into_iter().zip(&after.shares);
    let returns = pairs.map(|(before, after)| {
        Ok(ShareReturn { account: before.account, return_fen: before.share_fen.minus(after.share_fen)? })
    });
    Ok(SharesReturned { returns: returns.collect::<Result<_, PricingError>>()?, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receivers(parts: &[i32]) -> Vec<Receiver> {
        parts.iter().map(|bp| Receiver { account: bp.to_string(), bp: Bp::try_from(*bp).unwrap() }).collect()
    }

    #[test]
    fn the_whole_may_be_shared_but_not_more() {
        let all = share(Fen(999), &receivers(&[4000, 6000])).unwrap();
        assert_eq!(all.main_keeps_fen, Fen(1), "what is lost by rounding down stays with the main merchant");
        assert_eq!(share(Fen(999), &receivers(&[4000, 6001])), Err(PricingError::SharesTooLarge));
    }

    #[test]
    fn impossible_amounts_are_refused() {
        assert_eq!(share(Fen(-1), &[]), Err(PricingError::Negative));
        assert_eq!(return_shares(Fen(10), &[], Fen(-1)), Err(PricingError::Negative));
        assert_eq!(return_shares(Fen(10), &[], Fen(11)), Err(PricingError::RefundTooLarge));
        assert!(return_shares(Fen(10), &[], Fen(10)).is_ok());
    }

    #[test]
    fn the_largest_amount_is_borne() {
        let shares = share(Fen(i64::MAX), &receivers(&[10_000])).unwrap();
        assert_eq!(shares.main_keeps_fen, Fen(0));
    }
}
