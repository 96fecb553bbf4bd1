//! The audit trail: who did what to which thing, when and from where, with the thing before and after.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::codes::Tone;
use crate::describe::{As, Cell, Column, Field, Input};
use crate::history::FieldChange;
use crate::permission::{PAGE_CHOICES, Page};
use crate::resource::{Resource, Row};
use crate::text::{Text, t};

/// One deed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditRow {
    /// Id.
    pub id: Uuid,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Who.
    pub user_id: Option<Uuid>,
    /// What they were called then.
    #[schema(example = "陈晨")]
    pub user_name: String,
    /// The address of the resource.
    #[schema(example = "car/stations")]
    pub resource: String,
    /// Which of its rows.
    pub object_id: Uuid,
    /// What that was called then.
    #[schema(example = "滨江一号充电站")]
    pub object_name: String,
    /// What was done: the permission's last part.
    #[schema(example = "update")]
    pub action: String,
    /// From where.
    #[schema(example = "203.0.113.7")]
    pub ip: String,
    /// The request, as the server's log knows it.
    pub request_id: String,
}

/// One deed with all that it changed.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub row: AuditRow,
    /// What differs between the two below, field by field, in the language of the request.
    pub changes: Vec<FieldChange>,
    /// The thing before; null when it was made.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The thing after; null when it was removed.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
}

/// What was done, as the page of the resource calls it.
fn verb(row: &Value) -> Cell {
    let (resource, action) = (row["resource"].as_str().unwrap_or_default(), row["action"].as_str().unwrap_or_default());
    match Page::at(resource).and_then(|page| page.verbs().find(|it| it.0 == action)) {
        Some((_, label)) => Cell::Tag(label, Tone::Primary),
        None => Cell::text(action),
    }
}

impl Row for AuditRow {
    fn id(&self) -> Uuid {
        self.id
    }
}

impl Row for AuditDetail {
    fn id(&self) -> Uuid {
        self.row.id
    }
}

/// How the trail is searched.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct AuditFilter {
    /// The address of the resource.
    pub resource: Option<String>,
    /// One thing.
    pub object_id: Option<Uuid>,
    /// Part of what the thing was called.
    pub object: Option<String>,
    /// One user.
    pub user_id: Option<Uuid>,
    /// Part of what the user was called.
    pub user: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// On this local day or later.
    pub created_from: Option<NaiveDate>,
    /// On this local day or earlier.
    pub created_to: Option<NaiveDate>,
}

/// The audit trail.
pub struct Audits;

impl Resource for Audits {
    const PATH: &'static str = "system/audits";
    const ONE: &'static str = "Audit";
    const MANY: &'static str = "Audits";
    const TITLE: Text = t("操作日志", "Audit trail");
    const PERMISSION: &'static str = "system.audit";
    const NAME: &'static str = "object_name";
    type Row = AuditRow;
    type Detail = AuditDetail;
    type Filter = AuditFilter;
    const COLUMNS: &'static [Column] = &[
        Column::new("id", t("时间", "Time"), As::Time).at("created_at").sorted(),
        Column::new("user", t("操作人", "Who"), As::Text).at("user_name"),
        Column::new("resource", t("对象类型", "What"), As::Code(PAGE_CHOICES)),
        Column::new("object", t("对象", "Object"), As::Text).at("object_name"),
        Column::new("action", t("操作", "Action"), As::Made(verb)),
        Column::new("ip", t("地址", "Address"), As::Text),
        Column::new("request_id", t("请求编号", "Request"), As::Text).detail_only(),
    ];
    const FILTERS: &'static [Field] = &[
        Field::new("user", t("操作人", "Who"), Input::Text(30)),
        Field::new("resource", t("对象类型", "What"), Input::Choice(PAGE_CHOICES)),
        Field::new("object", t("对象", "Object"), Input::Text(50)),
        Field::new("action", t("操作", "Action"), Input::Text(30)),
        Field::new("created", t("时间", "Time"), Input::Days),
    ];
}
