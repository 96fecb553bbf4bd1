//! Posts: what people are in a department.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::department;
use super::node::{self, Seat};
use crate::codes::Code;
use crate::describe::{As, Column, Field, Input};
use crate::problem::FieldError;
use crate::resource::{Editable, Form, Resource, Row, Verb};
use crate::station::ENABLED;
use crate::text::{Lang, Text, t};
use crate::user::UserKind;

/// A post.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PostRow {
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
    /// Its department.
    pub department_id: Uuid,
    /// That department's name.
    pub department_name: String,
    /// Name.
    #[schema(example = "场站巡检员")]
    pub name: String,
    /// Its place among the department's posts, lowest first.
    pub position: i32,
    /// Switched on: users can be given it.
    pub enabled: bool,
    /// Users who hold it.
    pub users: i64,
    /// Version, for changing it.
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

impl PostRow {
    /// Where it sits.
    pub fn seat(&self) -> Seat {
        Seat { kind: self.kind, provider: self.provider_id, property: self.property_id, collective: self.collective_id }
    }
}

impl Row for PostRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

/// What is filled in for a post.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "kind": "property",
    "provider_id": "019a5f3e-7c00-7000-8000-000000000001",
    "property_id": "019a5f3e-7c00-7000-8000-000000000002",
    "department_id": "019a5f3e-7c00-7000-8000-000000000003",
    "name": "场站巡检员",
    "position": 1,
    "enabled": true,
}))]
pub struct PostForm {
    /// The kind of node that it belongs to. Cannot be changed.
    pub kind: UserKind,
    /// Its provider, below the platform. Cannot be changed.
    pub provider_id: Option<Uuid>,
    /// Its property, below a provider. Cannot be changed.
    pub property_id: Option<Uuid>,
    /// Its collective, below a property. Cannot be changed.
    pub collective_id: Option<Uuid>,
    /// Its department: of the same node, and enabled. It can be changed while nobody holds the post.
    pub department_id: Uuid,
    /// Name, unique in its department.
    pub name: String,
    /// Its place among the department's posts, lowest first; 0 when absent.
    pub position: Option<i32>,
    /// Switched on, unless it says otherwise.
    pub enabled: Option<bool>,
}

impl PostForm {
    /// Where it sits.
    pub fn seat(&self) -> Seat {
        Seat { kind: self.kind, provider: self.provider_id, property: self.property_id, collective: self.collective_id }
    }
}

impl Form for PostForm {
    fn validate(&self, lang: Lang) -> Vec<FieldError> {
        self.seat().errors(lang)
    }
}

/// How posts are searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct PostFilter {
    /// The provider.
    pub provider_id: Option<Uuid>,
    /// The property.
    pub property_id: Option<Uuid>,
    /// The collective.
    pub collective_id: Option<Uuid>,
    /// The department.
    pub department_id: Option<Uuid>,
    /// Part of the name.
    pub name: Option<String>,
    /// Switched on or off.
    pub enabled: Option<bool>,
}

/// Posts (岗位).
pub struct Posts;

impl Resource for Posts {
    const PATH: &'static str = "system/posts";
    const ONE: &'static str = "Post";
    const MANY: &'static str = "Posts";
    const TITLE: Text = t("岗位", "Posts");
    const PERMISSION: &'static str = "system.post";
    type Row = PostRow;
    type Detail = PostRow;
    type Filter = PostFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("name", t("岗位名称", "Name"), As::Text).sorted(),
        Column::new("department", t("部门", "Department"), As::Text).at("department_name"),
        Column::new("kind", t("用户类型", "Kind"), As::Code(UserKind::CHOICES)),
        Column::new("provider", t("服务商", "Provider"), As::Text).at("provider_name"),
        Column::new("property", t("集团物业", "Property"), As::Text).at("property_name"),
        Column::new("collective", t("集体户", "Collective"), As::Text).at("collective_name").detail_only(),
        Column::new("position", t("显示顺序", "Order"), As::Number).sorted(),
        Column::new("users", t("用户", "Users"), As::Number),
        Column::new("enabled", t("岗位状态", "State"), As::Enabled),
        Column::new("id", t("创建时间", "Created"), As::Time).at("created_at").sorted(),
        Column::new("updated_at", t("修改时间", "Changed"), As::Time).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        department::AMONG,
        Field::new("name", t("岗位名称", "Name"), Input::Text(30)),
        ENABLED,
        node::OF_PROVIDER,
        node::OF_PROPERTY,
    ];
    const VERBS: &'static [Verb] = Verb::ALL;
}

impl Editable for Posts {
    type Form = PostForm;
    const FIELDS: &'static [Field] = &[
        node::KIND,
        node::PROVIDER,
        node::PROPERTY,
        node::COLLECTIVE,
        node::at_node(Field::new("department_id", t("部门", "Department"), Input::Lookup("system/departments")))
            .tree()
            .required(),
        Field::new("name", t("岗位名称", "Name"), Input::Text(30)).required(),
        Field::new("position", t("显示顺序", "Order"), Input::Int { min: 0, max: 9999 }),
        Field::new("enabled", t("岗位状态", "State"), Input::Switch),
    ];

    fn form(it: &PostRow) -> PostForm {
        let it = it.clone();
        PostForm {
            kind: it.kind,
            provider_id: it.provider_id,
            property_id: it.property_id,
            collective_id: it.collective_id,
            department_id: it.department_id,
            name: it.name,
            position: Some(it.position),
            enabled: Some(it.enabled),
        }
    }

    fn version(it: &PostRow) -> i64 {
        it.version
    }
}
