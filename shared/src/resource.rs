//! A resource: one description that server and console share.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::describe::{Action, Column, Field};
use crate::problem::FieldError;
use crate::text::{Lang, Text};

/// What every row on the wire can say of itself.
pub trait Row: Clone + Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// Its id.
    fn id(&self) -> Uuid;
    /// What people call it: its name or number.
    fn name(&self) -> String;
    /// Whether it is switched on, where that can be said.
    fn enabled(&self) -> Option<bool> {
        None
    }
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
    /// A row of the list, and of the sheet.
    type Row: Row;
    /// All that is known of one: often the row itself.
    type Detail: Row;
    /// The search conditions.
    type Filter: Serialize + DeserializeOwned + IntoParams + Default + Clone + Send + Sync + 'static;
    /// What the table, the sheet and the detail show.
    const COLUMNS: &'static [Column<Self::Row>];
    /// How the search conditions are entered.
    const FILTERS: &'static [Field];
    /// What can be done to a row besides editing it.
    const ACTIONS: &'static [Action<Self::Row>] = &[];
    /// The list can be saved as a sheet.
    const EXPORT: bool = true;
}

/// A resource whose rows people write.
pub trait Editable: Resource {
    /// What people fill in; the same for creating and changing.
    type Form: Form;
    /// How it is filled in.
    const FIELDS: &'static [Field];
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
