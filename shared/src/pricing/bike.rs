//! The tariff of an e-bike area in its five modes, and what a session costs by it.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::bill::{COST_PER_FEN, cost};
use super::power::{POWER_COST_PER_FEN, PowerPrice, PowerSegment};
use super::{PricingError, fen, half_up};
use crate::fixed::{Fen, Kwh, Price};

/// What an e-bike's charge costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BikeTariff {
    /// A session that ends within so many minutes costs nothing; a longer one is billed from its first second.
    pub free_minutes: u32,
    /// After so many minutes the device stops by itself, and no more time is billed.
    pub stop_minutes: u32,
    /// Yuan: by duration the price of a session that runs until it stops by itself, in the other modes the most that
    /// a session costs.
    pub stop_amount: Option<Price>,
    /// What is priced.
    #[serde(flatten)]
    pub mode: BikeMode,
}

/// What an e-bike tariff prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "mode", rename_all = "snake_case")]
pub enum BikeMode {
    /// Time alone.
    Duration {
        /// What time costs.
        pricing: DurationPrice,
    },
    /// Time at some power.
    Power(PowerPrice),
    /// Energy alone, with an energy fee and a service fee per kWh.
    Energy {
        /// The energy fee, yuan per kWh.
        elec: Price,
        /// The service fee, yuan per kWh.
        service: Price,
    },
    /// An energy fee per kWh, and a service fee per started hour.
    HourlyService {
        /// The energy fee, yuan per kWh.
        elec: Price,
        /// The service fee, yuan per started hour.
        service_per_hour: Price,
    },
    /// An energy fee per kWh, and a service fee by power.
    PowerService {
        /// The energy fee, yuan per kWh.
        elec: Price,
        /// The service fee.
        #[serde(flatten)]
        power: PowerPrice,
    },
}

/// What time costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DurationPrice {
    /// The price of the whole session by its length.
    Steps {
        /// From the shortest to the longest.
        steps: Vec<Step>,
    },
    /// A price for each started unit of time.
    Unit {
        /// The minutes of a unit.
        #[schema(value_type = u32, minimum = 1)]
        unit_minutes: NonZeroU32,
        /// Yuan per unit.
        unit_amount: Price,
    },
}

/// The price of a session up to some length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// The longest session that costs this.
    pub upto_minutes: u32,
    /// Yuan for all of it.
    pub amount: Price,
}

/// What a device has counted in a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// How long it lasted; where power is priced the segments say it.
    #[serde(default)]
    pub seconds: u32,
    /// The energy, where energy is priced.
    #[serde(default)]
    pub kwh: Kwh,
    /// The power over time, where power is priced.
    #[serde(default)]
    pub segments: Vec<PowerSegment>,
}

/// What an e-bike session costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BikeBill {
    /// The energy fee, where energy is metered.
    pub elec_fen: Fen,
    /// The service fee; all of the price where energy is not metered.
    pub service_fen: Fen,
    /// Both together.
    pub total_fen: Fen,
}

/// Prices an e-bike session.
///
/// # Errors
/// The tariff has no step or tier, or a number is out of range.
pub fn bike_bill(tariff: &BikeTariff, usage: &Usage) -> Result<BikeBill, PricingError> {
    let seconds = match &tariff.mode {
        BikeMode::Power(_) | BikeMode::PowerService { .. } => {
            usage.segments.iter().map(|it| u64::from(it.seconds)).sum()
        }
        BikeMode::Duration { .. } | BikeMode::Energy { .. } | BikeMode::HourlyService { .. } => usage.seconds.into(),
    };
    if seconds <= u64::from(tariff.free_minutes) * 60 {
        return Ok(BikeBill::default());
    }
    let stop_seconds = u64::from(tariff.stop_minutes) * 60;
    let energy = |price: Price| fen(half_up(cost(usage.kwh, price), COST_PER_FEN));
    let power = |price: &PowerPrice| -> Result<Fen, PricingError> {
        Ok(fen(half_up(price.cost(&usage.segments, stop_seconds)?, POWER_COST_PER_FEN))?)
    };
    let (elec, service) = match &tariff.mode {
        BikeMode::Duration { pricing } => (Fen::ZERO, tariff.duration_price(pricing, seconds)?),
        BikeMode::Power(price) => (Fen::ZERO, power(price)?),
        BikeMode::Energy { elec, service } => (energy(*elec)?, energy(*service)?),
        BikeMode::HourlyService { elec, service_per_hour } => {
            let hours = seconds.min(stop_seconds).div_ceil(3600);
            (energy(*elec)?, times(*service_per_hour, hours)?)
        }
        BikeMode::PowerService { elec, power: price } => (energy(*elec)?, power(price)?),
    };
    // The cap spares the energy fee as long as it can, because energy has to be bought.
    let (elec, service) = match tariff.stop_amount {
        Some(cap) => {
            let cap = times(cap, 1)?;
            let elec = elec.min(cap);
            (elec, service.min(cap.minus(elec)?))
        }
        None => (elec, service),
    };
    Ok(BikeBill { elec_fen: elec, service_fen: service, total_fen: elec.plus(service)? })
}

impl BikeTariff {
    /// What a session of so many seconds costs by duration, before the cap.
    fn duration_price(&self, pricing: &DurationPrice, seconds: u64) -> Result<Fen, PricingError> {
        let minutes = seconds.div_ceil(60);
        let stop_minutes = u64::from(self.stop_minutes);
        match self.stop_amount {
            Some(amount) if minutes >= stop_minutes || pricing.beyond_steps(minutes) => Ok(times(amount, 1)?),
            _ => pricing.of(minutes.min(stop_minutes)),
        }
    }
}

impl DurationPrice {
    /// Whether a session is longer than every step.
    fn beyond_steps(&self, minutes: u64) -> bool {
        match self {
            Self::Steps { steps } => steps.iter().all(|step| minutes > u64::from(step.upto_minutes)),
            Self::Unit { .. } => false,
        }
    }

    /// The price of a session; one that is longer than every step costs what the last says.
    fn of(&self, minutes: u64) -> Result<Fen, PricingError> {
        match self {
            Self::Steps { steps } => {
                let step = steps.iter().find(|step| minutes <= u64::from(step.upto_minutes)).or(steps.last());
                Ok(times(step.ok_or(PricingError::NoTier)?.amount, 1)?)
            }
            Self::Unit { unit_minutes, unit_amount } => {
                Ok(times(*unit_amount, minutes.div_ceil(u64::from(unit_minutes.get())))?)
            }
        }
    }
}

/// So many times a price, rounded to fen once.
fn times(price: Price, count: u64) -> Result<Fen, crate::fixed::Overflow> {
    const PER_FEN: i128 = 1000;
    fen(half_up(i128::from(price.units()) * i128::from(count), PER_FEN))
}

/// No device runs longer than this by itself.
const LONGEST_MINUTES: u32 = 48 * 60;

/// How many whole minutes a prepaid amount lasts by duration: what the device is told as its limit.
///
/// # Errors
/// The tariff is not by duration, or has no step, or a number is out of range.
pub fn bike_max_minutes(tariff: &BikeTariff, prepaid: Fen) -> Result<u32, PricingError> {
    let BikeMode::Duration { .. } = &tariff.mode else { return Err(PricingError::NotByDuration) };
    for minutes in (1..=tariff.stop_minutes.min(LONGEST_MINUTES)).rev() {
        let usage = Usage { seconds: minutes * 60, ..Usage::default() };
        if bike_bill(tariff, &usage)?.total_fen <= prepaid {
            return Ok(minutes);
        }
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::fixed::Overflow;

    fn tariff(rule: Value) -> BikeTariff {
        serde_json::from_value(rule).unwrap()
    }

    fn by_steps() -> BikeTariff {
        tariff(json!({
            "mode": "duration", "free_minutes": 5, "stop_minutes": 720, "stop_amount": "5.00",
            "pricing": {"type": "steps", "steps": [
                {"upto_minutes": 120, "amount": "1.00"},
                {"upto_minutes": 240, "amount": "2.00"},
                {"upto_minutes": 480, "amount": "3.50"},
            ]},
        }))
    }

    fn by_unit() -> BikeTariff {
        tariff(json!({
            "mode": "duration", "free_minutes": 0, "stop_minutes": 480, "stop_amount": "4.00",
            "pricing": {"type": "unit", "unit_minutes": 60, "unit_amount": "0.50"},
        }))
    }

    fn by_power(power_basis: &str) -> BikeTariff {
        tariff(json!({
            "mode": "power", "free_minutes": 3, "stop_minutes": 600, "stop_amount": "8.00", "power_basis": power_basis,
            "tiers": [
                {"max_watts": 150, "per_hour": "0.20"}, {"max_watts": 300, "per_hour": "0.35"},
                {"max_watts": 500, "per_hour": "0.60"}, {"max_watts": 800, "per_hour": "0.95"},
            ],
        }))
    }

    fn lasting(tariff: &BikeTariff, seconds: u32) -> i64 {
        bike_bill(tariff, &Usage { seconds, ..Usage::default() }).unwrap().total_fen.0
    }

    fn drawing(tariff: &BikeTariff, kwh: &str, segments: &[(u32, u32)]) -> (i64, i64) {
        let segments = segments.iter().map(|(seconds, watts)| PowerSegment { seconds: *seconds, watts: *watts });
        let usage = Usage { seconds: 0, kwh: kwh.parse().unwrap(), segments: segments.collect() };
        let bill = bike_bill(tariff, &usage).unwrap();
        (bill.elec_fen.0, bill.service_fen.0)
    }

    fn metered(tariff: &BikeTariff, kwh: &str, seconds: u32) -> (i64, i64) {
        let bill = bike_bill(tariff, &Usage { seconds, kwh: kwh.parse().unwrap(), segments: vec![] }).unwrap();
        (bill.elec_fen.0, bill.service_fen.0)
    }

    #[test]
    fn steps_give_the_price_of_the_whole_session() {
        let prices = [0, 300, 301, 7200, 7201, 14_400, 28_800, 28_801, 43_140, 43_141, 43_200, 99_999];
        let prices = prices.map(|seconds| lasting(&by_steps(), seconds));
        assert_eq!(prices, [0, 0, 100, 100, 200, 200, 350, 500, 500, 500, 500, 500]);
    }

    #[test]
    fn units_are_billed_when_started() {
        let prices = [0, 1, 3600, 3601, 25_200, 25_201, 28_800, 90_000].map(|seconds| lasting(&by_unit(), seconds));
        assert_eq!(prices, [0, 50, 50, 100, 350, 400, 400, 400]);
    }

    #[test]
    fn reaching_the_stop_costs_its_amount_even_if_a_step_says_less() {
        let steps = BikeTariff { stop_minutes: 200, ..by_steps() };
        assert_eq!([11_940, 11_941].map(|seconds| lasting(&steps, seconds)), [200, 500]);
        let dear = BikeTariff { stop_amount: Some("1.50".parse().unwrap()), ..by_steps() };
        assert_eq!([7200, 7201, 43_200].map(|seconds| lasting(&dear, seconds)), [100, 150, 150], "and never more");
    }

    #[test]
    fn without_a_stop_amount_the_time_ends_at_the_stop() {
        let unit = BikeTariff { stop_amount: None, ..by_unit() };
        assert_eq!([28_800, 90_000].map(|seconds| lasting(&unit, seconds)), [400, 400]);
        let steps = BikeTariff { stop_amount: None, ..by_steps() };
        assert_eq!([28_801, 90_000].map(|seconds| lasting(&steps, seconds)), [350, 350]);
        let mode = BikeMode::Duration { pricing: DurationPrice::Steps { steps: vec![] } };
        let none = BikeTariff { mode, ..steps };
        let usage = Usage { seconds: 301, ..Usage::default() };
        assert_eq!(bike_bill(&none, &usage), Err(PricingError::NoTier));
    }

    #[test]
    fn power_counts_by_its_basis() {
        let session = [(3600, 280), (5400, 310), (1800, 120), (600, 15)];
        assert_eq!(drawing(&by_power("segment"), "0", &session), (0, 138));
        assert_eq!(drawing(&by_power("max"), "0", &session), (0, 190));
        assert_eq!(drawing(&by_power("avg"), "0", &session), (0, 111));
        assert_eq!(drawing(&by_power("segment"), "0", &[(3600, 900)]), (0, 95), "above the last tier is the last");
        assert_eq!(drawing(&by_power("segment"), "0", &[(100, 280), (80, 310)]), (0, 0), "three minutes are free");
        assert_eq!(drawing(&by_power("segment"), "0", &[(36_000, 900)]), (0, 800), "the cap");
    }

    #[test]
    fn started_hours_are_counted_up_to_the_stop() {
        let rule = tariff(json!({
            "mode": "hourly_service", "free_minutes": 5, "stop_minutes": 600, "stop_amount": null,
            "elec": "0.6200", "service_per_hour": "0.30",
        }));
        assert_eq!(metered(&rule, "0.88", 7200), (55, 60));
        assert_eq!(metered(&rule, "0.88", 7201), (55, 90));
        assert_eq!(metered(&rule, "0.88", 300), (0, 0), "free is free of the energy fee too");
        assert_eq!(metered(&rule, "0.88", 90_000), (55, 300));
    }

    #[test]
    fn the_service_fee_gives_way_to_the_cap_first() {
        let rule = json!({
            "mode": "power_service", "free_minutes": 0, "stop_minutes": 600, "stop_amount": "6.00", "elec": "0.6200",
            "tiers": [{"max_watts": 200, "per_hour": "0.15"}, {"max_watts": 600, "per_hour": "0.45"}],
        });
        assert_eq!(drawing(&tariff(rule.clone()), "5.5", &[(36_000, 500)]), (341, 259));
        assert_eq!(drawing(&tariff(rule.clone()), "10", &[(36_000, 500)]), (600, 0));
        assert_eq!(drawing(&tariff(rule), "0.5", &[(36_000, 500)]), (31, 450));
    }

    #[test]
    fn energy_has_two_prices() {
        let rule = tariff(json!({
            "mode": "energy", "free_minutes": 2, "stop_minutes": 720, "stop_amount": null,
            "elec": "0.7500", "service": "0.4550",
        }));
        assert_eq!(metered(&rule, "1.2340", 9000), (93, 56));
        assert_eq!(metered(&rule, "0", 9000), (0, 0));
    }

    #[test]
    fn money_lasts_until_the_next_price() {
        let minutes = |tariff: &BikeTariff, fen| bike_max_minutes(tariff, Fen(fen)).unwrap();
        let steps = [0, 99, 100, 199, 200, 350, 499, 500, 9999].map(|fen| minutes(&by_steps(), fen));
        assert_eq!(steps, [5, 5, 120, 120, 240, 480, 480, 720, 720]);
        assert_eq!([49, 50, 120, 400].map(|fen| minutes(&by_unit(), fen)), [0, 60, 120, 480]);
        assert_eq!(minutes(&BikeTariff { stop_minutes: u32::MAX, ..by_steps() }, 500), 2880);
        assert_eq!(bike_max_minutes(&by_power("max"), Fen(100)), Err(PricingError::NotByDuration));
    }

    #[test]
    fn a_price_beyond_all_money_is_an_error() {
        let unit_amount = Price::MAX;
        let pricing = DurationPrice::Unit { unit_minutes: NonZeroU32::MIN, unit_amount };
        let rule =
            BikeTariff { stop_minutes: u32::MAX, stop_amount: None, mode: BikeMode::Duration { pricing }, ..by_unit() };
        let usage = Usage { seconds: u32::MAX, ..Usage::default() };
        assert!(bike_bill(&rule, &usage).is_ok());
        assert_eq!(times(Price::MAX, u64::MAX), Err(Overflow));
    }
}
