//! Sessions: who is logged in to the console now, from where, and since when.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::node;
use crate::agent::program;
use crate::codes::Code;
use crate::describe::{Action, As, Column, Field, Input};
use crate::resource::{Resource, Row, Verb};
use crate::text::{Text, t};
use crate::user::UserKind;

/// A login that has not ended.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionRow {
    /// Id: it stays the same as long as the login lasts.
    pub id: Uuid,
    /// Who.
    pub user_id: Uuid,
    /// The account's name.
    #[schema(example = "chenchen")]
    pub username: String,
    /// The person's name.
    #[schema(example = "陈晨")]
    pub user_name: String,
    /// What kind of node they sit at.
    pub kind: UserKind,
    /// Their provider's name.
    pub provider_name: Option<String>,
    /// Their property's name.
    pub property_name: Option<String>,
    /// From where they were last seen.
    #[schema(example = "203.0.113.7")]
    pub ip: String,
    /// With which program.
    pub agent: String,
    /// When they logged in.
    pub started_at: DateTime<Utc>,
    /// When they were last given a token: within the time that an access token lives, they were there.
    pub seen_at: DateTime<Utc>,
    /// When it ends unless they come back.
    pub expires_at: DateTime<Utc>,
}

impl Row for SessionRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// How sessions are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct SessionFilter {
    /// Part of the account's name.
    pub username: Option<String>,
    /// One user.
    pub user_id: Option<Uuid>,
    /// From where.
    pub ip: Option<String>,
    /// What kind of node they sit at.
    pub kind: Option<UserKind>,
    /// Their provider.
    pub provider_id: Option<Uuid>,
    /// Their property.
    pub property_id: Option<Uuid>,
}

/// Sessions (在线用户).
pub struct Sessions;

impl Resource for Sessions {
    const PATH: &'static str = "system/sessions";
    const ONE: &'static str = "Session";
    const MANY: &'static str = "Sessions";
    const TITLE: Text = t("在线用户", "Online users");
    const PERMISSION: &'static str = "system.session";
    const NAME: &'static str = "user_name";
    type Row = SessionRow;
    type Detail = SessionRow;
    type Filter = SessionFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("username", t("登录账号", "Account"), As::Text),
        Column::new("user", t("用户名称", "Name"), As::Text).at("user_name"),
        Column::new("kind", t("用户类型", "Kind"), As::Code(UserKind::CHOICES)),
        Column::new("provider", t("服务商", "Provider"), As::Text).at("provider_name"),
        Column::new("property", t("集团物业", "Property"), As::Text).at("property_name"),
        Column::new("ip", t("地址", "Address"), As::Text),
        Column::new("agent", t("客户端", "Program"), As::Words(|it, _| program(it))),
        Column::new("id", t("登录时间", "Logged in"), As::Time).at("started_at").sorted(),
        Column::new("seen_at", t("最近活动", "Last seen"), As::Time),
        Column::new("expires_at", t("失效时间", "Ends"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("username", t("登录账号", "Account"), Input::Text(32)),
        Field::new("ip", t("地址", "Address"), Input::Text(45)),
        Field::new("kind", t("用户类型", "Kind"), Input::Choice(UserKind::CHOICES)),
        node::OF_PROVIDER,
        node::OF_PROPERTY,
    ];
    const VERBS: &'static [Verb] = &[Verb::View];
    const ACTIONS: &'static [Action] = &[Action::new("end", t("强制下线", "Log out"))
        .done(t("已强制下线", "Logged out"))
        .confirm(t("该用户的这次登录会立即失效。", "This login of the user ends at once."))
        .danger()];
}
