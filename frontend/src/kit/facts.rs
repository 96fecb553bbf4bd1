//! Facts read from an answer by name, for what is only looked at: a list of them is data, and no type of its own is
//! compiled for it.

use leptos::prelude::*;
use serde_json::Value;
use shared::describe::Fact;
use shared::text::Text;

use super::cell::{cell, descriptions, nothing, plain_table};
use crate::lang::{say, tr};

/// Names with what is shown of them.
pub fn facts(list: &[Fact], of: &Value) -> AnyView {
    descriptions(list.iter().map(|it| (say(it.label).to_owned(), cell(&it.cell(of)))).collect())
}

/// A line for each row, a column for each fact.
pub fn table(list: &[Fact], rows: &[Value]) -> AnyView {
    if rows.is_empty() {
        return nothing(tr("暂无记录", "Nothing here yet"));
    }
    let heads: Vec<Text> = list.iter().map(|it| it.label).collect();
    let line = |row: &Value| list.iter().map(|it| it.cell(row)).collect();
    plain_table(&heads, &rows.iter().map(line).collect::<Vec<_>>(), &[])
}

/// The rows of a list within an answer.
pub fn items<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::LazyLock;

    use serde_json::json;
    use shared::codes::Code;
    use shared::describe::As;
    use shared::order::OrderState;
    use shared::text::t;

    use super::*;

    static DOCUMENT: LazyLock<Value> =
        LazyLock::new(|| serde_json::from_str(include_str!("../../../openapi/openapi.json")).unwrap());

    /// The facts that the API's document does not have under this schema, or not as they are shown.
    pub fn undocumented(schema: &str, list: &[Fact]) -> Vec<&'static str> {
        let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
        let fits = |it: &Fact| match it.shown {
            As::Made(_) => true,
            As::Link(_, id) => {
                [it.path, id].iter().all(|path| found(&schema, path).is_some_and(|it| shows(As::Text, &it)))
            }
            shown => found(&schema, it.path).is_some_and(|it| shows(shown, &it)),
        };
        list.iter().filter(|it| !fits(it)).map(|it| it.path).collect()
    }

    /// The schema of a row of the list at an address.
    pub fn row_at(path: &str) -> String {
        let to = |it: &Value| it["$ref"].as_str().and_then(|it| it.rsplit('/').next()).unwrap().to_owned();
        let answer = &DOCUMENT["paths"][format!("/api/v1/{path}")]["get"]["responses"]["200"];
        let page = to(&answer["content"]["application/json"]["schema"]);
        to(&DOCUMENT["components"]["schemas"][page]["properties"]["items"]["items"])
    }

    /// The schema of what is told of one row of the list at an address.
    pub fn detail_at(path: &str) -> String {
        let answer = &DOCUMENT["paths"][format!("/api/v1/{path}/{{id}}")]["get"]["responses"]["200"];
        let schema = answer["content"]["application/json"]["schema"]["$ref"].as_str();
        schema.and_then(|it| it.rsplit('/').next()).unwrap().to_owned()
    }

    fn found(schema: &Value, path: &str) -> Option<Value> {
        path.split('/').try_fold(schema.clone(), |schema, name| property(&schema, name))
    }

    /// A property of a schema: its own, or that of one that it is made of.
    fn property(schema: &Value, name: &str) -> Option<Value> {
        let schema = followed(schema);
        let own = schema["properties"].get(name).cloned();
        own.or_else(|| parts(&schema).iter().filter_map(|it| property(it, name)).next())
    }

    fn followed(schema: &Value) -> Value {
        let to = schema["$ref"].as_str().and_then(|it| DOCUMENT.pointer(it.strip_prefix('#')?));
        to.map_or_else(|| schema.clone(), followed)
    }

    fn parts(schema: &Value) -> Vec<Value> {
        ["allOf", "oneOf"].iter().filter_map(|it| schema[it].as_array()).flatten().cloned().collect()
    }

    /// Whether what has this schema can be shown like that; null can always be.
    fn shows(shown: As, schema: &Value) -> bool {
        let schema = followed(schema);
        let either = parts(&schema);
        if !either.is_empty() {
            return either.iter().filter(|it| it["type"] != "null").all(|it| shows(shown, it));
        }
        let is = |name: &str| {
            schema["type"] == name || schema["type"].as_array().is_some_and(|it| it.contains(&name.into()))
        };
        let instant = schema["format"] == "date-time";
        match shown {
            As::Text | As::Words(_) | As::Actor => is("string") && !instant,
            As::Number => is("string") || is("integer") || is("number"),
            As::Watts | As::Thousandths | As::Fen | As::Duration => is("integer"),
            As::Time => instant,
            As::Flag | As::Enabled => is("boolean"),
            As::List | As::Count => is("array"),
            As::Code(_) if is("array") => shows(shown, &schema["items"]),
            As::Code(choices) => {
                let known = |it: &Value| choices.iter().any(|choice| *it == choice.value);
                is("string") && schema["enum"].as_array().is_none_or(|it| it.iter().all(known))
            }
            As::Link(..) | As::Made(_) => false,
        }
    }

    #[test]
    fn the_document_knows_facts_or_not() {
        let fact = |path, shown| Fact::new(path, t("", ""), shown);
        let list = [
            fact("order_no", As::Text),
            fact("bill/total_fen", As::Fen),
            fact("state", As::Code(OrderState::CHOICES)),
            fact("order_no", As::Link("orders/car", "id")),
            fact("invented", As::Text),
            fact("bill/invented", As::Text),
            fact("started_at", As::Text),
            fact("station_name", As::Flag),
            fact("start_method", As::Code(OrderState::CHOICES)),
        ];
        let unknown = ["invented", "bill/invented", "started_at", "station_name", "start_method"];
        assert_eq!(undocumented("CarOrderDetail", &list), unknown);
    }
}
