//! Collectives: group accounts below a property, which pay for their members' cards.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::card::RECHARGE;
use crate::codes::Tone;
use crate::describe::{Action, As, Cell, Column, Fact, Field, Input};
use crate::fixed::Fen;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::system::node;
use crate::text::{Text, t};

/// A collective.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CollectiveRow {
    /// Id.
    pub id: Uuid,
    /// Its provider.
    pub provider_id: Uuid,
    /// That provider's name.
    pub provider_name: String,
    /// The property that it belongs to.
    pub property_id: Uuid,
    /// That property's name.
    pub property_name: String,
    /// Name.
    #[schema(example = "滨江物流车队")]
    pub name: String,
    /// The firm's e-mail address.
    pub email: Option<String>,
    /// Whom to ask.
    #[schema(example = "周洁")]
    pub contact: String,
    /// Their telephone.
    #[schema(example = "13900000009")]
    pub phone: String,
    /// Street and number.
    pub address: Option<String>,
    /// A note.
    pub note: Option<String>,
    /// Switched on: cards can be issued to it, and users and roles added.
    pub enabled: bool,
    /// Users at it.
    pub users: i64,
    /// What is on its account.
    #[schema(example = 100_000)]
    pub balance_fen: Fen,
    /// Its account is locked: no card is paid for by it.
    pub locked: bool,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Row for CollectiveRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// Whether the account pays for cards.
fn account(row: &Value) -> Cell {
    if row["locked"] == true {
        Cell::Tag(t("已锁定", "Locked"), Tone::Danger)
    } else {
        Cell::Tag(t("正常", "Open"), Tone::Success)
    }
}

/// What is filled in for a collective.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CollectiveForm {
    /// Its provider. Cannot be changed.
    pub provider_id: Uuid,
    /// The property that it belongs to. Cannot be changed.
    pub property_id: Uuid,
    /// Name, unique at its property.
    #[schema(example = "滨江物流车队")]
    pub name: String,
    /// The firm's e-mail address.
    pub email: Option<String>,
    /// Whom to ask.
    #[schema(example = "周洁")]
    pub contact: String,
    /// Their telephone.
    pub phone: String,
    /// Street and number.
    pub address: Option<String>,
    /// A note.
    pub note: Option<String>,
}

impl Form for CollectiveForm {}

/// How collectives are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct CollectiveFilter {
    /// The provider.
    pub provider_id: Option<Uuid>,
    /// The property.
    pub property_id: Option<Uuid>,
    /// Part of the name.
    pub name: Option<String>,
    /// Part of the contact's telephone.
    pub phone: Option<String>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Collectives (集体户).
pub struct Collectives;

impl Resource for Collectives {
    const PATH: &'static str = "members/collectives";
    const ONE: &'static str = "Collective";
    const MANY: &'static str = "Collectives";
    const TITLE: Text = t("集体户", "Collectives");
    const PERMISSION: &'static str = "member.collective";
    type Row = CollectiveRow;
    type Detail = CollectiveRow;
    type Filter = CollectiveFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("name", t("集体户名称", "Name"), As::Text).sorted(),
        Column::new("provider", t("服务商", "Provider"), As::Text).at("provider_name"),
        Column::new("property", t("集团物业", "Property"), As::Text).at("property_name"),
        Column::new("contact", t("联系人姓名", "Contact"), As::Text),
        Column::new("phone", t("联系人电话", "Telephone"), As::Text),
        Column::new("email", t("公司邮箱", "E-mail"), As::Text).detail_only(),
        Column::new("address", t("地址", "Address"), As::Text).detail_only(),
        Column::new("note", t("备注", "Note"), As::Text).detail_only(),
        Column::new("balance", t("账户余额(元)", "Balance (yuan)"), As::Fen).at("balance_fen"),
        Column::new("locked", t("电卡账户状态", "Account"), As::Made(account)),
        Column::new("users", t("用户", "Users"), As::Number),
        Column::new("enabled", t("状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        node::OF_PROVIDER,
        node::OF_PROPERTY,
        Field::new("name", t("集体户名称", "Name"), Input::Text(50)),
        Field::new("phone", t("联系人电话", "Telephone"), Input::Text(20)),
        ENABLED,
    ];
    const VERBS: &'static [Verb] =
        &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export, Verb::Import];
    const ACTIONS: &'static [Action] = &[
        Action::new("recharge", t("电卡账户充值", "Recharge the account"))
            .done(t("充值成功", "Recharged"))
            .fields(RECHARGE)
            .facts(&[
                Fact::new("property_name", t("集团物业", "Property"), As::Text),
                Fact::new("balance_fen", t("账户余额(元)", "Balance (yuan)"), As::Fen),
            ])
            .keyed(),
        Action::new("lock", t("锁定账户", "Lock the account"))
            .confirm(t("锁定后集体户无法发卡。", "No card is issued to the collective until it is unlocked."))
            .when(|it| it["locked"] == false)
            .danger(),
        Action::new("unlock", t("解锁账户", "Unlock the account")).when(|it| it["locked"] == true),
    ];
}

impl Editable for Collectives {
    type Form = CollectiveForm;
    const FIELDS: &'static [Field] = &[
        node::OF_PROVIDER.fixed().required(),
        node::OF_PROPERTY.fixed().required(),
        Field::new("name", t("集体户名称", "Name"), Input::Text(50)).required(),
        Field::new("email", t("公司邮箱", "E-mail"), Input::Email),
        Field::new("contact", t("联系人姓名", "Contact"), Input::Text(30)).required(),
        Field::new("phone", t("联系人电话", "Telephone"), Input::Phone).required(),
        Field::new("address", t("地址", "Address"), Input::Text(100)),
        Field::new("note", t("备注", "Note"), Input::Area(200)),
    ];

    fn form(it: &CollectiveRow) -> CollectiveForm {
        let it = it.clone();
        CollectiveForm {
            provider_id: it.provider_id,
            property_id: it.property_id,
            name: it.name,
            email: it.email,
            contact: it.contact,
            phone: it.phone,
            address: it.address,
            note: it.note,
        }
    }

    fn version(it: &CollectiveRow) -> i64 {
        it.version
    }
}
