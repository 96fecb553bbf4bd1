//! A second implementation of the prices, written from the rules alone and as plainly as they read: decimals, one second
//! after the other, no shared code. It is slow and serves only to be compared with.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::collection::vec;
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};
use shared::fixed::{Fen, Kwh};
use shared::pricing::*;

use crate::strategies::*;

fn decimal(text: impl ToString) -> Decimal {
    text.to_string().parse().unwrap()
}

fn half_up(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

/// Yuan in fen, rounded once.
fn to_fen(yuan: Decimal) -> Decimal {
    half_up(yuan * Decimal::from(100), 0)
}

/// What a car charge costs: both fees in fen, and the energy and fees of each period in the order of the periods.
#[derive(Debug, PartialEq)]
struct NaiveBill {
    elec: Decimal,
    service: Decimal,
    lines: Vec<(Period, Decimal, Decimal, Decimal)>,
}

impl NaiveBill {
    fn of(bill: &Bill) -> Self {
        let line = |it: &Line| (it.period, decimal(it.kwh), it.elec_fen.0.into(), it.service_fen.0.into());
        Self {
            elec: bill.elec_fen.0.into(),
            service: bill.service_fen.0.into(),
            lines: bill.lines.iter().map(line).collect(),
        }
    }
}

/// The period of each minute of the local day.
fn day(tariff: &Tariff) -> Vec<Period> {
    let minute = |clock: shared::time::Clock| -> u32 {
        let text = clock.to_string();
        let (hours, minutes) = text.split_once(':').unwrap();
        hours.parse::<u32>().unwrap() * 60 + minutes.parse::<u32>().unwrap()
    };
    let ranges: Vec<_> = tariff.slots.iter().map(|it| (minute(it.from), minute(it.to), it.period)).collect();
    let within =
        |now: u32, from: u32, to: u32| if from < to { from <= now && now < to } else { from <= now || now < to };
    let period = |now| ranges.iter().find(|(from, to, _)| within(now, *from, *to)).map(|it| it.2);
    (0..1440).map(|now| period(now).unwrap_or(Period::Uniform)).collect()
}

/// Readings at whole seconds, in any order.
fn car(tariff: &Tariff, readings: &[(i64, Decimal)]) -> NaiveBill {
    let mut at: BTreeMap<i64, Decimal> = BTreeMap::new();
    for (second, value) in readings {
        let known = at.entry(*second).or_insert(*value);
        *known = (*known).max(*value);
    }
    let day = day(tariff);
    let period_of = |second: i64| day[usize::try_from((second + 8 * 3600).rem_euclid(86_400) / 60).unwrap()];
    let mut energy: BTreeMap<Period, Decimal> = BTreeMap::new();
    let readings: Vec<_> = at.into_iter().collect();
    for pair in readings.windows(2) {
        let [(from, a), (to, b)] = [pair[0], pair[1]];
        let rise = (b - a).max(Decimal::ZERO);
        let mut counted = Decimal::ZERO;
        for second in from..to {
            let next = second + 1;
            if next == to || period_of(next) != period_of(second) {
                let reached = half_up(rise * Decimal::from(next - from) / Decimal::from(to - from), 4);
                *energy.entry(period_of(second)).or_default() += reached - counted;
                counted = reached;
            }
        }
    }
    let energy: Vec<_> = energy.into_iter().filter(|it| !it.1.is_zero()).collect();
    let fees = |price: &dyn Fn(Period) -> Decimal| {
        let exact: Vec<Decimal> =
            energy.iter().map(|(period, kwh)| price(*period) * kwh * Decimal::from(100)).collect();
        let total = half_up(exact.iter().sum(), 0);
        let mut parts: Vec<Decimal> = exact.iter().map(Decimal::floor).collect();
        while parts.iter().sum::<Decimal>() < total {
            let lost = |it: usize| exact[it] - parts[it];
            // Of equal losses the first, so a later one has to have lost more.
            let most = (1..parts.len()).fold(0, |most, it| if lost(it) > lost(most) { it } else { most });
            parts[most] += Decimal::ONE;
        }
        (total, parts)
    };
    let (elec, elec_parts) = fees(&|period| decimal(tariff.prices[&period].elec));
    let (service, service_parts) = fees(&|period| decimal(tariff.prices[&period].service));
    let parts = elec_parts.into_iter().zip(service_parts);
    let lines = energy.iter().zip(parts).map(|((period, kwh), (elec, service))| (*period, *kwh, elec, service));
    NaiveBill { elec, service, lines: lines.collect() }
}

/// What an e-bike's session costs: both fees in fen.
fn bike(tariff: &BikeTariff, usage: &Usage) -> (Decimal, Decimal) {
    let watts: Vec<u32> = usage.segments.iter().flat_map(|it| (0..it.seconds).map(|_| it.watts)).collect();
    let by_power = matches!(tariff.mode, BikeMode::Power(_) | BikeMode::PowerService { .. });
    let seconds = if by_power { watts.len() } else { usize::try_from(usage.seconds).unwrap() };
    let [free, stop] = [tariff.free_minutes, tariff.stop_minutes].map(|it| usize::try_from(it).unwrap() * 60);
    if seconds <= free {
        return (Decimal::ZERO, Decimal::ZERO);
    }
    let kwh = decimal(usage.kwh);
    let (elec, service) = match &tariff.mode {
        BikeMode::Duration { pricing } => {
            let minutes = seconds.div_ceil(60);
            let yuan = match (pricing, tariff.stop_amount) {
                (_, Some(amount)) if minutes * 60 >= stop => decimal(amount),
                (DurationPrice::Steps { steps }, amount) => {
                    let fits = |step: &&Step| minutes.min(stop / 60) <= usize::try_from(step.upto_minutes).unwrap();
                    let beyond = || amount.unwrap_or(steps[steps.len() - 1].amount);
                    decimal(steps.iter().find(fits).map_or_else(beyond, |it| it.amount))
                }
                (DurationPrice::Unit { unit_minutes, unit_amount }, _) => {
                    let unit = usize::try_from(unit_minutes.get()).unwrap();
                    let units = (1..).find(|it| it * unit >= minutes.min(stop / 60)).unwrap();
                    decimal(unit_amount) * Decimal::from(units)
                }
            };
            (Decimal::ZERO, to_fen(yuan))
        }
        BikeMode::Power(price) => (Decimal::ZERO, power(price, watts, stop)),
        BikeMode::Energy { elec, service } => (to_fen(kwh * decimal(elec)), to_fen(kwh * decimal(service))),
        BikeMode::HourlyService { elec, service_per_hour } => {
            let hours = (1..).find(|it| it * 3600 >= seconds.min(stop)).unwrap();
            (to_fen(kwh * decimal(elec)), to_fen(decimal(service_per_hour) * Decimal::from(hours)))
        }
        BikeMode::PowerService { elec, power: price } => (to_fen(kwh * decimal(elec)), power(price, watts, stop)),
    };
    match tariff.stop_amount.map(|it| to_fen(decimal(it))) {
        Some(cap) if elec >= cap => (cap, Decimal::ZERO),
        Some(cap) => (elec, service.min(cap - elec)),
        None => (elec, service),
    }
}

/// What the power of each second costs, in fen.
fn power(price: &PowerPrice, mut watts: Vec<u32>, stop: usize) -> Decimal {
    watts.truncate(stop);
    let used: Vec<Decimal> = watts.iter().map(|it| Decimal::from(*it)).collect();
    let mean = used.iter().sum::<Decimal>() / Decimal::from(used.len());
    let strongest = watts.iter().copied().max().unwrap();
    if let Granularity::Ceil { unit_minutes } = price.granularity {
        let unit = usize::try_from(unit_minutes.get()).unwrap() * 60;
        while !watts.len().is_multiple_of(unit) && watts.len() < stop {
            watts.push(watts[watts.len() - 1]);
        }
    }
    let tier = |power: Decimal| {
        let tier = price.tiers.iter().find(|it| power <= Decimal::from(it.max_watts));
        decimal(tier.unwrap_or(&price.tiers[price.tiers.len() - 1]).per_hour)
    };
    // How many seconds were drawn at each power; each second costs the 3600th part of its tier's hour.
    let mut lasted: BTreeMap<u32, u64> = BTreeMap::new();
    for drawn in &watts {
        *lasted.entry(*drawn).or_default() += 1;
    }
    let hours: Decimal = match price.power_basis {
        PowerBasis::Segment => {
            lasted.iter().map(|(drawn, seconds)| tier((*drawn).into()) * Decimal::from(*seconds)).sum()
        }
        PowerBasis::Max => tier(strongest.into()) * Decimal::from(watts.len()),
        PowerBasis::Avg => tier(mean) * Decimal::from(watts.len()),
    };
    to_fen(hours / Decimal::from(3600))
}

/// A charge whose readings come in any order, some of them twice, some of them falling.
fn readings() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let step = (prop_oneof![1 => Just(0_i64), 9 => 1_i64..5000], prop_oneof![1 => -3000_i64..0, 9 => 0_i64..100_000]);
    (1_760_000_000_i64..1_800_000_000, 0_i64..1_000_000_000, vec(step, 1..6))
        .prop_map(|(mut at, mut units, steps)| {
            let mut readings = vec![(at, units)];
            for (seconds, drawn) in steps {
                (at, units) = (at + seconds, (units + drawn).max(0));
                readings.push((at, units));
            }
            readings
        })
        .prop_shuffle()
}

fn bike_usage() -> impl Strategy<Value = Usage> {
    let segment = (0_u32..4000, 0_u32..1200).prop_map(|(seconds, watts)| PowerSegment { seconds, watts });
    (0_u32..60_000, kwh(100_000), vec(segment, 0..5)).prop_map(|(seconds, kwh, segments)| Usage {
        seconds,
        kwh,
        segments,
    })
}

/// Tariffs whose limits a session of some hours meets.
fn tight_bike_tariff() -> impl Strategy<Value = BikeTariff> {
    (bike_tariff(), 10_u32..400).prop_map(|(tariff, stop_minutes)| BikeTariff { stop_minutes, ..tariff })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn cars_are_billed_as_the_rules_read(tariff in usual_tariff(), readings in readings()) {
        let instant = |second: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::seconds(second);
        let samples: Vec<_> =
            readings.iter().map(|(at, units)| Sample { at: instant(*at), kwh: Kwh::from_units(*units).unwrap() }).collect();
        let plain: Vec<_> = readings.iter().map(|(at, units)| (*at, Decimal::new(*units, 4))).collect();
        let bill = bill(&tariff, &samples).unwrap();
        prop_assert_eq!(NaiveBill::of(&bill), car(&tariff, &plain));
    }

    #[test]
    fn bikes_are_billed_as_the_rules_read(tariff in tight_bike_tariff(), usage in bike_usage()) {
        let bill = bike_bill(&tariff, &usage).unwrap();
        let naive = bike(&tariff, &usage);
        prop_assert_eq!((bill.elec_fen.0.into(), bill.service_fen.0.into()), naive);
    }

    #[test]
    fn money_is_split_as_the_rules_read(prepaid in 0_i64..100_000, fee in 0_i64..100_000, receivers in receivers(), rate in rate()) {
        let it = settle(Fen(prepaid), Fen(fee)).unwrap();
        prop_assert_eq!(it.charged_fen.0, if fee < prepaid { fee } else { prepaid });
        prop_assert_eq!(should_stop(Fen(prepaid), Fen(fee)).unwrap(), prepaid - fee < 100);
        let shared = share(Fen(fee), &receivers).unwrap();
        for (part, receiver) in shared.shares.iter().zip(&receivers) {
            let exact = Decimal::from(fee) * Decimal::new(receiver.bp.get().into(), 4);
            prop_assert_eq!(Decimal::from(part.share_fen.0), exact.floor());
        }
        let taxed = split_tax(Fen(fee), rate).unwrap();
        let net = half_up(Decimal::from(fee) / (Decimal::ONE + decimal(rate)), 0);
        prop_assert_eq!(Decimal::from(taxed.net_fen.0), net);
    }
}
