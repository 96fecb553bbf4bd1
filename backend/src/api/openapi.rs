//! The OpenAPI 3.1 document, written from the operations.

use serde_json::{Map, Value, json};
use shared::permission::Page;
use shared::text::{Text, t};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    Components, ContactBuilder, Content, InfoBuilder, KnownFormat, ObjectBuilder, OpenApi, OpenApiBuilder, Ref,
    Required, ResponseBuilder, Schema, SchemaFormat, Server, Type,
};
use utoipa::{PartialSchema, ToSchema};

use super::op::{Access, Answer, Op, json_content};
use crate::crud::ops::XLSX;

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
    let mut api = OpenApiBuilder::new().info(info.build()).components(Some(components));
    api = api.servers(Some([Server::new("/")])).tags(Some(tags(operations)));
    let mut api = api.build();
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
    without_null(&mut value);
    fill_in(&mut value, operations);
    Ok(format!("{}\n", serde_json::to_string_pretty(&value)?))
}

/// What the operations of a tag are about.
fn subject(tag: &str) -> Option<Text> {
    match Page::at(tag) {
        Some(page) => Some(page.title),
        None if tag.starts_with("app/") => Some(t("车主端", "The drivers' app")),
        None => None,
    }
}

fn tags(operations: &[Op]) -> Vec<Tag> {
    let mut names: Vec<&str> = operations.iter().map(|it| it.tag.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let tag = |name: &str| {
        let said = subject(name).map(|it| format!("{} {}", it.zh, it.en));
        TagBuilder::new().name(name).description(said).build()
    };
    names.into_iter().map(tag).collect()
}

/// A query parameter is there or not; it is never null, which is what its optional type says.
fn without_null(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flatten();
    let operations = paths.filter_map(|(_, path)| path.as_object_mut()).flatten();
    let parameters = operations.filter_map(|(_, it)| it.get_mut("parameters")?.as_array_mut()).flatten();
    for schema in parameters.filter_map(|it| it.get_mut("schema")?.as_object_mut()) {
        if let Some(Value::Array(kinds)) = schema.get_mut("type") {
            kinds.retain(|it| it != "null");
            if let [only] = kinds.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(kinds)) = schema.get_mut("oneOf") {
            kinds.retain(|it| it.get("type").is_none_or(|it| it != "null"));
            if let [Value::Object(only)] = kinds.as_slice() {
                *schema = only.clone();
            }
        }
    }
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
    let summary = match subject(&op.tag) {
        Some(of) => (format!("{}：{}", of.zh, op.summary.zh), format!("{}: {}", of.en, op.summary.en)),
        None => (op.summary.zh.to_owned(), op.summary.en.to_owned()),
    };
    let mut operation = OperationBuilder::new()
        .operation_id(Some(op.id.clone()))
        .tag(op.tag.clone())
        .summary(Some(summary.0))
        .description(Some(summary.1));
    for name in op.path.split('/').filter_map(|it| it.strip_prefix('{')?.strip_suffix('}')) {
        let uuid = (name == "id").then_some(SchemaFormat::KnownFormat(KnownFormat::Uuid));
        let text = ObjectBuilder::new().schema_type(Type::String).format(uuid);
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
        operation = operation.parameter(parameter.schema(Some(text)));
    }
    operation = operation.parameters(Some(op.params.clone()));
    if let Some(body) = &op.body {
        let body = match body {
            Answer::Json(_, name) => RequestBodyBuilder::new().content("application/json", json_content(name)),
            Answer::Other(XLSX) => {
                let form = ObjectBuilder::new().property("file", of_media(XLSX)).required("file");
                let form = Content::new(Some(Schema::from(form)));
                RequestBodyBuilder::new().content(XLSX, media_content(XLSX)).content("multipart/form-data", form)
            }
            Answer::Other(media) => RequestBodyBuilder::new().content(*media, media_content(media)),
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
            operation.response("200", ResponseBuilder::new().description("Done").content(*media, media_content(media)))
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

fn media_content(media: &str) -> Content {
    Content::new(Some(Schema::from(of_media(media))))
}

/// The schema of what is not JSON: text, a form, or bytes.
fn of_media(media: &str) -> ObjectBuilder {
    match media {
        _ if media.starts_with("text/") => ObjectBuilder::new().schema_type(Type::String),
        "application/x-www-form-urlencoded" => {
            let text = ObjectBuilder::new().schema_type(Type::String);
            ObjectBuilder::new().additional_properties(Some(Schema::from(text)))
        }
        _ => {
            let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
            ObjectBuilder::new().schema_type(Type::String).format(Some(binary))
        }
    }
}

/// How operations fail: each is described once, and referred to.
const FAILURES: [(&str, &str); 9] = [
    ("400", "The body cannot be read at all"),
    ("401", "Not logged in, or no longer"),
    ("403", "The permission is lacking"),
    ("404", "Not there, or not yours"),
    ("409", "The state of things forbids it"),
    ("413", "The body is larger than is taken"),
    ("422", "Fields or parameters are wrong; `errors` says which"),
    ("429", "Too often; see `Retry-After`"),
    ("503", "The database, a device or a provider cannot be reached"),
];

/// How an operation can fail, from what it is and what it says itself.
fn failures(op: &Op) -> impl Iterator<Item = &'static str> {
    let reads = op.body.is_some() || op.keyed;
    let staff = matches!(op.access, Access::LoggedIn | Access::Permission(_));
    let can = move |status: &str| match status {
        _ if op.fails.contains(&status) => true,
        "400" | "413" => reads,
        "401" => op.access != Access::Public,
        "403" => matches!(op.access, Access::Permission(_)),
        "404" => op.path.contains('{'),
        // Whoever must change their password first can do nothing else.
        "409" => !op.method.is_safe() || staff,
        "429" => op.access == Access::Public,
        _ => true,
    };
    FAILURES.into_iter().map(|it| it.0).filter(move |it| can(it))
}

/// Tells what is checked of the fields of forms, and gives every object schema an example that is put together from those
/// of its fields.
fn fill_in(document: &mut Value, operations: &[Op]) {
    let Some(Value::Object(schemas)) = document.pointer_mut("/components/schemas") else { return };
    for (name, fields) in operations.iter().flat_map(|op| &op.hints) {
        for (field, words) in fields {
            if let Some(Value::Object(schema)) =
                schemas.get_mut(name).and_then(|it| it.get_mut("properties")?.get_mut(field))
            {
                for (word, value) in words {
                    schema.entry(word).or_insert_with(|| value.clone());
                }
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

/// The deepest that an example goes: trees have no end.
const DEEPEST: usize = 12;

fn example(schema: &Value, all: &Map<String, Value>, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
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
