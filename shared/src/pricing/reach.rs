//! How far a prepaid amount goes: what a driver wants to know before paying it.

use chrono::{DateTime, TimeDelta, Utc};

use super::bill::{COST_PER_FEN, cost};
use super::settle::STOP_BELOW;
use super::{PricingError, Tariff};
use crate::fixed::{Fen, Kwh, Overflow};

/// How far money goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// So much energy.
    pub kwh: Kwh,
    /// For so long.
    pub seconds: i64,
}

/// At 1 W an hour has so many seconds for each 1/10000 kWh.
const SECONDS_PER_UNIT: i128 = 360;
/// Prices change on the half hour at most, in UTC as well as here.
const SLOT_SECONDS: i64 = 1800;

/// How far a prepaid amount goes at a constant power from an instant on, until so little is left that the charge is
/// stopped. Nothing when it lasts for more than a day.
///
/// # Errors
/// The tariff has no price for some part of the time, or a number is out of range.
pub fn reach(tariff: &Tariff, start: DateTime<Utc>, power_w: i64, prepaid: Fen) -> Result<Option<Reach>, PricingError> {
    let budget = prepaid.minus(STOP_BELOW)?.max(Fen::ZERO);
    let mut left = i128::from(budget.0) * COST_PER_FEN * SECONDS_PER_UNIT;
    let mut seconds = 0;
    while seconds < 86_400 {
        let at = start.checked_add_signed(TimeDelta::seconds(seconds)).ok_or(Overflow)?;
        let price = tariff.price_at(at)?.1;
        let unit = Kwh::from_units(1).map_err(|_| Overflow)?;
        let per_second = i128::from(power_w) * (cost(unit, price.elec) + cost(unit, price.service));
        let slot = SLOT_SECONDS - at.timestamp().rem_euclid(SLOT_SECONDS);
        if per_second * i128::from(slot) > left {
            seconds += i64::try_from(left / per_second).map_err(|_| Overflow)?;
            let units = i128::from(power_w) * i128::from(seconds) / SECONDS_PER_UNIT;
            let kwh = i64::try_from(units).ok().and_then(|it| Kwh::from_units(it).ok()).ok_or(Overflow)?;
            return Ok(Some(Reach { kwh, seconds }));
        }
        left -= per_second * i128::from(slot);
        seconds += slot;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Period, Range, UnitPrice};
    use super::*;

    fn price(elec: &str, service: &str) -> UnitPrice {
        UnitPrice { elec: elec.parse().unwrap(), service: service.parse().unwrap() }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn goes(tariff: &Tariff, start: &str, prepaid: i64) -> Option<(String, i64)> {
        let reach = reach(tariff, at(start), 60_000, Fen(prepaid)).unwrap();
        reach.map(|it| (it.kwh.to_string(), it.seconds))
    }

    #[test]
    fn goes_until_less_than_a_yuan_is_left() {
        let tariff = Tariff::uniform(price("1.00000", "0.40000"));
        // 49 yuan buy 35 kWh, which 60 kW deliver in 35 minutes.
        assert_eq!(goes(&tariff, "2026-11-22T10:07:00+08:00", 5000), Some(("35.0000".into(), 2100)));
        assert_eq!(goes(&tariff, "2026-11-22T10:07:00+08:00", 100), Some(("0.0000".into(), 0)));
        assert_eq!(goes(&tariff, "2026-11-22T10:07:00+08:00", 50), Some(("0.0000".into(), 0)));
    }

    #[test]
    fn prices_change_on_the_way() {
        let prices = BTreeMap::from([
            (Period::Peak, price("2.00000", "0.00000")),
            (Period::Valley, price("0.50000", "0.50000")),
        ]);
        let range =
            |from: &str, to: &str, period| Range { from: from.parse().unwrap(), to: to.parse().unwrap(), period };
        let slots = vec![range("00:00", "12:00", Period::Peak), range("12:00", "24:00", Period::Valley)];
        let tariff = Tariff::time_of_use(prices, slots);
        // Ten minutes of peak cost 20 yuan for 10 kWh, the other 19 yuan buy 19 kWh in 19 minutes.
        assert_eq!(goes(&tariff, "2026-11-22T11:50:00+08:00", 4000), Some(("29.0000".into(), 1740)));
    }

    #[test]
    fn what_is_free_lasts() {
        let free = Tariff { free: true, ..Tariff::uniform(UnitPrice::default()) };
        assert_eq!(goes(&free, "2026-11-22T10:00:00+08:00", 5000), None);
    }
}
