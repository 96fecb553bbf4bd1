//! The files of invoices: fetched from the service once, and kept, for its addresses expire.

use actix_web::HttpResponse;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use reqwest::Url;
use schema::{invoice_files, invoices};
use uuid::Uuid;

use crate::app::App;
use crate::crud::export::attachment;
use crate::error::Result;
use crate::payment::channel::Failure;

/// The media type.
pub(super) const PDF: &str = "application/pdf";
/// The largest file that is kept; the database keeps no larger one.
const MOST: usize = 5 << 20;

/// Whether the file is here.
pub(super) async fn is_kept(conn: &mut AsyncPgConnection, id: Uuid) -> Result<bool> {
    let file = invoice_files::table.find(id);
    Ok(diesel::select(diesel::dsl::exists(file)).get_result(conn).await?)
}

/// Fetches a file and keeps it.
pub(super) async fn keep(app: &App, id: Uuid, url: &str) -> Result<(), Failure> {
    let unknown = |err: &dyn std::fmt::Display| Failure::Unknown(format!("the invoice's file: {err}"));
    let pdf = fetch(app, url).await.map_err(|err| unknown(&err))?;
    let mut conn = app.conn().await.map_err(|err| unknown(&err))?;
    diesel::insert_into(invoice_files::table)
        .values((invoice_files::invoice_id.eq(id), invoice_files::pdf.eq(pdf)))
        .on_conflict_do_nothing()
        .execute(&mut conn)
        .await
        .map_err(|err| unknown(&err))?;
    diesel::update(invoices::table.find(id))
        .set(invoices::failure.eq(None::<String>))
        .execute(&mut conn)
        .await
        .map_err(|err| unknown(&err))?;
    Ok(())
}

async fn fetch(app: &App, url: &str) -> anyhow::Result<Vec<u8>> {
    let url: Url = url.parse()?;
    let config = &app.config.invoice.nuonuo;
    let service = Url::parse(&config.url)?;
    anyhow::ensure!(may_be_at(&url, &service, &config.file_hosts), "it is at {:?}, where none may be", url.host_str());
    let mut response = app.http.get(url).send().await?.error_for_status()?;
    let mut pdf = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        pdf.extend_from_slice(&chunk);
        anyhow::ensure!(pdf.len() <= MOST, "it is too large");
    }
    anyhow::ensure!(pdf.starts_with(b"%PDF-"), "it is no PDF");
    Ok(pdf)
}

/// A file is at the service's own address, or at a host that was named: an answer cannot send us anywhere else.
fn may_be_at(url: &Url, service: &Url, hosts: &[String]) -> bool {
    let Some(host) = url.host_str() else { return false };
    let own = (url.scheme(), url.host_str(), url.port()) == (service.scheme(), service.host_str(), service.port());
    let below = |it: &String| host == it || host.strip_suffix(it.as_str()).is_some_and(|rest| rest.ends_with('.'));
    own || (url.scheme() == "https" && url.port().is_none() && hosts.iter().any(below))
}

/// The file of an invoice that was found in scope; 404 while it is not here.
pub(super) async fn read(conn: &mut AsyncPgConnection, id: Uuid) -> Result<Vec<u8>> {
    Ok(invoice_files::table.find(id).select(invoice_files::pdf).first(conn).await?)
}

/// Hands the file of an invoice out.
pub(super) fn answer(invoice_no: &str, pdf: Vec<u8>) -> HttpResponse {
    attachment(&format!("{invoice_no}.pdf")).content_type(PDF).body(pdf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_fetched_only_where_they_may_be() {
        let service = Url::parse("http://127.0.0.1:8090/open/v1/services").unwrap();
        let hosts = ["nuonuo.com".to_owned()];
        let may = |url: &str| may_be_at(&Url::parse(url).unwrap(), &service, &hosts);
        for good in ["http://127.0.0.1:8090/a.pdf", "https://nuonuo.com/a.pdf", "https://inv.nuonuo.com/a?b=c"] {
            assert!(may(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:5432/a.pdf",
            "https://127.0.0.1:8090/a.pdf",
            "http://inv.nuonuo.com/a.pdf",
            "https://inv.nuonuo.com:22/a.pdf",
            "https://evilnuonuo.com/a.pdf",
            "https://nuonuo.com.evil.cn/a.pdf",
            "file:///etc/passwd",
        ] {
            assert!(!may(bad), "{bad}");
        }
    }
}
