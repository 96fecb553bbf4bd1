//! Local time: Asia/Shanghai, fixed at +08:00.

use chrono::{DateTime, FixedOffset, Utc};

/// An instant as local text: `2026-11-22 09:30:05`.
pub fn local_text(at: DateTime<Utc>) -> String {
    let Some(offset) = FixedOffset::east_opt(8 * 3600) else { return at.to_rfc3339() };
    at.with_timezone(&offset).format("%Y-%m-%d %H:%M:%S").to_string()
}
