//! Connectors: the plugs of chargers for cars.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::charger::ChargerCondition;
use crate::codes::Code;
use crate::describe::{As, Cell, Column, Field, Input};
use crate::device::{CommandKind, ConnectorStatus};
use crate::fault::FaultNote;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::text::{Text, t};

/// A connector, with what it is doing now.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarConnectorRow {
    /// Id.
    pub id: Uuid,
    /// The platform's own number.
    #[schema(example = "C1000001-1")]
    pub code: String,
    /// Its number at the charger, from 1.
    pub number: i32,
    /// Name.
    #[schema(example = "1号枪")]
    pub name: String,
    /// The charger that it belongs to.
    pub charger_id: Uuid,
    /// That charger's number.
    #[schema(example = "C1000001")]
    pub charger_code: String,
    /// That charger's name.
    #[schema(example = "1号桩")]
    pub charger_name: String,
    /// The identity that the charger presents.
    #[schema(example = "WY-DC120-0001")]
    pub serial_no: String,
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
    /// Switched on.
    pub enabled: bool,
    /// Its charger is connected to us now.
    pub online: bool,
    /// What it last said that it is doing.
    pub status: ConnectorStatus,
    /// Since when.
    pub status_at: Option<DateTime<Utc>>,
    /// What is broken.
    pub faults: Vec<FaultNote>,
    /// The order that runs on it.
    pub order_id: Option<Uuid>,
    /// That order's number.
    pub order_no: Option<String>,
    /// What its charger is still to be told of it: it takes effect when the charger is there.
    pub pending: Vec<CommandKind>,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a connector is doing, as far as we can know.
fn doing(row: &Value) -> Cell {
    match row["status"].as_str() {
        Some(status) if row["online"] == true => Cell::label(ConnectorStatus::CHOICES, status),
        _ => Cell::code(ChargerCondition::Offline),
    }
}

impl Row for CarConnectorRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What staff fill in for a connector.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarConnectorForm {
    /// Name.
    #[schema(example = "左枪")]
    pub name: String,
}

impl Form for CarConnectorForm {}

/// Search conditions for connectors.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
pub struct CarConnectorFilter {
    /// A part of the name.
    pub name: Option<String>,
    /// A part of the platform's number.
    pub code: Option<String>,
    /// In this station.
    pub station_id: Option<Uuid>,
    /// A part of the station's name.
    pub station_name: Option<String>,
    /// In this area.
    pub area_id: Option<Uuid>,
    /// A part of the area's name.
    pub area_name: Option<String>,
    /// Of this charger.
    pub charger_id: Option<Uuid>,
    /// A part of the charger's number.
    pub charger_code: Option<String>,
    /// A part of the identity that the charger presents.
    pub serial_no: Option<String>,
    /// What it last said that it is doing.
    pub status: Option<ConnectorStatus>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Connectors of chargers for cars (充电枪管理).
pub struct CarConnectors;

impl Resource for CarConnectors {
    const PATH: &'static str = "car/connectors";
    const ONE: &'static str = "CarConnector";
    const MANY: &'static str = "CarConnectors";
    const TITLE: Text = t("充电枪管理", "Connectors");
    const PERMISSION: &'static str = "car.connector";
    type Row = CarConnectorRow;
    type Detail = CarConnectorRow;
    type Filter = CarConnectorFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("code", t("电枪编号", "Code"), As::Text).sorted(),
        Column::new("name", t("电枪名称", "Name"), As::Text),
        Column::new("number", t("枪序号", "Number"), As::Number).detail_only(),
        Column::new("charger", t("所属电桩", "Charger"), As::Text).at("charger_name"),
        Column::new("charger_code", t("电桩编号", "Charger's code"), As::Text),
        Column::new("serial_no", t("出厂标识", "Serial number"), As::Text),
        Column::new("station", t("所属电站", "Station"), As::Text).at("station_name"),
        Column::new("area", t("所属区域", "Area"), As::Text).at("area_name"),
        Column::new("status", t("电枪状态", "Status"), As::Made(doing)),
        Column::new("status_at", t("状态时间", "Since"), As::Time).detail_only(),
        Column::new("faults", t("故障信息", "Faults"), As::Made(FaultNote::all)).detail_only(),
        Column::new("order", t("当前订单", "Running order"), As::Link("orders/car", "order_id")).at("order_no"),
        Column::new("enabled", t("启用状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("station_id", t("电站", "Station"), Input::Lookup("car/stations")),
        Field::new("area_id", t("区域", "Area"), Input::Lookup("car/areas")).within("station_id"),
        Field::new("charger_code", t("电桩编号", "Charger's code"), Input::Text(20)),
        Field::new("serial_no", t("出厂标识", "Serial number"), Input::Text(48)),
        Field::new("status", t("电枪状态", "Status"), Input::Choice(ConnectorStatus::CHOICES)),
        ENABLED,
    ];
    const VERBS: &'static [Verb] = &[Verb::View, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export];
}

impl Editable for CarConnectors {
    type Form = CarConnectorForm;
    const FIELDS: &'static [Field] = &[Field::new("name", t("电枪名称", "Name"), Input::Text(50)).required()];

    fn form(it: &CarConnectorRow) -> CarConnectorForm {
        CarConnectorForm { name: it.name.clone() }
    }

    fn version(it: &CarConnectorRow) -> i64 {
        it.version
    }
}
