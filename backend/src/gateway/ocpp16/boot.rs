//! A charger has started: note what it is, and let it work.

use chrono::{DateTime, Utc};
use ocpp::message::{BootNotification, BootNotificationConfirmation, RegistrationStatus};

use super::Conversation;
use crate::error::Result;
use crate::presence::Presence;

pub async fn answer(
    conversation: &Conversation,
    boot: BootNotification,
    now: DateTime<Utc>,
) -> Result<BootNotificationConfirmation> {
    let BootNotification {
        charge_point_vendor: vendor,
        charge_point_model: model,
        charge_point_serial_number,
        charge_box_serial_number,
        firmware_version: firmware,
        iccid,
        imsi: _,
        meter_type: _,
        meter_serial_number: _,
    } = boot;
    let serial_no = charge_point_serial_number.or(charge_box_serial_number);
    conversation.note(Presence::Booted { vendor, model, firmware, serial_no, iccid }, now).await?;
    let interval = conversation.app.config.gateway.heartbeat_seconds;
    Ok(BootNotificationConfirmation { status: RegistrationStatus::Accepted, current_time: now, interval })
}
