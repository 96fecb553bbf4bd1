//! The price of power: tiers by watts, each with a price per hour.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PricingError;
use crate::fixed::Price;

/// How an e-bike's power is priced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PowerPrice {
    /// Prices by power, from the weakest to the strongest. What is above the last belongs to the last.
    pub tiers: Vec<PowerTier>,
    /// Which power counts.
    #[serde(default)]
    pub power_basis: PowerBasis,
    /// Which time counts.
    #[serde(default)]
    pub granularity: Granularity,
}

/// The price of an hour up to some power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PowerTier {
    /// The strongest power that still belongs to this tier.
    pub max_watts: u32,
    /// Yuan per hour.
    pub per_hour: Price,
}

/// Which power decides the tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PowerBasis {
    /// Each interval its own.
    #[default]
    Segment,
    /// The highest of the session, for all of it.
    Max,
    /// The mean over time, for all of it.
    Avg,
}

/// How finely time is billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Granularity {
    /// By the second.
    #[default]
    Prorata,
    /// In started units; the last interval is lengthened to fill its unit.
    Ceil {
        /// The minutes of a unit.
        #[schema(value_type = u32, minimum = 1)]
        unit_minutes: NonZeroU32,
    },
}

/// An interval of steady power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PowerSegment {
    /// How long it lasted.
    pub seconds: u32,
    /// Its power.
    pub watts: u32,
}

/// An exact cost of power is counted in units of which so many are a fen: a second times 1/100000 yuan per hour.
pub(super) const POWER_COST_PER_FEN: i128 = 3_600_000;

impl PowerPrice {
    /// What the intervals cost, exactly; what happened after the given seconds is not billed.
    pub(super) fn cost(&self, intervals: &[PowerSegment], stop_seconds: u64) -> Result<i128, PricingError> {
        let mut billed = cut(intervals, stop_seconds);
        // The mean is that of the power really drawn, so it is taken before the last interval is lengthened.
        let watt_seconds: u128 = billed.iter().map(|it| u128::from(it.seconds) * u128::from(it.watts)).sum();
        let measured = total_seconds(&billed);
        if let (Granularity::Ceil { unit_minutes }, Some(last)) = (self.granularity, billed.last_mut()) {
            let unit = u64::from(unit_minutes.get()) * 60;
            last.seconds += measured.div_ceil(unit) * unit - measured;
        }
        let at = |price: Price, seconds: u64| i128::from(price.units()) * i128::from(seconds);
        match self.power_basis {
            PowerBasis::Segment => {
                billed.iter().map(|it| Ok(at(self.per_hour(|max_watts| it.watts <= max_watts)?, it.seconds))).sum()
            }
            PowerBasis::Max => {
                let strongest = billed.iter().map(|it| it.watts).max().unwrap_or_default();
                Ok(at(self.per_hour(|max_watts| strongest <= max_watts)?, total_seconds(&billed)))
            }
            PowerBasis::Avg => {
                let within = |max_watts: u32| watt_seconds <= u128::from(max_watts) * u128::from(measured);
                Ok(at(self.per_hour(within)?, total_seconds(&billed)))
            }
        }
    }

    /// The price of the first tier that is strong enough, else of the last.
    fn per_hour(&self, enough: impl Fn(u32) -> bool) -> Result<Price, PricingError> {
        let tier = self.tiers.iter().find(|tier| enough(tier.max_watts)).or(self.tiers.last());
        tier.map(|tier| tier.per_hour).ok_or(PricingError::NoTier)
    }
}

/// An interval as it is billed; lengthened it may be longer than any that a device reports.
struct Billed {
    seconds: u64,
    watts: u32,
}

/// The intervals up to some second of the session, empty ones left out.
fn cut(intervals: &[PowerSegment], stop_seconds: u64) -> Vec<Billed> {
    let mut left = stop_seconds;
    let mut kept = Vec::with_capacity(intervals.len());
    for interval in intervals {
        let seconds = u64::from(interval.seconds).min(left);
        left -= seconds;
        if seconds > 0 {
            kept.push(Billed { seconds, watts: interval.watts });
        }
    }
    kept
}

fn total_seconds(billed: &[Billed]) -> u64 {
    billed.iter().map(|it| it.seconds).sum()
}
