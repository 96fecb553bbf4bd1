//! Adds rows from a sheet: all of them or none, and every error with its row and column.

use std::collections::HashMap;
use std::io::Cursor;

use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use calamine::{Data, Reader, Xlsx};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::describe::{Field, Input};
use shared::page::PageQuery;
use shared::problem::FieldError;
use shared::resource::{Editable, FormMap, Row};
use shared::text::{Lang, t};
use utoipa::ToSchema;

use super::export::attachment;
use super::routes::{insert, own_node};
use super::{Browse, Create, Ctx, json, sheet};
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::error::{Error, Result};

/// The largest sheet that is taken.
const MAX_BYTES: usize = 8 << 20;
/// The most that it may unfold to: a small file can hold a huge one.
const MAX_UNPACKED: u64 = 128 << 20;
/// The most rows that are taken at once.
const MAX_ROWS: usize = 5000;
/// More errors than this nobody reads.
const MAX_ERRORS: usize = 100;

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
    let file = sheet::template(R::TITLE, &columns, u32::try_from(MAX_ROWS).unwrap_or(u32::MAX), ctx.lang)?;
    let name = format!("{}-template.xlsx", R::PATH.replace('/', "-"));
    Ok(attachment(&name).body(file))
}

/// `POST …/import`, with the sheet as the body or as the field `file` of a form.
pub async fn import<R: Create>(ctx: Ctx, req: HttpRequest, payload: web::Payload) -> Result<web::Json<Imported>> {
    let bytes = upload(&req, payload).await?;
    let rows = web::block(move || read(&bytes)).await.map_err(|err| Error::internal(err.to_string()))??;
    let (actor, lang) = (ctx.actor(), ctx.lang);
    let mut conn = ctx.conn;
    let imported = conn
        .transaction(async |conn| {
            let mut known = HashMap::new();
            let mut errors = vec![];
            for (number, line) in &rows {
                // As soon as something is wrong nothing will be added; the other rows are looked at all the same.
                let good = errors.is_empty();
                match form::<R>(conn, &actor.caller, &mut known, (*number, line), good, lang).await? {
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
            if errors.is_empty() { Ok(rows.len()) } else { Err(Error::Invalid(errors)) }
        })
        .await?;
    Ok(web::Json(Imported { imported }))
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

/// One line of a sheet: its number as people see it, and its cells by heading.
type Line = (usize, HashMap<String, Data>);

fn read(bytes: &[u8]) -> Result<Vec<Line>> {
    let broken = || Error::field("file", "format", t("不是有效的 xlsx 文件", "Not a readable xlsx file"));
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken())?;
    let mut unpacked = 0_u64;
    for index in 0..archive.len() {
        unpacked = unpacked.saturating_add(archive.by_index_raw(index).map_err(|_| broken())?.size());
    }
    if unpacked > MAX_UNPACKED {
        return Err(Error::TooLarge);
    }
    let mut book: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(bytes)).map_err(|_: calamine::XlsxError| broken())?;
    let sheet = book.worksheet_range_at(0).ok_or_else(broken)?.map_err(|_| broken())?;
    let mut rows = sheet.rows();
    let plain = |cell: &Data| cell.to_string().trim().trim_end_matches('*').trim().to_owned();
    let headings: Vec<String> = rows.next().map(|row| row.iter().map(plain).collect()).unwrap_or_default();
    let filled = |row: &&[Data]| row.iter().any(|it| !it.to_string().trim().is_empty());
    let lines: Vec<Line> = (2..)
        .zip(rows)
        .filter(|(_, row)| filled(row))
        .map(|(number, row)| (number, headings.iter().cloned().zip(row.iter().cloned()).collect()))
        .collect();
    match lines.len() {
        0 => Err(Error::field("file", "empty", t("表格中没有数据", "The sheet has no rows"))),
        count if count > MAX_ROWS => Err(Error::field("file", "too_long", t("行数过多", "Too many rows"))),
        _ => Ok(lines),
    }
}

/// What a sheet can hold: structures with a widget of their own cannot be typed into a cell, and secrets must not be.
fn columns<R: Editable>() -> impl Iterator<Item = &'static Field> {
    let excluded = |it: Input| matches!(it, Input::Custom(_) | Input::Permissions | Input::Password);
    R::FIELDS.iter().filter(move |it| !excluded(it.input))
}

fn heading(field: &Field, lang: Lang) -> String {
    format!("{}{}", field.label.get(lang), if field.required { "*" } else { "" })
}

/// What of a resource was named so far, and which row that is.
type Known = HashMap<(&'static str, Named), Value>;

/// Reads a line as a form, or tells all that is wrong with it. Rows above it can be named by it, unless something was
/// wrong before and they were not added.
async fn form<R: Create>(
    conn: &mut AsyncPgConnection,
    caller: &Caller,
    known: &mut Known,
    (number, line): (usize, &HashMap<String, Data>),
    good: bool,
    lang: Lang,
) -> Result<std::result::Result<R::Form, Vec<FieldError>>> {
    let mut map = FormMap::new();
    own_node(R::FIELDS, &mut map, caller.scope.node);
    let mut errors = vec![];
    let mut unresolved = vec![];
    for field in columns::<R>() {
        // The sheet may have been made in either language.
        let cell = line.get(field.label.zh).or_else(|| line.get(field.label.en));
        let text = cell.map(|it| it.to_string().trim().to_owned()).unwrap_or_default();
        let parent = |it: &'static str| Some((it, map.get(it)?.as_str()?.to_owned()));
        let within = field.parents().filter_map(parent).collect();
        match value(conn, &caller.scope, known, field, &text, within).await? {
            Some(Value::Null) => {}
            Some(value) => drop(map.insert(field.name.to_owned(), value)),
            None => {
                unresolved.push(field.name);
                if good || field.input != Input::Lookup(R::PATH) {
                    errors.push(located(number, field.label.get(lang), "choice", no_such(&text, lang)));
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
