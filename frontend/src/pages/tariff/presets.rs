//! Prepay presets: amounts that drivers can choose with one touch.

use serde_json::Value;
use shared::fixed::Fen;
use shared::text::t;

use crate::kit::chips::List;

/// The list of them.
pub static PRESETS: List =
    List { hints: &[t("金额(元)", "Yuan")], most_fen: 100_000, most: 12, label: said, add: added };

fn fen(preset: &Value) -> i64 {
    preset.as_i64().unwrap_or_default()
}

fn said(preset: &Value) -> String {
    Fen(fen(preset)).yuan()
}

/// Adds an amount in its place; what is there already stays as it is.
fn added(mut presets: Vec<Value>, amounts: &[i64]) -> Vec<Value> {
    for amount in amounts {
        if let Err(place) = presets.binary_search_by(|it| fen(it).cmp(amount)) {
            presets.insert(place, Value::from(*amount));
        }
    }
    presets
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::added;

    #[test]
    fn amounts_rise_and_do_not_repeat() {
        let put = |of: Value, fen| Value::Array(added(of.as_array().cloned().unwrap(), &[fen]));
        assert_eq!(put(json!([1000, 5000]), 3000), json!([1000, 3000, 5000]));
        assert_eq!(put(json!([1000]), 1000), json!([1000]));
        assert_eq!(put(json!([]), 1), json!([1]));
    }
}
