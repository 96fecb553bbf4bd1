//! Electric cards: money that was paid in (the principal) and money that was given on top (the bonus).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PricingError, not_negative};
use crate::fixed::Fen;

/// How a card pays a fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CardPayment {
    /// Taken from the principal.
    pub principal_used_fen: Fen,
    /// Taken from the bonus.
    pub bonus_used_fen: Fen,
    /// What the card could not pay.
    pub short_fen: Fen,
    /// The principal afterwards.
    pub principal_left_fen: Fen,
    /// The bonus afterwards.
    pub bonus_left_fen: Fen,
}

/// Pays a fee by card: the principal first, then the bonus.
///
/// # Errors
/// An amount is negative.
pub fn pay_by_card(principal: Fen, bonus: Fen, fee: Fen) -> Result<CardPayment, PricingError> {
    not_negative([principal, bonus, fee])?;
    let principal_used_fen = fee.min(principal);
    let rest = fee.minus(principal_used_fen)?;
    let bonus_used_fen = rest.min(bonus);
    Ok(CardPayment {
        principal_used_fen,
        bonus_used_fen,
        short_fen: rest.minus(bonus_used_fen)?,
        principal_left_fen: principal.minus(principal_used_fen)?,
        bonus_left_fen: bonus.minus(bonus_used_fen)?,
    })
}

/// Where a refund to a card goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CardRefund {
    /// Back to the bonus.
    pub to_bonus_fen: Fen,
    /// Back to the principal.
    pub to_principal_fen: Fen,
}

/// Gives money back to a card in the reverse order of paying: the bonus first, then the principal.
///
/// # Errors
/// An amount is negative, or the refund exceeds what the card had paid.
pub fn refund_to_card(principal_used: Fen, bonus_used: Fen, refund: Fen) -> Result<CardRefund, PricingError> {
    not_negative([principal_used, bonus_used, refund])?;
    let to_bonus_fen = refund.min(bonus_used);
    let to_principal_fen = refund.minus(to_bonus_fen)?;
    if to_principal_fen > principal_used {
        return Err(PricingError::RefundTooLarge);
    }
    Ok(CardRefund { to_bonus_fen, to_principal_fen })
}

/// The outcome of issuing a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CardIssue {
    /// The card was issued; the group account could not pay for it otherwise.
    pub issued: bool,
    /// What is on the card.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub card: Option<IssuedCard>,
    /// The balance of the group account afterwards, if one paid.
    pub group_balance_fen: Option<Fen>,
}

/// What is on a new card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuedCard {
    /// The part of the face value that was paid for.
    pub principal_fen: Fen,
    /// The part of the face value that was given on top.
    pub bonus_fen: Fen,
}

/// Issues a card of some face value for a price, paid directly or by a group account.
///
/// # Errors
/// An amount is negative.
pub fn issue_card(price: Fen, face: Fen, group_balance: Option<Fen>) -> Result<CardIssue, PricingError> {
    not_negative([price, face, group_balance.unwrap_or_default()])?;
    if group_balance.is_some_and(|balance| balance < price) {
        return Ok(CardIssue { issued: false, card: None, group_balance_fen: group_balance });
    }
    let principal_fen = price.min(face);
    let card = IssuedCard { principal_fen, bonus_fen: face.minus(principal_fen)? };
    let group_balance_fen = group_balance.map(|balance| balance.minus(price)).transpose()?;
    Ok(CardIssue { issued: true, card: Some(card), group_balance_fen })
}

/// One tier of a recharge promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RechargeTier {
    /// The smallest recharge that reaches it.
    pub min_fen: Fen,
    /// What is given on top.
    pub bonus_fen: Fen,
}

/// A recharge promotion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow), diesel(sql_type = diesel::sql_types::Jsonb))]
#[serde(transparent)]
pub struct RechargeTiers(pub Vec<RechargeTier>);

/// What a recharge is given on top: the best tier that it reaches, once.
pub fn recharge_bonus(tiers: &[RechargeTier], amount: Fen) -> Fen {
    let reached = tiers.iter().filter(|tier| tier.min_fen <= amount);
    reached.map(|tier| tier.bonus_fen).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_below_zero_are_refused() {
        assert_eq!(pay_by_card(Fen(1), Fen(-1), Fen(0)), Err(PricingError::Negative));
        assert_eq!(refund_to_card(Fen(1), Fen(1), Fen(-1)), Err(PricingError::Negative));
        assert_eq!(issue_card(Fen(1), Fen(1), Some(Fen(-1))), Err(PricingError::Negative));
    }

    #[test]
    fn a_card_pays_what_it_can() {
        let paid = pay_by_card(Fen(300), Fen(50), Fen(400)).unwrap();
        assert_eq!((paid.principal_left_fen, paid.bonus_left_fen, paid.short_fen), (Fen(0), Fen(0), Fen(50)));
    }

    #[test]
    fn a_card_gets_back_at_most_what_it_paid() {
        assert_eq!(
            refund_to_card(Fen(300), Fen(50), Fen(350)),
            Ok(CardRefund { to_bonus_fen: Fen(50), to_principal_fen: Fen(300) })
        );
        assert_eq!(refund_to_card(Fen(300), Fen(50), Fen(351)), Err(PricingError::RefundTooLarge));
    }

    #[test]
    fn a_card_dearer_than_its_face_has_no_bonus() {
        let issue = issue_card(Fen(11_000), Fen(10_000), Some(Fen(11_000))).unwrap();
        assert_eq!(issue.card, Some(IssuedCard { principal_fen: Fen(10_000), bonus_fen: Fen(0) }));
        assert_eq!(issue.group_balance_fen, Some(Fen(0)));
    }

    #[test]
    fn the_best_tier_counts_in_any_order() {
        let tiers = [(50_000, 5000), (10_000, 500), (20_000, 1500)];
        let tiers = tiers.map(|(min, bonus)| RechargeTier { min_fen: Fen(min), bonus_fen: Fen(bonus) });
        let bonus = |amount| recharge_bonus(&tiers, Fen(amount)).0;
        assert_eq!([0, 9999, 10_000, 20_000, 60_000].map(bonus), [0, 0, 500, 1500, 5000]);
    }
}
