//! What was done to a row: who, when, and what changed by it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::resource::{Resource, Row, Verb};
use crate::text::Text;

/// One thing that was done to a row.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct HistoryRow {
    /// Id.
    pub id: Uuid,
    /// The verb; [`action_label`] words it.
    #[schema(example = "update")]
    pub action: String,
    /// Who did it.
    #[schema(example = "陈晨")]
    pub user_name: String,
    /// The fields that changed by it; none when the row was made.
    pub changes: Vec<FieldChange>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// One field that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldChange {
    /// The field's name.
    #[schema(example = "name")]
    pub field: String,
    /// What it was.
    #[schema(example = "甲站")]
    pub before: Value,
    /// What it is since.
    #[schema(example = "乙站")]
    pub after: Value,
}

impl Row for HistoryRow {
    fn id(&self) -> Uuid {
        self.id
    }
    fn name(&self) -> String {
        self.action.clone()
    }
}

/// What people call an action on a resource.
pub fn action_label<R: Resource>(action: &str) -> Option<Text> {
    let usual = Verb::ALL.iter().find(|it| it.as_str() == action).map(|it| it.label());
    usual.or_else(|| R::ACTIONS.iter().find(|it| it.verb == action).map(|it| it.label))
}

/// What differs between a row before and after, field by field. That it was changed, and when, need not be told again.
pub fn changes(before: &Value, after: &Value) -> Vec<FieldChange> {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else { return Vec::new() };
    let told = |field: &&String| !matches!(field.as_str(), "version" | "updated_at");
    let gone = before.keys().filter(|it| !after.contains_key(*it));
    let value = |row: &serde_json::Map<String, Value>, field: &String| row.get(field).cloned().unwrap_or_default();
    let change =
        |field: &String| FieldChange { field: field.clone(), before: value(before, field), after: value(after, field) };
    after.keys().chain(gone).filter(told).map(change).filter(|it| it.before != it.after).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::station::CarStations;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({"name": "甲站", "city": "杭州", "hotline": "1", "version": 1});
        let after = json!({"name": "乙站", "city": "杭州", "version": 2, "note": null, "nature": "public"});
        let told = changes(&before, &after);
        let fields: Vec<_> = told.iter().map(|it| it.field.as_str()).collect();
        assert_eq!(fields, ["name", "nature", "hotline"]);
        assert_eq!((&told[0].before, &told[0].after), (&json!("甲站"), &json!("乙站")));
        assert_eq!(changes(&Value::Null, &after), []);
    }

    #[test]
    fn actions_have_labels() {
        assert_eq!(action_label::<CarStations>("update").unwrap().zh, "修改");
        assert_eq!(action_label::<CarStations>("approve").unwrap().en, "Approve");
        assert_eq!(action_label::<CarStations>("dance"), None);
    }
}
