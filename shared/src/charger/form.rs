//! What staff fill in for a charger.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{CarChargerDetail, CarChargers, Communication, CurrentType, Interface, Mounting, PASSWORD, Speed};
use crate::codes::Code;
use crate::describe::{Field, Input};
use crate::problem::FieldError;
use crate::resource::{Editable, Form};
use crate::station::Nature;
use crate::text::{Lang, t};

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
    /// How many connectors it has; they are made with it. More can be added later, and those removed that were never used.
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
    /// The password that it logs in with, 8 to 40 characters; without one, one is made up and told in the answer. Later it
    /// is changed by `set-password`.
    #[schema(example = "0011223344556677889900112233445566")]
    pub password: Option<String>,
}

/// What is wrong with a password of a charger, if anything is.
pub fn password_error(password: &str, lang: Lang) -> Option<FieldError> {
    let text = t("应为 8 到 40 个字符", "8 to 40 characters");
    (!(8..=40).contains(&password.chars().count())).then(|| FieldError::new("password", "range", text.get(lang)))
}

impl Form for CarChargerForm {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        // What a device may be called in the address that it connects to.
        let fits = |it: char| it.is_ascii_alphanumeric() || "_-.:*+|@= ".contains(it);
        let text = t("只能使用字母、数字和 _-.:*+|@= 及空格", "Letters, digits, spaces and _-.:*+|@= only");
        let serial_no = FieldError::new("serial_no", "format", text.get(lang));
        let wrong = (!self.serial_no.chars().all(fits)).then_some(serial_no);
        wrong.into_iter().chain(self.password.as_ref().and_then(|it| password_error(it, lang))).collect()
    }
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
        Field::new("connectors", t("电枪数量", "Connectors"), Input::Int { min: 1, max: 20 })
            .required()
            .at("connectors/total"),
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
        PASSWORD.fixed().help(t(
            "8 到 40 个字符，用于 OCPP 接入（AuthorizationKey）；留空则自动生成，只显示一次",
            "8 to 40 characters, for logging in (AuthorizationKey); made up when left empty, and shown once",
        )),
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
            // Nobody knows it any more.
            password: None,
        }
    }

    fn version(it: &CarChargerDetail) -> i64 {
        it.row.version
    }
}
