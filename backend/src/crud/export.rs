//! Saves a list as a sheet: read in chunks by keyset, written row by row, never held in memory.

use std::io::Read;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use rust_xlsxwriter::{Format, Workbook};
use serde_json::Value;
use shared::describe::{Cell, Column};
use shared::page::PageQuery;
use shared::resource::Resource;
use shared::text::{Lang, t};
use tokio::sync::{Semaphore, mpsc};

use super::ops::XLSX;
use super::{Browse, Ctx, json};
use crate::error::{Error, Result};

/// Rows that are read at once.
const CHUNK: i64 = 1000;
/// What one worksheet can hold besides its headings.
const SHEET_ROWS: u32 = 1_048_575;
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
    let titles: Vec<String> = R::COLUMNS.iter().map(|it| it.fact.label.get(lang).to_owned()).collect();
    let writer = tokio::task::spawn_blocking(move || write(&titles, received, lang));
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

/// Writes the rows that come, into an unnamed file.
fn write(titles: &[String], mut rows: mpsc::Receiver<Vec<Vec<Cell>>>, lang: Lang) -> Result<std::fs::File> {
    let xlsx = |err: rust_xlsxwriter::XlsxError| Error::internal(format!("writing a sheet: {err}"));
    let mut book = Workbook::new();
    let bold = Format::new().set_bold();
    let mut written = SHEET_ROWS;
    let mut sheets = 0;
    while let Some(chunk) = rows.blocking_recv() {
        for row in chunk.iter().map(Some).chain((sheets == 0 && chunk.is_empty()).then_some(None)) {
            if written == SHEET_ROWS {
                let sheet = book.add_worksheet_with_constant_memory().map_err(xlsx)?;
                for (column, title) in (0..).zip(titles) {
                    sheet.write_string_with_format(0, column, title, &bold).map_err(xlsx)?;
                }
                (written, sheets) = (0, sheets + 1);
            }
            let Some(row) = row else { continue };
            written += 1;
            let sheet = book.worksheet_from_index(sheets - 1).map_err(xlsx)?;
            for (column, cell) in (0..).zip(row) {
                // Strings are written as strings, so a cell that begins with `=` is inert.
                match cell {
                    Cell::Empty => continue,
                    cell => sheet.write_string(written, column, cell.plain(lang)).map_err(xlsx)?,
                };
            }
        }
    }
    use std::io::Seek;
    let mut file = crate::cluster::tempfile()?;
    book.save_to_writer(&mut file).map_err(xlsx)?;
    file.rewind().map_err(anyhow::Error::from)?;
    Ok(file)
}
