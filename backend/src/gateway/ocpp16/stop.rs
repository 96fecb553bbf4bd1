//! A charge ended, perhaps some time ago.

use chrono::{DateTime, Utc};
use ocpp::message::{StopTransaction, StopTransactionConfirmation};

use super::{Conversation, meter};
use crate::charging::event::Event;
use crate::error::Result;

pub async fn answer(
    conversation: &Conversation,
    request: StopTransaction,
    now: DateTime<Utc>,
) -> Result<StopTransactionConfirmation> {
    let StopTransaction { transaction_id, meter_stop, timestamp, id_tag, reason, transaction_data } = request;
    let event = Event::Stopped {
        transaction: transaction_id,
        tag: id_tag.map(|it| it.canonical()),
        meter_wh: meter_stop,
        at: timestamp,
        // What is left out means `Local`, but those who leave it out do so after our own stop as well.
        reason: reason.map(|it| it.as_str().to_owned()).unwrap_or_default(),
        readings: meter::readings(&transaction_data),
    };
    conversation.charge(event, now).await?;
    Ok(StopTransactionConfirmation::default())
}
