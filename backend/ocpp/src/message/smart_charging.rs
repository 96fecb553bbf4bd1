//! Limits on power or current over time.

use chrono::{DateTime, Utc};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Acceptance, Message, Outcome};
use crate::decimal::Decimal;
use crate::limit::{self, Refused};
use crate::time;
use crate::word::words;

/// Keep to this profile from now on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetChargingProfile {
    /// The connector, counted from 1; 0 is the whole charger.
    pub connector_id: i32,
    /// The profile.
    pub cs_charging_profiles: ChargingProfile,
}

impl Message for SetChargingProfile {
    const ACTION: &'static str = "SetChargingProfile";
    type Confirmation = Outcome<ChargingProfileStatus>;

    fn check(&self) -> Result<(), Refused> {
        limit::not_negative("connectorId", self.connector_id)?;
        self.cs_charging_profiles.check()?;
        let whole = self.connector_id == 0;
        match self.cs_charging_profiles.charging_profile_purpose {
            ChargingProfilePurpose::ChargePointMaxProfile => {
                limit::rule("connectorId", whole, "the charger's own limit belongs to connector 0")
            }
            ChargingProfilePurpose::TxDefaultProfile => Ok(()),
            ChargingProfilePurpose::TxProfile => {
                limit::rule("connectorId", !whole, "the limit of a charge belongs to its connector")
            }
        }
    }
}

words! {
    /// Whether the profile is kept to.
    ChargingProfileStatus { Accepted, Rejected, NotSupported }
}

/// A limit, and when it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargingProfile {
    /// The server's number for it.
    pub charging_profile_id: i32,
    /// The charge that a `TxProfile` is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<i32>,
    /// Which profile wins among several of one purpose: the highest.
    pub stack_level: i32,
    /// What it limits.
    pub charging_profile_purpose: ChargingProfilePurpose,
    /// How its times are meant.
    pub charging_profile_kind: ChargingProfileKind,
    /// How often a `Recurring` one begins anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurrency_kind: Option<Recurrency>,
    /// From when it may be used.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<DateTime<Utc>>,
    /// Until when it may be used.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<DateTime<Utc>>,
    /// The limits.
    pub charging_schedule: ChargingSchedule,
}

impl ChargingProfile {
    /// Whether a charger can understand it.
    pub(super) fn check(&self) -> Result<(), Refused> {
        limit::not_negative("stackLevel", self.stack_level)?;
        let of_a_charge = self.charging_profile_purpose == ChargingProfilePurpose::TxProfile;
        limit::rule("transactionId", of_a_charge || self.transaction_id.is_none(), "only a TxProfile has one")?;
        let recurring = self.charging_profile_kind == ChargingProfileKind::Recurring;
        limit::rule("recurrencyKind", recurring == self.recurrency_kind.is_some(), "it belongs to Recurring")?;
        limit::period("validFrom", self.valid_from, "validTo", self.valid_to)?;
        self.charging_schedule.check()
    }
}

words! {
    /// What a profile limits: the whole charger, every charge, or one charge.
    ChargingProfilePurpose { ChargePointMaxProfile, TxDefaultProfile, TxProfile }
}

words! {
    /// How the times of a profile are meant; `Relative` counts from the start of the charge.
    ChargingProfileKind { Absolute, Recurring, Relative }
}

words! {
    /// How often a recurring profile begins anew.
    Recurrency { Daily, Weekly }
}

/// Limits that follow each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargingSchedule {
    /// Seconds until it ends; absent means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<i32>,
    /// When it begins.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub start_schedule: Option<DateTime<Utc>>,
    /// What the limits count.
    pub charging_rate_unit: ChargingRateUnit,
    /// The limits in order; the first begins at 0.
    pub charging_schedule_period: Vec<ChargingSchedulePeriod>,
    /// Below this, charging is not worth while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_charging_rate: Option<Tenths>,
}

impl ChargingSchedule {
    fn check(&self) -> Result<(), Refused> {
        self.duration.map_or(Ok(()), |it| limit::not_negative("duration", it))?;
        self.start_schedule.map_or(Ok(()), |it| limit::moment("startSchedule", it))?;
        let starts = || self.charging_schedule_period.iter().map(|it| it.start_period);
        limit::rule("chargingSchedulePeriod", starts().next() == Some(0), "the first period starts at 0")?;
        limit::rule("startPeriod", starts().is_sorted_by(|it, next| it < next), "periods follow each other")?;
        for ChargingSchedulePeriod { start_period: _, limit, number_phases } in &self.charging_schedule_period {
            limit::not_negative("limit", limit.0)?;
            number_phases.map_or(Ok(()), |it| limit::within("numberPhases", it, 1..=3))?;
        }
        self.min_charging_rate.map_or(Ok(()), |it| limit::not_negative("minChargingRate", it.0))
    }
}

words! {
    /// What a limit counts: amperes a phase, or watts in total.
    ChargingRateUnit { A, W }
}

/// One limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChargingSchedulePeriod {
    /// Seconds from the schedule's beginning; it holds until the next one begins.
    pub start_period: i32,
    /// The limit.
    pub limit: Tenths,
    /// How many phases may be used; absent means 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number_phases: Option<i32>,
}

/// A number with one decimal place, counted in tenths: 16.5 is `Tenths(165)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tenths(pub i32);

impl Serialize for Tenths {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The nearest float is written with the fewest digits that name it, and so with one decimal place.
        serializer.serialize_f64(f64::from(self.0) / 10.0)
    }
}

impl<'de> Deserialize<'de> for Tenths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            value => value.to_string(),
        };
        let number = Decimal::parse(&text).ok_or_else(|| D::Error::custom("not a number"))?;
        let tenths = number.scaled(1).and_then(|it| i32::try_from(it).ok());
        tenths.map(Self).ok_or_else(|| D::Error::custom("out of range"))
    }
}

/// Forget the profiles that match all given fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClearChargingProfile {
    /// The server's number for the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<i32>,
    /// The connector; 0 is the whole charger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_id: Option<i32>,
    /// What the profile limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging_profile_purpose: Option<ChargingProfilePurpose>,
    /// Its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_level: Option<i32>,
}

impl Message for ClearChargingProfile {
    const ACTION: &'static str = "ClearChargingProfile";
    type Confirmation = Outcome<ClearChargingProfileStatus>;

    fn check(&self) -> Result<(), Refused> {
        self.connector_id.map_or(Ok(()), |it| limit::not_negative("connectorId", it))?;
        self.stack_level.map_or(Ok(()), |it| limit::not_negative("stackLevel", it))
    }
}

words! {
    /// Whether any profile matched.
    ClearChargingProfileStatus { Accepted, Unknown }
}

/// What limits hold together in the coming seconds?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetCompositeSchedule {
    /// The connector; 0 is the whole charger.
    pub connector_id: i32,
    /// How many seconds ahead.
    pub duration: i32,
    /// What the limits shall count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging_rate_unit: Option<ChargingRateUnit>,
}

impl Message for GetCompositeSchedule {
    const ACTION: &'static str = "GetCompositeSchedule";
    type Confirmation = GetCompositeScheduleConfirmation;

    fn check(&self) -> Result<(), Refused> {
        limit::not_negative("connectorId", self.connector_id)?;
        limit::positive("duration", self.duration)
    }
}

/// The limits that hold together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetCompositeScheduleConfirmation {
    /// Whether the charger can tell.
    pub status: Acceptance,
    /// The connector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_id: Option<i32>,
    /// When the schedule begins.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub schedule_start: Option<DateTime<Utc>>,
    /// The limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging_schedule: Option<ChargingSchedule>,
}
