//! Metrics for Prometheus. Requests are labelled by route pattern, never by raw path.

use std::sync::OnceLock;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App as Actix, HttpRequest, HttpResponse, HttpServer, web};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use shared::text::t;

use crate::api::request::bearer;
use crate::app::App;
use crate::auth::token::digest;
use crate::config::Metrics;
use crate::error::{Error, Result};

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Starts collecting; once a process.
///
/// # Errors
/// Never in practice.
pub fn install() -> anyhow::Result<()> {
    if HANDLE.get().is_some() {
        return Ok(());
    }
    const BUCKETS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    let builder = PrometheusBuilder::new();
    let builder = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)?;
    // A second installer lost a race and finds the first one's.
    if let Ok(handle) = builder.install_recorder() {
        let _ = HANDLE.set(handle);
    }
    Ok(())
}

/// Serves `/metrics` at its own address, unless it is served with a token at the main one. An address that cannot be had is
/// no reason to serve nobody: the log says so.
pub fn listen(settings: &Metrics) -> Option<Server> {
    if !settings.token.is_empty() {
        return None;
    }
    let server = HttpServer::new(|| Actix::new().service(web::resource("/metrics").to(async || render())));
    match server.workers(1).disable_signals().bind(settings.http) {
        Ok(server) => {
            for address in server.addrs() {
                tracing::info!(%address, "metrics on http://{address}/metrics");
            }
            Some(server.run())
        }
        Err(err) => {
            let address = settings.http;
            tracing::error!(
                %address,
                error = %err,
                "no metrics: cannot listen on {address} ({err}); set metrics.http to an address that is free, or metrics.token"
            );
            None
        }
    }
}

/// `GET /metrics` at the main address.
///
/// # Errors
/// 404 where no token is set, 401 without it.
pub async fn with_token(req: HttpRequest, app: web::Data<App>) -> Result<HttpResponse> {
    let token = &app.config.metrics.token;
    if token.is_empty() {
        return Err(Error::NotFound);
    }
    // Of digests, so that the time that comparing takes tells nothing.
    if bearer(&req).is_none_or(|it| digest(it) != digest(token.expose())) {
        return Err(Error::Unauthenticated(t("需要监控令牌", "This needs the token of the metrics")));
    }
    Ok(render())
}

/// What Prometheus reads.
fn render() -> HttpResponse {
    let text = HANDLE.get().map(PrometheusHandle::render).unwrap_or_default();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text)
}

/// Counts one request.
pub fn request(method: &str, pattern: &str, status: u16, elapsed: Duration) {
    let labels = [("method", method.to_owned()), ("path", pattern.to_owned()), ("status", status.to_string())];
    metrics::counter!("wattyard_http_requests_total", &labels).increment(1);
    metrics::histogram!("wattyard_http_request_seconds", "path" => pattern.to_owned()).record(elapsed.as_secs_f64());
}

/// Forgets what is too old to matter; to be called every few seconds.
pub fn upkeep() {
    if let Some(handle) = HANDLE.get() {
        handle.run_upkeep();
    }
}
