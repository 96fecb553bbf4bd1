//! Chargers for cars: what staff enter, and what the device tells of itself.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::{Code, codes};
use crate::describe::{Action, Cell, Column, Field, Input};
use crate::device::ConnectorStatus;
use crate::fault::FaultNote;
use crate::problem::FieldError;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::{ENABLED, Nature};
use crate::text::{Lang, Text, t};

codes! {
    /// What kind of current comes out (电流类型).
    pub enum CurrentType {
        Ac = "ac", Info, "交流", "AC";
        Dc = "dc", Primary, "直流", "DC";
    }
    /// Which plug it has (充电类型).
    pub enum Interface {
        GbtAc = "gbt_ac", Info, "国标交流", "GB/T AC";
        GbtDc = "gbt_dc", Primary, "国标直流", "GB/T DC";
        Type2 = "type2", Info, "欧标交流 Type 2", "Type 2";
        Ccs2 = "ccs2", Primary, "欧标直流 CCS2", "CCS2";
        Other = "other", Info, "其他", "Other";
    }
    /// How fast it charges (充电速度).
    pub enum Speed {
        Slow = "slow", Info, "慢充", "Slow";
        Fast = "fast", Primary, "快充", "Fast";
        Super = "super", Success, "超充", "Super";
    }
    /// How it is mounted (安装方式).
    pub enum Mounting {
        Floor = "floor", Info, "落地式", "On the floor";
        Wall = "wall", Info, "壁挂式", "On the wall";
        Other = "other", Info, "其他", "Other";
    }
    /// How it reaches us (通讯方式).
    pub enum Communication {
        Cellular = "cellular", Info, "4G", "Cellular";
        Ethernet = "ethernet", Info, "以太网", "Ethernet";
        Wifi = "wifi", Info, "Wi-Fi", "Wi-Fi";
        Other = "other", Info, "其他", "Other";
    }
    /// Whether it can work (电桩状态).
    pub enum ChargerCondition {
        Online = "online", Success, "在线", "Online";
        Offline = "offline", Info, "离线", "Offline";
        Faulted = "faulted", Danger, "故障", "Faulted";
    }
}

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
    /// When it was last heard of.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl CarChargerRow {
    fn connector_cell(&self) -> Cell {
        let ConnectorCounts { total, available, charging, faulted, plugged: _ } = self.connectors;
        Cell::number(format!("{available} / {charging} / {faulted} / {total}"))
    }
}

impl Row for CarChargerRow {
    fn id(&self) -> Uuid {
        self.id
    }
    fn name(&self) -> String {
        self.name.clone()
    }
    fn enabled(&self) -> Option<bool> {
        Some(self.enabled)
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
}

impl Row for CarChargerDetail {
    fn id(&self) -> Uuid {
        self.row.id
    }
    fn name(&self) -> String {
        self.row.name()
    }
    fn enabled(&self) -> Option<bool> {
        self.row.enabled()
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
    /// It must log in with a password.
    pub has_password: bool,
    /// Its settings, as it told them.
    pub configuration: Option<serde_json::Value>,
}

/// What staff fill in for a charger.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CarChargerForm {
    /// The station. Cannot be changed.
    pub station_id: Uuid,
    /// The area. Cannot be changed.
    pub area_id: Uuid,
    /// The identity that the hardware presents. Cannot be changed.
    #[schema(example = "WY-DC120-0001")]
    pub serial_no: String,
    /// Name.
    #[schema(example = "1号桩")]
    pub name: String,
    /// How many connectors it has; they are made with it, and more can be added later.
    #[schema(example = 2)]
    pub connectors: i32,
    /// Its model.
    pub model: Option<String>,
    /// Its version.
    pub device_version: Option<String>,
    /// The number of its SIM card.
    pub sim: Option<String>,
    /// What it is for.
    pub nature: Nature,
    /// Standing there without charging costs something.
    pub occupancy_fee: Option<bool>,
    /// Drivers may reserve it.
    pub reservable: Option<bool>,
    /// The most power that comes out, in W.
    #[schema(example = 120_000)]
    pub output_power_w: i64,
    /// The most current that comes out, in A.
    pub output_current_a: Option<i32>,
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
}

impl Form for CarChargerForm {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        // What a device may be called in the address that it connects to.
        let fits = |it: char| it.is_ascii_alphanumeric() || "_-.:*+|@= ".contains(it);
        if self.serial_no.chars().all(fits) {
            return vec![];
        }
        let text = t("只能使用字母、数字和 _-.:*+|@= 及空格", "Letters, digits, spaces and _-.:*+|@= only");
        vec![FieldError::new("serial_no", "format", text.get(lang))]
    }
}

/// Search conditions for chargers.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
pub struct CarChargerFilter {
    /// A part of the name.
    pub name: Option<String>,
    /// A part of the platform's number.
    pub code: Option<String>,
    /// A part of the hardware's identity.
    pub serial_no: Option<String>,
    /// In this station.
    pub station_id: Option<Uuid>,
    /// A part of the station's name.
    pub station_name: Option<String>,
    /// In this area.
    pub area_id: Option<Uuid>,
    /// A part of the area's name.
    pub area_name: Option<String>,
    /// How fast it charges.
    pub speed: Option<Speed>,
    /// Whether it can work.
    pub condition: Option<ChargerCondition>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Chargers for cars (电桩管理).
pub struct CarChargers;

impl Resource for CarChargers {
    const PATH: &'static str = "car/chargers";
    const ONE: &'static str = "CarCharger";
    const MANY: &'static str = "CarChargers";
    const TITLE: Text = t("电桩管理", "Chargers");
    const PERMISSION: &'static str = "car.charger";
    type Row = CarChargerRow;
    type Detail = CarChargerDetail;
    type Filter = CarChargerFilter;
    const COLUMNS: &'static [Column<CarChargerRow>] = &[
        Column::new("code", t("电桩编号", "Code"), |it: &CarChargerRow| Cell::text(&it.code)).sorted(),
        Column::new("serial_no", t("出厂标识", "Serial number"), |it: &CarChargerRow| Cell::text(&it.serial_no))
            .sorted(),
        Column::new("name", t("电桩名称", "Name"), |it: &CarChargerRow| Cell::text(&it.name)).sorted(),
        Column::new("station", t("所属电站", "Station"), |it: &CarChargerRow| Cell::text(&it.station_name)),
        Column::new("area", t("所属区域", "Area"), |it: &CarChargerRow| Cell::text(&it.area_name)),
        Column::new("model", t("设备型号", "Model"), |it: &CarChargerRow| Cell::maybe(&it.model)).detail_only(),
        Column::new("device_version", t("设备版本", "Version"), |it: &CarChargerRow| {
            Cell::maybe(&it.device_version)
        })
        .detail_only(),
        Column::new("sim", t("SIM 卡号", "SIM card"), |it: &CarChargerRow| Cell::maybe(&it.sim)).detail_only(),
        Column::new("nature", t("运营性质", "Nature"), |it: &CarChargerRow| Cell::code(it.nature)).detail_only(),
        Column::new("occupancy_fee", t("占位收费", "Occupancy fee"), |it: &CarChargerRow| {
            Cell::flag(it.occupancy_fee)
        })
        .detail_only(),
        Column::new("reservable", t("预约充电", "Reservable"), |it: &CarChargerRow| Cell::flag(it.reservable))
            .detail_only(),
        Column::new("output_power", t("输出功率(kW)", "Output power (kW)"), |it: &CarChargerRow| {
            Cell::watts(it.output_power_w)
        }),
        Column::new("output_current", t("输出电流(A)", "Output current (A)"), |it: &CarChargerRow| {
            it.output_current_a.map_or(Cell::Empty, Cell::number)
        })
        .detail_only(),
        Column::new("output_voltage", t("输出电压(V)", "Output voltage (V)"), |it: &CarChargerRow| {
            it.output_voltage_v.map_or(Cell::Empty, Cell::number)
        })
        .detail_only(),
        Column::new("current_type", t("电流类型", "Current"), |it: &CarChargerRow| Cell::code(it.current_type))
            .detail_only(),
        Column::new("interface", t("充电类型", "Interface"), |it: &CarChargerRow| Cell::code(it.interface))
            .detail_only(),
        Column::new("speed", t("充电速度", "Speed"), |it: &CarChargerRow| Cell::code(it.speed)),
        Column::new("mounting", t("安装方式", "Mounting"), |it: &CarChargerRow| {
            it.mounting.map_or(Cell::Empty, Cell::code)
        })
        .detail_only(),
        Column::new("protection", t("防护等级", "Protection"), |it: &CarChargerRow| Cell::maybe(&it.protection))
            .detail_only(),
        Column::new("communication", t("通讯方式", "Communication"), |it: &CarChargerRow| {
            it.communication.map_or(Cell::Empty, Cell::code)
        })
        .detail_only(),
        Column::new(
            "connectors",
            t("枪 空闲/充电/故障/总数", "Free/charging/broken/all"),
            CarChargerRow::connector_cell,
        ),
        Column::new("condition", t("电桩状态", "Condition"), |it: &CarChargerRow| Cell::code(it.condition)),
        Column::new("last_seen_at", t("最近通信", "Last heard of"), |it: &CarChargerRow| {
            Cell::time(it.last_seen_at)
        })
        .detail_only(),
        Column::new("enabled", t("启用状态", "State"), |it: &CarChargerRow| Cell::enabled(it.enabled)),
        Column::new("id", t("创建时间", "Created"), |it: &CarChargerRow| Cell::Time(it.created_at)).sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), |it: &CarChargerRow| Cell::Time(it.updated_at))
            .detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("station_id", t("电站", "Station"), Input::Lookup("car/stations")),
        Field::new("area_id", t("区域", "Area"), Input::Lookup("car/areas")).within("station_id"),
        Field::new("code", t("电桩编号", "Code"), Input::Text(20)),
        Field::new("serial_no", t("出厂标识", "Serial number"), Input::Text(48)),
        Field::new("name", t("电桩名称", "Name"), Input::Text(50)),
        Field::new("speed", t("充电速度", "Speed"), Input::Choice(Speed::CHOICES)),
        Field::new("condition", t("电桩状态", "Condition"), Input::Choice(ChargerCondition::CHOICES)),
        ENABLED,
    ];
    const VERBS: &'static [Verb] =
        &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export, Verb::Import];
    const ACTIONS: &'static [Action<CarChargerRow>] = &[
        Action::new("reboot", t("重启设备", "Reboot"))
            .fields(&[Field::new("hard", t("强制重启", "At once"), Input::Switch)
                .help(t("立即重启，正在进行的充电会中断", "Charges that are running are cut off"))])
            .confirm(t("确定重启该设备吗？", "Reboot this device?"))
            .when(|it: &CarChargerRow| it.online)
            .danger()
            .keyed(),
        Action::new("sync-clock", t("同步时钟", "Synchronise clock")).when(|it: &CarChargerRow| it.online).keyed(),
        Action::new("refresh", t("刷新状态", "Refresh state")).when(|it: &CarChargerRow| it.online).keyed(),
        Action::new("unlock", t("解锁枪", "Unlock connector"))
            .fields(&[
                Field::new("connector", t("枪序号", "Connector number"), Input::Int { min: 1, max: 99 }).required()
            ])
            .when(|it: &CarChargerRow| it.online)
            .keyed(),
        Action::new("set-password", t("设置接入密码", "Set password")).fields(&[Field::new(
            "password",
            t("接入密码", "Password"),
            Input::Password,
        )
        .help(t(
            "8 到 40 个字符，通常为 32 至 40 位十六进制密钥；留空则不校验密码",
            "8 to 40 characters, usually a key of 32 to 40 hexadecimal digits; empty lets it in without one",
        ))]),
    ];
}

impl Editable for CarChargers {
    type Form = CarChargerForm;
    const FIELDS: &'static [Field] = &[
        Field::new("station_id", t("所属电站", "Station"), Input::Lookup("car/stations")).required().fixed(),
        Field::new("area_id", t("所属区域", "Area"), Input::Lookup("car/areas"))
            .required()
            .fixed()
            .within("station_id"),
        Field::new("serial_no", t("出厂标识", "Serial number"), Input::Text(48)).required().fixed(),
        Field::new("name", t("电桩名称", "Name"), Input::Text(50)).required(),
        Field::new("connectors", t("电枪数量", "Connectors"), Input::Int { min: 1, max: 20 }).required(),
        Field::new("model", t("设备型号", "Model"), Input::Text(50)),
        Field::new("device_version", t("设备版本", "Version"), Input::Text(50)),
        Field::new("sim", t("SIM 卡号", "SIM card"), Input::Text(30)),
        Field::new("nature", t("运营性质", "Nature"), Input::Choice(Nature::CHOICES)).required(),
        Field::new("occupancy_fee", t("占位收费", "Occupancy fee"), Input::Switch),
        Field::new("reservable", t("预约充电", "Reservable"), Input::Switch),
        Field::new("output_power_w", t("输出功率(kW)", "Output power (kW)"), Input::Watts { max: 10_000_000 })
            .required(),
        Field::new("output_current_a", t("输出电流(A)", "Output current (A)"), Input::Int { min: 0, max: 5000 }),
        Field::new("output_voltage_v", t("输出电压(V)", "Output voltage (V)"), Input::Int { min: 0, max: 5000 }),
        Field::new("current_type", t("电流类型", "Current"), Input::Choice(CurrentType::CHOICES)).required(),
        Field::new("interface", t("充电类型", "Interface"), Input::Choice(Interface::CHOICES)).required(),
        Field::new("speed", t("充电速度", "Speed"), Input::Choice(Speed::CHOICES)).required(),
        Field::new("mounting", t("安装方式", "Mounting"), Input::Choice(Mounting::CHOICES)),
        Field::new("protection", t("防护等级", "Protection"), Input::Text(20)),
        Field::new("communication", t("通讯方式", "Communication"), Input::Choice(Communication::CHOICES)),
    ];

    fn form(it: &CarChargerDetail) -> CarChargerForm {
        let it = it.row.clone();
        CarChargerForm {
            station_id: it.station_id,
            area_id: it.area_id,
            serial_no: it.serial_no,
            name: it.name,
            // A charger never has more than fit.
            connectors: i32::try_from(it.connectors.total).unwrap_or(i32::MAX),
            model: it.model,
            device_version: it.device_version,
            sim: it.sim,
            nature: it.nature,
            occupancy_fee: Some(it.occupancy_fee),
            reservable: Some(it.reservable),
            output_power_w: it.output_power_w,
            output_current_a: it.output_current_a,
            output_voltage_v: it.output_voltage_v,
            current_type: it.current_type,
            interface: it.interface,
            speed: it.speed,
            mounting: it.mounting,
            protection: it.protection,
            communication: it.communication,
        }
    }

    fn version(it: &CarChargerDetail) -> i64 {
        it.row.version
    }
}
