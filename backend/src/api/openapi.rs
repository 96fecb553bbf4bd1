//! The OpenAPI 3.1 document, written from the operations.

use serde_json::{Map, Value, json};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{
    Components, ContactBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, Ref, Required, ResponseBuilder, Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::op::{Access, Answer, Op, json_content};

const PROBLEM: &str = "application/problem+json";

/// Writes the document of these operations.
pub fn document(operations: &[Op]) -> OpenApi {
    let mut components = Components::new();
    let mut schemas = vec![(shared::problem::Problem::name().into_owned(), shared::problem::Problem::schema())];
    shared::problem::Problem::schemas(&mut schemas);
    schemas.extend(operations.iter().flat_map(|op| op.schemas.iter().cloned()));
    components.schemas.extend(schemas);
    for (name, what) in [("staff", "A user of the console"), ("driver", "A driver with the mini-program")] {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        bearer.description = Some(what.to_owned());
        components.add_security_scheme(name, SecurityScheme::Http(bearer));
    }
    for (status, what) in FAILURES {
        let response = ResponseBuilder::new().description(what).content(PROBLEM, json_content("Problem"));
        components.responses.insert(format!("Problem{status}"), response.build().into());
    }
    let info = InfoBuilder::new()
        .title("Wattyard 智慧充电管理平台")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(include_str!("openapi.md")))
        .contact(Some(ContactBuilder::new().name(Some("Wattyard")).build()));
    let mut api = OpenApiBuilder::new().info(info.build()).components(Some(components)).build();
    for op in operations {
        api.paths.add_path_operation(&op.path, vec![method(op)], operation(op));
    }
    api
}

/// The document as JSON, pretty and with sorted schemas, as it is kept in the repository.
///
/// # Errors
/// Never in practice.
pub fn json(operations: &[Op]) -> anyhow::Result<String> {
    let mut value = serde_json::to_value(document(operations))?;
    fill_examples(&mut value, operations);
    Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
}

fn method(op: &Op) -> HttpMethod {
    match op.method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn operation(op: &Op) -> utoipa::openapi::path::Operation {
    let mut operation = OperationBuilder::new()
        .operation_id(Some(op.id.clone()))
        .tag(op.tag.clone())
        .summary(Some(op.summary.zh))
        .description(Some(op.summary.en));
    for name in op.path.split('/').filter_map(|it| it.strip_prefix('{')?.strip_suffix('}')) {
        let text = utoipa::openapi::ObjectBuilder::new().schema_type(Type::String);
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        operation = operation.parameter(parameter.schema(Some(text)));
    }
    operation = operation.parameters(Some(op.params.clone()));
    if let Some(body) = &op.body {
        let body = match body {
            Answer::Json(_, name) => RequestBodyBuilder::new().content("application/json", json_content(name)),
            Answer::Other(media) => RequestBodyBuilder::new().content(*media, Content::default()),
            Answer::Nothing => RequestBodyBuilder::new(),
        };
        operation = operation.request_body(Some(body.required(Some(Required::True)).build()));
    }
    operation = match &op.answer {
        Answer::Nothing => operation.response("204", ResponseBuilder::new().description("Done")),
        Answer::Json(status, name) => {
            let response = ResponseBuilder::new().description("Done").content("application/json", json_content(name));
            operation.response(status.to_string(), response)
        }
        Answer::Other(media) => {
            operation.response("200", ResponseBuilder::new().description("Done").content(*media, Content::default()))
        }
    };
    for status in failures(op) {
        operation = operation.response(status, Ref::from_response_name(format!("Problem{status}")));
    }
    match &op.access {
        Access::Public => operation.securities(Some(Vec::<SecurityRequirement>::new())),
        Access::LoggedIn => operation.security(SecurityRequirement::new("staff", Vec::<String>::new())),
        Access::Permission(it) => operation.security(SecurityRequirement::new("staff", vec![it.clone()])),
        Access::Driver => operation.security(SecurityRequirement::new("driver", Vec::<String>::new())),
    }
    .build()
}

/// How operations fail: each is described once, and referred to.
const FAILURES: [(&str, &str); 7] = [
    ("401", "Not logged in, or no longer"),
    ("403", "The permission is lacking"),
    ("404", "Not there, or not yours"),
    ("409", "The state of things forbids it"),
    ("422", "Fields are wrong; `errors` says which"),
    ("429", "Too often; see `Retry-After`"),
    ("503", "The database, a device or a provider cannot be reached"),
];

/// How an operation can fail, from what it is.
fn failures(op: &Op) -> impl Iterator<Item = &'static str> {
    let can = |status: &str| match status {
        "401" => op.access != Access::Public || op.id.starts_with("login"),
        "403" => matches!(op.access, Access::Permission(_)),
        "404" => op.path.contains('{'),
        "409" => !op.method.is_safe(),
        "422" => op.body.is_some() || !op.params.is_empty(),
        "429" => op.access == Access::Public,
        _ => true,
    };
    FAILURES.into_iter().map(|it| it.0).filter(move |it| can(it))
}

/// Gives every object schema an example that is put together from those of its fields.
fn fill_examples(document: &mut Value, operations: &[Op]) {
    let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") else { return };
    for (name, fields) in operations.iter().flat_map(|op| &op.examples) {
        for (field, example) in fields {
            if let Some(Value::Object(schema)) =
                schemas.get_mut(name).and_then(|it| it.get_mut("properties")?.get_mut(field))
            {
                schema.entry("example").or_insert_with(|| example.clone());
            }
        }
    }
    let schemas = schemas.clone();
    let examples: Map<String, Value> =
        schemas.iter().filter_map(|(name, schema)| Some((name.clone(), example(schema, &schemas, 0)?))).collect();
    let Some(Value::Object(target)) = document.pointer_mut("/components/schemas") else { return };
    for (name, schema) in target {
        if let (Some(schema), Some(example)) = (schema.as_object_mut(), examples.get(name)) {
            schema.entry("example").or_insert_with(|| example.clone());
        }
    }
}

fn example(schema: &Value, all: &Map<String, Value>, depth: usize) -> Option<Value> {
    if depth > 6 {
        return None;
    }
    if let Some(example) = schema.get("example").or_else(|| schema.get("examples")?.get(0)) {
        return Some(example.clone());
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|it| it.rsplit('/').next()) {
        return example(all.get(name)?, all, depth + 1);
    }
    if let Some(first) = schema.get("enum").and_then(Value::as_array).and_then(|it| it.first()) {
        return Some(first.clone());
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let parts = parts.iter().filter_map(|it| example(it, all, depth + 1));
        return Some(Value::Object(parts.filter_map(|it| it.as_object().cloned()).flatten().collect()));
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(options) = schema.get(key).and_then(Value::as_array) {
            return options.iter().rev().find_map(|it| example(it, all, depth + 1));
        }
    }
    let kind = match schema.get("type")? {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|it| *it != "null")?,
        kind => kind.as_str()?,
    };
    Some(match (kind, schema.get("format").and_then(Value::as_str)) {
        ("object", _) => {
            let fields = schema.get("properties").and_then(Value::as_object)?;
            let filled = fields.iter().filter_map(|(name, it)| Some((name.clone(), example(it, all, depth + 1)?)));
            Value::Object(filled.collect())
        }
        ("array", _) => json!([example(schema.get("items")?, all, depth + 1)?]),
        ("string", Some("uuid")) => json!("019a5f3e-7c00-7000-8000-000000000001"),
        ("string", Some("date-time")) => json!("2026-11-22T01:30:05Z"),
        ("string", Some("date")) => json!("2026-11-22"),
        ("string", _) => json!("text"),
        ("boolean", _) => json!(true),
        ("integer" | "number", _) => json!(1),
        _ => return None,
    })
}
