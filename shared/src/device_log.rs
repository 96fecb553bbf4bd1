//! What is kept of a device: what it was told to do, what was said, when it was there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::device::{CommandKind, CommandState, ConnectionReason};
use crate::resource::Row;

/// A command to a device and what became of it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "diesel", derive(diesel::Queryable))]
pub struct DeviceCommandRow {
    /// Id.
    pub id: Uuid,
    /// What it was told.
    pub kind: CommandKind,
    /// The particulars: which connector, how.
    #[schema(example = json!({"kind": "reboot", "hard": false}))]
    pub payload: Value,
    /// Where it stands.
    pub state: CommandState,
    /// Why it ended as it did; `shared::device::outcome_text` words it.
    #[schema(example = "accepted")]
    pub outcome: Option<String>,
    /// The order that it is about.
    pub order_id: Option<Uuid>,
    /// Who wanted it.
    #[schema(example = "陈晨")]
    pub requested_by: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl Row for DeviceCommandRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// One message that a device sent or was sent.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "diesel", derive(diesel::Queryable))]
pub struct DeviceFrameRow {
    /// Id.
    pub id: Uuid,
    /// The device sent it.
    pub inbound: bool,
    /// The message, as it was on the wire.
    #[schema(example = "[2,\"19\",\"Heartbeat\",{}]")]
    pub body: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Row for DeviceFrameRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// Search conditions for messages.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
pub struct DeviceFrameFilter {
    /// Sent by the device, or to it.
    pub inbound: Option<bool>,
    /// A part of the message.
    pub text: Option<String>,
    /// Not before this.
    pub from: Option<DateTime<Utc>>,
    /// Before this.
    pub to: Option<DateTime<Utc>>,
}

/// A device came online or went offline.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "diesel", derive(diesel::Queryable))]
pub struct ConnectionRecordRow {
    /// Id.
    pub id: Uuid,
    /// It came.
    pub online: bool,
    /// Why.
    pub reason: ConnectionReason,
    /// Where it connected from.
    #[schema(example = "10.8.0.17:40112")]
    pub remote_address: Option<String>,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Row for ConnectionRecordRow {
    fn id(&self) -> Uuid {
        self.id
    }
}
