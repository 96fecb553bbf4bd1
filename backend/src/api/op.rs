//! One operation of the API: its address, who may use it, what it takes and gives. From the same value the route is
//! mounted, the rights are enforced and the OpenAPI document is written, so that none of them can be forgotten.

use std::collections::BTreeMap;
use std::rc::Rc;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::{FromRequest, Handler, Responder, Route, web};
use serde_json::{Value, json};
use shared::describe::{Field, Input};
use shared::page::PageQuery;
use shared::resource::FormMap;
use shared::text::Text;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{Content, ObjectBuilder, Ref, RefOr, Required, Schema, Type};
use utoipa::{IntoParams, PartialSchema, ToSchema};

use super::address::{self, Known};
use super::request::Rules;
use super::{body, idempotency, request};

/// Who may use an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Every logged-in user of the console.
    LoggedIn,
    /// Users with this permission.
    Permission(String),
    /// Logged-in drivers.
    Driver,
}

/// What an operation answers when all went well.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Nothing: 204.
    Nothing,
    /// JSON of a named schema, with this status.
    Json(u16, String),
    /// Something else, by its media type.
    Other(&'static str),
}

/// One operation.
pub struct Op {
    /// GET, POST, PUT or DELETE.
    pub method: Method,
    /// The whole path, with `{id}` for ids.
    pub path: String,
    /// The operationId.
    pub id: String,
    /// What it belongs to.
    pub tag: String,
    /// What it does, in both languages.
    pub summary: Text,
    /// Who may use it.
    pub access: Access,
    /// Query parameters.
    pub params: Vec<Parameter>,
    /// The schema of the JSON body, or a media type for another body.
    pub body: Option<Answer>,
    /// What it answers.
    pub answer: Answer,
    /// Is done once under an `Idempotency-Key`, and refused without one.
    pub keyed: bool,
    /// The field of the body that names the row it is about, where its path does not.
    pub about: Option<&'static str>,
    /// How it can fail besides what follows from all this: statuses.
    pub fails: Vec<&'static str>,
    /// The schemas it speaks of.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    /// Limits and examples of fields that their types do not tell, by schema.
    pub hints: Vec<(String, Hints)>,
    route: Option<Route>,
}

impl Op {
    fn new(method: Method, path: impl Into<String>, id: impl Into<String>, summary: Text) -> Self {
        Self {
            method,
            path: path.into(),
            id: id.into(),
            tag: String::new(),
            summary,
            access: Access::LoggedIn,
            params: vec![],
            body: None,
            answer: Answer::Nothing,
            keyed: false,
            about: None,
            fails: vec![],
            schemas: vec![],
            hints: vec![],
            route: None,
        }
    }

    /// `GET path`.
    pub fn get(path: impl Into<String>, id: impl Into<String>, summary: Text) -> Self {
        Self::new(Method::GET, path, id, summary)
    }

    /// `POST path`.
    pub fn post(path: impl Into<String>, id: impl Into<String>, summary: Text) -> Self {
        Self::new(Method::POST, path, id, summary)
    }

    /// `PUT path`.
    pub fn put(path: impl Into<String>, id: impl Into<String>, summary: Text) -> Self {
        Self::new(Method::PUT, path, id, summary)
    }

    /// `DELETE path`.
    pub fn delete(path: impl Into<String>, id: impl Into<String>, summary: Text) -> Self {
        Self::new(Method::DELETE, path, id, summary)
    }

    /// What it belongs to.
    pub fn tag(mut self, tag: &str) -> Self {
        tag.clone_into(&mut self.tag);
        self
    }

    /// Everybody may.
    pub fn public(mut self) -> Self {
        self.access = Access::Public;
        self
    }

    /// Only with this permission.
    pub fn permission(mut self, permission: impl Into<String>) -> Self {
        self.access = Access::Permission(permission.into());
        self
    }

    /// Only for drivers.
    pub fn driver(mut self) -> Self {
        self.access = Access::Driver;
        self
    }

    /// Takes these query parameters.
    pub fn query<P: IntoParams>(mut self) -> Self {
        self.params.extend(P::into_params(|| Some(ParameterIn::Query)));
        self
    }

    /// Takes this JSON body.
    pub fn body<T: ToSchema>(mut self) -> Self {
        self.add_schema::<T>();
        self.body = Some(Answer::Json(0, T::name().into_owned()));
        self
    }

    /// Takes the JSON body of a form with these fields.
    pub fn form<T: ToSchema>(mut self, fields: &[Field]) -> Self {
        self = self.body::<T>();
        self.hints.push((T::name().into_owned(), hints(fields)));
        self
    }

    /// Takes a body of this media type.
    pub fn body_of(mut self, media: &'static str) -> Self {
        self.body = Some(Answer::Other(media));
        self
    }

    /// Takes a JSON body of a schema made by hand.
    pub fn body_schema(mut self, name: String, schema: RefOr<Schema>) -> Self {
        self.schemas.push((name.clone(), schema));
        self.body = Some(Answer::Json(0, name));
        self
    }

    /// Can also fail like this, which does not follow from what else it is.
    pub fn fails(mut self, statuses: &[&'static str]) -> Self {
        self.fails.extend(statuses);
        self
    }

    /// Answers with this, 200.
    pub fn returns<T: ToSchema>(self) -> Self {
        self.returns_with::<T>(200)
    }

    /// Answers with this and a status.
    pub fn returns_with<T: ToSchema>(mut self, status: u16) -> Self {
        self.add_schema::<T>();
        self.answer = Answer::Json(status, T::name().into_owned());
        self
    }

    /// Takes a page's number, its size, and the column that it is sorted by: one of these, or the time of creation.
    pub fn paged(mut self, sorted: &[&str]) -> Self {
        self = self.query::<PageQuery>();
        let keys = ["id"].iter().chain(sorted).flat_map(|it| [(*it).to_owned(), format!("-{it}")]);
        let keys = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(keys));
        if let Some(sort) = self.params.iter_mut().find(|it| it.name == "sort") {
            sort.schema = Some(keys.into());
        }
        self
    }

    /// Answers with a page of these.
    pub fn returns_page<T: ToSchema>(mut self) -> Self {
        self.add_schema::<T>();
        // utoipa calls every `Page<T>` just `Page`, so that one resource's would overwrite the next one's.
        let name = format!("{}Page", T::name());
        self.schemas.push((name.clone(), shared::page::Page::<T>::schema()));
        self.answer = Answer::Json(200, name);
        self
    }

    /// Answers with a list of these.
    pub fn returns_list<T: ToSchema>(mut self) -> Self {
        self.add_schema::<T>();
        let name = format!("{}List", T::name());
        let items = utoipa::openapi::schema::ArrayBuilder::new().items(Ref::from_schema_name(T::name()));
        self.schemas.push((name.clone(), RefOr::T(items.into())));
        self.answer = Answer::Json(200, name);
        self
    }

    /// Answers with something that is not JSON.
    pub fn returns_media(mut self, media: &'static str) -> Self {
        self.answer = Answer::Other(media);
        self
    }

    /// Moves money or hardware: it needs a key, and is done once under it.
    pub fn keyed(mut self) -> Self {
        let key = ParameterBuilder::new()
            .name(idempotency::HEADER)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(
                "Made up for each new wish, 1 to 255 characters. What was done under a key is not done again: the same key \
                 with the same body gives the first answer again, with `idempotent-replayed: true`.",
            ))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255))));
        self.params.push(key.build());
        self.keyed = true;
        self
    }

    /// Is about the row that this field of its body names, for which many may wait.
    pub const fn about(mut self, field: &'static str) -> Self {
        self.about = Some(field);
        self
    }

    /// Is done by this handler.
    pub fn to<F, Args>(mut self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let rules = Rc::new(Rules {
            id: self.id.as_str().into(),
            access: self.access.clone(),
            keyed: self.keyed,
            about: self.about,
            body: (!self.method.is_safe()).then(|| self.largest_body()),
        });
        let known = Known::of(&self.params);
        let route = web::method(self.method.clone()).to(handler);
        let route = route.wrap(from_fn(move |req, next| address::check(known.clone(), req, next)));
        self.route = Some(route.wrap(from_fn(move |req, next| request::authorize(rules.clone(), req, next))));
        self
    }

    /// Those who are not logged in bring little; sheets are large.
    fn largest_body(&self) -> usize {
        match (&self.access, &self.body) {
            (Access::Public, _) => body::GUEST_LIMIT,
            (_, Some(Answer::Other(_))) => body::FILE_LIMIT,
            (_, Some(Answer::Json(..) | Answer::Nothing) | None) => body::LIMIT,
        }
    }

    fn add_schema<T: ToSchema>(&mut self) {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
    }
}

/// The words of JSON Schema about each field of a form.
pub type Hints = BTreeMap<&'static str, FormMap>;

fn hints(fields: &[Field]) -> Hints {
    fields.iter().map(|it| (it.name, hint(it))).collect()
}

/// What is checked of a field, and a value that passes.
fn hint(field: &Field) -> FormMap {
    let range = |min: i64, max: i64| vec![("minimum", json!(min)), ("maximum", json!(max))];
    let example = |it: Value| vec![("example", it)];
    let id = "019a5f3e-7c00-7000-8000-000000000001";
    let words = match field.input {
        Input::Text(longest) | Input::Area(longest) if field.required => {
            vec![("minLength", json!(1)), ("maxLength", json!(longest))]
        }
        Input::Text(longest) | Input::Area(longest) => vec![("maxLength", json!(longest))],
        Input::Mobile => example("13800000001".into()),
        Input::Phone => example("400-800-1234".into()),
        Input::Plate => example("浙A12345".into()),
        Input::Email => example("ops@example.com".into()),
        Input::Int { min, max } | Input::Fen { min, max } => [range(min, max), example(min.max(1).into())].concat(),
        Input::Watts { max } => [range(0, max), example(60_000.into())].concat(),
        Input::Degrees { limit } => {
            let most = i64::from(limit);
            [range(-most, most), example(if limit > 90 { 120.2 } else { 30.25 }.into())].concat()
        }
        Input::Password => example("correct horse battery staple".into()),
        Input::Lookups(_) if field.required => vec![("minItems", json!(1)), ("example", json!([id]))],
        Input::Lookups(_) => example(json!([])),
        Input::Switch | Input::Choice(_) | Input::Lookup(_) | Input::Permissions | Input::Days | Input::Custom(_) => {
            vec![]
        }
    };
    words.into_iter().map(|(word, value)| (word.to_owned(), value)).collect()
}

/// The reference to a JSON schema as a body.
pub fn json_content(name: &str) -> Content {
    Content::new(Some(RefOr::<Schema>::Ref(Ref::from_schema_name(name))))
}

/// Mounts operations: literal paths come before those with ids.
pub fn mount(operations: Vec<Op>, config: &mut web::ServiceConfig) {
    let mut paths: BTreeMap<(usize, String), Vec<Route>> = BTreeMap::new();
    for op in operations {
        let Some(route) = op.route else { continue };
        paths.entry((op.path.matches('{').count(), op.path)).or_default().push(route);
    }
    for ((_, path), routes) in paths {
        let resource = routes.into_iter().fold(web::resource(path), actix_web::Resource::route);
        config.service(resource);
    }
}
