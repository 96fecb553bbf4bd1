//! Idempotency keys: the same key and body give the first answer again, and nothing is done twice.

use actix_web::body::{BoxBody, to_bytes_limited};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{HttpMessage, HttpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::StreamExt;
use schema::idempotency_keys as keys;
use shared::text::t;
use uuid::Uuid;

use super::request::Actor;
use crate::app::App;
use crate::auth::token::digest;
use crate::error::{Error, Result};

/// The largest body that a keyed request may have, and the largest answer that is kept.
const LIMIT: usize = 64 << 10;
/// A request that has not ended after this long is taken to have died.
const LOCK: TimeDelta = TimeDelta::seconds(60);

/// What was there under a key.
enum Before {
    Nothing,
    Answer(u16, String),
}

/// Keeps the answer of a keyed operation and gives it again.
pub async fn keep(
    operation: String,
    mut req: ServiceRequest,
    next: Next<BoxBody>,
) -> actix_web::Result<ServiceResponse> {
    let key = req.headers().get("idempotency-key").map(|it| it.to_str().unwrap_or_default().to_owned());
    let Some(key) = key else { return next.call(req).await };
    if key.is_empty() || key.len() > 255 {
        let text = t("1 到 255 个可见字符", "1 to 255 visible characters");
        return Err(Error::field("Idempotency-Key", "format", text).into());
    }
    let app =
        req.app_data::<actix_web::web::Data<App>>().ok_or_else(|| Error::internal("no application"))?.get_ref().clone();
    let actor = req.extensions().get::<Actor>().map(|it| it.0).ok_or_else(|| Error::internal("a keyed guest"))?;
    let body = read_body(&mut req).await?;
    let hash = digest(&format!("{}\n{}", req.path(), String::from_utf8_lossy(&body)));
    let mut conn = app.conn().await?;
    if let Before::Answer(status, text) = claim(&mut conn, actor, &operation, &key, &hash, app.now()).await? {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        response.insert_header(("idempotent-replayed", "true")).content_type("application/json");
        return Ok(req.into_response(response.body(text)));
    }
    drop(conn);
    req.set_payload(Payload::from(body));
    let response = next.call(req).await;
    let mut conn = app.conn().await?;
    let row = keys::table.find((actor, &operation, &key));
    // What was refused may be tried again; only what was done is kept.
    let done = matches!(&response, Ok(it) if it.status().is_success());
    if !done {
        diesel::delete(row).execute(&mut conn).await.map_err(Error::from)?;
        return response;
    }
    let (http, response) = response?.into_parts();
    let (head, body) = response.into_parts();
    let bytes = to_bytes_limited(body, LIMIT).await.map_err(|_| Error::internal("an answer too large to keep"))??;
    diesel::update(row)
        .set((
            keys::status.eq(i32::from(head.status().as_u16())),
            keys::body.eq(String::from_utf8_lossy(&bytes).into_owned()),
        ))
        .execute(&mut conn)
        .await
        .map_err(Error::from)?;
    Ok(ServiceResponse::new(http, head.set_body(BoxBody::new(bytes))))
}

async fn read_body(req: &mut ServiceRequest) -> actix_web::Result<Bytes> {
    let mut payload = req.take_payload();
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk?;
        if body.len() + chunk.len() > LIMIT {
            return Err(Error::TooLarge.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

async fn claim(
    conn: &mut AsyncPgConnection,
    actor: Uuid,
    operation: &str,
    key: &str,
    hash: &str,
    now: DateTime<Utc>,
) -> Result<Before> {
    let new = (
        keys::actor.eq(actor),
        keys::operation.eq(operation),
        keys::key.eq(key),
        keys::request_hash.eq(hash),
        keys::locked_until.eq(now + LOCK),
    );
    if diesel::insert_into(keys::table).values(new).on_conflict_do_nothing().execute(conn).await? == 1 {
        return Ok(Before::Nothing);
    }
    type Row = (String, Option<i32>, Option<String>);
    let row: Option<Row> = keys::table
        .find((actor, operation, key))
        .select((keys::request_hash, keys::status, keys::body))
        .first(conn)
        .await
        .optional()?;
    let busy = || Error::Conflict("still_running", t("相同的请求正在处理", "The same request is still running"));
    let Some((known, status, body)) = row else { return Err(busy()) };
    if known != hash {
        let text = t("该幂等键已用于其他内容", "The key was used for another content");
        return Err(Error::field("Idempotency-Key", "reused", text));
    }
    if let (Some(status), Some(body)) = (status, body) {
        return Ok(Before::Answer(u16::try_from(status).unwrap_or(200), body));
    }
    // The first request died before it ended: take its place, unless somebody else just did.
    let taken = diesel::update(keys::table.find((actor, operation, key)))
        .filter(keys::status.is_null())
        .filter(keys::locked_until.lt(now))
        .set(keys::locked_until.eq(now + LOCK))
        .execute(conn)
        .await?;
    if taken == 1 { Ok(Before::Nothing) } else { Err(busy()) }
}
