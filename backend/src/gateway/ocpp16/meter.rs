//! The meter was read.

use chrono::{DateTime, Utc};
use ocpp::message::{Empty, MeterValue, MeterValues};

use super::Conversation;
use crate::charging::event::{Event, Reading};
use crate::error::Result;

pub async fn answer(conversation: &Conversation, request: MeterValues, now: DateTime<Utc>) -> Result<Empty> {
    let MeterValues { connector_id: connector, transaction_id: transaction, meter_value } = request;
    let readings = readings(&meter_value);
    if !readings.is_empty() {
        conversation.charge(Event::Metered { connector, transaction, readings }, now).await?;
    }
    Ok(Empty {})
}

/// The quantities that a charge is followed by; samples with none of them are left out.
pub fn readings(values: &[MeterValue]) -> Vec<Reading> {
    let reading = |value: &MeterValue| Reading {
        at: value.timestamp,
        wh: value.energy_wh(),
        power_w: value.power_w(),
        current_ma: value.current_ma(),
        voltage_mv: value.voltage_mv(),
        soc: value.soc_percent().and_then(|it| it.try_into().ok()),
    };
    let tells = |it: &Reading| *it != Reading { at: it.at, ..Reading::default() };
    values.iter().map(reading).filter(tells).collect()
}
