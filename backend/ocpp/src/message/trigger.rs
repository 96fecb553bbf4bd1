//! The server asks a charger to report something now.

use serde::{Deserialize, Serialize};

use super::{Message, Outcome};
use crate::limit::{self, Refused};
use crate::word::words;

/// Send this message now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TriggerMessage {
    /// Which message.
    pub requested_message: MessageTrigger,
    /// About which connector, counted from 1; absent means about all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_id: Option<i32>,
}

impl Message for TriggerMessage {
    const ACTION: &'static str = "TriggerMessage";
    type Confirmation = Outcome<TriggerMessageStatus>;

    fn check(&self) -> Result<(), Refused> {
        self.connector_id.map_or(Ok(()), |it| limit::positive("connectorId", it))
    }
}

words! {
    /// A message that can be asked for.
    MessageTrigger {
        BootNotification,
        DiagnosticsStatusNotification,
        FirmwareStatusNotification,
        Heartbeat,
        MeterValues,
        StatusNotification,
    }
}

words! {
    /// Whether the message will come.
    TriggerMessageStatus { Accepted, Rejected, NotImplemented }
}

/// Send this message now, with the messages of the security extension to choose from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtendedTriggerMessage {
    /// Which message.
    pub requested_message: ExtendedMessageTrigger,
    /// About which connector, counted from 1; absent means about all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector_id: Option<i32>,
}

impl Message for ExtendedTriggerMessage {
    const ACTION: &'static str = "ExtendedTriggerMessage";
    type Confirmation = Outcome<TriggerMessageStatus>;

    fn check(&self) -> Result<(), Refused> {
        self.connector_id.map_or(Ok(()), |it| limit::positive("connectorId", it))
    }
}

words! {
    /// A message that can be asked for when the charger knows the security extension.
    ExtendedMessageTrigger {
        BootNotification,
        LogStatusNotification,
        FirmwareStatusNotification,
        Heartbeat,
        MeterValues,
        SignChargePointCertificate,
        StatusNotification,
    }
}
