//! What a simulated charger still has to tell: transaction messages survive a lost connection, the rest does not.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, Utc};
use ocpp::message::{
    BootNotification, ChargePointErrorCode, ChargePointStatus, Heartbeat, MeterValue, MeterValues, StartTransaction,
    StatusNotification, StopReason, StopTransaction,
};
use ocpp::{Frame, IdTag, Refused};

/// Something to tell the server.
#[derive(Clone, Debug)]
pub enum Item {
    /// I have started.
    Boot(BootNotification),
    /// I am here.
    Heartbeat,
    /// A connector's state.
    Status(i32, ChargePointStatus, ChargePointErrorCode, DateTime<Utc>),
    /// A charge began.
    Start {
        /// The charge.
        local: u64,
        /// Where.
        connector: i32,
        /// With what.
        tag: IdTag,
        /// The register in Wh.
        meter: i64,
        /// When.
        at: DateTime<Utc>,
    },
    /// The meter during a charge.
    Meter {
        /// The charge.
        local: u64,
        /// Where.
        connector: i32,
        /// What it showed.
        value: MeterValue,
    },
    /// A charge ended.
    Stop {
        /// The charge.
        local: u64,
        /// The register in Wh.
        meter: i64,
        /// Why.
        reason: StopReason,
        /// When.
        at: DateTime<Utc>,
    },
}

impl Item {
    /// Kept while there is no connection, and told again until it is answered.
    const fn is_about_money(&self) -> bool {
        matches!(self, Self::Start { .. } | Self::Meter { .. } | Self::Stop { .. })
    }
}

/// The queue, one message in flight.
#[derive(Default)]
pub struct Outbox {
    waiting: VecDeque<Item>,
    flying: Option<(String, Item)>,
    /// The server's numbers of the charges.
    numbers: HashMap<u64, i32>,
    next_id: u64,
}

impl Outbox {
    /// Puts something at the end.
    pub fn push(&mut self, item: Item) {
        self.waiting.push_back(item);
    }

    /// Puts something before everything else.
    pub fn push_first(&mut self, item: Item) {
        self.waiting.push_front(item);
    }

    /// Nothing waits and nothing flies.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.flying.is_none()
    }

    /// The connection is gone: what was not about money is forgotten, what flew is told again, under a new id.
    pub fn disconnected(&mut self) {
        if let Some((_, item)) = self.flying.take() {
            self.waiting.push_front(item);
        }
        self.waiting.retain(Item::is_about_money);
    }

    /// The next message to send, if none is in flight.
    ///
    /// # Errors
    /// Never in practice: a simulated charger keeps to the limits.
    pub fn next(&mut self) -> Result<Option<String>, Refused> {
        if self.flying.is_some() {
            return Ok(None);
        }
        let Some(item) = self.waiting.pop_front() else { return Ok(None) };
        self.next_id += 1;
        // Ids begin anew after each start, as real chargers' do.
        let id = format!("m{}", self.next_id);
        let text = self.frame(&id, &item)?.to_string();
        self.flying = Some((id, item));
        Ok(Some(text))
    }

    /// The item that an answer is about, once.
    pub fn answered(&mut self, id: &str) -> Option<Item> {
        self.flying.take_if(|(flying, _)| flying == id).map(|(_, item)| item)
    }

    /// The server refused the message: what is about money is told again.
    pub fn refused(&mut self, id: &str) {
        if let Some(item) = self.answered(id).filter(Item::is_about_money) {
            self.waiting.push_front(item);
        }
    }

    /// The server has numbered a charge.
    pub fn number(&mut self, local: u64, transaction: i32) {
        self.numbers.insert(local, transaction);
    }

    /// The charge that the server knows by this number.
    pub fn local(&self, transaction: i32) -> Option<u64> {
        self.numbers.iter().find(|(_, it)| **it == transaction).map(|(local, _)| *local)
    }

    fn frame(&self, id: &str, item: &Item) -> Result<Frame, Refused> {
        // Without an answer to the start there is no number; real chargers then send -1.
        let number = |local: &u64| self.numbers.get(local).map_or(-1, |it| i64::from(*it));
        match item {
            Item::Boot(boot) => Frame::call(id, boot),
            Item::Heartbeat => Frame::call(id, &Heartbeat {}),
            Item::Status(connector, status, error, at) => Frame::call(
                id,
                &StatusNotification {
                    connector_id: *connector,
                    error_code: error.clone(),
                    status: status.clone(),
                    info: None,
                    timestamp: Some(*at),
                    vendor_id: None,
                    vendor_error_code: None,
                },
            ),
            Item::Start { local: _, connector, tag, meter, at } => Frame::call(
                id,
                &StartTransaction {
                    connector_id: *connector,
                    id_tag: tag.clone(),
                    meter_start: *meter,
                    timestamp: Some(*at),
                    reservation_id: None,
                },
            ),
            Item::Meter { local, connector, value } => Frame::call(
                id,
                &MeterValues {
                    connector_id: *connector,
                    transaction_id: Some(number(local)),
                    meter_value: vec![value.clone()],
                },
            ),
            Item::Stop { local, meter, reason, at } => Frame::call(
                id,
                &StopTransaction {
                    transaction_id: number(local),
                    meter_stop: *meter,
                    timestamp: Some(*at),
                    id_tag: None,
                    reason: Some(reason.clone()),
                    transaction_data: vec![],
                },
            ),
        }
    }
}
