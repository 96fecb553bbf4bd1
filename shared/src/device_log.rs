//! What is kept of a device: what it was told to do, what was said, when it was there.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::Code;
use crate::describe::{Cell, Column};
use crate::device::{CommandKind, CommandState, ConnectionReason};
use crate::resource::Row;
use crate::text::t;

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

impl DeviceCommandRow {
    /// What a table shows of it.
    pub const COLUMNS: &'static [Column<Self>] = &[
        Column::new("kind", t("指令", "Command"), |it: &Self| Cell::code(it.kind)),
        Column::new("state", t("状态", "State"), |it: &Self| Cell::code(it.state)),
        Column::new("requested_by", t("操作者", "By"), |it: &Self| Cell::text(&it.requested_by)),
        Column::new("created_at", t("下发时间", "Asked"), |it: &Self| Cell::Time(it.created_at)),
        Column::new("finished_at", t("完成时间", "Ended"), |it: &Self| Cell::time(it.finished_at)),
    ];
}

impl Row for DeviceCommandRow {
    fn id(&self) -> Uuid {
        self.id
    }
    fn name(&self) -> String {
        self.kind.as_str().to_owned()
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

impl DeviceFrameRow {
    /// What a table shows of it.
    pub const COLUMNS: &'static [Column<Self>] = &[
        Column::new("created_at", t("时间", "Time"), |it: &Self| Cell::Time(it.created_at)),
        Column::new("inbound", t("设备上报", "Sent by the device"), |it: &Self| Cell::flag(it.inbound)),
        Column::new("body", t("报文", "Message"), |it: &Self| Cell::text(&it.body)),
    ];
}

impl Row for DeviceFrameRow {
    fn id(&self) -> Uuid {
        self.id
    }
    fn name(&self) -> String {
        self.body.clone()
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

impl ConnectionRecordRow {
    /// What a table shows of it.
    pub const COLUMNS: &'static [Column<Self>] = &[
        Column::new("created_at", t("时间", "Time"), |it: &Self| Cell::Time(it.created_at)),
        Column::new("online", t("上线", "Online"), |it: &Self| Cell::flag(it.online)),
        Column::new("reason", t("原因", "Reason"), |it: &Self| Cell::code(it.reason)),
        Column::new("remote_address", t("地址", "Address"), |it: &Self| Cell::maybe(&it.remote_address)),
    ];
}

impl Row for ConnectionRecordRow {
    fn id(&self) -> Uuid {
        self.id
    }
    fn name(&self) -> String {
        self.reason.as_str().to_owned()
    }
}
