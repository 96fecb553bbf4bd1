//! Chargers for cars: what staff enter, and what the device tells of itself.

mod form;
mod row;

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

pub use self::form::{CarChargerForm, password_error};
pub use self::row::{CarChargerDetail, CarChargerRow, ConnectorCounts, DeviceData};
use crate::codes::{Code, codes};
use crate::describe::{Action, As, Column, Fact, Field, Input};
use crate::resource::{Resource, Verb};
use crate::station::{ENABLED, Nature};
use crate::text::{Text, t};

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
    /// Whether it must prove who it is when it connects (接入认证).
    pub enum Access {
        Password = "password", Success, "密码认证", "Password";
        Open = "open", Danger, "无密码", "No password";
    }
    /// Whether it can work (电桩状态).
    pub enum ChargerCondition {
        Online = "online", Success, "在线", "Online";
        Offline = "offline", Info, "离线", "Offline";
        Faulted = "faulted", Danger, "故障", "Faulted";
    }
}

/// The password that a charger logs in with: `AuthorizationKey` in the words of OCPP.
const PASSWORD: Field = Field::new("password", t("接入密码", "Password"), Input::Text(40));

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
    /// Whether it must prove who it is.
    pub access: Option<Access>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Which device a form is about.
const DEVICE: &[Fact] = &[
    Fact::new("station_name", t("所属电站", "Station"), As::Text),
    Fact::new("area_name", t("所属区域", "Area"), As::Text),
    Fact::new("code", t("电桩编号", "Code"), As::Text),
    Fact::new("serial_no", t("出厂标识", "Serial number"), As::Text),
];

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
    const COLUMNS: &'static [Column] = &[
        Column::new("code", t("电桩编号", "Code"), As::Text).sorted(),
        Column::new("serial_no", t("出厂标识", "Serial number"), As::Text).sorted(),
        Column::new("name", t("电桩名称", "Name"), As::Text).sorted(),
        Column::new("condition", t("电桩状态", "Condition"), As::Code(ChargerCondition::CHOICES)),
        Column::new("station", t("所属电站", "Station"), As::Text).at("station_name"),
        Column::new("area", t("所属区域", "Area"), As::Text).at("area_name"),
        Column::new("model", t("设备型号", "Model"), As::Text).detail_only(),
        Column::new("device_version", t("设备版本", "Version"), As::Text).detail_only(),
        Column::new("sim", t("SIM 卡号", "SIM card"), As::Text).detail_only(),
        Column::new("nature", t("运营性质", "Nature"), As::Code(Nature::CHOICES)).detail_only(),
        Column::new("occupancy_fee", t("占位收费", "Occupancy fee"), As::Flag).detail_only(),
        Column::new("reservable", t("预约充电", "Reservable"), As::Flag).detail_only(),
        Column::new("output_power", t("输出功率(kW)", "Output power (kW)"), As::Watts).at("output_power_w"),
        Column::new("output_current", t("输出电流(A)", "Output current (A)"), As::Number)
            .at("output_current_a")
            .detail_only(),
        Column::new("output_voltage", t("输出电压(V)", "Output voltage (V)"), As::Number)
            .at("output_voltage_v")
            .detail_only(),
        Column::new("current_type", t("电流类型", "Current"), As::Code(CurrentType::CHOICES)).detail_only(),
        Column::new("interface", t("充电类型", "Interface"), As::Code(Interface::CHOICES)).detail_only(),
        Column::new("speed", t("充电速度", "Speed"), As::Code(Speed::CHOICES)),
        Column::new("mounting", t("安装方式", "Mounting"), As::Code(Mounting::CHOICES)).detail_only(),
        Column::new("protection", t("防护等级", "Protection"), As::Text).detail_only(),
        Column::new("communication", t("通讯方式", "Communication"), As::Code(Communication::CHOICES)).detail_only(),
        Column::new("connectors", t("枪 空闲/充电/故障/总数", "Free/charging/broken/all"), As::Made(row::counts)),
        Column::new("access", t("接入认证", "Access"), As::Code(Access::CHOICES)),
        Column::new("last_seen_at", t("最近通信", "Last heard of"), As::Time).detail_only(),
        Column::new("enabled", t("启用状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("station_id", t("电站", "Station"), Input::Lookup("car/stations")),
        Field::new("area_id", t("区域", "Area"), Input::Lookup("car/areas")).within("station_id"),
        Field::new("code", t("电桩编号", "Code"), Input::Text(20)),
        Field::new("serial_no", t("出厂标识", "Serial number"), Input::Text(48)),
        Field::new("name", t("电桩名称", "Name"), Input::Text(50)),
        Field::new("speed", t("充电速度", "Speed"), Input::Choice(Speed::CHOICES)),
        Field::new("condition", t("电桩状态", "Condition"), Input::Choice(ChargerCondition::CHOICES)),
        Field::new("access", t("接入认证", "Access"), Input::Choice(Access::CHOICES)),
        ENABLED,
    ];
    const VERBS: &'static [Verb] =
        &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export, Verb::Import];
    const ACTIONS: &'static [Action] = &[
        Action::new("reboot", t("重启设备", "Reboot"))
            .done(t("指令已下发", "The command is on its way"))
            .fields(&[Field::new("hard", t("强制重启", "At once"), Input::Switch)
                .help(t("立即重启，正在进行的充电会中断", "Charges that are running are cut off"))])
            .facts(DEVICE)
            .confirm(t("确定重启该设备吗？", "Reboot this device?"))
            .when(|it| it["online"] == true)
            .danger()
            .keyed(),
        Action::new("sync-clock", t("同步时钟", "Synchronise clock"))
            .done(t("指令已下发", "The command is on its way"))
            .when(|it| it["online"] == true)
            .keyed(),
        Action::new("refresh", t("刷新状态", "Refresh state"))
            .done(t("指令已下发", "The command is on its way"))
            .when(|it| it["online"] == true)
            .keyed(),
        Action::new("unlock", t("解锁枪", "Unlock connector"))
            .done(t("指令已下发", "The command is on its way"))
            .fields(&[
                Field::new("connector", t("枪序号", "Connector number"), Input::Int { min: 1, max: 99 }).required()
            ])
            .facts(DEVICE)
            .when(|it| it["online"] == true)
            .keyed(),
        Action::new("set-password", t("设置接入密码", "Set password"))
            .done(t("接入密码已设置", "Password set"))
            .fields(&[
                PASSWORD.help(t(
                    "8 到 40 个字符，留空则自动生成。在线设备会同时收到新密码并重新登录；下发失败或设备离线时，须在设备上填写同一密码",
                    "8 to 40 characters; made up when left empty. A charger that is online is told and logs in anew; where that fails, or it is offline, the password must be entered at the charger",
                )),
                Field::new("open", t("免密码接入", "Without a password"), Input::Switch).help(t(
                    "有风险：知道出厂标识的任何人都能冒充该设备",
                    "A risk: whoever knows the serial number can pass for the charger",
                )),
            ])
            .facts(DEVICE)
            .keyed(),
    ];
}
