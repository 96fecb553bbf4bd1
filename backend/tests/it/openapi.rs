//! The OpenAPI document says what is there, in the form that others can use.

use std::collections::HashSet;

use serde_json::Value;

use crate::app::TestApp;

#[tokio::test]
async fn every_operation_is_complete() {
    let app = TestApp::new().await;
    let document = app.guest().get("/api/openapi.json").await.ok();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let (mut ids, mut summaries) = (HashSet::new(), HashSet::new());
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let at = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{at} has no operationId"));
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            assert!(operation["tags"][0].as_str().is_some_and(|it| !it.is_empty()), "{at} has no tag");
            assert!(operation["security"].is_array(), "{at} does not say who may");
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.keys().any(|it| it.starts_with('2')), "{at} never succeeds");
            let reads = operation["requestBody"].is_object();
            for (status, fails) in [("400", reads), ("413", reads), ("422", true), ("503", true)] {
                assert!(!fails || answers.contains_key(status), "{at} does not say how it fails with {status}");
            }
            let summary = operation["summary"].as_str().unwrap();
            assert!(summaries.insert(summary.to_owned()), "{at}: another operation is called {summary} as well");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let schema = &parameter["schema"];
                assert!(!schema.to_string().contains("\"null\""), "{at}: {} can be null", parameter["name"]);
                assert!(parameter["name"] != "id" || schema["format"] == "uuid", "{at}: an id of any form");
                let most = match parameter["name"].as_str().unwrap() {
                    "page" => &schema["maximum"],
                    "size" => &schema["maximum"],
                    "Idempotency-Key" => &schema["maxLength"],
                    _ => continue,
                };
                assert!(most.is_u64(), "{at}: {} has no limit", parameter["name"]);
            }
            for (media, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                assert!(content["schema"].is_object(), "{at}: nothing is said of {media}");
            }
            for answer in answers.values() {
                for (media, content) in answer["content"].as_object().into_iter().flatten() {
                    assert!(content["schema"].is_object(), "{at}: nothing is said of {media}");
                }
            }
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

#[tokio::test]
async fn refusals_that_do_not_follow_from_what_an_operation_is_are_documented() {
    let app = TestApp::new().await;
    let document = app.guest().get("/api/openapi.json").await.ok();
    for (path, method, status) in [
        ("/api/v1/auth/login", "post", "401"),
        ("/api/v1/auth/refresh", "post", "401"),
        ("/api/app/v1/auth/login", "post", "401"),
        ("/api/app/v1/auth/refresh", "post", "401"),
        ("/api/callbacks/sandbox", "post", "401"),
        ("/api/app/v1/orders", "post", "404"),
        ("/api/app/v1/reservations", "post", "404"),
        ("/api/app/v1/connectors/{id}/quote", "get", "409"),
        ("/api/v1/auth/me", "get", "409"),
        ("/api/v1/car/areas/import", "post", "429"),
    ] {
        assert!(document["paths"][path][method]["responses"][status].is_object(), "{method} {path} {status}");
    }
}
