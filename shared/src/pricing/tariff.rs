//! The tariff of a car area: prices by period of the day, its checks, and when a saved version comes into force.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PricingError;
use crate::codes::codes;
use crate::fixed::{Fen, Price};
use crate::problem::FieldError;
use crate::text::{Lang, Text, t};
use crate::time::{self, Clock, SLOTS};

codes! {
    /// A part of the day with prices of its own, in the order in which bills list them.
    pub enum Period {
        Sharp = "sharp", Danger, "尖", "Sharp";
        Peak = "peak", Warning, "峰", "Peak";
        Flat = "flat", Primary, "平", "Flat";
        Valley = "valley", Success, "谷", "Valley";
        Uniform = "uniform", Info, "统一", "Uniform";
    }

    /// How a car tariff prices energy.
    pub enum TariffMode {
        Uniform = "uniform", Primary, "统一计价", "Uniform price";
        TimeOfUse = "time_of_use", Warning, "峰平谷计价", "Time of use";
    }
}

impl Period {
    /// All periods, in the order in which bills list them.
    pub const ALL: [Self; 5] = [Self::Sharp, Self::Peak, Self::Flat, Self::Valley, Self::Uniform];
}

/// The two prices of a kWh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnitPrice {
    /// The energy fee, yuan per kWh.
    pub elec: Price,
    /// The service fee, yuan per kWh.
    pub service: Price,
}

/// A part of the day that belongs to one period. If it ends before it begins, it runs past midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Range {
    /// Its first minute.
    pub from: Clock,
    /// The minute after its last.
    pub to: Clock,
    /// The period it belongs to.
    pub period: Period,
}

/// What a kWh costs in a car area, as a tariff form holds it and as an order keeps it from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow), diesel(sql_type = diesel::sql_types::Jsonb))]
#[schema(example = json!({"mode": "uniform", "prices": {"uniform": {"elec": "0.60000", "service": "0.40000"}}}))]
pub struct Tariff {
    /// One price all day, or one for each period.
    pub mode: TariffMode,
    /// The prices of every period that occurs; just `uniform` when there is one price all day.
    pub prices: BTreeMap<Period, UnitPrice>,
    /// Which period each part of the day belongs to; empty when there is one price all day.
    #[serde(default)]
    pub slots: Vec<Range>,
    /// A price of nothing is meant, not forgotten.
    #[serde(default)]
    pub free: bool,
}

/// The period of each half hour of the day, where the ranges say one.
type Grid = [Option<Period>; SLOTS];

impl Tariff {
    /// One price all day.
    pub fn uniform(price: UnitPrice) -> Self {
        let prices = BTreeMap::from([(Period::Uniform, price)]);
        Self { mode: TariffMode::Uniform, prices, slots: Vec::new(), free: false }
    }

    /// A price for each period.
    pub fn time_of_use(prices: BTreeMap<Period, UnitPrice>, slots: Vec<Range>) -> Self {
        Self { mode: TariffMode::TimeOfUse, prices, slots, free: false }
    }

    /// The period and the prices at an instant.
    ///
    /// # Errors
    /// No range covers the instant, or its period has no price.
    pub fn price_at(&self, at: DateTime<Utc>) -> Result<(Period, UnitPrice), PricingError> {
        let slot = time::slot(at);
        let period = self.grid().get(slot).copied().flatten();
        let period = period.ok_or(PricingError::Uncovered(Clock::of_slot(slot)))?;
        Ok((period, self.price(period)?))
    }

    /// The prices of a period.
    ///
    /// # Errors
    /// The tariff has none for it.
    pub fn price(&self, period: Period) -> Result<UnitPrice, PricingError> {
        self.prices.get(&period).copied().ok_or(PricingError::NoPrice(period))
    }

    /// The period of each half hour of the day; nothing where no range reaches. Where ranges overlap the first counts.
    pub fn grid(&self) -> Grid {
        match self.mode {
            TariffMode::Uniform => [Some(Period::Uniform); SLOTS],
            TariffMode::TimeOfUse => {
                let mut grid = [None; SLOTS];
                for range in &self.slots {
                    for slot in range.slots() {
                        if let Some(cell @ None) = grid.get_mut(slot) {
                            *cell = Some(range.period);
                        }
                    }
                }
                grid
            }
        }
    }

    /// All that keeps the tariff from being saved, by field: `prices.peak`, `slots.3.from`.
    pub fn check(&self, lang: Lang) -> Vec<FieldError> {
        let mut errors = Errors { lang, found: Vec::new() };
        let used: BTreeSet<Period> = match self.mode {
            TariffMode::Uniform => {
                if !self.slots.is_empty() {
                    errors.add("slots", "unexpected", t("统一计价没有时段", "A uniform price has no time ranges"));
                }
                BTreeSet::from([Period::Uniform])
            }
            TariffMode::TimeOfUse => {
                self.check_ranges(&mut errors);
                self.slots.iter().map(|range| range.period).filter(|period| *period != Period::Uniform).collect()
            }
        };
        for period in used.iter().filter(|period| !self.prices.contains_key(period)) {
            errors.add(
                format!("prices.{period}"),
                "required",
                t("请填写该时段的单价", "The prices of this period are missing"),
            );
        }
        for (period, price) in &self.prices {
            let field = format!("prices.{period}");
            if !used.contains(period) {
                errors.add(field, "unexpected", t("没有用到该时段", "This period is not used"));
            } else if *price == UnitPrice::default() && !self.free {
                let message =
                    t("电费与服务费不能都为 0，除非勾选免费", "Both prices are 0; tick “free” if that is meant");
                errors.add(field, "zero", message);
            }
        }
        errors.found
    }

    fn check_ranges(&self, errors: &mut Errors) {
        let mut covered = [false; SLOTS];
        for (index, range) in self.slots.iter().enumerate() {
            for (name, clock) in [("from", range.from), ("to", range.to)] {
                if clock.slot().is_none() {
                    let message = t("时段以 30 分钟为单位", "Ranges begin and end on the half hour");
                    errors.add(format!("slots.{index}.{name}"), "half_hour", message);
                }
            }
            if range.from == range.to {
                errors.add(
                    format!("slots.{index}.to"),
                    "empty",
                    t("结束须不同于开始", "It must not end where it begins"),
                );
            }
            if range.period == Period::Uniform {
                let message = t("请选择尖、峰、平、谷之一", "Choose sharp, peak, flat or valley");
                errors.add(format!("slots.{index}.period"), "choice", message);
            }
            let taken =
                range.slots().filter_map(|slot| covered.get_mut(slot).map(|cell| std::mem::replace(cell, true)));
            if taken.fold(false, |any, taken| any | taken) {
                errors.add(format!("slots.{index}"), "overlap", t("与前面的时段重叠", "It overlaps a range before it"));
            }
        }
        if let Some(slot) = covered.iter().position(|covered| !covered) {
            let clock = Clock::of_slot(slot);
            let message = match errors.lang {
                Lang::Zh => format!("须完整覆盖 24 小时：{clock} 起没有时段"),
                Lang::En => format!("All 24 hours must be covered: nothing from {clock}"),
            };
            errors.found.push(FieldError::new("slots", "gap", message));
        }
    }
}

impl Range {
    /// The half hours of the day in this range, both of its days if it runs past midnight. A range that is not on half
    /// hours has none.
    fn slots(&self) -> impl Iterator<Item = usize> + use<> {
        let (from, to) = self.from.slot().zip(self.to.slot()).unwrap_or_default();
        let end = if to < from { to + SLOTS } else { to };
        (from..end).map(|slot| slot % SLOTS)
    }

    /// The ranges of a day painted half hour by half hour, neighbours of one period joined.
    pub fn join(grid: &[Option<Period>]) -> Vec<Self> {
        let mut ranges: Vec<Self> = Vec::new();
        for (slot, period) in grid.iter().enumerate().take(SLOTS) {
            let (from, to) = (Clock::of_slot(slot), Clock::of_slot(slot + 1));
            match (ranges.last_mut(), *period) {
                (Some(last), Some(period)) if last.period == period && last.to == from => last.to = to,
                (_, Some(period)) => ranges.push(Self { from, to, period }),
                (_, None) => {}
            }
        }
        ranges
    }
}

/// Collects errors in one language.
struct Errors {
    lang: Lang,
    found: Vec<FieldError>,
}

impl Errors {
    fn add(&mut self, field: impl Into<String>, code: &str, message: Text) {
        self.found.push(FieldError::new(field, code, message.get(self.lang)));
    }
}

/// How many prepay presets a tariff may offer.
const MAX_PRESETS: usize = 12;
/// The largest prepay preset.
const MAX_PRESET: Fen = Fen(100_000);

/// All that is wrong with the prepay presets that a tariff offers to drivers, by field: `presets`, `presets.3`.
pub fn check_presets(presets: &[Fen], lang: Lang) -> Vec<FieldError> {
    let mut errors = Errors { lang, found: Vec::new() };
    if presets.len() > MAX_PRESETS {
        errors.add("presets", "too_many", t("最多 12 条预付值", "At most 12 presets"));
    }
    let mut before = Fen::ZERO;
    for (index, preset) in presets.iter().enumerate() {
        if *preset <= Fen::ZERO || *preset > MAX_PRESET {
            let message = t("应大于 0 且不超过 1000 元", "Must be above 0 and at most 1000 yuan");
            errors.add(format!("presets.{index}"), "range", message);
        } else if *preset <= before {
            let message = t("应从小到大且不重复", "Must be larger than the one before it");
            errors.add(format!("presets.{index}"), "order", message);
        }
        before = *preset;
    }
    errors.found
}

/// When a version that is saved now comes into force: at 24:00 of the day.
pub fn effective_from(saved_at: DateTime<Utc>) -> DateTime<Utc> {
    time::next_midnight(saved_at)
}

/// Which of the versions `(version, saved at)` an order that starts now gets and keeps: the last saved of those in
/// force, or none, and then no order may start.
pub fn in_force<V: Copy + Ord>(
    versions: impl IntoIterator<Item = (V, DateTime<Utc>)>,
    order_start: DateTime<Utc>,
) -> Option<V> {
    let in_force = versions.into_iter().filter(|(_, saved_at)| effective_from(*saved_at) <= order_start);
    in_force.max_by_key(|(version, saved_at)| (*saved_at, *version)).map(|(version, _)| version)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn tariff(tariff: Value) -> Tariff {
        serde_json::from_value(tariff).unwrap()
    }

    fn two_periods(slots: Value) -> Tariff {
        let price = json!({"elec": "0.6", "service": "0.4"});
        tariff(json!({"mode": "time_of_use", "prices": {"peak": price, "valley": price}, "slots": slots}))
    }

    fn range(from: &str, to: &str, period: &str) -> Value {
        json!({"from": from, "to": to, "period": period})
    }

    fn wrong(tariff: &Tariff) -> Vec<(String, String)> {
        tariff.check(Lang::En).into_iter().map(|it| (it.field, it.code)).collect()
    }

    fn errors(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(field, code)| ((*field).to_owned(), (*code).to_owned())).collect()
    }

    #[test]
    fn a_day_covered_once_is_in_order() {
        let plain = json!([range("00:00", "08:00", "valley"), range("08:00", "24:00", "peak")]);
        assert_eq!(wrong(&two_periods(plain)), []);
        let past_midnight = json!([range("08:00", "22:30", "peak"), range("22:30", "08:00", "valley")]);
        assert_eq!(wrong(&two_periods(past_midnight)), []);
        let to_midnight = json!([range("00:00", "22:30", "peak"), range("22:30", "00:00", "valley")]);
        assert_eq!(wrong(&two_periods(to_midnight)), []);
    }

    #[test]
    fn gaps_and_overlaps_are_located() {
        let gap = two_periods(json!([range("00:00", "08:00", "valley"), range("08:30", "24:00", "peak")]));
        assert_eq!(wrong(&gap), errors(&[("slots", "gap")]));
        assert_eq!(gap.check(Lang::Zh)[0].message, "须完整覆盖 24 小时：08:00 起没有时段");
        let overlap = two_periods(json!([range("00:00", "08:30", "valley"), range("08:00", "24:00", "peak")]));
        assert_eq!(wrong(&overlap), errors(&[("slots.1", "overlap")]));
        let nothing = two_periods(json!([]));
        assert_eq!(
            wrong(&nothing),
            errors(&[("slots", "gap"), ("prices.peak", "unexpected"), ("prices.valley", "unexpected")])
        );
    }

    #[test]
    fn ranges_lie_on_half_hours_and_are_not_empty() {
        let slots = json!([
            range("00:00", "07:15", "valley"),
            range("08:00", "08:00", "valley"),
            range("00:00", "24:00", "peak")
        ]);
        assert_eq!(wrong(&two_periods(slots)), errors(&[("slots.0.to", "half_hour"), ("slots.1.to", "empty")]));
    }

    #[test]
    fn every_period_has_a_price_and_every_price_a_period() {
        let mut tariff = two_periods(json!([range("00:00", "08:00", "flat"), range("08:00", "24:00", "peak")]));
        assert_eq!(wrong(&tariff), errors(&[("prices.flat", "required"), ("prices.valley", "unexpected")]));
        tariff.slots.iter_mut().for_each(|range| range.period = Period::Uniform);
        let expected = [
            ("slots.0.period", "choice"),
            ("slots.1.period", "choice"),
            ("prices.peak", "unexpected"),
            ("prices.valley", "unexpected"),
        ];
        assert_eq!(wrong(&tariff), errors(&expected));
    }

    #[test]
    fn a_uniform_price_needs_no_more() {
        let one = tariff(json!({"mode": "uniform", "prices": {"uniform": {"elec": "0", "service": "0.4"}}}));
        assert_eq!(wrong(&one), []);
        let mut more = two_periods(json!([range("00:00", "24:00", "peak")]));
        more.mode = TariffMode::Uniform;
        let expected = [
            ("slots", "unexpected"),
            ("prices.uniform", "required"),
            ("prices.peak", "unexpected"),
            ("prices.valley", "unexpected"),
        ];
        assert_eq!(wrong(&more), errors(&expected));
    }

    #[test]
    fn a_price_of_nothing_must_be_meant() {
        let mut free = Tariff::uniform(UnitPrice::default());
        assert_eq!(wrong(&free), errors(&[("prices.uniform", "zero")]));
        free.free = true;
        assert_eq!(wrong(&free), []);
    }

    #[test]
    fn an_instant_has_one_price() {
        let mut tariff = two_periods(json!([range("23:00", "07:00", "valley"), range("07:00", "23:00", "peak")]));
        tariff.prices.insert(Period::Peak, UnitPrice { elec: Price::MAX, service: Price::ZERO });
        let price = |clock: &str| tariff.price_at(format!("2026-11-20T{clock}+08:00").parse().unwrap());
        assert_eq!(price("06:59:59").map(|it| it.0), Ok(Period::Valley));
        assert_eq!(price("07:00:00").map(|it| (it.0, it.1.elec)), Ok((Period::Peak, Price::MAX)));
        assert_eq!(price("23:00:00").map(|it| it.0), Ok(Period::Valley));
        let empty = Tariff::time_of_use(BTreeMap::new(), vec![]);
        let at = "2026-11-20T07:40:00+08:00".parse().unwrap();
        assert_eq!(empty.price_at(at), Err(PricingError::Uncovered("07:30".parse().unwrap())));
    }

    #[test]
    fn where_ranges_overlap_the_first_counts() {
        let tariff = two_periods(json!([range("00:00", "08:30", "valley"), range("08:00", "24:00", "peak")]));
        assert_eq!((tariff.grid()[16], tariff.grid()[17]), (Some(Period::Valley), Some(Period::Peak)));
    }

    #[test]
    fn a_painted_day_becomes_few_ranges() {
        let mut grid = [Some(Period::Flat); SLOTS];
        grid[3] = None;
        grid[4] = Some(Period::Peak);
        let ranges: Vec<String> =
            Range::join(&grid).iter().map(|it| format!("{}-{} {}", it.from, it.to, it.period)).collect();
        assert_eq!(ranges, ["00:00-01:30 flat", "02:00-02:30 peak", "02:30-24:00 flat"]);
        grid[4] = Some(Period::Flat);
        assert_eq!(Range::join(&grid).len(), 2, "a gap parts two ranges of one period");
    }

    #[test]
    fn presets_ascend_within_limits() {
        let check = |presets: &[i64]| -> Vec<(String, String)> {
            let presets: Vec<Fen> = presets.iter().copied().map(Fen).collect();
            check_presets(&presets, Lang::En).into_iter().map(|it| (it.field, it.code)).collect()
        };
        assert_eq!(check(&[]), []);
        assert_eq!(check(&[1, 5000, 100_000]), []);
        assert_eq!(check(&[0, 100_001]), errors(&[("presets.0", "range"), ("presets.1", "range")]));
        assert_eq!(check(&[300, 300, 200]), errors(&[("presets.1", "order"), ("presets.2", "order")]));
        assert_eq!(check(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]), []);
        assert_eq!(check(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]), errors(&[("presets", "too_many")]));
    }

    #[test]
    fn a_version_waits_for_midnight() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let saved = [(1, at("2026-11-20T09:00:00+08:00")), (2, at("2026-11-20T09:00:00+08:00"))];
        assert_eq!(in_force(saved, at("2026-11-20T23:59:59+08:00")), None);
        assert_eq!(in_force(saved, at("2026-11-21T00:00:00+08:00")), Some(2), "of one instant the later version");
        assert_eq!(effective_from(saved[0].1), at("2026-11-21T00:00:00+08:00"));
    }
}
