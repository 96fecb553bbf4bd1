//! Providers: those who have the customers, and the merchant accounts that are paid.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::{Code, codes};
use crate::describe::{Action, As, Column, Fact, Field, Input};
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::{ENABLED, Review};
use crate::text::{Text, t};
use crate::user::UserKind;

codes! {
    /// What kind of merchant a provider is (商户类型).
    pub enum MerchantType {
        Provider = "provider", Primary, "服务商", "Provider";
        SubMerchant = "sub_merchant", Info, "子商户", "Sub-merchant";
    }
}

/// A provider, with what lies below it counted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProviderRow {
    /// Id.
    pub id: Uuid,
    /// Name.
    #[schema(example = "云栖充电")]
    pub name: String,
    /// A provider of its own, or one that belongs to another.
    pub merchant_type: MerchantType,
    /// The provider that a sub-merchant belongs to.
    pub parent_id: Option<Uuid>,
    /// That provider's name.
    pub parent_name: Option<String>,
    /// Whom to ask.
    #[schema(example = "陈晨")]
    pub contact: String,
    /// Their mobile number; the name of the login account.
    #[schema(example = "13900000001")]
    pub phone: String,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Whether it was looked at and agreed to.
    pub review: Review,
    /// Why it was rejected.
    pub review_note: Option<String>,
    /// Switched on: something new can be made below it.
    pub enabled: bool,
    /// Properties below it.
    pub properties: i64,
    /// Stations below it.
    pub stations: i64,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// The first password of the login account: only in the answer to the approval, and to be changed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_password: Option<String>,
}

impl Row for ProviderRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What the platform fills in for a provider.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProviderForm {
    /// The provider that it belongs to, which makes it a sub-merchant. Cannot be changed.
    pub parent_id: Option<Uuid>,
    /// Name.
    #[schema(example = "云栖充电")]
    pub name: String,
    /// Whom to ask.
    pub contact: String,
    /// Their mobile number: the name of the login account. Cannot be changed.
    pub phone: String,
    /// Their e-mail address.
    pub email: Option<String>,
}

impl Form for ProviderForm {}

/// How providers are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct ProviderFilter {
    /// Part of the name.
    pub name: Option<String>,
    /// Part of the mobile number.
    pub phone: Option<String>,
    /// Providers of their own, or those that belong to another.
    pub merchant_type: Option<MerchantType>,
    /// The sub-merchants of this provider.
    pub parent_id: Option<Uuid>,
    /// Whether it was looked at and agreed to.
    pub review: Option<Review>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Providers.
pub struct Providers;

impl Resource for Providers {
    const PATH: &'static str = "system/providers";
    const ONE: &'static str = "Provider";
    const MANY: &'static str = "Providers";
    const TITLE: Text = t("服务商", "Providers");
    const PERMISSION: &'static str = "system.provider";
    type Row = ProviderRow;
    type Detail = ProviderRow;
    type Filter = ProviderFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("name", t("服务商名称", "Name"), As::Text).sorted(),
        Column::new("merchant_type", t("商户类型", "Merchant type"), As::Code(MerchantType::CHOICES)),
        Column::new("parent", t("所属服务商", "Belongs to"), As::Text).at("parent_name"),
        Column::new("contact", t("联系人", "Contact"), As::Text),
        Column::new("phone", t("手机号码", "Mobile"), As::Text),
        Column::new("email", t("邮箱", "E-mail"), As::Text),
        Column::new("properties", t("物业", "Properties"), As::Number),
        Column::new("stations", t("电站", "Stations"), As::Number),
        Column::new("review", t("审核状态", "Review"), As::Code(Review::CHOICES)),
        Column::new("review_note", t("驳回原因", "Reason"), As::Text).detail_only(),
        Column::new("enabled", t("状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("name", t("服务商名称", "Name"), Input::Text(50)),
        Field::new("phone", t("手机号码", "Mobile"), Input::Text(11)),
        Field::new("merchant_type", t("商户类型", "Merchant type"), Input::Choice(MerchantType::CHOICES)),
        Field::new("review", t("审核状态", "Review"), Input::Choice(Review::CHOICES)),
        ENABLED,
    ];
    const VERBS: &'static [Verb] =
        &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export, Verb::Import];
    const ACTIONS: &'static [Action] = &[
        Action::new("approve", t("审核通过", "Approve"))
            .done(t("已审核通过", "Approved"))
            .confirm(t(
                "将以手机号码为账号生成登录账号，初始密码只显示一次。",
                "A login account named by the mobile number is opened; its first password is shown once.",
            ))
            .when(|it| it["review"] == "pending"),
        Action::new("reject", t("驳回", "Reject"))
            .done(t("已驳回", "Rejected"))
            .fields(&[Field::new("note", t("驳回原因", "Reason"), Input::Area(200)).required()])
            .facts(&[
                Fact::new("contact", t("联系人", "Contact"), As::Text),
                Fact::new("phone", t("手机号码", "Mobile"), As::Text),
            ])
            .when(|it| it["review"] == "pending")
            .danger(),
    ];
    const KINDS: &'static [UserKind] = &[UserKind::Platform];
}

impl Editable for Providers {
    type Form = ProviderForm;
    const FIELDS: &'static [Field] = &[
        Field::new("parent_id", t("所属服务商", "Belongs to"), Input::Lookup("system/providers")).fixed().help(t(
            "选择后为该服务商的子商户，不能修改",
            "Makes it a sub-merchant of that provider; cannot be changed",
        )),
        Field::new("name", t("服务商名称", "Name"), Input::Text(50)).required(),
        Field::new("contact", t("联系人", "Contact"), Input::Text(30)).required(),
        Field::new("phone", t("手机号码", "Mobile"), Input::Mobile)
            .required()
            .fixed()
            .help(t("将作为登录账号，不能修改", "Becomes the login account; cannot be changed")),
        Field::new("email", t("邮箱", "E-mail"), Input::Email),
    ];

    fn form(it: &ProviderRow) -> ProviderForm {
        let it = it.clone();
        ProviderForm { parent_id: it.parent_id, name: it.name, contact: it.contact, phone: it.phone, email: it.email }
    }

    fn version(it: &ProviderRow) -> i64 {
        it.version
    }
}
