//! Meter values: what was sampled, and the five quantities that a charge is followed by, as exact integers.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Empty, Message};
use crate::decimal::Decimal;
use crate::word::words;
use crate::{lenient, time};

/// Samples of one connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterValues {
    /// The connector, counted from 1; 0 is the main meter.
    pub connector_id: i32,
    /// The transaction that they belong to.
    #[serde(default, deserialize_with = "lenient::if_readable", skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<i64>,
    /// The samples; what cannot be read of them is left out.
    #[serde(deserialize_with = "lenient::readable_items")]
    pub meter_value: Vec<MeterValue>,
}

impl Message for MeterValues {
    const ACTION: &'static str = "MeterValues";
    type Confirmation = Empty;
}

/// What was sampled at one moment.
///
/// The quantities are rounded half away from zero. Signed data, an empty text, or a unit that does not fit is no value.
/// Values at the outlet, which is also meant when no location is given, go before those of any other place. A value
/// without a phase is the whole; if there is none, it is made of the phases as each quantity says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MeterValue {
    /// When, by the charger's clock; `None` if that is absent or unreadable, for the values still count.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<DateTime<Utc>>,
    /// The values; what cannot be read of them is left out.
    #[serde(deserialize_with = "lenient::readable_items")]
    pub sampled_value: Vec<SampledValue>,
}

impl MeterValue {
    /// The register of imported active energy in Wh, or the sum of the phases' registers.
    pub fn energy_wh(&self) -> Option<i64> {
        self.whole_or_sum(&ENERGY)
    }

    /// The imported active power in W, or the sum of the phases' powers.
    pub fn power_w(&self) -> Option<i64> {
        self.whole_or_sum(&POWER)
    }

    /// The imported current in mA, or that of the phase which carries most.
    pub fn current_ma(&self) -> Option<i64> {
        self.best(&CURRENT).amounts.into_iter().max()
    }

    /// The voltage in mV, or that of the first phase.
    pub fn voltage_mv(&self) -> Option<i64> {
        self.best(&VOLTAGE).amounts.into_iter().next()
    }

    /// The state of charge of the vehicle's battery in percent, 0 to 100.
    pub fn soc_percent(&self) -> Option<i64> {
        self.best(&SOC).amounts.into_iter().next().filter(|it| (0..=100).contains(it))
    }

    fn whole_or_sum(&self, quantity: &Quantity) -> Option<i64> {
        let Best { rank, amounts } = self.best(quantity);
        let summable = matches!(rank, Rank::Whole | Rank::Line | Rank::LineToNeutral) && !amounts.is_empty();
        summable.then(|| amounts.into_iter().try_fold(0_i64, i64::checked_add)).flatten()
    }

    /// The most telling values of a quantity, one a phase; a later one replaces an earlier one of the same phase.
    fn best(&self, quantity: &Quantity) -> Best {
        let found: Vec<_> =
            self.sampled_value.iter().filter_map(|it| Some((it, Rank::of(it)?, it.amount(quantity)?))).collect();
        let place = match found.first() {
            Some((first, _, _)) if found.iter().all(|(it, _, _)| *it.location() != Location::Outlet) => {
                first.location()
            }
            Some(_) | None => &Location::Outlet,
        };
        let there = || found.iter().filter(|(it, _, _)| it.location() == place);
        let rank = there().map(|(_, rank, _)| *rank).min().unwrap_or(Rank::Whole);
        let mut phases: Vec<(Option<&Phase>, i64)> = Vec::new();
        for (sample, _, amount) in there().filter(|(_, it, _)| *it == rank) {
            let phase = sample.phase.as_ref();
            match phases.iter_mut().find(|(it, _)| *it == phase) {
                Some((_, earlier)) => *earlier = *amount,
                None => phases.push((phase, *amount)),
            }
        }
        Best { rank, amounts: phases.into_iter().map(|(_, amount)| amount).collect() }
    }
}

struct Best {
    rank: Rank,
    amounts: Vec<i64>,
}

/// How much a value says about the whole: the smaller, the more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Whole,
    Line,
    LineToNeutral,
    LineToLine,
}

impl Rank {
    /// The rank of a sample; the neutral conductor and unknown phases have none.
    fn of(sample: &SampledValue) -> Option<Self> {
        match &sample.phase {
            None => Some(Self::Whole),
            Some(Phase::L1 | Phase::L2 | Phase::L3) => Some(Self::Line),
            Some(Phase::L1N | Phase::L2N | Phase::L3N) => Some(Self::LineToNeutral),
            Some(Phase::L1L2 | Phase::L2L3 | Phase::L3L1) => Some(Self::LineToLine),
            Some(Phase::Other(text)) if text.is_empty() => Some(Self::Whole),
            Some(Phase::N | Phase::Other(_)) => None,
        }
    }
}

/// A quantity, its units, and the power of ten in which it is counted.
struct Quantity {
    measurand: Measurand,
    unit: UnitOfMeasure,
    thousand: Option<UnitOfMeasure>,
    shift: i32,
}

const ENERGY: Quantity = Quantity {
    measurand: Measurand::EnergyActiveImportRegister,
    unit: UnitOfMeasure::Wh,
    thousand: Some(UnitOfMeasure::KWh),
    shift: 0,
};
const POWER: Quantity = Quantity {
    measurand: Measurand::PowerActiveImport,
    unit: UnitOfMeasure::W,
    thousand: Some(UnitOfMeasure::KW),
    shift: 0,
};
const CURRENT: Quantity =
    Quantity { measurand: Measurand::CurrentImport, unit: UnitOfMeasure::A, thousand: None, shift: 3 };
const VOLTAGE: Quantity = Quantity { measurand: Measurand::Voltage, unit: UnitOfMeasure::V, thousand: None, shift: 3 };
const SOC: Quantity = Quantity { measurand: Measurand::SoC, unit: UnitOfMeasure::Percent, thousand: None, shift: 0 };

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SampledValue {
    /// The number as text, or signed data.
    #[serde(deserialize_with = "lenient::scalar")]
    pub value: String,
    /// Why it was sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ReadingContext>,
    /// What `value` holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ValueFormat>,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurand: Option<Measurand>,
    /// On which conductor; absent means all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// In which unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitOfMeasure>,
}

impl SampledValue {
    /// A value of which everything else is the specification's default: imported energy in Wh.
    pub fn new(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            context: None,
            format: None,
            measurand: None,
            phase: None,
            location: None,
            unit: None,
        }
    }

    /// What was measured, with the specification's default.
    pub fn measurand(&self) -> &Measurand {
        self.measurand.as_ref().filter(|it| !it.as_str().is_empty()).unwrap_or(&Measurand::EnergyActiveImportRegister)
    }

    /// Why it was sampled, with the specification's default.
    pub fn context(&self) -> &ReadingContext {
        self.context.as_ref().filter(|it| !it.as_str().is_empty()).unwrap_or(&ReadingContext::SamplePeriodic)
    }

    /// Where it was measured, with the specification's default.
    pub fn location(&self) -> &Location {
        self.location.as_ref().filter(|it| !it.as_str().is_empty()).unwrap_or(&Location::Outlet)
    }

    /// The value in its own unit × 10^`shift`, rounded half away from zero; `None` if it is not a number.
    pub fn scaled(&self, shift: i32) -> Option<i64> {
        if self.format == Some(ValueFormat::SignedData) {
            return None;
        }
        Decimal::parse(&self.value)?.scaled(shift)
    }

    fn amount(&self, quantity: &Quantity) -> Option<i64> {
        if *self.measurand() != quantity.measurand {
            return None;
        }
        match self.unit.as_ref().filter(|it| !it.as_str().is_empty()) {
            None => self.scaled(quantity.shift),
            Some(unit) if *unit == quantity.unit => self.scaled(quantity.shift),
            unit if unit == quantity.thousand.as_ref() => self.scaled(quantity.shift.checked_add(3)?),
            Some(_) => None,
        }
    }
}

words! {
    /// Why a value was sampled.
    open ReadingContext {
        InterruptionBegin = "Interruption.Begin",
        InterruptionEnd = "Interruption.End",
        SampleClock = "Sample.Clock",
        SamplePeriodic = "Sample.Periodic",
        TransactionBegin = "Transaction.Begin",
        TransactionEnd = "Transaction.End",
        Trigger,
    }
}

words! {
    /// How a value is written.
    open ValueFormat { Raw, SignedData }
}

words! {
    /// What was measured.
    open Measurand {
        EnergyActiveExportRegister = "Energy.Active.Export.Register",
        EnergyActiveImportRegister = "Energy.Active.Import.Register",
        EnergyReactiveExportRegister = "Energy.Reactive.Export.Register",
        EnergyReactiveImportRegister = "Energy.Reactive.Import.Register",
        EnergyActiveExportInterval = "Energy.Active.Export.Interval",
        EnergyActiveImportInterval = "Energy.Active.Import.Interval",
        EnergyReactiveExportInterval = "Energy.Reactive.Export.Interval",
        EnergyReactiveImportInterval = "Energy.Reactive.Import.Interval",
        PowerActiveExport = "Power.Active.Export",
        PowerActiveImport = "Power.Active.Import",
        PowerOffered = "Power.Offered",
        PowerReactiveExport = "Power.Reactive.Export",
        PowerReactiveImport = "Power.Reactive.Import",
        PowerFactor = "Power.Factor",
        CurrentImport = "Current.Import",
        CurrentExport = "Current.Export",
        CurrentOffered = "Current.Offered",
        Voltage,
        Frequency,
        Temperature,
        SoC,
        RPM,
    }
}

words! {
    /// The conductor, or the pair, that was measured.
    open Phase {
        L1,
        L2,
        L3,
        N,
        L1N = "L1-N",
        L2N = "L2-N",
        L3N = "L3-N",
        L1L2 = "L1-L2",
        L2L3 = "L2-L3",
        L3L1 = "L3-L1",
    }
}

words! {
    /// Where it was measured.
    open Location { Cable, EV, Inlet, Outlet, Body }
}

words! {
    /// The unit of a value.
    open UnitOfMeasure {
        Wh,
        KWh = "kWh",
        Varh = "varh",
        Kvarh = "kvarh",
        W,
        KW = "kW",
        VA,
        KVA = "kVA",
        Var = "var",
        Kvar = "kvar",
        A,
        V,
        K,
        Celsius = "Celsius" | "Celcius",
        Fahrenheit,
        Percent = "Percent" | "%",
        Hertz = "Hertz" | "Hz",
    }
}
