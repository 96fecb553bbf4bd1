//! What a connector is doing.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Empty, Message};
use crate::word::words;
use crate::{lenient, time};

/// The state of a connector or of the whole charger has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusNotification {
    /// The connector, counted from 1; 0 is the whole charger.
    pub connector_id: i32,
    /// What is broken.
    pub error_code: ChargePointErrorCode,
    /// The state.
    pub status: ChargePointStatus,
    /// More about the error.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    /// When it changed, if the charger says so in a readable way.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<DateTime<Utc>>,
    /// Whose error codes `vendor_error_code` is one of.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub vendor_id: Option<String>,
    /// The error in the maker's own codes.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub vendor_error_code: Option<String>,
}

impl Message for StatusNotification {
    const ACTION: &'static str = "StatusNotification";
    type Confirmation = Empty;
}

words! {
    /// The state of a connector; the whole charger knows only `Available`, `Unavailable` and `Faulted`.
    open ChargePointStatus {
        Available,
        Preparing,
        Charging,
        SuspendedEVSE,
        SuspendedEV,
        Finishing,
        Reserved,
        Unavailable,
        Faulted,
    }
}

words! {
    /// What is broken.
    open ChargePointErrorCode {
        ConnectorLockFailure,
        EVCommunicationError,
        GroundFailure,
        HighTemperature,
        InternalError,
        LocalListConflict,
        NoError,
        OtherError,
        OverCurrentFailure,
        OverVoltage,
        PowerMeterFailure,
        PowerSwitchFailure,
        ReaderFailure,
        ResetFailure,
        UnderVoltage,
        WeakSignal,
    }
}
