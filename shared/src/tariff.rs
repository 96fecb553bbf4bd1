//! Tariffs of car areas: what staff fill in, what was saved when, and what a hypothetical charge would cost.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::schema::{AllOfBuilder, AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::{Code, Tone};
use crate::describe::{As, Cell, Column, Field, Input, at};
use crate::fixed::{Fen, Kwh, Price};
use crate::pricing::{self, Bill, Period, PricingError, Tariff, TariffMode, UnitPrice};
use crate::problem::FieldError;
use crate::resource::{Editable, Form, FormMap, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::text::{Lang, Text, t};

/// A tariff of a car area, with its newest wording.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarTariffRow {
    /// Id.
    pub id: Uuid,
    /// The station that it belongs to.
    pub station_id: Uuid,
    /// That station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// The area that it prices.
    pub area_id: Uuid,
    /// That area's name.
    #[schema(example = "默认区域")]
    pub area_name: String,
    /// Name.
    #[schema(example = "峰平谷电价")]
    pub name: String,
    /// How it prices energy.
    pub mode: TariffMode,
    /// The newest wording, which may not be in force yet.
    pub tariff: Tariff,
    /// The number of the newest wording, from 1.
    pub number: i32,
    /// When the newest wording comes, or came, into force.
    pub effective_at: DateTime<Utc>,
    /// The number of the wording in force; none before the first comes into force.
    pub number_in_force: Option<i32>,
    /// What drivers are offered to prepay, rising.
    pub presets: Vec<Fen>,
    /// Switched on: charges may start under it.
    pub enabled: bool,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Where a tariff stands: which of its wordings count.
fn standing(row: &Value) -> Cell {
    match row["number_in_force"].as_i64() {
        _ if row["enabled"] == false => Cell::Empty,
        None => Cell::Tag(t("待生效", "Not in force yet"), Tone::Warning),
        Some(number) if row["number"] == number => Cell::Tag(t("生效中", "In force"), Tone::Success),
        Some(_) => Cell::Tag(t("生效中，新版本待生效", "In force, a newer one is coming"), Tone::Primary),
    }
}

/// What a kWh costs with everything, from the cheapest period to the dearest.
fn prices(row: &Value) -> Cell {
    let price = |it: &Value| it.as_str()?.parse::<Price>().ok();
    let sum = |it: &Value| price(&it["elec"])?.plus(price(&it["service"])?).ok();
    let sums =
        || at(row, "tariff/prices").and_then(Value::as_object).into_iter().flat_map(FormMap::values).filter_map(sum);
    match (sums().min(), sums().max()) {
        (Some(least), Some(most)) if least < most => Cell::number(format!("{least} – {most}")),
        (Some(least), _) => Cell::number(least),
        (None, _) => Cell::Empty,
    }
}

/// What drivers are offered to prepay.
fn presets(row: &Value) -> Cell {
    let amounts = row["presets"].as_array().into_iter().flatten().filter_map(Value::as_i64);
    Cell::text(amounts.map(|it| Fen(it).yuan()).collect::<Vec<_>>().join(" / "))
}

/// The prices of a tariff in one line: `峰 1.20000 + 0.40000（10:00–12:00）`.
pub fn said(tariff: &Tariff, lang: Lang) -> String {
    let period = |(period, price): (&Period, &UnitPrice)| {
        let UnitPrice { elec, service } = price;
        let prices = format!("{} {elec} + {service}", period.label().get(lang));
        let times = tariff.slots.iter().filter(|it| it.period == *period).map(|it| format!("{}–{}", it.from, it.to));
        let times: Vec<String> = times.collect();
        match (times.is_empty(), lang) {
            (true, _) => prices,
            (false, Lang::Zh) => format!("{prices}（{}）", times.join("，")),
            (false, Lang::En) => format!("{prices} ({})", times.join(", ")),
        }
    };
    let periods: Vec<String> = tariff.prices.iter().map(period).collect();
    periods.join(t("；", "; ").get(lang))
}

impl Row for CarTariffRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// A tariff with every wording that was ever saved, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarTariffDetail {
    /// The tariff.
    #[serde(flatten)]
    pub row: CarTariffRow,
    /// Its wordings.
    pub versions: Vec<TariffVersion>,
}

impl Row for CarTariffDetail {
    fn id(&self) -> Uuid {
        self.row.id
    }
}

/// One wording of a tariff. It is never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TariffVersion {
    /// Id.
    pub id: Uuid,
    /// Counts from 1.
    pub number: i32,
    /// What it says.
    pub tariff: Tariff,
    /// When it was saved.
    pub saved_at: DateTime<Utc>,
    /// When it comes, or came, into force.
    pub effective_at: DateTime<Utc>,
    /// Who saved it.
    #[schema(example = "陈晨")]
    pub saved_by: Option<String>,
}

/// What staff fill in for a tariff.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarTariffForm {
    /// The station. Cannot be changed.
    pub station_id: Uuid,
    /// The area that it prices. Cannot be changed.
    pub area_id: Uuid,
    /// Name.
    #[schema(example = "峰平谷电价")]
    pub name: String,
    /// What a kWh costs when.
    pub tariff: Tariff,
    /// What drivers are offered to prepay: at most 12, rising.
    pub presets: Option<Vec<Fen>>,
    /// In force at once instead of from 24:00 on; only while no wording is in force.
    pub effective_now: Option<bool>,
}

impl Form for CarTariffForm {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        let mut errors = self.tariff.check(lang);
        for error in &mut errors {
            error.field = format!("tariff.{}", error.field);
        }
        errors.extend(pricing::check_presets(self.presets.as_deref().unwrap_or_default(), lang));
        errors
    }
}

/// Search conditions for car tariffs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
pub struct CarTariffFilter {
    /// A part of the name.
    pub name: Option<String>,
    /// A part of the station's name.
    pub station_name: Option<String>,
    /// Of this station.
    pub station_id: Option<Uuid>,
    /// A part of the area's name.
    pub area_name: Option<String>,
    /// Of this area.
    pub area_id: Option<Uuid>,
    /// How it prices energy.
    pub mode: Option<TariffMode>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Tariffs of car areas (汽车计费规则).
pub struct CarTariffs;

impl Resource for CarTariffs {
    const PATH: &'static str = "car/tariffs";
    const ONE: &'static str = "CarTariff";
    const MANY: &'static str = "CarTariffs";
    const TITLE: Text = t("计费规则", "Tariffs");
    const PERMISSION: &'static str = "car.tariff";
    type Row = CarTariffRow;
    type Detail = CarTariffDetail;
    type Filter = CarTariffFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("name", t("计费名称", "Name"), As::Text).sorted(),
        Column::new("station", t("所属电站", "Station"), As::Text).at("station_name"),
        Column::new("area", t("所属区域", "Area"), As::Text).at("area_name"),
        Column::new("mode", t("计费方式", "Mode"), As::Code(TariffMode::CHOICES)),
        Column::new("prices", t("每度合计(元)", "Yuan per kWh"), As::Made(prices)),
        Column::new("effective_at", t("生效时间", "In force from"), As::Time),
        Column::new("standing", t("生效状态", "Standing"), As::Made(standing)),
        Column::new("presets", t("预付值(元)", "Prepay presets (yuan)"), As::Made(presets)).detail_only(),
        Column::new("enabled", t("计费状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("station_id", t("电站", "Station"), Input::Lookup("car/stations")),
        Field::new("area_id", t("区域", "Area"), Input::Lookup("car/areas")).within("station_id"),
        Field::new("name", t("计费名称", "Name"), Input::Text(50)),
        Field::new("mode", t("计费方式", "Mode"), Input::Choice(TariffMode::CHOICES)),
        ENABLED,
    ];
    const VERBS: &'static [Verb] = &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export];
}

impl Editable for CarTariffs {
    type Form = CarTariffForm;
    const FIELDS: &'static [Field] = &[
        Field::new("station_id", t("所属电站", "Station"), Input::Lookup("car/stations")).required().fixed(),
        Field::new("area_id", t("所属区域", "Area"), Input::Lookup("car/areas"))
            .required()
            .fixed()
            .within("station_id"),
        Field::new("name", t("计费名称", "Name"), Input::Text(50)).required(),
        Field::new("tariff", t("计费规则", "Prices"), Input::Custom("tariff")).required(),
        Field::new("presets", t("预付值", "Prepay presets"), Input::Custom("presets"))
            .help(t("最多 12 条，从小到大", "At most 12, each larger than the one before")),
        Field::new("effective_now", t("立即生效", "In force at once"), Input::Switch).help(t(
            "默认当日 24:00 生效；仅在没有生效中的版本时可立即生效",
            "Otherwise from 24:00 today; only while no wording is in force",
        )),
    ];

    fn form(it: &CarTariffDetail) -> CarTariffForm {
        let it = it.row.clone();
        CarTariffForm {
            station_id: it.station_id,
            area_id: it.area_id,
            name: it.name,
            tariff: it.tariff,
            presets: Some(it.presets),
            effective_now: Some(false),
        }
    }

    fn version(it: &CarTariffDetail) -> i64 {
        it.row.version
    }
}

/// A charge that might be: energy from an instant on for a while, or energy by period, or energy alone.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(example = json!({"kwh": "30.0000", "start": "2026-11-22T11:40:00+08:00", "duration_seconds": 1800}))]
pub struct TrialForm {
    /// How much energy; needed unless it is told by period.
    pub kwh: Option<Kwh>,
    /// When the charge begins.
    pub start: Option<DateTime<Utc>>,
    /// How long it lasts; the energy is drawn evenly. Without it the price at the start counts.
    pub duration_seconds: Option<u32>,
    /// How much energy in which period.
    pub kwh_by_period: Option<BTreeMap<Period, Kwh>>,
}

/// A trial of a tariff that is not saved.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UnsavedTrialForm {
    /// What a kWh costs when.
    pub tariff: Tariff,
    /// The charge.
    #[serde(flatten)]
    pub charge: TrialForm,
}

/// What a hypothetical charge costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The bill, when the charge and the tariff make only one possible.
    #[serde(flatten)]
    pub bill: Option<Bill>,
    /// When only the energy is known and the price depends on the time: what it would cost in each period.
    pub each_period: Vec<PeriodTrial>,
}

/// By hand, because a part that is not always there cannot be derived: its fields are there, or not.
impl utoipa::PartialSchema for Trial {
    fn schema() -> RefOr<Schema> {
        let periods = ArrayBuilder::new().items(Ref::from_schema_name(PeriodTrial::name())).description(Some(
            "When only the energy is known and the price depends on the time: what it would cost in each period.",
        ));
        let each = ObjectBuilder::new().property("each_period", periods).required("each_period").build();
        let both = AllOfBuilder::new().item(Ref::from_schema_name(Bill::name())).item(each.clone());
        let either = AnyOfBuilder::new().item(each).item(Schema::AllOf(both.build()));
        let about = "What a hypothetical charge costs: a bill, when charge and tariff make only one possible.";
        RefOr::T(either.description(Some(about)).build().into())
    }
}

impl ToSchema for Trial {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((PeriodTrial::name().into_owned(), <PeriodTrial as utoipa::PartialSchema>::schema()));
        PeriodTrial::schemas(schemas);
    }
}

/// What a charge would cost if all of it fell into one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeriodTrial {
    /// The period.
    pub period: Period,
    /// The bill.
    pub bill: Bill,
}

impl TrialForm {
    /// Prices the charge under a tariff.
    ///
    /// # Errors
    /// By field: what is missing, contradictory or cannot be priced.
    pub fn price(&self, tariff: &Tariff, lang: Lang) -> Result<Trial, Vec<FieldError>> {
        let Self { kwh, start, duration_seconds, kwh_by_period } = self;
        let wrong = |field: &str, code: &str, text: Text| Err(vec![FieldError::new(field, code, text.get(lang))]);
        let (field, bill) = match (kwh, kwh_by_period, start, duration_seconds) {
            (None, Some(energy), None, None) => {
                ("kwh_by_period", pricing::bill_by_period(tariff, energy.iter().map(|(period, kwh)| (*period, *kwh))))
            }
            (None, None, ..) => return wrong("kwh", "required", t("必填", "Required")),
            (_, Some(_), ..) => {
                let text = t("按时段填写电量时，不再填写其他项", "With energy by period nothing else is asked for");
                return wrong("kwh_by_period", "unexpected", text);
            }
            (Some(_), None, None, Some(_)) => return wrong("start", "required", t("必填", "Required")),
            (Some(kwh), None, Some(start), seconds) => {
                ("duration_seconds", pricing::trial(tariff, *start, seconds.unwrap_or(0), *kwh))
            }
            (Some(kwh), None, None, None) => return alone(tariff, *kwh, lang),
        };
        let bill = bill.map_err(|err| vec![priced(err, field, lang)])?;
        Ok(Trial { bill: Some(bill), each_period: vec![] })
    }
}

/// Energy alone has a price only when it is the same all day.
fn alone(tariff: &Tariff, kwh: Kwh, lang: Lang) -> Result<Trial, Vec<FieldError>> {
    let quotes = pricing::quote_each_period(tariff, kwh).map_err(|err| vec![priced(err, "kwh", lang)])?;
    Ok(match (tariff.mode, quotes.as_slice()) {
        (TariffMode::Uniform, [(_, bill)]) => Trial { bill: Some(bill.clone()), each_period: vec![] },
        _ => {
            let each_period = quotes.into_iter().map(|(period, bill)| PeriodTrial { period, bill }).collect();
            Trial { bill: None, each_period }
        }
    })
}

/// Why a charge has no price, as an error of the field that is to blame.
fn priced(err: PricingError, field: &str, lang: Lang) -> FieldError {
    let (field, code, text) = match err {
        PricingError::NoPrice(period) => {
            let text = t("该计费规则没有此时段的单价", "The tariff has no price for this period");
            return FieldError::new(format!("{field}.{period}"), "unexpected", text.get(lang));
        }
        PricingError::TooLong => ("duration_seconds", "range", t("时长不能超过一年", "At most a year")),
        PricingError::Uncovered(_) => ("tariff.slots", "gap", t("须完整覆盖 24 小时", "All 24 hours must be covered")),
        PricingError::Overflow(_)
        | PricingError::Negative
        | PricingError::NoTier
        | PricingError::NotByDuration
        | PricingError::RefundTooLarge
        | PricingError::SharesTooLarge => (field, "range", t("超出范围", "Out of range")),
    };
    FieldError::new(field, code, text.get(lang))
}
