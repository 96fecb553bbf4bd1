//! The OpenAPI document says what is there, in the form that others can use.

use std::collections::HashSet;

use serde_json::Value;

use crate::app::TestApp;

#[tokio::test]
async fn every_operation_is_complete() {
    let app = TestApp::new().await;
    let document = app.guest().get("/api/openapi.json").await.ok();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = HashSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let at = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{at} has no operationId"));
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            assert!(operation["tags"][0].as_str().is_some_and(|it| !it.is_empty()), "{at} has no tag");
            assert!(operation["security"].is_array(), "{at} does not say who may");
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|it| it.starts_with('2')), "{at} never succeeds");
            assert!(answers.keys().any(|it| it.starts_with('4') || it.starts_with('5')), "{at} never fails");
        }
    }
    let mut used = vec![];
    references(&document, &mut used);
    for place in used {
        let part = document.pointer(&place).unwrap_or_else(|| panic!("{place} is spoken of and not there"));
        let object = part["type"] == "object" || part["properties"].is_object();
        assert!(!object || part["example"].is_object(), "{place} has no example");
    }
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match value.as_str().and_then(|it| it.strip_prefix('#')) {
                    Some(place) if key == "$ref" => found.push(place.to_owned()),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|it| references(it, found)),
        _ => {}
    }
}
