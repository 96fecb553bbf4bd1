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
