//! Saves a list as a sheet: read in chunks by keyset, written row by row, never held in memory.

use std::io::Read;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use shared::describe::{Cell, Column};
use shared::page::PageQuery;
use shared::resource::Resource;
use shared::text::t;
use tokio::sync::{Semaphore, mpsc};

use super::ops::XLSX;
use super::{Browse, Ctx, json, sheet};
use crate::error::{Error, Result};

/// Rows that are read at once.
const CHUNK: i64 = 1000;
/// Writing a sheet is work for a whole core, so few are written at once.
static WRITERS: Semaphore = Semaphore::const_new(2);
/// How long one waits for a writer.
const PATIENCE: Duration = Duration::from_secs(30);

/// `GET …/export.xlsx`.
pub async fn export<R: Browse>(ctx: Ctx, req: HttpRequest) -> Result<HttpResponse> {
    let (filter, _) = super::routes::read_query::<R>(req.query_string(), ctx.lang)?;
    let Ctx { app, caller, conn, lang, .. } = ctx;
    // Neither who waits for a writer nor who writes holds a connection: each chunk takes one.
    drop(conn);
    let Ok(permit) = tokio::time::timeout(PATIENCE, WRITERS.acquire()).await else {
        let text = t("正在导出的表格过多，请稍后再试", "Too many sheets are being written; try again in a moment");
        return Err(Error::Limited(PATIENCE.as_secs(), text));
    };
    let permit = permit.map_err(anyhow::Error::from)?;
    let (rows, received) = mpsc::channel(4);
    let writer = tokio::task::spawn_blocking(move || sheet::write(R::TITLE, R::COLUMNS, received, lang));
    let mut page = PageQuery { size: CHUNK, uncounted: true, ..PageQuery::default() };
    loop {
        let chunk = R::list(&mut *app.conn().await?, &caller.scope, &filter, &page).await?;
        let lines = chunk.items.iter().map(|row| Ok(cells(R::COLUMNS, &json(row)?))).collect::<Result<_>>()?;
        // The writer hangs up when it fails; its own error is told below.
        if rows.send(lines).await.is_err() || chunk.next_cursor.is_none() {
            break;
        }
        page.cursor = chunk.next_cursor;
    }
    drop(rows);
    let file = writer.await.map_err(anyhow::Error::from)??;
    drop(permit);
    Ok(download::<R>(file))
}

fn cells(columns: &[Column], row: &Value) -> Vec<Cell> {
    columns.iter().map(|it| it.fact.cell(row)).collect()
}

/// Sends a file in pieces.
fn download<R: Resource>(file: std::fs::File) -> HttpResponse {
    let name = format!("{}-{}.xlsx", R::PATH.replace('/', "-"), chrono::Utc::now().format("%Y%m%d%H%M%S"));
    attachment(&name).streaming(futures_util::stream::unfold(Some(file), |file| async {
        let mut file = file?;
        let read = tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; 64 << 10];
            let count = file.read(&mut buffer)?;
            buffer.truncate(count);
            Ok::<_, std::io::Error>((buffer, file))
        });
        match read.await {
            Ok(Ok((buffer, _))) if buffer.is_empty() => None,
            Ok(Ok((buffer, file))) => Some((Ok(Bytes::from(buffer)), Some(file))),
            Ok(Err(err)) => Some((Err(err.into()), None)),
            Err(err) => Some((Err(actix_web::error::ErrorInternalServerError(err)), None)),
        }
    }))
}

/// The head of a download.
pub fn attachment(name: &str) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response
        .content_type(XLSX)
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")));
    response
}
