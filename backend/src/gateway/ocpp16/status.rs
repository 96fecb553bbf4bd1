//! A connector, or the whole charger, does something else than before.

use chrono::{DateTime, Utc};
use ocpp::message::{ChargePointErrorCode, ChargePointStatus, Empty, StatusNotification};
use shared::device::ConnectorStatus;

use super::{Conversation, believed};
use crate::error::Result;
use crate::presence::Presence;

pub async fn answer(conversation: &mut Conversation, request: StatusNotification, now: DateTime<Utc>) -> Result<Empty> {
    let StatusNotification { connector_id, error_code, status, info, timestamp, vendor_id: _, vendor_error_code } =
        request;
    let error_code = match &error_code {
        ChargePointErrorCode::NoError => None,
        code => Some(code.as_str().to_owned()).filter(|it| !it.is_empty()),
    };
    let words: Vec<String> = [info, vendor_error_code].into_iter().flatten().filter(|it| !it.is_empty()).collect();
    let status = known(&status);
    let told = Presence::Status {
        connector: connector_id,
        status,
        error_code,
        info: Some(words.join(" / ")).filter(|it| !it.is_empty()),
        at: believed(timestamp, now),
    };
    conversation.note(told, now).await?;
    conversation.correct(connector_id, status, now).await?;
    Ok(Empty {})
}

fn known(status: &ChargePointStatus) -> ConnectorStatus {
    match status {
        ChargePointStatus::Available => ConnectorStatus::Available,
        ChargePointStatus::Preparing => ConnectorStatus::Preparing,
        ChargePointStatus::Charging => ConnectorStatus::Charging,
        ChargePointStatus::SuspendedEVSE => ConnectorStatus::SuspendedEvse,
        ChargePointStatus::SuspendedEV => ConnectorStatus::SuspendedEv,
        ChargePointStatus::Finishing => ConnectorStatus::Finishing,
        ChargePointStatus::Reserved => ConnectorStatus::Reserved,
        ChargePointStatus::Unavailable => ConnectorStatus::Unavailable,
        ChargePointStatus::Faulted => ConnectorStatus::Faulted,
        ChargePointStatus::Other(_) => ConnectorStatus::Unknown,
    }
}
