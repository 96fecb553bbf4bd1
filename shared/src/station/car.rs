//! Stations where cars charge.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{ACTIONS, FILTERS, Nature, Review, StationFilter, VERBS};
use crate::codes::Code;
use crate::describe::{Action, As, Column, Field, Input};
use crate::invoice::Seller;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::text::{Text, t};

/// A car station, with what lies below it counted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarStationRow {
    /// Id.
    pub id: Uuid,
    /// The platform's own number.
    #[schema(example = "S1000001")]
    pub code: String,
    /// Name.
    #[schema(example = "滨江一号充电站")]
    pub name: String,
    /// The provider that runs it.
    pub provider_id: Uuid,
    /// That provider's name.
    pub provider_name: String,
    /// The property that owns the site.
    pub property_id: Uuid,
    /// That property's name.
    pub property_name: String,
    /// What it is for.
    pub nature: Nature,
    /// Whom to ask.
    pub contact: Option<String>,
    /// Their telephone.
    pub contact_phone: Option<String>,
    /// What drivers read about it.
    pub intro: Option<String>,
    /// The number that drivers may call.
    pub hotline: Option<String>,
    /// Opening hours, as drivers read them.
    pub business_hours: Option<String>,
    /// The most power that it may draw, in W.
    pub max_power_w: Option<i64>,
    /// The capacity of its transformer, in W.
    pub capacity_w: Option<i64>,
    /// Province.
    pub province: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Street and number.
    pub address: Option<String>,
    /// Longitude in degrees, GCJ-02.
    pub lng: Option<f64>,
    /// Latitude in degrees, GCJ-02.
    pub lat: Option<f64>,
    /// Whether it was looked at and agreed to.
    pub review: Review,
    /// Why it was rejected.
    pub review_note: Option<String>,
    /// Switched on.
    pub enabled: bool,
    /// Areas below it.
    pub areas: i64,
    /// Chargers below it.
    pub chargers: i64,
    /// Connectors below it.
    pub connectors: i64,
    /// Parking bays below it.
    pub bays: i64,
    /// In whose name it sells; without it no order can be invoiced.
    pub seller: Option<Seller>,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Row for CarStationRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What staff fill in for a car station.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarStationForm {
    /// The provider that runs it. Cannot be changed.
    pub provider_id: Uuid,
    /// The property that owns the site. Cannot be changed.
    pub property_id: Uuid,
    /// Name.
    #[schema(example = "滨江一号充电站")]
    pub name: String,
    /// What it is for.
    pub nature: Nature,
    /// Whom to ask.
    pub contact: Option<String>,
    /// Their telephone.
    pub contact_phone: Option<String>,
    /// What drivers read about it.
    pub intro: Option<String>,
    /// The number that drivers may call.
    pub hotline: Option<String>,
    /// Opening hours.
    pub business_hours: Option<String>,
    /// The most power that it may draw, in W.
    pub max_power_w: Option<i64>,
    /// The capacity of its transformer, in W.
    pub capacity_w: Option<i64>,
    /// Province.
    pub province: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Street and number.
    pub address: Option<String>,
    /// Longitude in degrees, GCJ-02.
    pub lng: Option<f64>,
    /// Latitude in degrees, GCJ-02.
    pub lat: Option<f64>,
}

impl Form for CarStationForm {}

/// Car stations (汽车电站).
pub struct CarStations;

impl Resource for CarStations {
    const PATH: &'static str = "car/stations";
    const ONE: &'static str = "CarStation";
    const MANY: &'static str = "CarStations";
    const TITLE: Text = t("汽车电站", "Car stations");
    const PERMISSION: &'static str = "car.station";
    type Row = CarStationRow;
    type Detail = CarStationRow;
    type Filter = StationFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("code", t("电站编号", "Code"), As::Text).sorted(),
        Column::new("name", t("电站名称", "Name"), As::Text).sorted(),
        Column::new("provider", t("服务商", "Provider"), As::Text).at("provider_name"),
        Column::new("property", t("集团物业", "Property"), As::Text).at("property_name"),
        Column::new("nature", t("运营性质", "Nature"), As::Code(Nature::CHOICES)),
        Column::new("contact", t("联系人", "Contact"), As::Text).detail_only(),
        Column::new("contact_phone", t("联系人手机号", "Contact phone"), As::Text).detail_only(),
        Column::new("intro", t("电站简介", "Introduction"), As::Text).detail_only(),
        Column::new("hotline", t("服务热线", "Hotline"), As::Text),
        Column::new("business_hours", t("营业时间", "Opening hours"), As::Text).detail_only(),
        Column::new("max_power", t("最大功率(kW)", "Maximum power (kW)"), As::Watts).at("max_power_w").detail_only(),
        Column::new("capacity", t("容量负荷(kW)", "Load capacity (kW)"), As::Watts).at("capacity_w").detail_only(),
        Column::new("province", t("省份", "Province"), As::Text).detail_only(),
        Column::new("city", t("城市", "City"), As::Text),
        Column::new("address", t("地址", "Address"), As::Text).detail_only(),
        Column::new("lng", t("经度", "Longitude"), As::Number).detail_only(),
        Column::new("lat", t("纬度", "Latitude"), As::Number).detail_only(),
        Column::new("areas", t("区域", "Areas"), As::Number),
        Column::new("chargers", t("电桩", "Chargers"), As::Number),
        Column::new("connectors", t("电枪", "Connectors"), As::Number),
        Column::new("bays", t("车位", "Bays"), As::Number).detail_only(),
        Column::new("seller", t("发票配置", "Sells as"), As::Text).at("seller/company_name").detail_only(),
        Column::new("seller_tax_id", t("售方税号", "Seller's tax id"), As::Text).at("seller/tax_id").detail_only(),
        Column::new("review", t("审核状态", "Review"), As::Code(Review::CHOICES)),
        Column::new("review_note", t("驳回原因", "Reason"), As::Text).detail_only(),
        Column::new("enabled", t("电站状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = FILTERS;
    const VERBS: &'static [Verb] = VERBS;
    const ACTIONS: &'static [Action] = ACTIONS;
}

impl Editable for CarStations {
    type Form = CarStationForm;
    const FIELDS: &'static [Field] = &[
        Field::new("provider_id", t("服务商", "Provider"), Input::Lookup("system/providers")).required().fixed(),
        Field::new("property_id", t("集团物业", "Property"), Input::Lookup("system/properties"))
            .required()
            .fixed()
            .within("provider_id"),
        Field::new("name", t("电站名称", "Name"), Input::Text(50)).required(),
        Field::new("nature", t("运营性质", "Nature"), Input::Choice(Nature::CHOICES)).required(),
        Field::new("contact", t("联系人", "Contact"), Input::Text(30)),
        Field::new("contact_phone", t("联系人手机号", "Contact phone"), Input::Mobile),
        Field::new("hotline", t("服务热线", "Hotline"), Input::Phone),
        Field::new("business_hours", t("营业时间", "Opening hours"), Input::Text(50)),
        Field::new("max_power_w", t("最大功率(kW)", "Maximum power (kW)"), Input::Watts { max: 1_000_000_000 }),
        Field::new("capacity_w", t("容量负荷(kW)", "Load capacity (kW)"), Input::Watts { max: 1_000_000_000 }),
        Field::new("province", t("省份", "Province"), Input::Text(20)),
        Field::new("city", t("城市", "City"), Input::Text(20)),
        Field::new("address", t("地址", "Address"), Input::Text(100)),
        Field::new("lng", t("经度", "Longitude"), Input::Degrees { limit: 180 }),
        Field::new("lat", t("纬度", "Latitude"), Input::Degrees { limit: 90 }),
        Field::new("intro", t("电站简介", "Introduction"), Input::Area(500)),
    ];

    fn form(it: &CarStationRow) -> CarStationForm {
        let it = it.clone();
        CarStationForm {
            provider_id: it.provider_id,
            property_id: it.property_id,
            name: it.name,
            nature: it.nature,
            contact: it.contact,
            contact_phone: it.contact_phone,
            intro: it.intro,
            hotline: it.hotline,
            business_hours: it.business_hours,
            max_power_w: it.max_power_w,
            capacity_w: it.capacity_w,
            province: it.province,
            city: it.city,
            address: it.address,
            lng: it.lng,
            lat: it.lat,
        }
    }

    fn version(it: &CarStationRow) -> i64 {
        it.version
    }
}
