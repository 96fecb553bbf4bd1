//! Electric cards: issued to drivers by a property, and recharged.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::card_product::{CardKind, ISSUED_TO, IssuedTo, KIND, MOST_FEN, stations};
use crate::codes::{Code, codes};
use crate::describe::{Action, As, Column, Fact, Field, Input};
use crate::fixed::Fen;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::system::node;
use crate::text::{Text, t};

codes! {
    /// Why what is on a card changed.
    pub enum CardMovementKind {
        Issue = "card_issue", Primary, "发卡", "Issued";
        Recharge = "card_recharge", Success, "充值", "Recharged";
    }
}

/// A card.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CardRow {
    /// Id.
    pub id: Uuid,
    /// The platform's own number.
    #[schema(example = "K10000001")]
    pub code: String,
    /// The number that readers of AC chargers and e-bike devices tell.
    #[schema(example = "8800001")]
    pub card_no: Option<String>,
    /// The chip's own number, which DC chargers tell.
    #[schema(example = "04A1B2C3")]
    pub chip_uid: Option<String>,
    /// The product that it was issued as.
    pub product_id: Uuid,
    /// That product's name.
    #[schema(example = "滨江充电卡 500")]
    pub product_name: String,
    /// What it is.
    pub kind: CardKind,
    /// Whom it was issued to.
    pub issued_to: IssuedTo,
    /// The driver who uses it.
    pub driver_id: Uuid,
    /// That driver's telephone.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// The name that it was issued to.
    #[schema(example = "林晓")]
    pub holder: String,
    /// The collective that paid for it.
    pub collective_id: Option<Uuid>,
    /// That collective's name.
    pub collective_name: Option<String>,
    /// The provider.
    pub provider_id: Uuid,
    /// That provider's name.
    pub provider_name: String,
    /// The property that issued it.
    pub property_id: Uuid,
    /// That property's name.
    pub property_name: String,
    /// What it cost.
    #[schema(example = 45_000)]
    pub price_fen: Fen,
    /// What was on it when it was new.
    #[schema(example = 50_000)]
    pub face_fen: Fen,
    /// What is on it now.
    #[schema(example = 50_000)]
    pub balance_fen: Fen,
    /// The part of that which was paid for.
    #[schema(example = 45_000)]
    pub principal_fen: Fen,
    /// The part of that which was given on top.
    #[schema(example = 5000)]
    pub bonus_fen: Fen,
    /// The names of the stations that take it; without any, all stations of the property do.
    pub stations: Vec<String>,
    /// For how many days from its issue it is taken; for ever without.
    pub valid_days: Option<i32>,
    /// The last day on which it is taken.
    pub expires_on: Option<NaiveDate>,
    /// Who issued it.
    #[schema(example = "陈晨")]
    pub issued_by: String,
    /// Switched on: it is taken.
    pub enabled: bool,
    /// Version, for changing it.
    pub version: i64,
    /// When it was issued.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Row for CardRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What is filled in to issue a card. Only its two numbers can be changed afterwards.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CardForm {
    /// Whom it is issued to, as the product says.
    pub issued_to: IssuedTo,
    /// The product.
    pub product_id: Uuid,
    /// The collective whose account pays for it.
    pub collective_id: Option<Uuid>,
    /// The driver's telephone; who is not known yet becomes a driver by it.
    #[schema(example = "13800000001")]
    pub phone: String,
    /// The driver's name.
    #[schema(example = "林晓")]
    pub holder: String,
    /// The number that readers of AC chargers and e-bike devices tell.
    pub card_no: Option<String>,
    /// The chip's own number, which DC chargers tell.
    pub chip_uid: Option<String>,
    /// For how many days it is taken; for ever without.
    pub valid_days: Option<i32>,
}

impl Form for CardForm {}

/// How cards are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct CardFilter {
    /// Part of one of its numbers.
    pub number: Option<String>,
    /// Part of the product's name.
    pub product: Option<String>,
    /// The driver's telephone.
    pub phone: Option<String>,
    /// What it is.
    pub kind: Option<CardKind>,
    /// Whom it was issued to.
    pub issued_to: Option<IssuedTo>,
    /// The collective that paid for it.
    pub collective_id: Option<Uuid>,
    /// The driver who uses it.
    pub driver_id: Option<Uuid>,
    /// The provider.
    pub provider_id: Option<Uuid>,
    /// The property that issued it.
    pub property_id: Option<Uuid>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// What the number of a card can have at most (6/1). Cards of earlier days may have longer ones.
const NUMBER: usize = 16;

/// Cards (卡管理).
pub struct Cards;

impl Resource for Cards {
    const PATH: &'static str = "members/cards";
    const ONE: &'static str = "Card";
    const MANY: &'static str = "Cards";
    const TITLE: Text = t("卡管理", "Cards");
    const PERMISSION: &'static str = "member.card";
    const NAME: &'static str = "code";
    type Row = CardRow;
    type Detail = CardRow;
    type Filter = CardFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("code", t("卡号", "Code"), As::Text).sorted(),
        Column::new("card_no", t("实体卡号", "Card number"), As::Text),
        Column::new("chip_uid", t("物理卡号", "Chip number"), As::Text).detail_only(),
        Column::new("product", t("电卡名称", "Product"), As::Text).at("product_name"),
        Column::new("kind", t("电卡类型", "Kind"), As::Code(CardKind::CHOICES)),
        Column::new("issued_to", t("发行类型", "Issued to"), As::Code(IssuedTo::CHOICES)),
        Column::new("phone", t("手机号", "Phone"), As::Text),
        Column::new("holder", t("姓名", "Name"), As::Text),
        Column::new("collective", t("集体户", "Collective"), As::Text).at("collective_name"),
        Column::new("balance", t("余额(元)", "Balance (yuan)"), As::Fen).at("balance_fen"),
        Column::new("principal", t("其中本金(元)", "Paid for (yuan)"), As::Fen).at("principal_fen").detail_only(),
        Column::new("bonus", t("其中赠送(元)", "Given on top (yuan)"), As::Fen).at("bonus_fen").detail_only(),
        Column::new("face", t("面值(元)", "Face value (yuan)"), As::Fen).at("face_fen"),
        Column::new("price", t("售价(元)", "Price (yuan)"), As::Fen).at("price_fen").detail_only(),
        Column::new("provider", t("服务商", "Provider"), As::Text).at("provider_name").detail_only(),
        Column::new("property", t("集团物业", "Property"), As::Text).at("property_name"),
        Column::new("stations", t("适用电站", "Stations"), As::Made(stations)).detail_only(),
        Column::new("expires_on", t("有效期至", "Valid until"), As::Text),
        Column::new("issued_by", t("创建人", "Issued by"), As::Text).detail_only(),
        Column::new("enabled", t("状态", "State"), As::Enabled),
        Column::new("id", t("发卡时间", "Issued"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("number", t("卡号", "Number"), Input::Text(32)),
        Field::new("product", t("电卡名称", "Product"), Input::Text(50)),
        Field::new("phone", t("手机号", "Phone"), Input::Text(11)),
        KIND,
        ISSUED_TO,
        ENABLED,
        node::OF_PROVIDER,
        node::OF_PROPERTY,
        node::OF_COLLECTIVE,
    ];
    const VERBS: &'static [Verb] = &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export];
    const ACTIONS: &'static [Action] = &[Action::new("recharge", t("充值", "Recharge"))
        .done(t("充值成功", "Recharged"))
        .fields(RECHARGE)
        .facts(&[
            Fact::new("holder", t("姓名", "Name"), As::Text),
            Fact::new("phone", t("手机号", "Phone"), As::Text),
            Fact::new("product_name", t("电卡名称", "Product"), As::Text),
            Fact::new("balance_fen", t("余额(元)", "Balance (yuan)"), As::Fen),
        ])
        .keyed()];
}

impl Editable for Cards {
    type Form = CardForm;
    const FIELDS: &'static [Field] = &[
        ISSUED_TO.required().fixed(),
        Field::new("product_id", t("电卡产品", "Product"), Input::Lookup("members/card-products"))
            .required()
            .fixed()
            .within("issued_to"),
        Field::new("collective_id", t("集体户", "Collective"), Input::Lookup("members/collectives"))
            .fixed()
            .only("issued_to", &["collective"])
            .help(t("从集体户账户余额扣除售价", "Its account is charged with the price")),
        Field::new("phone", t("手机号", "Phone"), Input::Mobile).required().fixed(),
        Field::new("holder", t("姓名", "Name"), Input::Text(30)).required().fixed(),
        Field::new("card_no", t("实体卡号", "Card number"), Input::Text(NUMBER))
            .help(t("用于汽车交流桩和单车刷卡设备", "For AC chargers and e-bike devices")),
        Field::new("chip_uid", t("物理卡号", "Chip number"), Input::Text(NUMBER))
            .help(t("IC 卡自身的卡号，用于直流桩", "The chip's own, for DC chargers")),
        Field::new("valid_days", t("有效天数", "Valid for days"), Input::Int { min: 1, max: 3650 })
            .fixed()
            .help(t("不填则长期有效", "For ever without")),
    ];
    const KEYED: bool = true;

    fn form(it: &CardRow) -> CardForm {
        let it = it.clone();
        CardForm {
            issued_to: it.issued_to,
            product_id: it.product_id,
            collective_id: it.collective_id,
            phone: it.phone,
            holder: it.holder,
            card_no: it.card_no,
            chip_uid: it.chip_uid,
            valid_days: it.valid_days,
        }
    }

    fn version(it: &CardRow) -> i64 {
        it.version
    }
}

/// How much a card or an account is recharged with.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct RechargeForm {
    /// How much was paid, in fen.
    #[schema(example = 10_000)]
    pub amount_fen: Fen,
}

impl Form for RechargeForm {}

/// How it is filled in.
pub const RECHARGE: &[Field] =
    &[Field::new("amount_fen", t("充值金额(元)", "Amount (yuan)"), Input::Fen { min: 1, max: MOST_FEN }).required()];

/// Something that changed what is on a card.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CardMovement {
    /// The transaction in the ledger.
    pub id: Uuid,
    /// What happened.
    #[schema(example = "card_recharge")]
    pub kind: String,
    /// By how much the part that was paid for grew; shrank below zero.
    #[schema(example = 10_000)]
    pub principal_fen: Fen,
    /// By how much the part that was given on top grew; shrank below zero.
    #[schema(example = 500)]
    pub bonus_fen: Fen,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Row for CardMovement {
    fn id(&self) -> Uuid {
        self.id
    }
}
