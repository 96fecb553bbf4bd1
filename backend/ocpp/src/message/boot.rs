//! A charger introduces itself and shows that it is alive.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Message;
use crate::lenient;
use crate::time;
use crate::word::words;

/// A charger has started and says what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootNotification {
    /// Who made it.
    pub charge_point_vendor: String,
    /// Its model.
    pub charge_point_model: String,
    /// The charger's serial number.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub charge_point_serial_number: Option<String>,
    /// An older name for the serial number.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub charge_box_serial_number: Option<String>,
    /// The version of its firmware.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// The number of its SIM card.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub iccid: Option<String>,
    /// The subscriber of its SIM card.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub imsi: Option<String>,
    /// The model of its main meter.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub meter_type: Option<String>,
    /// The serial number of its main meter.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub meter_serial_number: Option<String>,
}

impl Message for BootNotification {
    const ACTION: &'static str = "BootNotification";
    type Confirmation = BootNotificationConfirmation;
}

/// Whether the charger may work, and what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootNotificationConfirmation {
    /// Whether it may work.
    pub status: RegistrationStatus,
    /// The charger sets its clock to this.
    #[serde(with = "time::exact")]
    pub current_time: DateTime<Utc>,
    /// Seconds between heartbeats once accepted, otherwise until the next attempt; 0 lets the charger choose.
    pub interval: u32,
}

words! {
    /// Whether a charger may work.
    RegistrationStatus { Accepted, Pending, Rejected }
}

/// A charger is alive and wants to know the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {}

impl Message for Heartbeat {
    const ACTION: &'static str = "Heartbeat";
    type Confirmation = HeartbeatConfirmation;
}

/// What time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatConfirmation {
    /// The charger sets its clock to this.
    #[serde(with = "time::exact")]
    pub current_time: DateTime<Utc>,
}
