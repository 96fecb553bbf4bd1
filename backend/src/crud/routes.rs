//! The handlers of every resource, once.

use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse, web};
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::describe::Field;
use shared::page::{Page, PageQuery};
use shared::problem::FieldError;
use shared::resource::{Editable, FormMap, Resource, Row};
use shared::text::{Lang, t};
use utoipa::IntoParams;
use uuid::Uuid;

use super::audit::{Actor, Deed, record};
use super::{Browse, Change, Create, Ctx, Delete, Impact, Switch, json, page};
use crate::api::body::{Body, params};
use crate::auth::caller::Caller;
use crate::auth::scope::Node;
use crate::error::{Error, Result};

/// `GET /…`: one page.
pub async fn list<R: Browse>(mut ctx: Ctx, req: HttpRequest) -> Result<web::Json<Page<R::Row>>> {
    let (filter, page) = read_query::<R>(req.query_string(), ctx.lang)?;
    Ok(web::Json(R::list(&mut ctx.conn, &ctx.caller.scope, &filter, &page).await?))
}

/// The search conditions of a list that needs none.
#[derive(serde::Deserialize, IntoParams)]
pub struct NoFilter {}

/// Reads search conditions and paging of a resource.
///
/// # Errors
/// As [`read_search`].
pub fn read_query<R: Resource>(query: &str, lang: Lang) -> Result<(R::Filter, PageQuery)> {
    read_search(query, &sorted::<R>(), lang)
}

/// The columns that a list can be sorted by.
pub fn sorted<R: Resource>() -> Vec<&'static str> {
    R::COLUMNS.iter().filter(|it| it.sorted).map(|it| it.key).collect()
}

/// Reads search conditions and paging.
///
/// # Errors
/// 422 with the parameter.
pub fn read_search<F: DeserializeOwned>(query: &str, sorted: &[&str], lang: Lang) -> Result<(F, PageQuery)> {
    let page: PageQuery = params(query)?;
    page::check(&page, sorted, lang)?;
    Ok((params(query)?, page))
}

/// `GET /…/{id}`.
pub async fn find<R: Browse>(mut ctx: Ctx, id: Path<Uuid>) -> Result<web::Json<R::Detail>> {
    Ok(web::Json(R::find(&mut ctx.conn, &ctx.caller.scope, *id).await?))
}

/// `POST /…`.
pub async fn create<R: Create>(ctx: Ctx, Body(form): Body<FormMap>) -> Result<HttpResponse> {
    let form = read_form::<R>(form, &ctx.caller, ctx.lang)?;
    let actor = ctx.actor();
    let mut conn = ctx.conn;
    let row = conn.once(async |conn| insert::<R>(conn, &actor, &form).await).await?;
    Ok(HttpResponse::Created().json(row))
}

/// Checks and reads a form.
///
/// # Errors
/// 422 with all that is wrong.
pub fn read_form<R: Editable>(mut form: FormMap, caller: &Caller, lang: Lang) -> Result<R::Form> {
    own_node(R::FIELDS, &mut form, caller.scope.node);
    shared::check::read::<R::Form>(R::FIELDS, &form, lang).map_err(Error::Invalid)
}

/// Who belongs to one provider or property need not say so: it is filled in where nothing else was said.
pub fn own_node(fields: &[Field], form: &mut FormMap, node: Node) {
    let own =
        [("provider_id", node.provider()), ("property_id", node.property()), ("collective_id", node.collective())];
    for (name, own) in own {
        let asked = fields.iter().any(|it| it.name == name);
        let said = form.get(name).is_some_and(|it| !it.is_null());
        if let (true, false, Some(id)) = (asked, said, own) {
            form.insert(name.to_owned(), Value::from(id.to_string()));
        }
    }
}

/// Adds one row, within the caller's transaction.
pub async fn insert<R: Create>(conn: &mut AsyncPgConnection, actor: &Actor, form: &R::Form) -> Result<R::Detail> {
    let id = R::create(conn, &actor.caller, form).await?;
    // Read back through the caller's scope: a row one may not see cannot be created.
    let row = R::find(conn, &actor.caller.scope, id).await?;
    let after = json(&row)?;
    record(conn, actor, Deed::of::<R>("create", id, &after), None, Some(&after)).await?;
    Ok(row)
}

/// `PUT /…/{id}`: the whole form, and the version that it is based on.
pub async fn update<R: Change>(
    ctx: Ctx,
    id: Path<Uuid>,
    req: HttpRequest,
    Body(mut map): Body<FormMap>,
) -> Result<web::Json<R::Detail>> {
    let version = asked_version(&req, &mut map)?;
    let form = read_form::<R>(map, &ctx.caller, ctx.lang)?;
    let (actor, lang) = (ctx.actor(), ctx.lang);
    let mut conn = ctx.conn;
    let row = conn.transaction(async |conn| change::<R>(conn, &actor, *id, version, &form, lang).await).await?;
    Ok(web::Json(row))
}

/// Changes one row, within the caller's transaction.
pub async fn change<R: Change>(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: Uuid,
    version: i64,
    form: &R::Form,
    lang: Lang,
) -> Result<R::Detail> {
    let before = R::find(conn, &actor.caller.scope, id).await?;
    keep_fixed::<R>(&before, form, lang)?;
    stamp(conn, <R as Change>::TABLE, id, Some(version)).await?;
    R::update(conn, &actor.caller, id, form).await?;
    changed::<R>(conn, actor, "update", before).await
}

/// `If-Match` or the field `version`.
pub fn asked_version(req: &HttpRequest, form: &mut FormMap) -> Result<i64> {
    let header =
        req.headers().get("if-match").and_then(|it| it.to_str().ok()).map(|it| it.trim_matches('"').parse::<i64>());
    match (form.remove("version"), header) {
        (Some(Value::Number(number)), _) => number.as_i64(),
        (None, Some(Ok(version))) => Some(version),
        (None, None) => return Err(Error::field("version", "required", t("必填", "Required"))),
        _ => None,
    }
    .ok_or_else(|| Error::field("version", "format", t("请填写整数", "A whole number")))
}

/// Fixed fields may be sent along, but not changed.
fn keep_fixed<R: Editable>(before: &R::Detail, form: &R::Form, lang: Lang) -> Result<()> {
    let (old, new) = (json(&R::form(before))?, json(form)?);
    let moved = R::FIELDS.iter().filter(|it| it.fixed && old.get(it.name) != new.get(it.name));
    let text = t("创建后不能修改", "Cannot be changed after creation").get(lang);
    let errors: Vec<_> = moved.map(|it| FieldError::new(it.name, "fixed", text)).collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::Invalid(errors)) }
}

/// Counts a change of a row and locks it; with a version, only if that is still the newest.
pub async fn stamp(conn: &mut AsyncPgConnection, table: &'static str, id: Uuid, version: Option<i64>) -> Result<()> {
    let sql = format!(
        "update {table} set version = version + 1, updated_at = now() where id = $1 and ($2 = -1 or version = $2)"
    );
    let changed =
        diesel::sql_query(sql).bind::<SqlUuid, _>(id).bind::<BigInt, _>(version.unwrap_or(-1)).execute(conn).await?;
    if changed == 1 {
        return Ok(());
    }
    let text = t("数据已被他人修改，请刷新后重试", "Somebody changed it in the meantime; read it again");
    Err(Error::Conflict("stale", text))
}

/// Reads a changed row back through the scope and writes the audit.
pub async fn changed<R: Browse>(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    action: &str,
    before: R::Detail,
) -> Result<R::Detail> {
    let id = before.id();
    let after = R::find(conn, &actor.caller.scope, id).await?;
    let (old, new) = (json(&before)?, json(&after)?);
    record(conn, actor, Deed::of::<R>(action, id, &new), Some(&old), Some(&new)).await?;
    Ok(after)
}

/// `POST /…/{id}/enable`.
pub async fn enable<R: Switch>(ctx: Ctx, id: Path<Uuid>) -> Result<web::Json<R::Detail>> {
    switch::<R>(ctx, *id, true).await
}

/// `POST /…/{id}/disable`.
pub async fn disable<R: Switch>(ctx: Ctx, id: Path<Uuid>) -> Result<web::Json<R::Detail>> {
    switch::<R>(ctx, *id, false).await
}

async fn switch<R: Switch>(ctx: Ctx, id: Uuid, on: bool) -> Result<web::Json<R::Detail>> {
    let actor = ctx.actor();
    let mut conn = ctx.conn;
    let row = conn
        .once(async |conn| {
            R::find(conn, &actor.caller.scope, id).await?;
            // Of two who ask at once the second waits here, and finds it done.
            let lock = format!("select from {} where id = $1 for no key update", <R as Switch>::TABLE);
            diesel::sql_query(lock).bind::<SqlUuid, _>(id).execute(conn).await?;
            let before = R::find(conn, &actor.caller.scope, id).await?;
            if json(&before)?.get("enabled") == Some(&Value::Bool(on)) {
                return Ok(before);
            }
            stamp(conn, <R as Switch>::TABLE, id, None).await?;
            R::switch(conn, &actor.caller, id, on).await?;
            changed::<R>(conn, &actor, if on { "enable" } else { "disable" }, before).await
        })
        .await?;
    Ok(web::Json(row))
}

/// `GET /…/{id}/impact`.
pub async fn impact<R: Switch>(mut ctx: Ctx, id: Path<Uuid>) -> Result<web::Json<Impact>> {
    R::find(&mut ctx.conn, &ctx.caller.scope, *id).await?;
    Ok(web::Json(R::impact(&mut ctx.conn, &ctx.caller.scope, *id).await?))
}

/// `DELETE /…/{id}`.
pub async fn delete<R: Delete>(ctx: Ctx, id: Path<Uuid>) -> Result<HttpResponse> {
    let actor = ctx.actor();
    let mut conn = ctx.conn;
    conn.transaction(async |conn| {
        let before = R::find(conn, &actor.caller.scope, *id).await?;
        R::delete(conn, &actor.caller, *id).await?;
        let row = json(&before)?;
        record(conn, &actor, Deed::of::<R>("delete", *id, &row), Some(&row), None).await
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Does something to a row that was found in scope, in one transaction, audited, and under a key once: the frame of every
/// special action.
///
/// # Errors
/// 404 when the row is not in scope, and whatever the deed says.
pub async fn act<R, F>(ctx: Ctx, id: Uuid, verb: &'static str, deed: F) -> Result<web::Json<R::Detail>>
where
    R: Browse,
    F: for<'c> FnOnce(&'c mut AsyncPgConnection, &'c Actor, &'c R::Detail) -> BoxFuture<'c, Result<()>> + Send,
{
    let actor = ctx.actor();
    let mut conn = ctx.conn;
    let row = conn
        .once(async |conn| {
            let before = R::find(conn, &actor.caller.scope, id).await?;
            deed(conn, &actor, &before).await?;
            changed::<R>(conn, &actor, verb, before).await
        })
        .await?;
    Ok(web::Json(row))
}
