//! A resource: one description that server and console share.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::describe::{Action, Column, Field, at};
use crate::problem::FieldError;
use crate::text::{Lang, Text, t};
use crate::user::UserKind;

/// The usual things that can be done with a resource; each needs the permission `{PERMISSION}.{verb}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// List and look.
    View,
    /// Add a row.
    Create,
    /// Change a row.
    Update,
    /// Remove a row.
    Delete,
    /// Switch a row on.
    Enable,
    /// Switch a row off.
    Disable,
    /// Save the list as a sheet.
    Export,
    /// Add rows from a sheet.
    Import,
}

impl Verb {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::View,
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Enable,
        Self::Disable,
        Self::Export,
        Self::Import,
    ];

    /// The last part of the permission code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Export => "export",
            Self::Import => "import",
        }
    }

    /// The button.
    pub const fn label(self) -> Text {
        match self {
            Self::View => t("查看", "View"),
            Self::Create => t("添加", "Add"),
            Self::Update => t("修改", "Change"),
            Self::Delete => t("删除", "Delete"),
            Self::Enable => t("启用", "Enable"),
            Self::Disable => t("禁用", "Disable"),
            Self::Export => t("导出", "Export"),
            Self::Import => t("导入", "Import"),
        }
    }
}

/// A row on the wire. Everything but its id is read from its JSON, as its columns say.
pub trait Row: Clone + Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// Its id.
    fn id(&self) -> Uuid;
}

/// Something that can be listed and looked at.
pub trait Resource: Sized + 'static {
    /// Its address below `/api/v1` and in the console: `car/stations`.
    const PATH: &'static str;
    /// One of them, as in operation ids: `CarStation`.
    const ONE: &'static str;
    /// Several of them, as in operation ids: `CarStations`.
    const MANY: &'static str;
    /// What people call them.
    const TITLE: Text;
    /// The prefix of its permission codes: `car.station`.
    const PERMISSION: &'static str;
    /// Where a row has what people call it: its name or number.
    const NAME: &'static str = "name";
    /// A row of the list, and of the sheet.
    type Row: Row;
    /// All that is known of one: often the row itself.
    type Detail: Row;
    /// The search conditions.
    type Filter: Serialize + DeserializeOwned + IntoParams + Default + Clone + Send + Sync + 'static;
    /// What the table, the sheet and the detail show.
    const COLUMNS: &'static [Column];
    /// How the search conditions are entered.
    const FILTERS: &'static [Field];
    /// What can be done to a row besides editing it.
    const ACTIONS: &'static [Action] = &[];
    /// Which of the usual things can be done.
    const VERBS: &'static [Verb] = &[Verb::View, Verb::Export];
    /// Which kinds of users may be given its permissions at all.
    const KINDS: &'static [UserKind] = &[UserKind::Platform, UserKind::Provider, UserKind::Property];

    /// What people call a row that is given as JSON.
    fn name_of(row: &Value) -> &str {
        at(row, Self::NAME).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A resource whose rows people write.
pub trait Editable: Resource {
    /// What people fill in; the same for creating and changing.
    type Form: Form;
    /// How it is filled in.
    const FIELDS: &'static [Field];
    /// Adding one moves money: it is sent with an `Idempotency-Key`.
    const KEYED: bool = false;
    /// The form that would leave a row as it is.
    fn form(detail: &Self::Detail) -> Self::Form;
    /// The row's version: a change must name the one it was based on.
    fn version(detail: &Self::Detail) -> i64;
}

/// A form: checked first by its fields, then by this.
pub trait Form: Clone + Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// Rules that concern several fields or a structured one.
    fn validate(&self, _lang: Lang) -> Vec<FieldError> {
        Vec::new()
    }
}

/// A form as JSON, under the names of its fields.
pub type FormMap = Map<String, Value>;

/// The form that would leave a row as it is, from the row's JSON: a field is found under its own name, or where
/// [`Field::at`] says. It is what [`Editable::form`] makes of the row, without knowing the row's type.
pub fn draft_of(fields: &[Field], row: &Value) -> FormMap {
    let mut draft = FormMap::new();
    for field in fields {
        let value = at(row, field.at.unwrap_or(field.name));
        draft.insert(field.name.to_owned(), value.cloned().unwrap_or_default());
    }
    draft
}
