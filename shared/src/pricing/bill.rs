//! The bill of a car charge: one rounding for the energy fee and one for the service fee.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::meter::measure;
use super::{Period, PricingError, Sample, Tariff, fen, half_up};
use crate::fixed::{Fen, Kwh, Overflow, Price};

/// What a charge costs and why.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bill {
    /// The energy fee.
    pub elec_fen: Fen,
    /// The service fee.
    pub service_fen: Fen,
    /// Both together.
    pub total_fen: Fen,
    /// What was used in each period; the lines add up to the two fees.
    pub lines: Vec<Line>,
    /// All energy.
    pub kwh_total: Kwh,
    /// How often the meter went backwards.
    pub meter_anomalies: u32,
}

/// The energy and the fees of one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Line {
    /// The period.
    pub period: Period,
    /// The energy drawn in it.
    pub kwh: Kwh,
    /// Its part of the energy fee.
    pub elec_fen: Fen,
    /// Its part of the service fee.
    pub service_fen: Fen,
}

/// Prices a charge by its meter readings.
///
/// # Errors
/// The tariff does not say what part of the charge costs, or a number is out of range.
pub fn bill(tariff: &Tariff, samples: &[Sample]) -> Result<Bill, PricingError> {
    let metered = measure(tariff, samples)?;
    let bill = bill_by_period(tariff, metered.stretches.iter().map(|it| (it.period, it.kwh)))?;
    Ok(Bill { meter_anomalies: metered.anomalies, ..bill })
}

/// Prices a charge whose energy is known by period. Periods may repeat; those without energy have no line.
///
/// # Errors
/// The tariff has no price for a period with energy, or a number is out of range.
pub fn bill_by_period(tariff: &Tariff, energy: impl IntoIterator<Item = (Period, Kwh)>) -> Result<Bill, PricingError> {
    let energy: Vec<_> = energy.into_iter().collect();
    let mut by_period = Vec::new();
    let mut kwh_total = Kwh::ZERO;
    for period in Period::ALL {
        let mut sum = Kwh::ZERO;
        for (_, kwh) in energy.iter().filter(|it| it.0 == period) {
            sum = sum.plus(*kwh)?;
        }
        if sum != Kwh::ZERO {
            by_period.push((period, sum));
            kwh_total = kwh_total.plus(sum)?;
        }
    }

    let (mut elec, mut service) = (Vec::new(), Vec::new());
    for (period, kwh) in &by_period {
        let price = tariff.price(*period)?;
        elec.push(cost(*kwh, price.elec));
        service.push(cost(*kwh, price.service));
    }
    let (elec_fen, service_fen) = (rounded(&elec)?, rounded(&service)?);
    let parts = apportion(elec_fen, elec)?.into_iter().zip(apportion(service_fen, service)?);
    let lines = by_period.into_iter().zip(parts);
    let lines = lines.map(|((period, kwh), (elec_fen, service_fen))| Line { period, kwh, elec_fen, service_fen });
    let lines = lines.collect();
    Ok(Bill { elec_fen, service_fen, total_fen: elec_fen.plus(service_fen)?, lines, kwh_total, meter_anomalies: 0 })
}

/// Prices a charge that might be: so much energy, drawn evenly from an instant on.
///
/// # Errors
/// As [`bill`].
pub fn trial(tariff: &Tariff, start: DateTime<Utc>, seconds: u32, kwh: Kwh) -> Result<Bill, PricingError> {
    if seconds == 0 {
        return bill_by_period(tariff, [(tariff.price_at(start)?.0, kwh)]);
    }
    let end = start.checked_add_signed(TimeDelta::seconds(seconds.into())).ok_or(Overflow)?;
    bill(tariff, &[Sample { at: start, kwh: Kwh::ZERO }, Sample { at: end, kwh }])
}

/// Prices a charge of which only the energy is known: what it would cost in each of the tariff's periods.
///
/// # Errors
/// A number is out of range.
pub fn quote_each_period(tariff: &Tariff, kwh: Kwh) -> Result<Vec<(Period, Bill)>, PricingError> {
    tariff.prices.keys().map(|period| Ok((*period, bill_by_period(tariff, [(*period, kwh)])?))).collect()
}

/// An exact cost is counted in units of which so many are a fen: 1/10000 kWh times 1/100000 yuan.
pub(super) const COST_PER_FEN: i128 = 10_000_000;

/// What energy costs, exactly.
pub(super) fn cost(kwh: Kwh, price: Price) -> i128 {
    i128::from(kwh.units()) * i128::from(price.units())
}

/// The one rounding of a component.
fn rounded(costs: &[i128]) -> Result<Fen, Overflow> {
    fen(half_up(costs.iter().sum(), COST_PER_FEN))
}

/// Splits a rounded amount over the exact costs it came from, so that the parts add up to it: every part is rounded
/// down, and the fen that are missing go to those that lost most, the first of equals.
pub(super) fn apportion(total: Fen, costs: impl IntoIterator<Item = i128>) -> Result<Vec<Fen>, Overflow> {
    let costs: Vec<i128> = costs.into_iter().collect();
    let mut parts: Vec<i128> = costs.iter().map(|cost| cost / COST_PER_FEN).collect();
    let missing = usize::try_from(i128::from(total.0) - parts.iter().sum::<i128>()).map_err(|_| Overflow)?;
    let mut losses: Vec<(i128, &mut i128)> = costs.iter().map(|cost| cost % COST_PER_FEN).zip(&mut parts).collect();
    losses.sort_by_key(|(lost, _)| Reverse(*lost));
    losses.into_iter().take(missing).for_each(|(_, part)| *part += 1);
    parts.into_iter().map(fen).collect()
}

#[cfg(test)]
mod tests {
    use super::super::UnitPrice;
    use super::*;

    fn unit_price(elec: &str, service: &str) -> UnitPrice {
        UnitPrice { elec: elec.parse().unwrap(), service: service.parse().unwrap() }
    }

    fn tariff(prices: &[(Period, &str, &str)]) -> Tariff {
        let prices = prices.iter().map(|(period, elec, service)| (*period, unit_price(elec, service)));
        Tariff::time_of_use(prices.collect(), vec![])
    }

    fn kwh(text: &str) -> Kwh {
        text.parse().unwrap()
    }

    fn fees(bill: &Bill) -> [i64; 3] {
        [bill.elec_fen.0, bill.service_fen.0, bill.total_fen.0]
    }

    #[test]
    fn each_component_is_rounded_by_itself() {
        let tariff = tariff(&[(Period::Uniform, "0.95050", "0.45050")]);
        let bill = bill_by_period(&tariff, [(Period::Uniform, kwh("10"))]).unwrap();
        assert_eq!(fees(&bill), [951, 451, 1402], "half a fen goes up, twice; their sum is not rounded");
    }

    #[test]
    fn four_periods_are_listed_from_sharp_to_valley_and_add_up() {
        let tariff = tariff(&[
            (Period::Valley, "0.3521", "0.3000"),
            (Period::Sharp, "1.2513", "0.4000"),
            (Period::Flat, "0.6987", "0.3500"),
            (Period::Peak, "1.0125", "0.4000"),
        ]);
        let energy = [
            (Period::Flat, kwh("5.0003")),
            (Period::Valley, kwh("8.8888")),
            (Period::Peak, kwh("12.4071")),
            (Period::Sharp, kwh("3.1250")),
        ];
        let bill = bill_by_period(&tariff, energy).unwrap();
        assert_eq!(fees(&bill), [2310, 1063, 3373]);
        assert_eq!(bill.kwh_total, kwh("29.4212"));
        let lines: Vec<_> = bill.lines.iter().map(|it| (it.period, it.elec_fen.0, it.service_fen.0)).collect();
        let expected = [
            (Period::Sharp, 391, 125),
            (Period::Peak, 1256, 496),
            (Period::Flat, 350, 175),
            (Period::Valley, 313, 267),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn of_equal_losses_the_sharper_period_gets_the_fen() {
        let price = |period| (period, "0.005", "0");
        let tariff = tariff(&[price(Period::Peak), price(Period::Flat), price(Period::Valley)]);
        let energy = [Period::Valley, Period::Flat, Period::Peak].map(|period| (period, kwh("1")));
        let parts: Vec<_> = bill_by_period(&tariff, energy).unwrap().lines.iter().map(|it| it.elec_fen.0).collect();
        assert_eq!(parts, [1, 1, 0], "one and a half fen round to two");
    }

    #[test]
    fn periods_repeat_and_empty_ones_have_no_line() {
        let tariff = tariff(&[(Period::Peak, "1", "0.5")]);
        let energy = [(Period::Peak, kwh("1")), (Period::Valley, Kwh::ZERO), (Period::Peak, kwh("2"))];
        let bill = bill_by_period(&tariff, energy).unwrap();
        assert_eq!((bill.lines.len(), fees(&bill)), (1, [300, 150, 450]));
        assert_eq!(bill_by_period(&tariff, []), Ok(Bill::default()));
    }

    #[test]
    fn what_cannot_be_priced_is_an_error() {
        let tariff = tariff(&[(Period::Peak, "99999", "99999")]);
        let error = bill_by_period(&tariff, [(Period::Flat, kwh("1"))]);
        assert_eq!(error, Err(PricingError::NoPrice(Period::Flat)));
        let error = bill_by_period(&tariff, [(Period::Peak, Kwh::MAX), (Period::Peak, kwh("1"))]);
        assert_eq!(error, Err(PricingError::Overflow(Overflow)));
        let bill = bill_by_period(&tariff, [(Period::Peak, Kwh::MAX)]).unwrap();
        assert_eq!(bill.elec_fen, Fen(999_989_999_999_000), "the largest charge at the largest price is still money");
    }

    #[test]
    fn a_trial_without_duration_is_priced_at_its_instant() {
        let tariff = Tariff::uniform(unit_price("0.95", "0.45"));
        let start = "2026-11-20T10:00:00+08:00".parse().unwrap();
        assert_eq!(fees(&trial(&tariff, start, 0, kwh("10")).unwrap()), [950, 450, 1400]);
        assert_eq!(trial(&tariff, start, 0, kwh("10")), trial(&tariff, start, 3600, kwh("10")));
        let late = trial(&tariff, DateTime::<Utc>::MAX_UTC, 1, kwh("10"));
        assert_eq!(late, Err(PricingError::Overflow(Overflow)));
    }

    #[test]
    fn energy_alone_is_quoted_in_each_period() {
        let tariff = tariff(&[(Period::Flat, "0.6987", "0.35"), (Period::Sharp, "1.2513", "0.4")]);
        let quotes = quote_each_period(&tariff, kwh("10")).unwrap();
        let quotes: Vec<_> = quotes.iter().map(|(period, bill)| (*period, bill.total_fen.0)).collect();
        assert_eq!(quotes, [(Period::Sharp, 1651), (Period::Flat, 1049)]);
    }
}
