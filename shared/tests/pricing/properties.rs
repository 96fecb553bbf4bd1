//! What holds for every price, charge and refund, not just for the worked cases.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use shared::fixed::{Fen, Kwh, Price};
use shared::pricing::*;
use shared::time::{self, Clock, SLOTS};

use crate::strategies::*;

fn elec(bill: &Bill) -> i64 {
    bill.elec_fen.0
}

fn service(bill: &Bill) -> i64 {
    bill.service_fen.0
}

proptest! {
    #[test]
    fn the_lines_of_a_bill_add_up(tariff in any_tariff(), samples in charge()) {
        let bill = bill(&tariff, &samples).unwrap();
        prop_assert_eq!(Fen::sum(bill.lines.iter().map(|it| it.elec_fen)), Ok(bill.elec_fen));
        prop_assert_eq!(Fen::sum(bill.lines.iter().map(|it| it.service_fen)), Ok(bill.service_fen));
        prop_assert_eq!(bill.elec_fen.plus(bill.service_fen), Ok(bill.total_fen));
        prop_assert_eq!(bill.kwh_total, samples.last().unwrap().kwh.since(samples[0].kwh));
        prop_assert_eq!(bill.lines.iter().try_fold(Kwh::ZERO, |sum, it| sum.plus(it.kwh)), Ok(bill.kwh_total));
        prop_assert!(bill.lines.is_sorted_by_key(|it| it.period));
    }

    #[test]
    fn no_line_is_a_fen_away_from_its_exact_cost(tariff in any_tariff(), samples in charge()) {
        for line in bill(&tariff, &samples).unwrap().lines {
            let price = tariff.price(line.period).unwrap();
            for (fen, price) in [(line.elec_fen, price.elec), (line.service_fen, price.service)] {
                let off = i128::from(fen.0) * 10_000_000 - i128::from(line.kwh.units()) * i128::from(price.units());
                prop_assert!(off.abs() < 10_000_000);
            }
        }
    }

    #[test]
    fn the_segments_of_a_bill_follow_on_each_other_and_add_up(tariff in any_tariff(), samples in charge()) {
        let bill = bill(&tariff, &samples).unwrap();
        let segments = segments(&tariff, &samples).unwrap();
        prop_assert_eq!(segments.first().map(|it| it.from), samples.first().map(|it| it.at));
        prop_assert_eq!(segments.last().map(|it| it.to), samples.last().map(|it| it.at));
        prop_assert!(segments.windows(2).all(|it| it[0].to == it[1].from && it[0].period != it[1].period));
        for segment in &segments {
            prop_assert_eq!(tariff.price_at(segment.from).unwrap().0, segment.period);
            prop_assert!(segment.from < segment.to);
        }
        for line in &bill.lines {
            let of_line = || segments.iter().filter(|it| it.period == line.period);
            prop_assert_eq!(of_line().try_fold(Kwh::ZERO, |sum, it| sum.plus(it.kwh)), Ok(line.kwh));
            prop_assert_eq!(Fen::sum(of_line().map(|it| it.elec_fen)), Ok(line.elec_fen));
            prop_assert_eq!(Fen::sum(of_line().map(|it| it.service_fen)), Ok(line.service_fen));
        }
        prop_assert_eq!(Fen::sum(segments.iter().map(|it| it.elec_fen)), Ok(bill.elec_fen));
    }

    #[test]
    fn more_energy_never_costs_less(
        tariff in time_of_use(Price::MAX.units()), energy in energy_by_period(), period in select(&PERIODS[..]), more in kwh(1_000_000),
    ) {
        let less = bill_by_period(&tariff, energy.clone()).unwrap();
        let more = bill_by_period(&tariff, energy.into_iter().chain([(period, more)])).unwrap();
        prop_assert!(elec(&less) <= elec(&more) && service(&less) <= service(&more));
    }

    #[test]
    fn a_reading_more_on_the_line_hardly_matters(tariff in usual_tariff(), samples in charge(), step: Index, part in 1_i64..1000) {
        let before = step.index(samples.len() - 1);
        let (a, b) = (samples[before], samples[before + 1]);
        let passed = (b.at - a.at).num_microseconds().unwrap() * part / 1000;
        let whole = i128::from((b.at - a.at).num_microseconds().unwrap());
        let risen = (2 * i128::from(b.kwh.since(a.kwh).units()) * i128::from(passed) + whole) / (2 * whole);
        let between = Kwh::from_units(a.kwh.units() + i64::try_from(risen).unwrap()).unwrap();
        let mut more = samples.clone();
        more.push(Sample { at: a.at + TimeDelta::microseconds(passed), kwh: between });
        let (plain, split) = (bill(&tariff, &samples).unwrap(), bill(&tariff, &more).unwrap());
        prop_assert!((elec(&plain) - elec(&split)).abs() <= 1);
        prop_assert!((service(&plain) - service(&split)).abs() <= 1);
        prop_assert_eq!(plain.kwh_total, split.kwh_total);
    }

    #[test]
    fn the_order_of_readings_does_not_matter(
        tariff in any_tariff(), (samples, shuffled) in charge().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
    ) {
        prop_assert_eq!(bill(&tariff, &samples), bill(&tariff, &shuffled));
    }

    #[test]
    fn a_trial_is_the_bill_of_an_even_charge(tariff in any_tariff(), start in instant(), seconds in 0_u32..90_000, kwh in kwh(1_000_000)) {
        let trial = trial(&tariff, start, seconds, kwh).unwrap();
        prop_assert_eq!(trial.kwh_total, kwh);
        let dearest = quote_each_period(&tariff, kwh).unwrap().into_iter().map(|(_, it)| it.elec_fen).max().unwrap();
        prop_assert!(trial.elec_fen <= dearest);
    }

    #[test]
    fn a_painted_day_is_what_its_ranges_say(grid in vec(option::of(select(&PERIODS[..])), SLOTS)) {
        let tariff = Tariff::time_of_use(BTreeMap::new(), Range::join(&grid));
        prop_assert_eq!(&tariff.grid()[..], &grid[..]);
    }

    #[test]
    fn strange_readings_are_an_error_at_worst(
        tariff in any_tariff(),
        readings in vec((any::<i64>(), 0..=Kwh::MAX.units()), 0..6),
        near in vec((0_i64..10_000_000_000_000, 0..=Kwh::MAX.units()), 0..6),
    ) {
        for readings in [readings, near] {
            let read = |(micros, units)| Some(Sample { at: DateTime::from_timestamp_micros(micros)?, kwh: Kwh::from_units(units).ok()? });
            let samples: Vec<Sample> = readings.into_iter().filter_map(read).collect();
            prop_assert_eq!(bill(&tariff, &samples).is_ok(), segments(&tariff, &samples).is_ok());
        }
    }

    #[test]
    fn strange_sessions_are_an_error_at_worst(tariff in bike_tariff(), readings in vec((any::<u32>(), any::<u32>()), 0..6), seconds: u32) {
        let segments = readings.into_iter().map(|(seconds, watts)| PowerSegment { seconds, watts }).collect();
        let bill = bike_bill(&tariff, &Usage { seconds, kwh: Kwh::MAX, segments });
        prop_assert!(bill.is_ok_and(|it| it.total_fen >= Fen::ZERO));
    }

    #[test]
    fn a_session_costs_at_most_the_cap(tariff in bike_tariff(), usage in usage()) {
        let bill = bike_bill(&tariff, &usage).unwrap();
        prop_assert_eq!(bill.elec_fen.plus(bill.service_fen), Ok(bill.total_fen));
        if let Some(cap) = tariff.stop_amount {
            prop_assert!(i128::from(bill.total_fen.0) * 1000 <= i128::from(cap.units()) + 500);
        }
    }

    #[test]
    fn what_happens_after_the_stop_costs_nothing(tariff in bike_tariff(), usage in usage(), late in 1_u32..50_000, watts in 0_u32..2000) {
        let stopped = Usage { seconds: tariff.stop_minutes * 60, segments: vec![PowerSegment { seconds: tariff.stop_minutes * 60, watts: 100 }], ..usage };
        let mut longer = stopped.clone();
        longer.seconds += late;
        longer.segments.push(PowerSegment { seconds: late, watts });
        prop_assert_eq!(bike_bill(&tariff, &stopped), bike_bill(&tariff, &longer));
    }

    #[test]
    fn a_prepaid_amount_lasts_as_long_as_it_pays(tariff in bike_tariff_of(by_duration()), prepaid in 0_i64..3000) {
        let minutes = bike_max_minutes(&tariff, Fen(prepaid)).unwrap();
        let price = |minutes: u32| bike_bill(&tariff, &Usage { seconds: minutes * 60, ..Usage::default() }).unwrap().total_fen;
        prop_assert!(minutes == 0 || price(minutes) <= Fen(prepaid));
        prop_assert!((minutes + 1..=tariff.stop_minutes).all(|longer| price(longer) > Fen(prepaid)));
    }

    #[test]
    fn a_settlement_loses_nothing(prepaid in money(), fee in money()) {
        let it = settle(prepaid, fee).unwrap();
        prop_assert_eq!(it.charged_fen.plus(it.auto_refund_fen), Ok(prepaid));
        prop_assert_eq!(it.charged_fen.plus(it.overrun_fen), Ok(fee));
        prop_assert!(it.auto_refund_fen == Fen::ZERO || it.overrun_fen == Fen::ZERO);
    }

    #[test]
    fn a_refund_lowers_the_fees_by_itself(elec in 0_i64..10_000, service in 0_i64..10_000, part in 0_i64..=100) {
        let refund = (elec + service) * part / 100;
        let it = refund_parts(Fen(elec), Fen(service), Fen(refund)).unwrap();
        prop_assert_eq!(it.from_elec_fen.plus(it.from_service_fen), Ok(Fen(refund)));
        prop_assert_eq!(it.net_elec_fen.plus(it.net_service_fen), Ok(Fen(elec + service - refund)));
        prop_assert!(it.from_elec_fen == Fen::ZERO || it.net_service_fen == Fen::ZERO);
    }

    #[test]
    fn shares_and_the_rest_are_the_base(base in money(), receivers in receivers()) {
        let it = share(base, &receivers).unwrap();
        prop_assert_eq!(it.shares.iter().try_fold(it.main_keeps_fen, |sum, share| sum.plus(share.share_fen)), Ok(base));
        prop_assert!(it.shares.iter().all(|share| share.share_fen >= Fen::ZERO) && it.main_keeps_fen >= Fen::ZERO);
    }

    #[test]
    fn all_shares_come_back_when_all_is_refunded(base in money(), receivers in receivers(), refunds in vec(1_i64..5000, 0..10)) {
        let shared = share(base, &receivers).unwrap();
        let mut returned = vec![Fen::ZERO; receivers.len()];
        let mut left = base;
        for refund in refunds.into_iter().map(Fen).chain([Fen(i64::MAX)]) {
            let refund = refund.min(left);
            let it = return_shares(left, &receivers, refund).unwrap();
            left = left.minus(refund).unwrap();
            prop_assert_eq!(&it.after, &share(left, &receivers).unwrap());
            for (sum, back) in returned.iter_mut().zip(&it.returns) {
                prop_assert!(back.return_fen >= Fen::ZERO);
                *sum = sum.plus(back.return_fen).unwrap();
            }
        }
        prop_assert_eq!(left, Fen::ZERO);
        prop_assert_eq!(returned, shared.shares.into_iter().map(|it| it.share_fen).collect::<Vec<_>>());
    }

    #[test]
    fn an_invoice_adds_up_to_what_was_kept(
        elec in 0_i64..1_000_000, service in 0_i64..1_000_000, part in 0_i64..=100, elec_rate in rate(), service_rate in rate(),
    ) {
        let refunded = (elec + service) * part / 100;
        let it = invoice_order(Fen(elec), Fen(service), Fen(refunded), elec_rate, service_rate).unwrap();
        prop_assert_eq!(it.gross_fen, Fen(elec + service - refunded));
        prop_assert_eq!(Fen::sum(it.lines.iter().map(|line| line.amount.gross_fen)), Ok(it.gross_fen));
        prop_assert_eq!(Fen::sum(it.lines.iter().map(|line| line.amount.tax_fen)), Ok(it.tax_fen));
        for line in &it.lines {
            prop_assert_eq!(line.amount.net_fen.plus(line.amount.tax_fen), Ok(line.amount.gross_fen));
            let off = i128::from(line.amount.net_fen.0) * i128::from(10_000 + line.rate.units()) - i128::from(line.amount.gross_fen.0) * 10_000;
            prop_assert!(2 * off.abs() <= i128::from(10_000 + line.rate.units()), "the net amount is off by more than half a fen");
        }
    }

    #[test]
    fn a_card_gets_back_what_it_paid(principal in money(), bonus in money(), fee in money()) {
        let paid = pay_by_card(principal, bonus, fee).unwrap();
        prop_assert_eq!(paid.principal_used_fen.plus(paid.principal_left_fen), Ok(principal));
        prop_assert_eq!(paid.bonus_used_fen.plus(paid.bonus_left_fen), Ok(bonus));
        let used = paid.principal_used_fen.plus(paid.bonus_used_fen).unwrap();
        prop_assert_eq!(used.plus(paid.short_fen), Ok(fee));
        let back = refund_to_card(paid.principal_used_fen, paid.bonus_used_fen, used).unwrap();
        prop_assert_eq!((back.to_principal_fen, back.to_bonus_fen), (paid.principal_used_fen, paid.bonus_used_fen));
    }

    #[test]
    fn occupancy_is_every_second_without_charging(
        stay in 0_i64..120, charging in vec((-30_i64..150, -30_i64..150), 0..6),
    ) {
        let at = |second: i64| DateTime::from_timestamp(1_760_000_000 + second, 0).unwrap();
        let idle = (0..stay).filter(|second| !charging.iter().any(|(from, to)| from <= second && second < to)).count();
        let intervals: Vec<_> = charging.iter().map(|(from, to)| (at(*from), at(*to))).collect();
        prop_assert_eq!(occupancy_seconds(at(0), at(stay), &intervals, false), i64::try_from(idle).unwrap());
    }

    #[test]
    fn the_version_in_force_is_the_last_of_the_days_before(saved in vec(0_i64..1_000_000, 0..8), start in 0_i64..1_000_000) {
        let at = |second: i64| DateTime::from_timestamp(1_760_000_000 + second, 0).unwrap();
        let versions: Vec<_> = saved.iter().map(|second| at(*second)).enumerate().collect();
        let found = in_force(versions.clone(), at(start));
        let day = time::business_day(at(start));
        let expected = versions.iter().filter(|it| time::business_day(it.1) < day).max_by_key(|it| (it.1, it.0));
        prop_assert_eq!(found, expected.map(|it| it.0));
    }

    #[test]
    fn numbers_read_what_they_show(fen: i64, price in price(Price::MAX.units()), kwh in kwh(Kwh::MAX.units()), rate in rate(), minute in 0_u16..=1440) {
        prop_assume!(fen != i64::MIN);
        prop_assert_eq!(Fen(fen).to_string().parse(), Ok(Fen(fen)));
        prop_assert_eq!(price.to_string().parse(), Ok(price));
        prop_assert_eq!(kwh.to_string().parse(), Ok(kwh));
        prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        prop_assert_eq!(Kwh::metered_kwh(&kwh.to_string()), Ok(kwh));
        let clock = Clock::at_minute(minute).unwrap();
        prop_assert_eq!(clock.to_string().parse(), Ok(clock));
    }

    #[test]
    fn strange_numbers_are_an_error_at_worst(text in "[-+.0-9e,０ ]{0,30}", other: String) {
        for text in [text, other] {
            if let Ok(price) = text.parse::<Price>() {
                prop_assert_eq!(price.to_string().parse(), Ok(price));
            }
            let _ = (text.parse::<Fen>(), text.parse::<Kwh>(), text.parse::<Clock>(), Kwh::metered_wh(&text));
        }
    }

    #[test]
    fn json_brings_everything_back(tariff in any_tariff(), bike in bike_tariff(), samples in charge(), receivers in receivers()) {
        let text = serde_json::to_string(&tariff).unwrap();
        prop_assert_eq!(serde_json::from_str::<Tariff>(&text).unwrap(), tariff.clone());
        let text = serde_json::to_string(&bike).unwrap();
        prop_assert_eq!(serde_json::from_str::<BikeTariff>(&text).unwrap(), bike);
        let bill = bill(&tariff, &samples).unwrap();
        let text = serde_json::to_string(&bill).unwrap();
        prop_assert_eq!(serde_json::from_str::<Bill>(&text).unwrap(), bill);
        let segments = segments(&tariff, &samples).unwrap();
        let text = serde_json::to_string(&segments).unwrap();
        prop_assert_eq!(serde_json::from_str::<Vec<Segment>>(&text).unwrap(), segments);
        let text = serde_json::to_string(&receivers).unwrap();
        prop_assert_eq!(serde_json::from_str::<Vec<Receiver>>(&text).unwrap(), receivers);
    }
}
