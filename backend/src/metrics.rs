//! Metrics for Prometheus. Requests are labelled by route pattern, never by raw path.

use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

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

/// What Prometheus reads.
pub fn render() -> String {
    HANDLE.get().map(PrometheusHandle::render).unwrap_or_default()
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
