//! The maker's own messages, in both directions.

use serde::{Deserialize, Serialize};

use super::Message;
use crate::lenient;
use crate::limit::{self, Refused};
use crate::word::words;

/// A message outside the specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataTransfer {
    /// Who defines its meaning; at most 255 characters.
    pub vendor_id: String,
    /// Which of the vendor's messages it is; at most 50 characters.
    #[serde(default, deserialize_with = "lenient::optional_scalar", skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Its content; an object that was sent instead of text is kept as its JSON.
    #[serde(default, deserialize_with = "lenient::any_text", skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

impl Message for DataTransfer {
    const ACTION: &'static str = "DataTransfer";
    type Confirmation = DataTransferConfirmation;

    fn check(&self) -> Result<(), Refused> {
        limit::text("vendorId", &self.vendor_id, 255)?;
        self.message_id.as_deref().map_or(Ok(()), |it| limit::text("messageId", it, 50))
    }
}

/// The answer to a vendor's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DataTransferConfirmation {
    /// Whether it was understood.
    pub status: DataTransferStatus,
    /// What the vendor's message is answered with.
    #[serde(default, deserialize_with = "lenient::any_text", skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

words! {
    /// Whether a vendor's message was understood.
    DataTransferStatus { Accepted, Rejected, UnknownMessageId, UnknownVendorId }
}
