//! What the detail of a reservation shows below its columns: what was charged under it.

use leptos::prelude::*;
use serde_json::Value;

use super::car_order::listed;
use super::payment::section;
use crate::kit::facts::items;
use crate::lang::tr;

/// Draws it from the server's answer.
pub fn more(answer: &Value) -> AnyView {
    let columns = ["order_no", "state", "kwh", "total", "started_at", "ended_at"];
    section(tr("充电订单明细", "Charge orders"), listed(super::CAR_ORDERS, items(answer, "orders"), &columns))
}
