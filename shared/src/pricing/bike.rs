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
