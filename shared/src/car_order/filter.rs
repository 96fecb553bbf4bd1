//! How car orders are searched, and on which days.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;

use crate::describe::Recent;
use crate::order::{CarOrderKind, OrderState, StartMethod};

/// How car orders are searched. Who names no day sees those of the last seven days, today included; who gives the number of
/// something, be it an order, a reservation, a charger, a connector, a telephone or a card, sees those of all days. Numbers
/// are found in any letter case, with or without spaces and dashes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, IntoParams)]
pub struct CarOrderFilter {
    /// At this station.
    pub station_id: Option<Uuid>,
    /// With this number, or one that begins like this.
    pub order_no: Option<String>,
    /// At the charger with this code.
    pub charger_code: Option<String>,
    /// At the charger with this serial number.
    pub serial_no: Option<String>,
    /// At the connector with this code.
    pub connector_code: Option<String>,
    /// With this telephone, or of drivers whose telephone begins or ends like this.
    pub phone: Option<String>,
    /// Started with this card.
    pub card_no: Option<String>,
    /// In this state.
    pub state: Option<OrderState>,
    /// Of this kind.
    pub kind: Option<CarOrderKind>,
    /// Made under the reservation with this number.
    pub reservation_no: Option<String>,
    /// Started like this.
    pub start_method: Option<StartMethod>,
    /// Made on this local day or later.
    #[param(example = "2026-11-16")]
    pub created_from: Option<NaiveDate>,
    /// Made on this local day or earlier.
    #[param(example = "2026-11-22")]
    pub created_to: Option<NaiveDate>,
}

/// Nobody waits for the orders of all years when they only opened the page (3.4.1/1).
pub const RECENT: Recent = Recent {
    days: 7,
    unless: &["order_no", "reservation_no", "charger_code", "serial_no", "connector_code", "phone", "card_no"],
};

impl CarOrderFilter {
    /// Whether the number of something is given, so that the orders of all days are meant.
    pub const fn names_something(&self) -> bool {
        self.order_no.is_some()
            || self.reservation_no.is_some()
            || self.charger_code.is_some()
            || self.serial_no.is_some()
            || self.connector_code.is_some()
            || self.phone.is_some()
            || self.card_no.is_some()
    }

    /// The first and the last local day that are meant.
    pub fn days(&self, today: NaiveDate) -> (Option<NaiveDate>, Option<NaiveDate>) {
        match (self.created_from, self.created_to) {
            (None, None) if !self.names_something() => (Some(RECENT.first(today)), None),
            days => days,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_looks_for_one_thing_looks_on_all_days() {
        let today: NaiveDate = "2026-11-29".parse().unwrap();
        let days = |filter: serde_json::Value| serde_json::from_value::<CarOrderFilter>(filter).unwrap().days(today);
        let day = |text: &str| Some(text.parse::<NaiveDate>().unwrap());
        assert_eq!(days(json!({})), (day("2026-11-23"), None));
        assert_eq!(days(json!({"state": "completed"})), (day("2026-11-23"), None));
        assert_eq!(days(json!({"created_to": "2026-10-01"})), (None, day("2026-10-01")));
        for name in RECENT.unless {
            assert_eq!(days(json!({*name: "1"})), (None, None), "{name}");
            assert_eq!(days(json!({*name: "1", "created_from": "2026-11-01"})), (day("2026-11-01"), None), "{name}");
        }
    }
}
