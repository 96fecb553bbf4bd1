//! Drivers as staff sees them: everyone who uses the mini-program.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::car_order::CarOrderRow;
use crate::codes::{Code, codes};
use crate::describe::{Action, As, Column, Field, Input};
use crate::fixed::Fen;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::system::node;
use crate::text::{Text, t};

codes! {
    /// Whether somebody is a man or a woman (性别).
    pub enum Gender {
        Male = "male", Info, "男", "Male";
        Female = "female", Info, "女", "Female";
        Unknown = "unknown", Info, "未知", "Unknown";
    }
}

/// A driver, with what they have done where the caller may look.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverRow {
    /// Id.
    pub id: Uuid,
    /// Their telephone.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// What they call themselves.
    pub nickname: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Whether they are a man or a woman.
    pub gender: Gender,
    /// Their plate.
    #[schema(example = "浙A12345")]
    pub plate: Option<String>,
    /// Somebody has looked at their papers, so that they may reserve.
    pub certified: bool,
    /// Switched on.
    pub enabled: bool,
    /// How often they have charged.
    pub orders: i64,
    /// When they began to charge last.
    pub last_charge_at: Option<DateTime<Utc>>,
    /// When they were last in the mini-program.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// Version, for changing them.
    pub version: i64,
    /// Since when they are here.
    pub created_at: DateTime<Utc>,
}

impl Row for DriverRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// A driver with what they have spent and done last.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverDetail {
    /// The driver.
    #[serde(flatten)]
    pub row: DriverRow,
    /// What their charges cost in all, in fen, before refunds that staff has made.
    #[schema(example = 33_450)]
    pub charged_fen: Fen,
    /// Their last five orders, the newest first.
    pub latest: Vec<CarOrderRow>,
}

impl Row for DriverDetail {
    fn id(&self) -> Uuid {
        self.row.id
    }
}

/// Search conditions for drivers.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(default)]
pub struct DriverFilter {
    /// Their telephone, or how it begins or ends.
    pub phone: Option<String>,
    /// Their plate, or how it begins or ends.
    pub plate: Option<String>,
    /// Uses a card of this collective.
    pub collective_id: Option<Uuid>,
    /// Has charged at a station of this provider.
    pub provider_id: Option<Uuid>,
    /// Has charged at a station of this property.
    pub property_id: Option<Uuid>,
}

/// What of a telephone or a plate finds a driver.
pub const PART: Text = t("完整号码、前几位或尾号", "All of it, how it begins, or how it ends");

/// Drivers (车主管理). Staff of a tenant sees those who have charged at its stations; as they are nobody's, the platform alone
/// changes them.
pub struct Drivers;

impl Resource for Drivers {
    const PATH: &'static str = "members/drivers";
    const ONE: &'static str = "Driver";
    const MANY: &'static str = "Drivers";
    const TITLE: Text = t("车主管理", "Drivers");
    const PERMISSION: &'static str = "member.driver";
    const NAME: &'static str = "phone";
    type Row = DriverRow;
    type Detail = DriverDetail;
    type Filter = DriverFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("phone", t("手机号", "Phone"), As::Text),
        Column::new("nickname", t("昵称", "Nickname"), As::Text),
        Column::new("name", t("姓名", "Name"), As::Text),
        Column::new("gender", t("性别", "Gender"), As::Code(Gender::CHOICES)).detail_only(),
        Column::new("plate", t("车牌号", "Plate"), As::Text),
        Column::new("certified", t("认证状态", "Certified"), As::Flag),
        Column::new("orders", t("充电次数", "Charges"), As::Number),
        Column::new("last_charge_at", t("最近充电", "Last charge"), As::Time),
        Column::new("last_seen_at", t("最近登录", "Last login"), As::Time).detail_only(),
        Column::new("enabled", t("状态", "State"), As::Enabled),
        Column::new("id", t("注册时间", "Here since"), As::Time).at("created_at").sorted(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("phone", t("手机号", "Phone"), Input::Text(20)).help(PART),
        Field::new("plate", t("车牌号", "Plate"), Input::Text(12)).help(PART),
        Field::new("provider_id", t("服务商", "Provider"), Input::Lookup("system/providers")),
        Field::new("property_id", t("集团物业", "Property"), Input::Lookup("system/properties")).within("provider_id"),
        node::OF_COLLECTIVE,
    ];
    const VERBS: &'static [Verb] = &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable];
    const ACTIONS: &'static [Action] =
        &[Action::new("certify", t("认证", "Certify")).when(|it| it["certified"] == false).confirm(t(
            "请核对姓名和车牌号。认证通过后，该车主可以在小程序预约充电。",
            "Please check name and plate. Certified drivers can reserve connectors in the mini-program.",
        ))];
}

/// What staff fills in about a driver.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DriverForm {
    /// Their telephone, by which they log in.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// What they call themselves.
    pub nickname: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Whether they are a man or a woman.
    pub gender: Gender,
    /// Their plate.
    #[schema(example = "浙A12345")]
    pub plate: Option<String>,
}

impl Form for DriverForm {}

impl Editable for Drivers {
    type Form = DriverForm;
    const FIELDS: &'static [Field] = &[
        Field::new("phone", t("手机号", "Phone"), Input::Mobile)
            .required()
            .help(t("车主用它登录小程序", "The driver logs in to the mini-program by it")),
        Field::new("nickname", t("昵称", "Nickname"), Input::Text(30)),
        Field::new("name", t("姓名", "Name"), Input::Text(30)),
        Field::new("gender", t("性别", "Gender"), Input::Choice(Gender::CHOICES)).required(),
        Field::new("plate", t("车牌号", "Plate"), Input::Plate)
            .help(t("修改姓名或车牌号后需要重新认证", "A driver whose name or plate changes is to be certified anew")),
    ];

    fn form(it: &DriverDetail) -> DriverForm {
        let it = it.row.clone();
        DriverForm { phone: it.phone, nickname: it.nickname, name: it.name, gender: it.gender, plate: it.plate }
    }

    fn version(it: &DriverDetail) -> i64 {
        it.row.version
    }
}
