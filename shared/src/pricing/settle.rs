//! A prepaid order's end: what is charged, what goes back, and what may still be refunded later.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PricingError, not_negative};
use crate::fixed::Fen;

/// What becomes of a prepaid amount when the fee is known. Nobody ever pays more than was prepaid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Settlement {
    /// What is kept for the fee.
    pub charged_fen: Fen,
    /// What goes back at once.
    pub auto_refund_fen: Fen,
    /// The part of the fee that is written off because the charge stopped too late.
    pub overrun_fen: Fen,
}

/// Settles a fee against what was prepaid.
///
/// # Errors
/// One of the amounts is negative.
pub fn settle(prepaid: Fen, fee: Fen) -> Result<Settlement, PricingError> {
    not_negative([prepaid, fee])?;
    let charged = fee.min(prepaid);
    Ok(Settlement { charged_fen: charged, auto_refund_fen: prepaid.minus(charged)?, overrun_fen: fee.minus(charged)? })
}

/// With less than this left of the prepaid amount a car's charge is stopped.
pub(super) const STOP_BELOW: Fen = Fen(100);

/// Whether a car's charge is to be stopped, before its fee outgrows the prepaid amount.
///
/// # Errors
/// One of the amounts is negative.
pub fn should_stop(prepaid: Fen, accrued: Fen) -> Result<bool, PricingError> {
    not_negative([prepaid, accrued])?;
    Ok(prepaid.minus(accrued)? < STOP_BELOW)
}

/// Whether a refund by staff fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefundLimit {
    /// The most that may be refunded.
    pub max_refund_fen: Fen,
    /// The requested amount may.
    pub accepted: bool,
}

/// Checks a refund by staff against what is left of the prepaid amount after all refunds, automatic ones included, that
/// have succeeded or may still succeed.
///
/// # Errors
/// What was prepaid or refunded is negative. A request for nothing or less is no error, just not accepted.
pub fn refund_limit(prepaid: Fen, refunded_or_pending: Fen, request: Fen) -> Result<RefundLimit, PricingError> {
    not_negative([prepaid, refunded_or_pending])?;
    let max_refund_fen = prepaid.minus(refunded_or_pending)?.max(Fen::ZERO);
    Ok(RefundLimit { max_refund_fen, accepted: Fen::ZERO < request && request <= max_refund_fen })
}

/// Which fees a refund by staff lowers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefundParts {
    /// The part that lowers the service fee.
    pub from_service_fen: Fen,
    /// The part that lowers the energy fee.
    pub from_elec_fen: Fen,
    /// The energy fee after the refund.
    pub net_elec_fen: Fen,
    /// The service fee after the refund.
    pub net_service_fen: Fen,
}

/// Splits a refund by staff: the service fee is given up first, because energy has to be bought.
///
/// # Errors
/// An amount is negative, or the refund is larger than both fees.
pub fn refund_parts(elec: Fen, service: Fen, refund: Fen) -> Result<RefundParts, PricingError> {
    not_negative([elec, service, refund])?;
    let from_service_fen = refund.min(service);
    let from_elec_fen = refund.minus(from_service_fen)?;
    if from_elec_fen > elec {
        return Err(PricingError::RefundTooLarge);
    }
    Ok(RefundParts {
        from_service_fen,
        from_elec_fen,
        net_elec_fen: elec.minus(from_elec_fen)?,
        net_service_fen: service.minus(from_service_fen)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_below_zero_are_refused() {
        assert_eq!(settle(Fen(-1), Fen(0)), Err(PricingError::Negative));
        assert_eq!(settle(Fen(0), Fen(-1)), Err(PricingError::Negative));
        assert_eq!(should_stop(Fen(0), Fen(i64::MIN)), Err(PricingError::Negative));
        assert_eq!(refund_limit(Fen(5), Fen(-1), Fen(1)), Err(PricingError::Negative));
        assert_eq!(refund_parts(Fen(1), Fen(1), Fen(-1)), Err(PricingError::Negative));
    }

    #[test]
    fn stops_with_less_than_a_yuan_left() {
        assert_eq!(should_stop(Fen(3000), Fen(2900)), Ok(false));
        assert_eq!(should_stop(Fen(3000), Fen(2901)), Ok(true));
        assert_eq!(should_stop(Fen(3000), Fen(3100)), Ok(true));
    }

    #[test]
    fn a_refund_is_more_than_nothing_and_at_most_the_rest() {
        let accepted = |request| refund_limit(Fen(5000), Fen(1655), Fen(request)).map(|it| it.accepted);
        assert_eq!([0, 1, 3345, 3346, -1].map(accepted), [false, true, true, false, false].map(Ok));
        let exhausted = RefundLimit { max_refund_fen: Fen(0), accepted: false };
        assert_eq!(refund_limit(Fen(5000), Fen(5001), Fen(1)), Ok(exhausted));
    }

    #[test]
    fn a_refund_larger_than_the_fees_is_refused() {
        assert_eq!(refund_parts(Fen(2290), Fen(1055), Fen(3346)), Err(PricingError::RefundTooLarge));
    }
}
