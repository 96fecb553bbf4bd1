//! Reviews: what was asked for is approved or rejected once, with a reason.

use serde::Deserialize;
use shared::station::Review;
use shared::text::t;
use utoipa::ToSchema;

use crate::error::{Error, Result};

/// Why something was rejected.
#[derive(Deserialize, ToSchema)]
pub struct Rejection {
    /// For the people who asked.
    note: String,
}

impl Rejection {
    /// The reason, which must be given.
    ///
    /// # Errors
    /// 422 on `note`.
    pub fn reason(self) -> Result<String> {
        let note = self.note.trim();
        if note.is_empty() {
            return Err(Error::field("note", "required", t("必填", "Required")));
        }
        Ok(note.to_owned())
    }
}

/// Refuses to review something again.
///
/// # Errors
/// 409.
pub fn require_pending(review: Review) -> Result<()> {
    match review {
        Review::Pending => Ok(()),
        Review::Approved | Review::Rejected => {
            Err(Error::Conflict("already_reviewed", t("已经审核过", "It has been reviewed already")))
        }
    }
}
