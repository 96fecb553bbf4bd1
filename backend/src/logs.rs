//! Structured logs: JSON lines, or plain text on a terminal. `RUST_LOG` says how much.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// Starts logging to standard error.
pub fn install() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,actix_server=warn"));
    // Where nothing can be written, as on a full disk, the platform goes on without a log: telling of that would panic.
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    // A second installer (tests) finds the first one's.
    let _ = if std::io::stderr().is_terminal() {
        builder.with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).with_target(false).try_init()
    };
}
