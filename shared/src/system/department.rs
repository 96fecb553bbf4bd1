//! Departments: a tree for each node, from the one that it has from its beginning.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::node::{self, Seat};
use crate::codes::Code;
use crate::describe::{As, Column, Field, Input};
use crate::problem::FieldError;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::text::{Lang, Text, t};
use crate::user::UserKind;

/// How many levels a tree of departments may have.
pub const MAX_DEPTH: usize = 8;

/// A department.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DepartmentRow {
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
    /// The department above it; null for the node's first one.
    pub parent_id: Option<Uuid>,
    /// That department's name.
    pub parent_name: Option<String>,
    /// Name.
    #[schema(example = "运维部")]
    pub name: String,
    /// Its place among its siblings, lowest first.
    pub position: i32,
    /// Who leads it.
    pub leader: Option<String>,
    /// Their telephone.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Switched on: users, posts and departments can be put into it.
    pub enabled: bool,
    /// Users in it.
    pub users: i64,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl DepartmentRow {
    /// Where it sits.
    pub fn seat(&self) -> Seat {
        Seat { kind: self.kind, provider: self.provider_id, property: self.property_id, collective: self.collective_id }
    }
}

impl Row for DepartmentRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What is filled in for a department.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "kind": "property",
    "provider_id": "019a5f3e-7c00-7000-8000-000000000001",
    "property_id": "019a5f3e-7c00-7000-8000-000000000002",
    "name": "运维部",
    "position": 1,
    "leader": "陈晨",
    "phone": "400-800-1234",
    "email": "ops@example.com",
    "enabled": true,
}))]
pub struct DepartmentForm {
    /// The kind of node that it belongs to. Cannot be changed.
    pub kind: UserKind,
    /// Its provider, below the platform. Cannot be changed.
    pub provider_id: Option<Uuid>,
    /// Its property, below a provider. Cannot be changed.
    pub property_id: Option<Uuid>,
    /// Its collective, below a property. Cannot be changed.
    pub collective_id: Option<Uuid>,
    /// The department above it: of the same node, and enabled. Without one it is below the node's first department.
    pub parent_id: Option<Uuid>,
    /// Name, unique among its siblings.
    pub name: String,
    /// Its place among its siblings, lowest first; 0 when absent.
    pub position: Option<i32>,
    /// Who leads it.
    pub leader: Option<String>,
    /// Their telephone.
    pub phone: Option<String>,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Switched on, unless it says otherwise.
    pub enabled: Option<bool>,
}

impl DepartmentForm {
    /// Where it sits.
    pub fn seat(&self) -> Seat {
        Seat { kind: self.kind, provider: self.provider_id, property: self.property_id, collective: self.collective_id }
    }
}

impl Form for DepartmentForm {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        self.seat().errors(lang)
    }
}

/// How departments are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct DepartmentFilter {
    /// The kind of node that they belong to.
    pub kind: Option<UserKind>,
    /// The provider.
    pub provider_id: Option<Uuid>,
    /// The property.
    pub property_id: Option<Uuid>,
    /// The collective.
    pub collective_id: Option<Uuid>,
    /// The department above them.
    pub parent_id: Option<Uuid>,
    /// Part of the name.
    pub name: Option<String>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Departments (部门).
pub struct Departments;

impl Resource for Departments {
    const PATH: &'static str = "system/departments";
    const ONE: &'static str = "Department";
    const MANY: &'static str = "Departments";
    const TITLE: Text = t("部门", "Departments");
    const PERMISSION: &'static str = "system.department";
    type Row = DepartmentRow;
    type Detail = DepartmentRow;
    type Filter = DepartmentFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("name", t("部门名称", "Name"), As::Text).sorted(),
        Column::new("parent", t("上级部门", "Above it"), As::Text).at("parent_name").detail_only(),
        Column::new("kind", t("用户类型", "Kind"), As::Code(UserKind::CHOICES)),
        Column::new("provider", t("服务商", "Provider"), As::Text).at("provider_name"),
        Column::new("property", t("集团物业", "Property"), As::Text).at("property_name"),
        Column::new("collective", t("集体户", "Collective"), As::Text).at("collective_name").detail_only(),
        Column::new("position", t("显示排序", "Order"), As::Number).sorted(),
        Column::new("leader", t("负责人", "Leader"), As::Text),
        Column::new("phone", t("联系电话", "Telephone"), As::Text),
        Column::new("email", t("邮箱", "E-mail"), As::Text).detail_only(),
        Column::new("users", t("用户", "Users"), As::Number),
        Column::new("enabled", t("部门状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        node::OF_PROVIDER,
        node::OF_PROPERTY,
        Field::new("name", t("部门名称", "Name"), Input::Text(30)),
        ENABLED,
        Field::new("kind", t("用户类型", "Kind"), Input::Choice(UserKind::CHOICES)),
        node::OF_COLLECTIVE,
    ];
    const VERBS: &'static [Verb] = Verb::ALL;
}

/// Searches among the departments of a provider or property.
pub const AMONG: Field = Field::new("department_id", t("部门", "Department"), Input::Lookup("system/departments"))
    .tree()
    .within("provider_id")
    .within("property_id")
    .within("collective_id");

impl Editable for Departments {
    type Form = DepartmentForm;
    const FIELDS: &'static [Field] = &[
        node::KIND,
        node::PROVIDER,
        node::PROPERTY,
        node::COLLECTIVE,
        node::at_node(Field::new("parent_id", t("上级部门", "Above it"), Input::Lookup("system/departments")))
            .tree()
            .help(t("不选则归属一级部门", "Without one it is below the node's first department")),
        Field::new("name", t("部门名称", "Name"), Input::Text(30)).required(),
        Field::new("position", t("显示排序", "Order"), Input::Int { min: 0, max: 9999 }),
        Field::new("leader", t("负责人", "Leader"), Input::Text(30)),
        Field::new("phone", t("联系电话", "Telephone"), Input::Phone),
        Field::new("email", t("邮箱", "E-mail"), Input::Email),
        Field::new("enabled", t("部门状态", "State"), Input::Switch),
    ];

    fn form(it: &DepartmentRow) -> DepartmentForm {
        let it = it.clone();
        DepartmentForm {
            kind: it.kind,
            provider_id: it.provider_id,
            property_id: it.property_id,
            collective_id: it.collective_id,
            parent_id: it.parent_id,
            name: it.name,
            position: Some(it.position),
            leader: it.leader,
            phone: it.phone,
            email: it.email,
            enabled: Some(it.enabled),
        }
    }

    fn version(it: &DepartmentRow) -> i64 {
        it.version
    }
}
