//! The server starts and stops charges, restarts chargers and takes connectors out of service.

use serde::{Deserialize, Serialize};

use super::{Acceptance, ChargingProfile, ChargingProfilePurpose, Message, Outcome};
use crate::IdTag;
use crate::limit::{self, Refused};
use crate::word::words;

/// Start a charge as if this tag had been shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteStartTransaction {
    /// Who charges.
    pub id_tag: IdTag,
    /// The connector, counted from 1; absent lets the charger choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_id: Option<i32>,
    /// The limits of this charge: a `TxProfile` that names no transaction yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charging_profile: Option<ChargingProfile>,
}

impl Message for RemoteStartTransaction {
    const ACTION: &'static str = "RemoteStartTransaction";
    type Confirmation = Outcome<Acceptance>;

    fn check(&self) -> Result<(), Refused> {
        limit::id_tag("idTag", &self.id_tag)?;
        if let Some(connector) = self.connector_id {
            limit::positive("connectorId", connector)?;
        }
        let Some(profile) = &self.charging_profile else {
            return Ok(());
        };
        profile.check()?;
        let of_a_charge = profile.charging_profile_purpose == ChargingProfilePurpose::TxProfile;
        limit::rule("chargingProfilePurpose", of_a_charge, "a remote start takes only a TxProfile")?;
        limit::rule("transactionId", profile.transaction_id.is_none(), "the transaction does not exist yet")
    }
}

/// End a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteStopTransaction {
    /// The server's number for it.
    pub transaction_id: i32,
}

impl Message for RemoteStopTransaction {
    const ACTION: &'static str = "RemoteStopTransaction";
    type Confirmation = Outcome<Acceptance>;

    fn check(&self) -> Result<(), Refused> {
        limit::positive("transactionId", self.transaction_id)
    }
}

/// Restart the charger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// How hard.
    #[serde(rename = "type")]
    pub kind: ResetType,
}

impl Message for Reset {
    const ACTION: &'static str = "Reset";
    type Confirmation = Outcome<Acceptance>;
}

words! {
    /// `Soft` ends running charges properly first.
    ResetType { Hard, Soft }
}

/// Release the plug; a running charge is ended first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnlockConnector {
    /// The connector, counted from 1.
    pub connector_id: i32,
}

impl Message for UnlockConnector {
    const ACTION: &'static str = "UnlockConnector";
    type Confirmation = Outcome<UnlockStatus>;

    fn check(&self) -> Result<(), Refused> {
        limit::positive("connectorId", self.connector_id)
    }
}

words! {
    /// Whether the plug was released.
    UnlockStatus { Unlocked, UnlockFailed, NotSupported }
}

/// Take a connector out of service or back into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeAvailability {
    /// The connector, counted from 1; 0 is the charger with all its connectors.
    pub connector_id: i32,
    /// Into service or out of it.
    #[serde(rename = "type")]
    pub kind: AvailabilityType,
}

impl Message for ChangeAvailability {
    const ACTION: &'static str = "ChangeAvailability";
    type Confirmation = Outcome<AvailabilityStatus>;

    fn check(&self) -> Result<(), Refused> {
        limit::not_negative("connectorId", self.connector_id)
    }
}

words! {
    /// Into service or out of it.
    AvailabilityType { Inoperative, Operative }
}

words! {
    /// `Scheduled` takes effect when the running charge ends.
    AvailabilityStatus { Accepted, Rejected, Scheduled }
}

/// Forget all tags that were authorized before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearCache {}

impl Message for ClearCache {
    const ACTION: &'static str = "ClearCache";
    type Confirmation = Outcome<Acceptance>;
}
