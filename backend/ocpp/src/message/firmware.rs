//! Firmware updates and diagnostics, without signatures.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Empty, Message};
use crate::limit::{self, Refused};
use crate::word::words;
use crate::{lenient, time};

/// 1.6 sets no limit for these addresses; chargers do.
const MAX_ADDRESS: usize = 512;

/// Fetch new firmware and install it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdateFirmware {
    /// The address of the file.
    pub location: String,
    /// When to fetch it.
    #[serde(with = "time::exact")]
    pub retrieve_date: DateTime<Utc>,
    /// How often to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<i32>,
    /// Seconds between attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<i32>,
}

impl Message for UpdateFirmware {
    const ACTION: &'static str = "UpdateFirmware";
    type Confirmation = Empty;

    fn check(&self) -> Result<(), Refused> {
        limit::uri("location", &self.location, MAX_ADDRESS)?;
        limit::moment("retrieveDate", self.retrieve_date)?;
        limit::retries(self.retries, self.retry_interval)
    }
}

/// How a firmware update goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirmwareStatusNotification {
    /// How it goes.
    pub status: FirmwareStatus,
}

impl Message for FirmwareStatusNotification {
    const ACTION: &'static str = "FirmwareStatusNotification";
    type Confirmation = Empty;
}

words! {
    /// How a firmware update goes.
    FirmwareStatus { Downloaded, DownloadFailed, Downloading, Idle, InstallationFailed, Installing, Installed }
}

/// Collect the diagnostics and upload them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetDiagnostics {
    /// The address of the folder to upload to.
    pub location: String,
    /// How often to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<i32>,
    /// Seconds between attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<i32>,
    /// The oldest entry wanted.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub start_time: Option<DateTime<Utc>>,
    /// The latest entry wanted.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub stop_time: Option<DateTime<Utc>>,
}

impl Message for GetDiagnostics {
    const ACTION: &'static str = "GetDiagnostics";
    type Confirmation = GetDiagnosticsConfirmation;

    fn check(&self) -> Result<(), Refused> {
        limit::uri("location", &self.location, MAX_ADDRESS)?;
        limit::retries(self.retries, self.retry_interval)?;
        limit::period("startTime", self.start_time, "stopTime", self.stop_time)
    }
}

/// The file that will be uploaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetDiagnosticsConfirmation {
    /// Its name; absent means that there is nothing to upload.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
}

/// How an upload of diagnostics goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosticsStatusNotification {
    /// How it goes.
    pub status: DiagnosticsStatus,
}

impl Message for DiagnosticsStatusNotification {
    const ACTION: &'static str = "DiagnosticsStatusNotification";
    type Confirmation = Empty;
}

words! {
    /// How an upload of diagnostics goes.
    DiagnosticsStatus { Idle, Uploaded, UploadFailed, Uploading }
}
