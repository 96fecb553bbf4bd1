//! The security extension: signed firmware and logs.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Empty, Message, Outcome};
use crate::limit::{self, Refused};
use crate::word::words;
use crate::{lenient, time};

/// Fetch new firmware, check its signature and install it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedUpdateFirmware {
    /// The server's number for the update, repeated in its reports.
    pub request_id: i32,
    /// What to install.
    pub firmware: Firmware,
    /// How often to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<i32>,
    /// Seconds between attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<i32>,
}

impl Message for SignedUpdateFirmware {
    const ACTION: &'static str = "SignedUpdateFirmware";
    type Confirmation = Outcome<UpdateFirmwareStatus>;

    fn check(&self) -> Result<(), Refused> {
        let Firmware { location, retrieve_date_time, install_date_time, signing_certificate, signature } =
            &self.firmware;
        limit::uri("location", location, 512)?;
        limit::period("retrieveDateTime", Some(*retrieve_date_time), "installDateTime", *install_date_time)?;
        limit::text("signingCertificate", signing_certificate, 5500)?;
        limit::text("signature", signature, 800)?;
        limit::retries(self.retries, self.retry_interval)
    }
}

/// A firmware file and the proof that its maker made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Firmware {
    /// The address of the file; at most 512 characters.
    pub location: String,
    /// When to fetch it.
    #[serde(with = "time::exact")]
    pub retrieve_date_time: DateTime<Utc>,
    /// When to install it; absent means at once.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub install_date_time: Option<DateTime<Utc>>,
    /// The certificate that the signature is checked with, in PEM form; at most 5500 characters.
    pub signing_certificate: String,
    /// The signature in Base64; at most 800 characters.
    pub signature: String,
}

words! {
    /// Whether the update was begun.
    UpdateFirmwareStatus { Accepted, Rejected, AcceptedCanceled, InvalidCertificate, RevokedCertificate }
}

/// How a signed update goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedFirmwareStatusNotification {
    /// How it goes.
    pub status: SignedFirmwareStatus,
    /// The server's number for the update.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<i32>,
}

impl Message for SignedFirmwareStatusNotification {
    const ACTION: &'static str = "SignedFirmwareStatusNotification";
    type Confirmation = Empty;
}

words! {
    /// How a signed update goes.
    SignedFirmwareStatus {
        Downloaded,
        DownloadFailed,
        Downloading,
        DownloadScheduled,
        DownloadPaused,
        Idle,
        InstallationFailed,
        Installing,
        Installed,
        InstallRebooting,
        InstallScheduled,
        InstallVerificationFailed,
        InvalidSignature,
        SignatureVerified,
    }
}

/// Upload a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetLog {
    /// Where to, and which part.
    pub log: LogParameters,
    /// Which log.
    pub log_type: LogType,
    /// The server's number for the upload, repeated in its reports.
    pub request_id: i32,
    /// How often to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<i32>,
    /// Seconds between attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<i32>,
}

impl Message for GetLog {
    const ACTION: &'static str = "GetLog";
    type Confirmation = GetLogConfirmation;

    fn check(&self) -> Result<(), Refused> {
        let LogParameters { remote_location, oldest_timestamp, latest_timestamp } = &self.log;
        limit::uri("remoteLocation", remote_location, 512)?;
        limit::period("oldestTimestamp", *oldest_timestamp, "latestTimestamp", *latest_timestamp)?;
        limit::retries(self.retries, self.retry_interval)
    }
}

/// Where a log goes, and which part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogParameters {
    /// The address of the folder to upload to; at most 512 characters.
    pub remote_location: String,
    /// The oldest entry wanted.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub oldest_timestamp: Option<DateTime<Utc>>,
    /// The latest entry wanted.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub latest_timestamp: Option<DateTime<Utc>>,
}

words! {
    /// Which log.
    LogType { DiagnosticsLog, SecurityLog }
}

/// Whether the log will come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetLogConfirmation {
    /// Whether it will come.
    pub status: LogStatus,
    /// The name of the file.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

words! {
    /// Whether the log will come; `AcceptedCanceled` ends an earlier upload.
    LogStatus { Accepted, Rejected, AcceptedCanceled }
}

/// How an upload of a log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogStatusNotification {
    /// How it goes.
    pub status: UploadLogStatus,
    /// The server's number for the upload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<i32>,
}

impl Message for LogStatusNotification {
    const ACTION: &'static str = "LogStatusNotification";
    type Confirmation = Empty;
}

words! {
    /// How an upload of a log goes.
    UploadLogStatus {
        BadMessage,
        Idle,
        NotSupportedOperation,
        PermissionDenied,
        Uploaded,
        UploadFailure,
        Uploading,
    }
}
