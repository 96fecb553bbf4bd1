//! Adds rows from a sheet: all of them or none, and every error with its row and column.

use std::collections::HashMap;

use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::describe::{Field, Input};
use shared::page::PageQuery;
use shared::problem::FieldError;
use shared::resource::{Editable, FormMap, Row};
use shared::text::{Lang, t};
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::ToSchema;

use super::export::attachment;
use super::routes::{insert, own_node};
use super::sheet_reader::{self, Sheet};
use super::{Browse, Create, Ctx, json, sheet};
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::error::{Error, Result};

/// The largest sheet that is taken.
const MAX_BYTES: usize = 8 << 20;
/// More errors than this nobody reads.
const MAX_ERRORS: usize = 100;
/// Reading a sheet is work for a whole core and adding its rows for a connection, so few are imported at once.
static RUNNING: Semaphore = Semaphore::const_new(2);
/// Those that run and those that wait, each with its sheet in memory.
static ADMITTED: Semaphore = Semaphore::const_new(8);
/// The seconds to wait where too many do already.
const RETRY_AFTER: u64 = 10;

/// How an import went.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// Rows that were added.
    #[schema(example = 12)]
    pub imported: usize,
}

/// `GET …/import-template.xlsx`: the headings, required ones marked, with the choices where there are some.
pub async fn template<R: Editable>(ctx: Ctx) -> Result<HttpResponse> {
    let columns: Vec<_> = columns::<R>().map(|it| (heading(it, ctx.lang), it)).collect();
    let file =
        sheet::template(R::TITLE, &columns, u32::try_from(sheet_reader::MAX_ROWS).unwrap_or(u32::MAX), ctx.lang)?;
    let name = format!("{}-template.xlsx", R::PATH.replace('/', "-"));
    Ok(attachment(&name).body(file))
}

/// `POST …/import`, with the sheet as the body or as the field `file` of a form.
pub async fn import<R: Create>(ctx: Ctx, req: HttpRequest, payload: web::Payload) -> Result<web::Json<Imported>> {
    let (actor, lang) = (ctx.actor(), ctx.lang);
    let Ctx { app, conn, .. } = ctx;
    // No connection is held while the sheet comes, waits and is read.
    drop(conn);
    let bytes = upload(&req, payload).await?;
    let turn = Turn::wait().await?;
    // The turn goes with the sheet: who hangs up does not make room for the next one before this one has been read.
    let reading = web::block(move || (sheet_reader::read(&bytes), turn)).await;
    let (sheet, _turn) = reading.map_err(|_| sheet_reader::broken())?;
    let sheet = sheet?;
    if sheet.lines.is_empty() {
        return Err(Error::field("file", "empty", t("表格中没有数据", "The sheet has no rows")));
    }
    let places = places::<R>(&sheet);
    let mut conn = app.conn().await?;
    let imported = conn
        .transaction(async |conn| {
            let mut known = HashMap::new();
            let mut errors = vec![];
            for (number, cells) in &sheet.lines {
                // As soon as something is wrong nothing will be added; the other rows are looked at all the same.
                let good = errors.is_empty();
                let line = Line { number: *number, cells, places: &places };
                match form::<R>(conn, &actor.caller, &mut known, line, good, lang).await? {
                    Ok(form) if good => {
                        if let Err(err) = insert::<R>(conn, &actor, &form).await {
                            // After what the database refused it cannot be asked any more.
                            errors.extend(at_row(*number, err, lang)?);
                            break;
                        }
                    }
                    Ok(_) => {}
                    Err(wrong) => errors.extend(wrong),
                }
                if errors.len() >= MAX_ERRORS {
                    break;
                }
            }
            if errors.is_empty() { Ok(sheet.lines.len()) } else { Err(Error::Invalid(errors)) }
        })
        .await?;
    Ok(web::Json(Imported { imported }))
}

/// The right to import now.
struct Turn {
    _admitted: SemaphorePermit<'static>,
    _running: SemaphorePermit<'static>,
}

impl Turn {
    /// Waits until few enough others import.
    ///
    /// # Errors
    /// 429 when too many wait already.
    async fn wait() -> Result<Self> {
        let text = t("同时导入的人太多，请稍后再试", "Too many import at once; try again in a moment");
        let admitted = ADMITTED.try_acquire().map_err(|_| Error::Limited(RETRY_AFTER, text))?;
        let running = RUNNING.acquire().await.map_err(anyhow::Error::from)?;
        Ok(Self { _admitted: admitted, _running: running })
    }
}

async fn upload(req: &HttpRequest, payload: web::Payload) -> Result<Bytes> {
    let media = req.headers().get("content-type").and_then(|it| it.to_str().ok()).unwrap_or_default();
    if media.starts_with("multipart/form-data") {
        return file_of_form(req, payload).await;
    }
    match payload.to_bytes_limited(MAX_BYTES).await {
        Ok(bytes) => bytes.map_err(|err| Error::Unreadable(err.to_string())),
        Err(_) => Err(Error::TooLarge),
    }
}

async fn file_of_form(req: &HttpRequest, payload: web::Payload) -> Result<Bytes> {
    use futures_util::StreamExt;
    let unreadable = |err: actix_multipart::MultipartError| Error::Unreadable(err.to_string());
    let mut form = actix_multipart::Multipart::from_request(req, &mut payload.into_inner())
        .await
        .map_err(|err| Error::Unreadable(err.to_string()))?;
    while let Some(field) = form.next().await {
        let mut field = field.map_err(unreadable)?;
        if field.name() != Some("file") {
            continue;
        }
        return match field.bytes(MAX_BYTES).await {
            Ok(bytes) => bytes.map_err(unreadable),
            Err(_) => Err(Error::TooLarge),
        };
    }
    Err(Error::field("file", "required", t("必填", "Required")))
}

/// What a sheet can hold: structures with a widget of their own cannot be typed into a cell, and secrets must not be.
fn columns<R: Editable>() -> impl Iterator<Item = &'static Field> {
    let excluded = |it: Input| matches!(it, Input::Custom(_) | Input::Permissions | Input::Password);
    R::FIELDS.iter().filter(move |it| !excluded(it.input))
}

fn heading(field: &Field, lang: Lang) -> String {
    format!("{}{}", field.label.get(lang), if field.required { "*" } else { "" })
}

/// Where in a line each field stands, if anywhere. The sheet may have been made in either language.
fn places<R: Editable>(sheet: &Sheet) -> Vec<(&'static Field, Option<usize>)> {
    let place = |field: &Field| sheet.headings.iter().position(|it| *it == field.label.zh || *it == field.label.en);
    columns::<R>().map(|field| (field, place(field))).collect()
}

/// One line of a sheet.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// Its number as people see it.
    number: usize,
    cells: &'a [String],
    places: &'a [(&'static Field, Option<usize>)],
}

impl<'a> Line<'a> {
    /// The fields with what stands in their cells.
    fn fields(self) -> impl Iterator<Item = (&'static Field, &'a str)> {
        let text = move |place: Option<usize>| self.cells.get(place?).map(String::as_str);
        self.places.iter().map(move |(field, place)| (*field, text(*place).unwrap_or_default()))
    }
}

/// What of a resource was named so far, and which row that is.
type Known = HashMap<(&'static str, Named), Value>;

/// Reads a line as a form, or tells all that is wrong with it. Rows above it can be named by it, unless something was
/// wrong before and they were not added.
async fn form<R: Create>(
    conn: &mut AsyncPgConnection,
    caller: &Caller,
    known: &mut Known,
    line: Line<'_>,
    good: bool,
    lang: Lang,
) -> Result<std::result::Result<R::Form, Vec<FieldError>>> {
    let mut map = FormMap::new();
    own_node(R::FIELDS, &mut map, caller.scope.node);
    let mut errors = vec![];
    let mut unresolved = vec![];
    let number = line.number;
    for (field, text) in line.fields() {
        let parent = |it: &'static str| Some((it, map.get(it)?.as_str()?.to_owned()));
        let within = field.parents().filter_map(parent).collect();
        match value(conn, &caller.scope, known, field, text, within).await? {
            Some(Value::Null) => {}
            Some(value) => drop(map.insert(field.name.to_owned(), value)),
            None => {
                unresolved.push(field.name);
                if good || field.input != Input::Lookup(R::PATH) {
                    errors.push(located(number, field.label.get(lang), "choice", no_such(text, lang)));
                }
            }
        }
    }
    match shared::check::read::<R::Form>(R::FIELDS, &map, lang) {
        Ok(form) if errors.is_empty() => return Ok(Ok(form)),
        Ok(_) => {}
        // What names nothing was told above; that it is therefore missing need not be.
        Err(wrong) => {
            errors.extend(wrong.into_iter().filter(|it| !unresolved.contains(&it.field.as_str())).map(|it| {
                let field = R::FIELDS.iter().find(|field| field.name == it.field);
                let label = field.map_or(it.field.as_str(), |it| it.label.get(lang));
                located(number, label, &it.code, it.message)
            }));
        }
    }
    Ok(Err(errors))
}

fn no_such(text: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("没有“{text}”，或不止一个"),
        Lang::En => format!("There is no “{text}”, or more than one"),
    }
}

fn located(row: usize, column: &str, code: &str, message: String) -> FieldError {
    FieldError::new(format!("{row}:{column}"), code, message)
}

fn at_row(row: usize, err: Error, lang: Lang) -> Result<Vec<FieldError>> {
    match err {
        Error::Invalid(errors) => {
            Ok(errors.into_iter().map(|it| located(row, &it.field, &it.code, it.message)).collect())
        }
        Error::Field(field, code, text) => Ok(vec![located(row, &field, code, text.get(lang).to_owned())]),
        Error::Conflict(code, text) => Ok(vec![located(row, "", code, text.get(lang).to_owned())]),
        err => Err(err),
    }
}

/// What a cell's text means for a field; `None` when it names something that does not exist.
async fn value(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    known: &mut Known,
    field: &Field,
    text: &str,
    within: Vec<(&'static str, String)>,
) -> Result<Option<Value>> {
    if text.is_empty() {
        return Ok(Some(Value::Null));
    }
    let number = |text: &str| text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from);
    Ok(match field.input {
        Input::Int { .. } => Some(number(text)),
        Input::Watts { .. } => Some(scaled(text, 3)),
        Input::Fen { .. } => Some(scaled(text, 2)),
        Input::Degrees { .. } => Some(text.parse::<f64>().map_or_else(|_| Value::from(text), Value::from)),
        Input::Switch => match text {
            "是" | "启用" | "Yes" | "Enabled" | "true" => Some(Value::Bool(true)),
            "否" | "禁用" | "No" | "Disabled" | "false" => Some(Value::Bool(false)),
            _ => None,
        },
        Input::Choice(choices) => {
            let named = |it: &&shared::codes::Choice| it.value == text || it.label.zh == text || it.label.en == text;
            choices.iter().find(named).map(|it| Value::from(it.value))
        }
        Input::Lookup(path) => row(conn, scope, known, path, Named { name: text.to_owned(), within }).await?,
        Input::Lookups(path) => {
            let mut rows = vec![];
            for name in text.split(['、', '，', ',', '；', ';']).map(str::trim).filter(|it| !it.is_empty()) {
                let named = Named { name: name.to_owned(), within: within.clone() };
                let Some(row) = row(conn, scope, known, path, named).await? else { return Ok(None) };
                rows.push(row);
            }
            Some(Value::Array(rows))
        }
        _ => Some(Value::from(text)),
    })
}

/// The row that a cell names.
async fn row(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    known: &mut Known,
    path: &'static str,
    named: Named,
) -> Result<Option<Value>> {
    let key = (path, named);
    if let Some(found) = known.get(&key) {
        return Ok(Some(found.clone()));
    }
    let found = crate::router::named(conn, scope, path, &key.1).await?.map(|id| Value::from(id.to_string()));
    if let Some(found) = &found {
        known.insert(key, found.clone());
    }
    Ok(found)
}

/// A decimal text as an integer of its smallest unit: `"7.5"` kW with three places is 7500.
fn scaled(text: &str, places: usize) -> Value {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{part:0<places$}");
    if part.len() > places {
        return Value::from(text);
    }
    digits.parse::<i64>().map_or_else(|_| Value::from(text), Value::from)
}

/// What a cell of a sheet names: a row by its name, below another one where names are only unique there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The search conditions that narrow it, with their values: areas of the station in the same line.
    pub within: Vec<(&'static str, String)>,
}

/// The row of a resource with exactly this name, in scope; none if there are several.
///
/// # Errors
/// The database's.
pub async fn named<R: Browse>(
    conn: &mut AsyncPgConnection,
    scope: &Scope,
    named: &Named,
) -> Result<Option<uuid::Uuid>> {
    let Named { name, within } = named;
    let mut filter = FormMap::from_iter([("name".to_owned(), Value::from(name.as_str()))]);
    filter.extend(within.iter().map(|(parent, id)| ((*parent).to_owned(), Value::from(id.as_str()))));
    let filter = serde_json::from_value(Value::Object(filter))
        .map_err(|err| Error::internal(format!("{} has no name: {err}", R::PATH)))?;
    let page = R::list(conn, scope, &filter, &PageQuery { size: 200, ..PageQuery::default() }).await?;
    let mut exact = vec![];
    for row in &page.items {
        if R::name_of(&json(row)?) == name {
            exact.push(row.id());
        }
    }
    Ok(if let [only] = exact[..] { Some(only) } else { None })
}
