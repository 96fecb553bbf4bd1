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
    /// In started units; the last interval is lengthened to fill its unit, but not beyond the auto-stop.
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
            // Nobody pays for time that the auto-stop takes away, so the last unit may end early.
            last.seconds += measured.div_ceil(unit).saturating_mul(unit).min(stop_seconds) - measured;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn price(power_basis: PowerBasis, granularity: Granularity) -> PowerPrice {
        let tiers = [(150, "0.20"), (300, "0.35"), (500, "0.60"), (800, "0.95")];
        let tier = |(max_watts, per_hour): (u32, &str)| PowerTier { max_watts, per_hour: per_hour.parse().unwrap() };
        PowerPrice { tiers: tiers.map(tier).into(), power_basis, granularity }
    }

    fn half_hours() -> Granularity {
        Granularity::Ceil { unit_minutes: NonZeroU32::new(30).unwrap() }
    }

    /// The cost in 1/100000 yuan times seconds, per hour; without an auto-stop.
    fn cost(price: &PowerPrice, intervals: &[(u32, u32)]) -> i128 {
        stopped(price, intervals, u64::MAX)
    }

    fn stopped(price: &PowerPrice, intervals: &[(u32, u32)], stop_seconds: u64) -> i128 {
        let segments: Vec<_> =
            intervals.iter().map(|(seconds, watts)| PowerSegment { seconds: *seconds, watts: *watts }).collect();
        price.cost(&segments, stop_seconds).unwrap()
    }

    #[test]
    fn the_mean_power_may_reach_the_limit_of_its_tier_exactly() {
        let price = price(PowerBasis::Avg, Granularity::Prorata);
        assert_eq!(cost(&price, &[(1800, 100), (1800, 200)]), 3600 * 20_000, "150 W on the mean");
        assert_eq!(cost(&price, &[(1800, 100), (1801, 200)]), 3601 * 35_000, "a trace more");
        assert_eq!(cost(&price, &[]), 0);
    }

    #[test]
    fn the_mean_is_of_the_power_drawn_and_not_of_the_lengthened_time() {
        let price = price(PowerBasis::Avg, half_hours());
        assert_eq!(cost(&price, &[(1800, 290), (60, 5000)]), 3600 * 60_000);
    }

    #[test]
    fn the_last_interval_is_lengthened_to_its_unit_only_if_it_does_not_fill_it() {
        let price = price(PowerBasis::Segment, half_hours());
        assert_eq!(cost(&price, &[(1800, 100), (1800, 200)]), 1800 * 20_000 + 1800 * 35_000);
        assert_eq!(cost(&price, &[(1800, 100), (1801, 200)]), 1800 * 20_000 + 3600 * 35_000);
        assert_eq!(cost(&price, &[(1, 100), (0, 900)]), 1800 * 20_000, "an empty interval is none");
    }

    #[test]
    fn the_highest_power_counts_for_all_the_time_but_not_after_the_stop() {
        let price = price(PowerBasis::Max, half_hours());
        assert_eq!(cost(&price, &[(1800, 301), (60, 10)]), 3600 * 60_000);
        assert_eq!(stopped(&price, &[(1800, 300), (60, 801)], 1800), 1800 * 35_000);
        assert_eq!(stopped(&price, &[(1800, 300), (60, 801)], 1801), 1801 * 95_000, "above the last tier is the last");
    }

    #[test]
    fn nothing_is_lengthened_beyond_the_stop() {
        let price = price(PowerBasis::Segment, half_hours());
        assert_eq!(stopped(&price, &[(6000, 100), (6000, 400)], 6001), 6000 * 20_000 + 60_000);
        assert_eq!(stopped(&price, &[(6000, 100), (100, 400)], 6600), 6000 * 20_000 + 600 * 60_000);
        assert_eq!(stopped(&price, &[(6000, 100), (100, 400)], 7200), 6000 * 20_000 + 1200 * 60_000);
    }

    #[test]
    fn without_tiers_there_is_no_price() {
        for power_basis in [PowerBasis::Segment, PowerBasis::Max, PowerBasis::Avg] {
            let price = PowerPrice { tiers: vec![], ..price(power_basis, Granularity::Prorata) };
            assert_eq!(price.cost(&[PowerSegment { seconds: 1, watts: 1 }], 60), Err(PricingError::NoTier));
        }
    }
}
