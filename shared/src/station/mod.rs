//! Stations: the places where cars or e-bikes charge.

pub mod bike;
pub mod car;

use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::codes::{Code, codes};
use crate::describe::{Action, As, Fact, Field, Input};
use crate::invoice::Seller;
use crate::resource::Verb;
use crate::text::t;

codes! {
    /// What a station is for (运营性质).
    pub enum Nature {
        Public = "public", Primary, "公共", "Public";
        Dedicated = "dedicated", Info, "专用", "Dedicated";
        Private = "private", Info, "私人", "Private";
    }
    /// Whether somebody has looked at it and agreed (审核状态).
    pub enum Review {
        Pending = "pending", Warning, "待审核", "Pending";
        Approved = "approved", Success, "审核通过", "Approved";
        Rejected = "rejected", Danger, "已驳回", "Rejected";
    }
}

/// How stations are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct StationFilter {
    /// Part of the name.
    pub name: Option<String>,
    /// Of this provider.
    pub provider_id: Option<Uuid>,
    /// Of this property.
    pub property_id: Option<Uuid>,
    /// Review state.
    pub review: Option<Review>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Switched on or off, as a search condition.
pub const ENABLED: Field = Field::new("enabled", t("状态", "State"), Input::Switch);

/// How the search conditions are entered.
const FILTERS: &[Field] = &[
    Field::new("name", t("电站名称", "Name"), Input::Text(50)),
    Field::new("review", t("审核状态", "Review"), Input::Choice(Review::CHOICES)),
    ENABLED,
    Field::new("provider_id", t("服务商", "Provider"), Input::Lookup("system/providers")),
    Field::new("property_id", t("集团物业", "Property"), Input::Lookup("system/properties")).within("provider_id"),
];

/// What can be done with stations.
const VERBS: &[Verb] =
    &[Verb::View, Verb::Create, Verb::Update, Verb::Enable, Verb::Disable, Verb::Export, Verb::Import];

/// Whose station a form is about.
const OWNER: &[Fact] = &[
    Fact::new("provider_name", t("服务商", "Provider"), As::Text),
    Fact::new("property_name", t("集团物业", "Property"), As::Text),
];

/// A station is reviewed before it can be switched on, and needs a seller before its orders can be invoiced.
const ACTIONS: &[Action] = &[
    Action::new("approve", t("审核通过", "Approve"))
        .done(t("已审核通过", "Approved"))
        .confirm(t("审核通过后电站可以启用。", "Once approved the station can be enabled."))
        .when(|it| it["review"] == "pending"),
    Action::new("reject", t("驳回", "Reject"))
        .done(t("已驳回", "Rejected"))
        .fields(&[Field::new("note", t("驳回原因", "Reason"), Input::Area(200)).required()])
        .facts(OWNER)
        .when(|it| it["review"] == "pending")
        .danger(),
    Action::new("invoicing", t("发票配置", "Invoicing"))
        .done(t("发票配置已保存", "Invoicing saved"))
        .fields(Seller::FIELDS)
        .facts(OWNER),
];
