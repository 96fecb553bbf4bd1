//! The security extension: events and certificates.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Acceptance, Empty, Message, Outcome};
use crate::limit::{self, Refused};
use crate::word::words;
use crate::{lenient, time};

/// Something that concerns security happened at the charger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityEventNotification {
    /// What kind of event.
    #[serde(rename = "type")]
    pub kind: String,
    /// When, by the charger's clock; `None` if that is unreadable.
    #[serde(with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<DateTime<Utc>>,
    /// More about it.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub tech_info: Option<String>,
}

impl Message for SecurityEventNotification {
    const ACTION: &'static str = "SecurityEventNotification";
    type Confirmation = Empty;
}

/// The charger wants its new key signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignCertificate {
    /// The signing request in PEM form.
    pub csr: String,
}

impl Message for SignCertificate {
    const ACTION: &'static str = "SignCertificate";
    type Confirmation = Outcome<Acceptance>;
}

/// The signed certificate of the charger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateSigned {
    /// The certificate and those that signed it, in PEM form; at most 10 000 characters.
    pub certificate_chain: String,
}

impl Message for CertificateSigned {
    const ACTION: &'static str = "CertificateSigned";
    type Confirmation = Outcome<Acceptance>;

    fn check(&self) -> Result<(), Refused> {
        limit::text("certificateChain", &self.certificate_chain, 10_000)
    }
}

words! {
    /// What a root certificate is trusted for.
    CertificateUse { CentralSystemRootCertificate, ManufacturerRootCertificate }
}

/// Trust this root certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstallCertificate {
    /// What for.
    pub certificate_type: CertificateUse,
    /// The certificate in PEM form; at most 5500 characters.
    pub certificate: String,
}

impl Message for InstallCertificate {
    const ACTION: &'static str = "InstallCertificate";
    type Confirmation = Outcome<InstallCertificateStatus>;

    fn check(&self) -> Result<(), Refused> {
        limit::text("certificate", &self.certificate, 5500)
    }
}

words! {
    /// Whether the certificate is trusted now.
    InstallCertificateStatus { Accepted, Failed, Rejected }
}

/// Which certificate is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateHashData {
    /// How the hashes were made.
    pub hash_algorithm: HashAlgorithm,
    /// The hash of the issuer's name; at most 128 characters.
    pub issuer_name_hash: String,
    /// The hash of the issuer's key; at most 128 characters.
    pub issuer_key_hash: String,
    /// The certificate's serial number; at most 40 characters.
    pub serial_number: String,
}

words! {
    /// How a hash was made.
    HashAlgorithm { SHA256, SHA384, SHA512 }
}

/// Do not trust this certificate any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeleteCertificate {
    /// Which one.
    pub certificate_hash_data: CertificateHashData,
}

impl Message for DeleteCertificate {
    const ACTION: &'static str = "DeleteCertificate";
    type Confirmation = Outcome<DeleteCertificateStatus>;

    fn check(&self) -> Result<(), Refused> {
        let CertificateHashData { hash_algorithm: _, issuer_name_hash, issuer_key_hash, serial_number } =
            &self.certificate_hash_data;
        limit::text("issuerNameHash", issuer_name_hash, 128)?;
        limit::text("issuerKeyHash", issuer_key_hash, 128)?;
        limit::text("serialNumber", serial_number, 40)
    }
}

words! {
    /// Whether the certificate is gone.
    DeleteCertificateStatus { Accepted, Failed, NotFound }
}

/// Which root certificates are trusted?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetInstalledCertificateIds {
    /// For what.
    pub certificate_type: CertificateUse,
}

impl Message for GetInstalledCertificateIds {
    const ACTION: &'static str = "GetInstalledCertificateIds";
    type Confirmation = GetInstalledCertificateIdsConfirmation;
}

/// The trusted root certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GetInstalledCertificateIdsConfirmation {
    /// Whether there are any.
    pub status: GetInstalledCertificateStatus,
    /// Which ones.
    #[serde(default, deserialize_with = "lenient::readable_items", skip_serializing_if = "Vec::is_empty")]
    pub certificate_hash_data: Vec<CertificateHashData>,
}

words! {
    /// Whether there are any certificates.
    GetInstalledCertificateStatus { Accepted, NotFound }
}
