//! Devices that knocked and were not let in: what installers look at when a new charger does not appear.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::{Code, codes};
use crate::describe::{As, Column, Field, Input};
use crate::resource::{Resource, Row, Verb};
use crate::text::{Text, t};
use crate::user::UserKind;

codes! {
    /// Why a device was not let in.
    pub enum Refusal {
        UnknownSerialNo = "unknown_serial_no", Warning, "未登记", "Not entered";
        NoPassword = "no_password", Warning, "未提供密码", "Came without a password";
        WrongPassword = "wrong_password", Danger, "密码错误", "Wrong password";
        Occupied = "occupied", Danger, "已有在线连接，且未提供密码", "Connected already, and nothing proves that it is the same";
        WrongPath = "wrong_path", Warning, "接入地址错误", "Wrong address";
        UnsupportedProtocol = "unsupported_protocol", Warning, "协议版本不支持", "Speaks no protocol of ours";
    }
}

/// A device that knocked and was not let in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "diesel", derive(diesel::Queryable))]
pub struct UnregisteredDeviceRow {
    /// Id.
    pub id: Uuid,
    /// What it calls itself.
    #[schema(example = "WY-DC120-0099")]
    pub serial_no: String,
    /// The protocols that it offers.
    #[schema(example = "ocpp1.6")]
    pub protocol: String,
    /// Where it comes from.
    #[schema(example = "10.8.0.17")]
    pub remote_address: String,
    /// Why it was not let in.
    pub reason: Refusal,
    /// How often it tried.
    pub knocks: i64,
    /// When it tried first.
    pub first_at: DateTime<Utc>,
    /// When it tried last.
    pub last_at: DateTime<Utc>,
}

impl Row for UnregisteredDeviceRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// Search conditions for devices that were not let in.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
pub struct UnregisteredDeviceFilter {
    /// A part of what it calls itself.
    pub serial_no: Option<String>,
    /// Why it was not let in.
    pub reason: Option<Refusal>,
}

/// Devices that knocked and were not let in (未登记设备). One is forgotten once it gets in, or is entered as a charger.
pub struct UnregisteredDevices;

impl Resource for UnregisteredDevices {
    const PATH: &'static str = "car/unregistered-devices";
    const ONE: &'static str = "UnregisteredDevice";
    const MANY: &'static str = "UnregisteredDevices";
    const TITLE: Text = t("未登记设备", "Unregistered devices");
    const PERMISSION: &'static str = "car.unregistered";
    const NAME: &'static str = "serial_no";
    type Row = UnregisteredDeviceRow;
    type Detail = UnregisteredDeviceRow;
    type Filter = UnregisteredDeviceFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("serial_no", t("出厂标识", "Serial number"), As::Text),
        Column::new("protocol", t("协议", "Protocols"), As::Text),
        Column::new("remote_address", t("来源地址", "Address"), As::Text),
        Column::new("reason", t("拒绝原因", "Reason"), As::Code(Refusal::CHOICES)),
        Column::new("knocks", t("尝试次数", "Tries"), As::Number),
        Column::new("first_at", t("首次尝试", "First try"), As::Time),
        Column::new("last_at", t("最近尝试", "Last try"), As::Time).sorted(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("serial_no", t("出厂标识", "Serial number"), Input::Text(48)),
        Field::new("reason", t("拒绝原因", "Reason"), Input::Choice(Refusal::CHOICES)),
    ];
    const VERBS: &'static [Verb] = &[Verb::View, Verb::Delete];
    // Nobody knows yet whose they are.
    const KINDS: &'static [UserKind] = &[UserKind::Platform];
}
