//! A charger as the list shows it, and all that is known of one.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Access, ChargerCondition, Communication, CurrentType, Interface, Mounting, Speed};
use crate::describe::{Cell, at};
use crate::device::{CommandKind, ConnectorStatus};
use crate::fault::FaultNote;
use crate::resource::Row;
use crate::station::Nature;

/// How many connectors a charger has, and what they are doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectorCounts {
    /// All of them.
    pub total: i64,
    /// Free.
    pub available: i64,
    /// Plugged in without charging: before or after it.
    pub plugged: i64,
    /// Charging, or paused while charging.
    pub charging: i64,
    /// Broken.
    pub faulted: i64,
}

impl ConnectorCounts {
    /// Counts connectors by what they are doing.
    pub fn of(statuses: &[ConnectorStatus]) -> Self {
        use ConnectorStatus as S;
        let mut counts = Self::default();
        for status in statuses {
            counts.total += 1;
            match status {
                S::Available => counts.available += 1,
                S::Preparing | S::Finishing => counts.plugged += 1,
                S::Charging | S::SuspendedEv | S::SuspendedEvse => counts.charging += 1,
                S::Faulted => counts.faulted += 1,
                S::Reserved | S::Unavailable | S::Unknown => {}
            }
        }
        counts
    }
}

/// A charger, as the list shows it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarChargerRow {
    /// Id.
    pub id: Uuid,
    /// The platform's own number.
    #[schema(example = "C1000001")]
    pub code: String,
    /// The identity that the hardware presents.
    #[schema(example = "WY-DC120-0001")]
    pub serial_no: String,
    /// Name.
    #[schema(example = "1号桩")]
    pub name: String,
    /// The station that it stands in.
    pub station_id: Uuid,
    /// That station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// The area that it stands in.
    pub area_id: Uuid,
    /// That area's name.
    #[schema(example = "默认区域")]
    pub area_name: String,
    /// Its model, as staff know it.
    pub model: Option<String>,
    /// Its version, as staff know it.
    pub device_version: Option<String>,
    /// The number of its SIM card.
    pub sim: Option<String>,
    /// What it is for.
    pub nature: Nature,
    /// Standing there without charging costs something.
    pub occupancy_fee: bool,
    /// Drivers may reserve it.
    pub reservable: bool,
    /// The most current that comes out, in A.
    pub output_current_a: Option<i32>,
    /// The most power that comes out, in W.
    #[schema(example = 120_000)]
    pub output_power_w: i64,
    /// The voltage that comes out, in V.
    pub output_voltage_v: Option<i32>,
    /// What kind of current comes out.
    pub current_type: CurrentType,
    /// Which plug it has.
    pub interface: Interface,
    /// How fast it charges.
    pub speed: Speed,
    /// How it is mounted.
    pub mounting: Option<Mounting>,
    /// Its degree of protection.
    #[schema(example = "IP54")]
    pub protection: Option<String>,
    /// How it reaches us.
    pub communication: Option<Communication>,
    /// Switched on.
    pub enabled: bool,
    /// Connected to us now.
    pub online: bool,
    /// Whether it can work.
    pub condition: ChargerCondition,
    /// What its connectors are doing.
    pub connectors: ConnectorCounts,
    /// Whether it must prove who it is when it connects.
    pub access: Access,
    /// When it was last heard of.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What the connectors of a charger are doing, in numbers: free, charging, broken, all.
pub(super) fn counts(row: &Value) -> Cell {
    let count = |name: &str| at(row, &format!("connectors/{name}")).and_then(Value::as_i64).unwrap_or_default();
    Cell::number(["available", "charging", "faulted", "total"].map(|it| count(it).to_string()).join(" / "))
}

impl Row for CarChargerRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// A charger with what the device tells of itself, and what is broken.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarChargerDetail {
    /// The charger.
    #[serde(flatten)]
    pub row: CarChargerRow,
    /// What the device tells.
    pub device: DeviceData,
    /// What is broken.
    pub faults: Vec<FaultNote>,
    /// What it is still to be told: it takes effect when the device is there.
    pub pending: Vec<CommandKind>,
    /// A password that was made up: only in the answer that set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "0011223344556677889900112233445566")]
    pub initial_password: Option<String>,
}

impl Row for CarChargerDetail {
    fn id(&self) -> Uuid {
        self.row.id
    }
}

/// What a device told of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct DeviceData {
    /// Since when it is connected.
    pub connected_at: Option<DateTime<Utc>>,
    /// Where it connects from.
    #[schema(example = "10.8.0.17:40112")]
    pub remote_address: Option<String>,
    /// When it last started.
    pub booted_at: Option<DateTime<Utc>>,
    /// Who made it.
    #[schema(example = "ACME")]
    pub vendor: Option<String>,
    /// Its model.
    #[schema(example = "DC120")]
    pub model: Option<String>,
    /// The version of its firmware.
    #[schema(example = "1.2.3")]
    pub firmware: Option<String>,
    /// Its serial number in its own words.
    pub serial_no: Option<String>,
    /// The number of its SIM card.
    pub iccid: Option<String>,
    /// What the whole device is doing.
    pub status: Option<ConnectorStatus>,
    /// What is broken, in the protocol's word.
    pub error_code: Option<String>,
    /// Since when.
    pub status_at: Option<DateTime<Utc>>,
    /// Since when it is known that its meter values count from the beginning of each charge, instead of showing the register.
    pub relative_meter_since: Option<DateTime<Utc>>,
    /// Its settings, as it told them.
    pub configuration: Option<Value>,
}
