//! Areas: the parts of a station.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::describe::{As, Column, Field, Input};
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::text::{Text, t};

/// An area of a car station, with what lies in it counted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarAreaRow {
    /// Id.
    pub id: Uuid,
    /// The platform's own number.
    #[schema(example = "A1000001")]
    pub code: String,
    /// Name.
    #[schema(example = "默认区域")]
    pub name: String,
    /// The station that it belongs to.
    pub station_id: Uuid,
    /// That station's name.
    #[schema(example = "滨江一号充电站")]
    pub station_name: String,
    /// Whom to call about it.
    pub phone: Option<String>,
    /// The most power that it may draw, in W.
    pub power_w: Option<i64>,
    /// Switched on.
    pub enabled: bool,
    /// Parking bays in it.
    pub bays: i64,
    /// Chargers in it.
    pub chargers: i64,
    /// Connectors in it.
    pub connectors: i64,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Row for CarAreaRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What staff fill in for an area of a car station.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarAreaForm {
    /// The station. Cannot be changed.
    pub station_id: Uuid,
    /// Name.
    #[schema(example = "地下一层")]
    pub name: String,
    /// Whom to call about it.
    pub phone: Option<String>,
    /// The most power that it may draw, in W.
    pub power_w: Option<i64>,
}

impl Form for CarAreaForm {}

/// Search conditions for areas of car stations.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
pub struct CarAreaFilter {
    /// A part of the name.
    pub name: Option<String>,
    /// A part of the number.
    pub code: Option<String>,
    /// Of this station.
    pub station_id: Option<Uuid>,
    /// A part of the station's name.
    pub station_name: Option<String>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Areas of car stations (区域管理).
pub struct CarAreas;

impl Resource for CarAreas {
    const PATH: &'static str = "car/areas";
    const ONE: &'static str = "CarArea";
    const MANY: &'static str = "CarAreas";
    const TITLE: Text = t("区域管理", "Areas");
    const PERMISSION: &'static str = "car.area";
    type Row = CarAreaRow;
    type Detail = CarAreaRow;
    type Filter = CarAreaFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("code", t("区域编号", "Code"), As::Text).sorted(),
        Column::new("name", t("区域名称", "Name"), As::Text).sorted(),
        Column::new("station", t("所属电站", "Station"), As::Text).at("station_name"),
        Column::new("phone", t("联系电话", "Phone"), As::Text),
        Column::new("power", t("区域功率(kW)", "Power (kW)"), As::Watts).at("power_w"),
        Column::new("bays", t("车位", "Bays"), As::Number).detail_only(),
        Column::new("chargers", t("电桩", "Chargers"), As::Number),
        Column::new("connectors", t("电枪", "Connectors"), As::Number),
        Column::new("enabled", t("区域状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("station_name", t("电站名称", "Station"), Input::Text(50)),
        Field::new("code", t("区域编号", "Code"), Input::Text(20)),
        Field::new("name", t("区域名称", "Name"), Input::Text(50)),
        ENABLED,
        Field::new("station_id", t("所属电站", "Of the station"), Input::Lookup("car/stations")),
    ];
    const VERBS: &'static [Verb] =
        &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export, Verb::Import];
}

impl Editable for CarAreas {
    type Form = CarAreaForm;
    const FIELDS: &'static [Field] = &[
        Field::new("station_id", t("所属电站", "Station"), Input::Lookup("car/stations")).required().fixed(),
        Field::new("name", t("区域名称", "Name"), Input::Text(50)).required(),
        Field::new("phone", t("联系电话", "Phone"), Input::Phone),
        Field::new("power_w", t("区域功率(kW)", "Power (kW)"), Input::Watts { max: 1_000_000_000 }),
    ];

    fn form(it: &CarAreaRow) -> CarAreaForm {
        let it = it.clone();
        CarAreaForm { station_id: it.station_id, name: it.name, phone: it.phone, power_w: it.power_w }
    }

    fn version(it: &CarAreaRow) -> i64 {
        it.version
    }
}
