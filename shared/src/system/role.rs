//! Roles: sets of permissions that users of one node can have.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::node::{self, Seat};
use crate::codes::Code;
use crate::describe::{Action, As, Column, Field, Input};
use crate::permission;
use crate::problem::FieldError;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::text::{Lang, Text, t};
use crate::user::UserKind;

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RoleRow {
    /// Id.
    pub id: Uuid,
    /// The kind of node that it belongs to.
    pub kind: UserKind,
    /// Its provider, below the platform.
    pub provider_id: Option<Uuid>,
    /// That provider's name.
    pub provider_name: Option<String>,
    /// Its property, below a provider.
    pub property_id: Option<Uuid>,
    /// That property's name.
    pub property_name: Option<String>,
    /// Its collective, below a property.
    pub collective_id: Option<Uuid>,
    /// That collective's name.
    pub collective_name: Option<String>,
    /// Name.
    #[schema(example = "场站运维")]
    pub name: String,
    /// What its users may do.
    pub permissions: Vec<String>,
    /// The node's own administrator: holds all that the kind may have, and stays as it is.
    pub builtin: bool,
    /// It counts, and can be given to users.
    pub enabled: bool,
    /// Users who have it.
    pub users: i64,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl RoleRow {
    /// Where it sits.
    pub fn seat(&self) -> Seat {
        Seat { kind: self.kind, provider: self.provider_id, property: self.property_id, collective: self.collective_id }
    }
}

impl Row for RoleRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What is filled in for a role.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "kind": "property",
    "provider_id": "019a5f3e-7c00-7000-8000-000000000001",
    "property_id": "019a5f3e-7c00-7000-8000-000000000002",
    "name": "场站运维",
    "permissions": ["car.station.view"],
}))]
pub struct RoleForm {
    /// The kind of node that it belongs to. Cannot be changed.
    pub kind: UserKind,
    /// Its provider, below the platform. Cannot be changed.
    pub provider_id: Option<Uuid>,
    /// Its property, below a provider. Cannot be changed.
    pub property_id: Option<Uuid>,
    /// Its collective, below a property. Cannot be changed.
    pub collective_id: Option<Uuid>,
    /// Name.
    pub name: String,
    /// What its users may do.
    pub permissions: Vec<String>,
}

impl RoleForm {
    /// Where it sits.
    pub fn seat(&self) -> Seat {
        Seat { kind: self.kind, provider: self.provider_id, property: self.property_id, collective: self.collective_id }
    }
}

impl Form for RoleForm {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        let mut errors = self.seat().errors(lang);
        let allowed = permission::codes_for(self.kind);
        if let Some(code) = self.permissions.iter().find(|it| !allowed.contains(it)) {
            let message = match lang {
                Lang::Zh => format!("{}用户不能拥有权限 {code}", self.kind.label().zh),
                Lang::En => format!("Users of this kind cannot have the permission {code}"),
            };
            errors.push(FieldError::new("permissions", "choice", message));
        }
        errors
    }
}

/// How roles are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct RoleFilter {
    /// The provider.
    pub provider_id: Option<Uuid>,
    /// The property.
    pub property_id: Option<Uuid>,
    /// The collective.
    pub collective_id: Option<Uuid>,
    /// Part of the name.
    pub name: Option<String>,
    /// Switched on or off.
    pub enabled: Option<bool>,
    /// The kind of node that it belongs to.
    pub kind: Option<UserKind>,
    /// Made on this local day or later.
    pub created_from: Option<NaiveDate>,
    /// Made on this local day or earlier.
    pub created_to: Option<NaiveDate>,
}

/// Some users, to be given a role or to lose it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RoleUsers {
    /// The users.
    pub user_ids: Vec<Uuid>,
}

impl Form for RoleUsers {}

/// Roles.
pub struct Roles;

impl Resource for Roles {
    const PATH: &'static str = "system/roles";
    const ONE: &'static str = "Role";
    const MANY: &'static str = "Roles";
    const TITLE: Text = t("角色", "Roles");
    const PERMISSION: &'static str = "system.role";
    type Row = RoleRow;
    type Detail = RoleRow;
    type Filter = RoleFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("name", t("角色名称", "Name"), As::Text).sorted(),
        Column::new("kind", t("授权类型", "Kind"), As::Code(UserKind::CHOICES)),
        Column::new("provider", t("服务商", "Provider"), As::Text).at("provider_name"),
        Column::new("property", t("集团物业", "Property"), As::Text).at("property_name"),
        Column::new("permissions", t("权限数", "Permissions"), As::Count),
        Column::new("users", t("用户数", "Users"), As::Number),
        Column::new("builtin", t("内置", "Built in"), As::Flag).detail_only(),
        Column::new("enabled", t("角色状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("name", t("角色名称", "Name"), Input::Text(30)),
        ENABLED,
        Field::new("kind", t("授权类型", "Kind"), Input::Choice(UserKind::CHOICES)),
        node::OF_PROVIDER,
        node::OF_PROPERTY,
        node::OF_COLLECTIVE,
        Field::new("created", t("创建时间", "Created"), Input::Days),
    ];
    const VERBS: &'static [Verb] =
        &[Verb::View, Verb::Create, Verb::Update, Verb::Delete, Verb::Enable, Verb::Disable, Verb::Export];
    const ACTIONS: &'static [Action] = &[
        Action::new("assign", t("分配用户", "Assign users"))
            .done(t("已授权给用户", "Assigned"))
            .fields(TO_ASSIGN)
            .when(|it| it["enabled"] == true),
        Action::new("revoke", t("取消授权", "Revoke from users"))
            .done(t("已取消授权", "Revoked"))
            .fields(TO_REVOKE)
            .when(|it| it["users"] != 0)
            .danger(),
    ];
}

const USERS: Field = Field::new("user_ids", t("用户", "Users"), Input::Lookups("system/users")).two_lists().required();
/// Whom a role can be given to: the users of its node.
pub const TO_ASSIGN: &[Field] = &[node::at_node(USERS)];
/// Whom it can be taken from: those who have it.
pub const TO_REVOKE: &[Field] = &[USERS.within("role_id")];

impl Editable for Roles {
    type Form = RoleForm;
    const FIELDS: &'static [Field] = &[
        node::KIND,
        node::PROVIDER,
        node::PROPERTY,
        node::COLLECTIVE,
        Field::new("name", t("角色名称", "Name"), Input::Text(30)).required(),
        Field::new("permissions", t("菜单权限", "Permissions"), Input::Permissions).required(),
    ];

    fn form(it: &RoleRow) -> RoleForm {
        let it = it.clone();
        RoleForm {
            kind: it.kind,
            provider_id: it.provider_id,
            property_id: it.property_id,
            collective_id: it.collective_id,
            name: it.name,
            permissions: it.permissions,
        }
    }

    fn version(it: &RoleRow) -> i64 {
        it.version
    }
}
