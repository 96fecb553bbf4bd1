//! A charge began, perhaps some time ago.

use chrono::{DateTime, Utc};
use ocpp::message::{StartTransaction, StartTransactionConfirmation};

use super::{Conversation, authorize};
use crate::charging::event::{Event, Reply};
use crate::error::{Error, Result};

pub async fn answer(
    conversation: &Conversation,
    request: StartTransaction,
    now: DateTime<Utc>,
) -> Result<StartTransactionConfirmation> {
    let StartTransaction { connector_id: connector, id_tag, meter_start: meter_wh, timestamp, reservation_id: _ } =
        request;
    let tag = id_tag.canonical();
    let event = Event::Started { connector, tag, meter_wh, at: timestamp };
    match conversation.charge(event, now).await? {
        Reply::Started { transaction_id, accepted } => {
            Ok(StartTransactionConfirmation { transaction_id, id_tag_info: authorize::info(accepted) })
        }
        reply @ (Reply::Noted | Reply::Authorized(_)) => Err(Error::internal(format!("a start got {reply:?}"))),
    }
}
