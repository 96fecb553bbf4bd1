//! What every failure looks like on the wire: RFC 9457 problem details with errors by field.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A failed request, as `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem; `about:blank#{code}`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short sentence for people, in the language of the request.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time, for people.
    pub detail: String,
    /// The stable code that programs may branch on.
    pub code: String,
    /// Where a 422 lies, field by field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The id under which the server's log knows this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// What is wrong with one field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// The field's name; in a list `items.3.name`, in a sheet `row 3: 名称`.
    pub field: String,
    /// The stable code: `required`, `too_long`, `format`, `range`, `unknown`, `taken`, ….
    pub code: String,
    /// What to do about it, for people.
    pub message: String,
}

impl FieldError {
    /// An error of one field.
    pub fn new(field: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        Self { field: field.into(), code: code.to_owned(), message: message.into() }
    }
}
