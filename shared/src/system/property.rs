//! Properties: those who own the sites. Stations belong to them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::describe::{As, Column, Field, Input};
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::text::{Text, t};
use crate::user::UserKind;

/// A property, with what lies below it counted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PropertyRow {
    /// Id.
    pub id: Uuid,
    /// The provider that it belongs to.
    pub provider_id: Uuid,
    /// That provider's name.
    pub provider_name: String,
    /// Name.
    #[schema(example = "滨江物业")]
    pub name: String,
    /// Whom to ask.
    #[schema(example = "李蕾")]
    pub contact: String,
    /// Their mobile number; the name of the login account.
    #[schema(example = "13900000002")]
    pub phone: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Province.
    pub province: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Street and number.
    pub address: Option<String>,
    /// Switched on: something new can be made below it.
    pub enabled: bool,
    /// Stations below it.
    pub stations: i64,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The first password of the login account: only in the answer to the creation, and to be changed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_password: Option<String>,
}

impl Row for PropertyRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What is filled in for a property.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PropertyForm {
    /// The provider that it belongs to. Cannot be changed.
    pub provider_id: Uuid,
    /// Name.
    #[schema(example = "滨江物业")]
    pub name: String,
    /// Whom to ask.
    pub contact: String,
    /// Their mobile number: the name of the login account. Cannot be changed.
    pub phone: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Province.
    pub province: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Street and number.
    pub address: Option<String>,
}

impl Form for PropertyForm {}

/// How properties are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct PropertyFilter {
    /// The provider.
    pub provider_id: Option<Uuid>,
    /// Part of the name.
    pub name: Option<String>,
    /// Part of the mobile number.
    pub phone: Option<String>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Properties.
pub struct Properties;

impl Resource for Properties {
    const PATH: &'static str = "system/properties";
    const ONE: &'static str = "Property";
    const MANY: &'static str = "Properties";
    const TITLE: Text = t("集团物业", "Properties");
    const PERMISSION: &'static str = "system.property";
    type Row = PropertyRow;
    type Detail = PropertyRow;
    type Filter = PropertyFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("name", t("物业名称", "Name"), As::Text).sorted(),
        Column::new("provider", t("服务商", "Provider"), As::Text).at("provider_name"),
        Column::new("contact", t("联系人", "Contact"), As::Text),
        Column::new("phone", t("联系电话", "Mobile"), As::Text),
        Column::new("email", t("邮箱", "E-mail"), As::Text).detail_only(),
        Column::new("province", t("省份", "Province"), As::Text).detail_only(),
        Column::new("city", t("城市", "City"), As::Text),
        Column::new("address", t("地址", "Address"), As::Text).detail_only(),
        Column::new("stations", t("电站", "Stations"), As::Number),
        Column::new("enabled", t("物业状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("provider_id", t("服务商", "Provider"), Input::Lookup("system/providers")),
        Field::new("name", t("物业名称", "Name"), Input::Text(50)),
        Field::new("phone", t("手机号", "Mobile"), Input::Text(11)),
        ENABLED,
    ];
    const VERBS: &'static [Verb] =
        &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export, Verb::Import];
    const KINDS: &'static [UserKind] = &[UserKind::Platform, UserKind::Provider];
}

impl Editable for Properties {
    type Form = PropertyForm;
    const FIELDS: &'static [Field] = &[
        Field::new("provider_id", t("服务商", "Provider"), Input::Lookup("system/providers")).required().fixed(),
        Field::new("name", t("物业名称", "Name"), Input::Text(50)).required(),
        Field::new("contact", t("联系人", "Contact"), Input::Text(30)).required(),
        Field::new("phone", t("联系电话", "Mobile"), Input::Mobile)
            .required()
            .fixed()
            .help(t("将作为登录账号，不能修改", "Becomes the login account; cannot be changed")),
        Field::new("email", t("邮箱", "E-mail"), Input::Email),
        Field::new("province", t("省份", "Province"), Input::Text(20)),
        Field::new("city", t("城市", "City"), Input::Text(20)),
        Field::new("address", t("地址", "Address"), Input::Text(100)),
    ];

    fn form(it: &PropertyRow) -> PropertyForm {
        let it = it.clone();
        PropertyForm {
            provider_id: it.provider_id,
            name: it.name,
            contact: it.contact,
            phone: it.phone,
            email: it.email,
            province: it.province,
            city: it.city,
            address: it.address,
        }
    }

    fn version(it: &PropertyRow) -> i64 {
        it.version
    }
}
