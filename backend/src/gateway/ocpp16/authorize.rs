//! Somebody showed a tag: may they charge?

use chrono::{DateTime, Utc};
use ocpp::message::{AuthorizationStatus, Authorize, AuthorizeConfirmation, IdTagInfo};

use super::Conversation;
use crate::charging::event::{Event, Reply};
use crate::error::Result;

pub async fn answer(
    conversation: &Conversation,
    request: Authorize,
    now: DateTime<Utc>,
) -> Result<AuthorizeConfirmation> {
    let event = Event::Authorize { tag: request.id_tag.canonical() };
    let accepted = matches!(conversation.charge(event, now).await?, Reply::Authorized(true));
    Ok(AuthorizeConfirmation { id_tag_info: info(accepted) })
}

/// What the charger is told of a tag.
pub fn info(accepted: bool) -> IdTagInfo {
    IdTagInfo::new(if accepted { AuthorizationStatus::Accepted } else { AuthorizationStatus::Invalid })
}
