//! Card products: the kinds of electric cards that a property issues.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::{Code, codes};
use crate::describe::{As, Cell, Column, Field, Input};
use crate::fixed::Fen;
use crate::pricing::{RechargeTier, RechargeTiers};
use crate::problem::FieldError;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::system::node;
use crate::text::{Lang, Text, t};

codes! {
    /// What a card is (电卡类型).
    pub enum CardKind {
        Physical = "physical", Primary, "实体卡", "Physical";
        Virtual = "virtual", Info, "虚拟卡", "Virtual";
    }
    /// Whom cards are issued to, and so who pays for them (发行类型).
    pub enum IssuedTo {
        Person = "person", Primary, "个人", "Person";
        Collective = "collective", Warning, "集体户", "Collective";
    }
}

/// A card product.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CardProductRow {
    /// Id.
    pub id: Uuid,
    /// The provider.
    pub provider_id: Uuid,
    /// That provider's name.
    pub provider_name: String,
    /// The property that issues its cards.
    pub property_id: Uuid,
    /// That property's name.
    pub property_name: String,
    /// Name.
    #[schema(example = "滨江充电卡 500")]
    pub name: String,
    /// What its cards are.
    pub kind: CardKind,
    /// Whom its cards are issued to.
    pub issued_to: IssuedTo,
    /// What a card costs.
    #[schema(example = 45_000)]
    pub price_fen: Fen,
    /// What is on a new card.
    #[schema(example = 50_000)]
    pub face_fen: Fen,
    /// The car stations that take its cards.
    pub car_station_ids: Vec<Uuid>,
    /// The e-bike stations that take its cards.
    pub bike_station_ids: Vec<Uuid>,
    /// The names of all these stations; without any, all stations of the property take its cards.
    pub stations: Vec<String>,
    /// What is given on top of a recharge.
    pub tiers: RechargeTiers,
    /// Cards that were issued.
    pub cards: i64,
    /// Switched on: cards can be issued.
    pub enabled: bool,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl Row for CardProductRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What is given on top of a recharge, in words.
fn tiers(row: &Value) -> Cell {
    let fen = |it: &Value| it.as_i64().map(|it| Fen(it).yuan()).unwrap_or_default();
    let tiers = row["tiers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let said = |it: &Value, lang| match lang {
        Lang::Zh => format!("满 {} 送 {}", fen(&it["min_fen"]), fen(&it["bonus_fen"])),
        Lang::En => format!("{} on top of {}", fen(&it["bonus_fen"]), fen(&it["min_fen"])),
    };
    Cell::words(|lang| tiers.iter().map(|it| said(it, lang)).collect::<Vec<_>>().join(t("；", "; ").get(lang)))
}

/// What is filled in for a card product. Cards that were issued keep what it was like then.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CardProductForm {
    /// The provider. Cannot be changed.
    pub provider_id: Uuid,
    /// The property that issues its cards. Cannot be changed.
    pub property_id: Uuid,
    /// Name, unique at its property.
    #[schema(example = "滨江充电卡 500")]
    pub name: String,
    /// What its cards are.
    pub kind: CardKind,
    /// Whom its cards are issued to.
    pub issued_to: IssuedTo,
    /// What a card costs.
    #[schema(example = 45_000)]
    pub price_fen: Fen,
    /// What is on a new card.
    #[schema(example = 50_000)]
    pub face_fen: Fen,
    /// The car stations that take its cards.
    pub car_station_ids: Option<Vec<Uuid>>,
    /// The e-bike stations that take its cards; without any of either line all stations of the property do.
    pub bike_station_ids: Option<Vec<Uuid>>,
    /// What is given on top of a recharge: at most ten tiers, rising.
    pub tiers: Option<RechargeTiers>,
}

/// The most tiers of a product.
pub const MOST_TIERS: usize = 10;
/// The most that a card may cost or hold, or be recharged with at once.
pub const MOST_FEN: i64 = 10_000_000;

impl Form for CardProductForm {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        let tiers = self.tiers.as_ref().map(|it| it.0.as_slice()).unwrap_or_default();
        let wrong = |code: &str, text: Text| vec![FieldError::new("tiers", code, text.get(lang))];
        let whole = 1..=MOST_FEN;
        if tiers.len() > MOST_TIERS {
            return wrong("too_long", t("最多 10 档", "At most ten tiers"));
        }
        if tiers.iter().any(|it| !whole.contains(&it.min_fen.0) || !whole.contains(&it.bonus_fen.0)) {
            return wrong("range", t("金额应大于 0 且不超过 10 万元", "Amounts above zero, at most 100,000 yuan"));
        }
        let rising = |pair: &[RechargeTier]| matches!(pair, [a, b] if a.min_fen < b.min_fen);
        if !tiers.windows(2).all(rising) {
            return wrong("order", t("充值金额须逐档递增", "Each tier must begin above the one before"));
        }
        Vec::new()
    }
}

/// How card products are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct CardProductFilter {
    /// The provider.
    pub provider_id: Option<Uuid>,
    /// The property.
    pub property_id: Option<Uuid>,
    /// Part of the name.
    pub name: Option<String>,
    /// What the cards are.
    pub kind: Option<CardKind>,
    /// Whom they are issued to.
    pub issued_to: Option<IssuedTo>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Card products (电卡产品).
pub struct CardProducts;

impl Resource for CardProducts {
    const PATH: &'static str = "members/card-products";
    const ONE: &'static str = "CardProduct";
    const MANY: &'static str = "CardProducts";
    const TITLE: Text = t("电卡产品", "Card products");
    const PERMISSION: &'static str = "member.card_product";
    type Row = CardProductRow;
    type Detail = CardProductRow;
    type Filter = CardProductFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("name", t("产品名称", "Name"), As::Text).sorted(),
        Column::new("provider", t("服务商", "Provider"), As::Text).at("provider_name"),
        Column::new("property", t("集团物业", "Property"), As::Text).at("property_name"),
        Column::new("kind", t("电卡类型", "Kind"), As::Code(CardKind::CHOICES)),
        Column::new("issued_to", t("发行类型", "Issued to"), As::Code(IssuedTo::CHOICES)),
        Column::new("price", t("售价(元)", "Price (yuan)"), As::Fen).at("price_fen"),
        Column::new("face", t("面值(元)", "Face value (yuan)"), As::Fen).at("face_fen"),
        Column::new("stations", t("适用电站", "Stations"), As::List).detail_only(),
        Column::new("tiers", t("充值优惠", "On top of recharges"), As::Made(tiers)).detail_only(),
        Column::new("cards", t("已发电卡", "Cards"), As::Number),
        Column::new("enabled", t("状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("name", t("电卡名称", "Name"), Input::Text(50)),
        KIND,
        ISSUED_TO,
        ENABLED,
        node::OF_PROVIDER,
        node::OF_PROPERTY,
    ];
    const VERBS: &'static [Verb] = &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export];
}

/// What cards are.
pub const KIND: Field = Field::new("kind", t("电卡类型", "Kind"), Input::Choice(CardKind::CHOICES));
/// Whom cards are issued to.
pub const ISSUED_TO: Field = Field::new("issued_to", t("发行类型", "Issued to"), Input::Choice(IssuedTo::CHOICES));

impl Editable for CardProducts {
    type Form = CardProductForm;
    const FIELDS: &'static [Field] = &[
        node::OF_PROVIDER.fixed().required(),
        node::OF_PROPERTY.fixed().required(),
        Field::new("name", t("产品名称", "Name"), Input::Text(50)).required(),
        KIND.required(),
        ISSUED_TO.required(),
        Field::new("price_fen", t("售价(元)", "Price (yuan)"), Input::Fen { min: 0, max: MOST_FEN }).required(),
        Field::new("face_fen", t("面值(元)", "Face value (yuan)"), Input::Fen { min: 1, max: MOST_FEN })
            .required()
            .help(t("面值高于售价的部分为赠送金额", "What exceeds the price is given on top")),
        Field::new("car_station_ids", t("汽车电站", "Car stations"), Input::Lookups("car/stations"))
            .within("provider_id")
            .within("property_id")
            .help(t(
                "汽车与单车电站都不选，表示物业下的全部电站",
                "None of either line means all stations of the property",
            )),
        Field::new("bike_station_ids", t("单车电站", "E-bike stations"), Input::Lookups("bike/stations"))
            .within("provider_id")
            .within("property_id"),
        Field::new("tiers", t("充值优惠规则", "On top of recharges"), Input::Custom("tiers"))
            .help(t("按达到的最高一档赠送一次", "The best tier that a recharge reaches is given, once")),
    ];

    fn form(it: &CardProductRow) -> CardProductForm {
        let it = it.clone();
        CardProductForm {
            provider_id: it.provider_id,
            property_id: it.property_id,
            name: it.name,
            kind: it.kind,
            issued_to: it.issued_to,
            price_fen: it.price_fen,
            face_fen: it.face_fen,
            car_station_ids: Some(it.car_station_ids),
            bike_station_ids: Some(it.bike_station_ids),
            tiers: Some(it.tiers),
        }
    }

    fn version(it: &CardProductRow) -> i64 {
        it.version
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tiers_rise_within_limits() {
        let codes = |tiers: &[(i64, i64)]| {
            let tier = |(min, bonus): &(i64, i64)| RechargeTier { min_fen: Fen(*min), bonus_fen: Fen(*bonus) };
            let form = CardProductForm {
                provider_id: Uuid::nil(),
                property_id: Uuid::nil(),
                name: String::new(),
                kind: CardKind::Virtual,
                issued_to: IssuedTo::Person,
                price_fen: Fen(0),
                face_fen: Fen(1),
                car_station_ids: None,
                bike_station_ids: None,
                tiers: Some(RechargeTiers(tiers.iter().map(tier).collect())),
            };
            form.validate(Lang::En).into_iter().map(|it| it.code).collect::<Vec<_>>()
        };
        assert!(codes(&[]).is_empty());
        assert!(codes(&[(10_000, 500), (20_000, 1500)]).is_empty());
        assert_eq!(codes(&[(20_000, 1), (20_000, 2)]), ["order"]);
        assert_eq!(codes(&[(0, 1)]), ["range"]);
        assert_eq!(codes(&[(1, MOST_FEN + 1)]), ["range"]);
        assert_eq!(codes(&[(1, 1); 11]), ["too_long"]);
    }

    #[test]
    fn tiers_are_told_in_words() {
        let row = json!({"tiers": [{"min_fen": 10_000, "bonus_fen": 500}, {"min_fen": 20_000, "bonus_fen": 1550}]});
        assert_eq!(tiers(&row).plain(Lang::Zh), "满 100.00 送 5.00；满 200.00 送 15.50");
        assert_eq!(tiers(&json!({"tiers": []})), Cell::Empty);
    }
}
