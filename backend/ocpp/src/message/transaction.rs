//! Authorization, the start and the end of a charge.
//!
//! A start or stop that is refused is repeated and then dropped by the charger, and its money is lost. So only what
//! identifies the transaction is required; everything else is taken as far as it can be read.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Message, MeterValue};
use crate::word::words;
use crate::{IdTag, lenient, time};

/// May this tag charge?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorize {
    /// The tag that was shown.
    pub id_tag: IdTag,
}

impl Message for Authorize {
    const ACTION: &'static str = "Authorize";
    type Confirmation = AuthorizeConfirmation;
}

/// What is known of the tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeConfirmation {
    /// Whether it may charge.
    pub id_tag_info: IdTagInfo,
}

/// Whether a tag may charge, and how long a charger may remember that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdTagInfo {
    /// Whether it may charge.
    pub status: AuthorizationStatus,
    /// When the charger must forget the tag.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub expiry_date: Option<DateTime<Utc>>,
    /// The group that the tag belongs to. Left out if it is too long to be sent, for a part of it is another tag.
    #[serde(default, skip_serializing_if = "unfit")]
    pub parent_id_tag: Option<IdTag>,
}

impl IdTagInfo {
    /// A status and nothing else.
    pub fn new(status: AuthorizationStatus) -> Self {
        Self { status, expiry_date: None, parent_id_tag: None }
    }
}

fn unfit(tag: &Option<IdTag>) -> bool {
    !tag.as_ref().is_some_and(IdTag::fits)
}

words! {
    /// Whether a tag may charge.
    AuthorizationStatus { Accepted, Blocked, Expired, Invalid, ConcurrentTx }
}

/// A charge has begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartTransaction {
    /// The connector, counted from 1.
    pub connector_id: i32,
    /// Who charges.
    pub id_tag: IdTag,
    /// The meter at the start, in Wh.
    #[serde(deserialize_with = "lenient::reading")]
    pub meter_start: i64,
    /// When it began by the charger's clock; `None` if that is absent or unreadable.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<DateTime<Utc>>,
    /// The reservation that it uses up.
    #[serde(default, deserialize_with = "lenient::if_readable", skip_serializing_if = "Option::is_none")]
    pub reservation_id: Option<i32>,
}

impl Message for StartTransaction {
    const ACTION: &'static str = "StartTransaction";
    type Confirmation = StartTransactionConfirmation;
}

/// The number of the transaction, and whether it may go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartTransactionConfirmation {
    /// The server's number for the transaction, always above zero.
    pub transaction_id: i32,
    /// Whether the tag may charge.
    pub id_tag_info: IdTagInfo,
}

/// A charge has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopTransaction {
    /// The number that the start was given; chargers that never got one send -1, 0 or a number of their own.
    pub transaction_id: i64,
    /// The meter at the end, in Wh.
    #[serde(deserialize_with = "lenient::reading")]
    pub meter_stop: i64,
    /// When it ended by the charger's clock; `None` if that is absent or unreadable.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<DateTime<Utc>>,
    /// The tag that ended it.
    #[serde(default, deserialize_with = "lenient::if_readable", skip_serializing_if = "Option::is_none")]
    pub id_tag: Option<IdTag>,
    /// Why it ended; absent means `Local`, see [`StopTransaction::reason`].
    #[serde(default, deserialize_with = "lenient::if_readable", skip_serializing_if = "Option::is_none")]
    pub reason: Option<StopReason>,
    /// Samples of the whole charge that belong to its bill.
    #[serde(default, deserialize_with = "lenient::items_if_readable", skip_serializing_if = "Vec::is_empty")]
    pub transaction_data: Vec<MeterValue>,
}

impl StopTransaction {
    /// Why it ended, with the specification's default.
    pub fn reason(&self) -> &StopReason {
        self.reason.as_ref().unwrap_or(&StopReason::Local)
    }
}

impl Message for StopTransaction {
    const ACTION: &'static str = "StopTransaction";
    type Confirmation = StopTransactionConfirmation;
}

/// The end is noted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopTransactionConfirmation {
    /// What is known of the tag that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_tag_info: Option<IdTagInfo>,
}

words! {
    /// Why a charge ended.
    open StopReason {
        DeAuthorized,
        EmergencyStop,
        EVDisconnected,
        HardReset,
        Local,
        PowerLoss,
        Reboot,
        Remote,
        SoftReset,
        UnlockCommand,
    }
}
