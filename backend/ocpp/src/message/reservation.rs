//! A connector is kept free for one tag.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Acceptance, Message, Outcome};
use crate::limit::{self, Refused};
use crate::word::words;
use crate::{IdTag, time};

/// Keep a connector free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReserveNow {
    /// The connector, counted from 1; 0 is any, if the charger can do that.
    pub connector_id: i32,
    /// Until when.
    #[serde(with = "time::exact")]
    pub expiry_date: DateTime<Utc>,
    /// For whom.
    pub id_tag: IdTag,
    /// For whose whole group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id_tag: Option<IdTag>,
    /// The server's number for it; the same number again changes the reservation.
    pub reservation_id: i32,
}

impl Message for ReserveNow {
    const ACTION: &'static str = "ReserveNow";
    type Confirmation = Outcome<ReservationStatus>;

    fn check(&self) -> Result<(), Refused> {
        limit::not_negative("connectorId", self.connector_id)?;
        limit::moment("expiryDate", self.expiry_date)?;
        limit::id_tag("idTag", &self.id_tag)?;
        self.parent_id_tag.as_ref().map_or(Ok(()), |it| limit::id_tag("parentIdTag", it))
    }
}

words! {
    /// Whether the connector is kept free.
    ReservationStatus { Accepted, Faulted, Occupied, Rejected, Unavailable }
}

/// Give the connector free again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelReservation {
    /// The server's number for the reservation.
    pub reservation_id: i32,
}

impl Message for CancelReservation {
    const ACTION: &'static str = "CancelReservation";
    type Confirmation = Outcome<Acceptance>;
}
