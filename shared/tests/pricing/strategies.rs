//! Random prices, charges and amounts.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use shared::fixed::{Bp, Fen, Kwh, Price, TaxRate};
use shared::pricing::*;
use shared::time::SLOTS;

pub const PERIODS: [Period; 4] = [Period::Sharp, Period::Peak, Period::Flat, Period::Valley];

pub fn price(max: i64) -> impl Strategy<Value = Price> {
    (0..=max).prop_map(|units| Price::from_units(units).unwrap())
}

pub fn kwh(max: i64) -> impl Strategy<Value = Kwh> {
    (0..=max).prop_map(|units| Kwh::from_units(units).unwrap())
}

pub fn unit_price(max: i64) -> impl Strategy<Value = UnitPrice> {
    (price(max), price(max)).prop_map(|(elec, service)| UnitPrice { elec, service })
}

/// Prices for all four periods up to so much, and a period for each half hour.
pub fn time_of_use(max: i64) -> impl Strategy<Value = Tariff> {
    let prices = vec(unit_price(max), PERIODS.len()).prop_map(|prices| PERIODS.into_iter().zip(prices).collect());
    let day = vec(select(&PERIODS[..]).prop_map(Some), SLOTS).prop_map(|grid| Range::join(&grid));
    (prices, day).prop_map(|(prices, slots): (BTreeMap<_, _>, _)| Tariff::time_of_use(prices, slots))
}

pub fn tariff(max: i64) -> impl Strategy<Value = Tariff> {
    prop_oneof![4 => time_of_use(max), 1 => unit_price(max).prop_map(Tariff::uniform)]
}

/// Prices as they are in the field: up to two yuan.
pub fn usual_tariff() -> impl Strategy<Value = Tariff> {
    tariff(200_000)
}

pub fn any_tariff() -> impl Strategy<Value = Tariff> {
    tariff(Price::MAX.units())
}

pub fn instant() -> impl Strategy<Value = DateTime<Utc>> {
    (1_760_000_000_i64..1_800_000_000).prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap())
}

/// A charge of up to 100 kWh and some hours, with steps of time and energy between its readings.
pub fn charge() -> impl Strategy<Value = Vec<Sample>> {
    let steps = vec((1_i64..7200, 0_i64..100_000), 1..10);
    (instant(), 0_i64..1_000_000_000, steps).prop_map(|(mut at, mut units, steps)| {
        let mut samples = vec![Sample { at, kwh: Kwh::from_units(units).unwrap() }];
        for (seconds, drawn) in steps {
            (at, units) = (at + TimeDelta::seconds(seconds), units + drawn);
            samples.push(Sample { at, kwh: Kwh::from_units(units).unwrap() });
        }
        samples
    })
}

pub fn energy_by_period() -> impl Strategy<Value = Vec<(Period, Kwh)>> {
    vec((select(&PERIODS[..]), kwh(1_000_000)), 0..8)
}

pub fn receivers() -> impl Strategy<Value = Vec<Receiver>> {
    vec(0_i32..=2000, 0..=5).prop_map(|parts| {
        let receiver = |bp: i32| Receiver { account: bp.to_string(), bp: Bp::try_from(bp).unwrap() };
        parts.into_iter().map(receiver).collect()
    })
}

pub fn money() -> impl Strategy<Value = Fen> {
    prop_oneof![(0..=10_000_i64).prop_map(Fen), (0..=i64::MAX).prop_map(Fen)]
}

pub fn rate() -> impl Strategy<Value = TaxRate> {
    (0..=TaxRate::MAX.units()).prop_map(|units| TaxRate::from_units(units).unwrap())
}

pub fn power_price() -> impl Strategy<Value = PowerPrice> {
    let tier = (1_u32..1000, price(1_000_000)).prop_map(|(max_watts, per_hour)| PowerTier { max_watts, per_hour });
    let tiers = vec(tier, 1..5).prop_map(|mut tiers| {
        tiers.sort_by_key(|tier| tier.max_watts);
        tiers
    });
    let basis = select(vec![PowerBasis::Segment, PowerBasis::Max, PowerBasis::Avg]);
    let granularity = prop_oneof![
        Just(Granularity::Prorata),
        (1_u32..120).prop_map(|minutes| Granularity::Ceil { unit_minutes: minutes.try_into().unwrap() }),
    ];
    (tiers, basis, granularity).prop_map(|(tiers, power_basis, granularity)| PowerPrice {
        tiers,
        power_basis,
        granularity,
    })
}

/// Ascending steps, or units.
pub fn duration_price() -> impl Strategy<Value = DurationPrice> {
    prop_oneof![
        vec((1_u32..600, price(1_000_000)), 1..6).prop_map(|steps| {
            let (mut minutes, mut amounts): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
            minutes.sort_unstable();
            amounts.sort_unstable();
            let steps = minutes.into_iter().zip(amounts);
            let steps = steps.map(|(upto_minutes, amount)| Step { upto_minutes, amount }).collect();
            DurationPrice::Steps { steps }
        }),
        (1_u32..200, price(1_000_000)).prop_map(|(minutes, unit_amount)| DurationPrice::Unit {
            unit_minutes: minutes.try_into().unwrap(),
            unit_amount
        }),
    ]
}

pub fn by_duration() -> impl Strategy<Value = BikeMode> {
    duration_price().prop_map(|pricing| BikeMode::Duration { pricing })
}

pub fn bike_tariff() -> impl Strategy<Value = BikeTariff> {
    bike_tariff_of(prop_oneof![
        by_duration(),
        power_price().prop_map(BikeMode::Power),
        (price(200_000), price(200_000)).prop_map(|(elec, service)| BikeMode::Energy { elec, service }),
        (price(200_000), price(200_000))
            .prop_map(|(elec, service_per_hour)| BikeMode::HourlyService { elec, service_per_hour }),
        (price(200_000), power_price()).prop_map(|(elec, power)| BikeMode::PowerService { elec, power }),
    ])
}

pub fn bike_tariff_of(mode: impl Strategy<Value = BikeMode>) -> impl Strategy<Value = BikeTariff> {
    (0_u32..10, 10_u32..=2880, option::of(price(2_000_000)), mode).prop_map(
        |(free_minutes, stop_minutes, stop_amount, mode)| BikeTariff { free_minutes, stop_minutes, stop_amount, mode },
    )
}

pub fn usage() -> impl Strategy<Value = Usage> {
    let segment = (0_u32..50_000, 0_u32..2000).prop_map(|(seconds, watts)| PowerSegment { seconds, watts });
    (0_u32..200_000, kwh(100_000), vec(segment, 0..6)).prop_map(|(seconds, kwh, segments)| Usage {
        seconds,
        kwh,
        segments,
    })
}
