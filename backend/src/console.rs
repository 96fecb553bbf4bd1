//! Serves the built console: compressed files as they lie there, hashed names for ever, and the page itself for every
//! address that is the console's own.

use std::path::{Path, PathBuf};

use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse, web};
use shared::text::t;

use crate::app::App;
use crate::error::{Error, Result};

/// Scripts come from us alone and none stands in the page; WebAssembly may be compiled. Charts and popups set styles of
/// single elements.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What is not an operation is a file of the console, or an address within it.
pub async fn serve(req: HttpRequest, app: web::Data<App>) -> Result<HttpResponse> {
    let path = req.path();
    let ours = ["/api/", "/ocpp/"].iter().any(|it| path.starts_with(it));
    if ours || !matches!(*req.method(), Method::GET | Method::HEAD) {
        return Err(Error::NotFound);
    }
    let name = path.trim_start_matches('/');
    // A name with a dot is a file; anything else is a page, which the console draws itself.
    let name = if name.contains('.') { name } else { "index.html" };
    if !is_plain(name) {
        return Err(Error::NotFound);
    }
    let accepted = req.headers().get(header::ACCEPT_ENCODING).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let encodings = ["br", "gzip"].into_iter().filter(|it| accepted.contains(it)).map(str::to_owned).collect();
    let file = app.config.http.console.join(name);
    let found = web::block(move || read(&file, encodings)).await.map_err(|err| Error::internal(err.to_string()))?;
    let Some((bytes, encoding)) = found else {
        return Err(if name == "index.html" { not_built() } else { Error::NotFound });
    };
    let mut response = HttpResponse::Ok();
    response
        .content_type(media(name))
        .insert_header((header::VARY, "accept-encoding"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        // The page names the other files by their hashes, so only the page itself is ever asked for again.
        .insert_header((
            header::CACHE_CONTROL,
            if name == "index.html" { "no-cache" } else { "public, max-age=31536000, immutable" },
        ));
    response.insert_header((header::CONTENT_ENCODING, encoding.unwrap_or_else(|| "identity".to_owned())));
    Ok(response.body(bytes))
}

fn not_built() -> Error {
    Error::Unavailable("console_not_built", t("控制台尚未构建", "The console has not been built"))
}

/// No way out of the folder: plain names only.
fn is_plain(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    };
    name.split('/').all(plain)
}

/// The file, in the first of the accepted encodings that lies beside it.
fn read(file: &Path, encodings: Vec<String>) -> Option<(Vec<u8>, Option<String>)> {
    for encoding in encodings {
        let suffix = if encoding == "gzip" { "gz" } else { encoding.as_str() };
        let mut packed = file.as_os_str().to_owned();
        packed.push(format!(".{suffix}"));
        if let Ok(bytes) = std::fs::read(PathBuf::from(packed)) {
            return Some((bytes, Some(encoding)));
        }
    }
    std::fs::read(file).ok().map(|bytes| (bytes, None))
}

fn media(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_plain_names_are_files() {
        for name in ["index.html", "frontend-1a_bg.wasm", "kit/a.js"] {
            assert!(is_plain(name), "{name}");
        }
        for name in ["../etc/passwd", "a/../b.js", ".env", "a//b.js", "a\\b.js", "%2e%2e/b.js", ""] {
            assert!(!is_plain(name), "{name}");
        }
    }
}
