//! What devices tell about charging, in the words of no protocol.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One reading of a connector's meter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When it was read, by the charger's clock; `None` if it says nothing that can be read.
    pub at: Option<DateTime<Utc>>,
    /// The register in Wh.
    pub wh: Option<i64>,
    /// Power in W.
    pub power_w: Option<i64>,
    /// Current in mA.
    pub current_ma: Option<i64>,
    /// Voltage in mV.
    pub voltage_mv: Option<i64>,
    /// The battery's state in percent.
    pub soc: Option<i32>,
}

/// Something that happened at a charger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Somebody identified themselves; may they charge?
    Authorize {
        /// What they showed: an order's tag, or a card's number.
        tag: String,
    },
    /// A charge began. May be told again, and late.
    Started {
        /// The connector's number, from 1.
        connector: i32,
        /// What it was started with.
        tag: String,
        /// The register at the start, in Wh.
        meter_wh: i64,
        /// When, by the charger's clock; `None` if it says nothing that can be read.
        at: Option<DateTime<Utc>>,
    },
    /// The meter was read during a charge, or without one.
    Metered {
        /// The connector's number; 0 is the charger's own meter.
        connector: i32,
        /// The charge, as the charger knows it; chargers invent some.
        transaction: Option<i64>,
        /// The readings, in no certain order.
        readings: Vec<Reading>,
    },
    /// A charge ended. May be told again, and late.
    Stopped {
        /// The charge, as the charger knows it; chargers invent some.
        transaction: i64,
        /// What it was ended with.
        tag: Option<String>,
        /// The register at the end, in Wh.
        meter_wh: i64,
        /// When, by the charger's clock; `None` if it says nothing that can be read.
        at: Option<DateTime<Utc>>,
        /// Why, in the protocol's word; empty when it gives none.
        reason: String,
        /// Readings that came along.
        readings: Vec<Reading>,
    },
}

/// What the charger is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is noted.
    Noted,
    /// May they charge?
    Authorized(bool),
    /// The charge's number for ever, and whether it may go on.
    Started {
        /// The number.
        transaction_id: i32,
        /// It may go on.
        accepted: bool,
    },
}
