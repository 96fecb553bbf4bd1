//! Charge orders.

pub mod create;
mod detail;
pub mod end;
mod list;
mod named;
mod refund;
pub mod standing;

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, connectors};
use shared::car_order::{CarOrderDetail, CarOrders, EndForm, RefundForm};
use shared::invoice::InvoiceRequest;
use shared::order::OrderState;
use uuid::Uuid;

use crate::api::op::Op;
pub use crate::charging::{closed_unpaid, paid};
use crate::crud::ops;
use crate::error::Result;
use crate::reservation;
pub use create::{Created, NewOrder, create};
pub use list::{latest_of, made_under};
use standing::Kept;

/// The states in which a connector is taken.
pub const RUNNING: [OrderState; 4] =
    [OrderState::Starting, OrderState::Charging, OrderState::Stopping, OrderState::Suspended];

/// Holds for orders that have a connector. Written out, so that PostgreSQL knows the index of just these orders to do.
pub fn is_running() -> SqlLiteral<Bool> {
    sql("car_orders.state in ('starting', 'charging', 'stopping', 'suspended')")
}

/// The order that has a connector.
///
/// # Errors
/// The database's.
pub async fn holder(conn: &mut AsyncPgConnection, connector_id: Uuid) -> Result<Option<Uuid>> {
    let holder = car_orders::table.filter(car_orders::connector_id.eq(connector_id)).filter(is_running());
    Ok(holder.select(car_orders::id).first(conn).await.optional()?)
}

/// Whether neither an order has a connector, nor somebody else's reservation keeps it; none gets it before the caller's
/// transaction ends.
///
/// # Errors
/// The database's.
pub async fn connector_is_free(conn: &mut AsyncPgConnection, connector_id: Uuid, driver_id: Uuid) -> Result<bool> {
    let row = connectors::table.find(connector_id).select(connectors::id).for_no_key_update();
    row.first::<Uuid>(conn).await?;
    let kept_for = reservation::holder(conn, connector_id).await?.map(|it| it.1);
    Ok(Kept::by(kept_for, driver_id) != Kept::Others && holder(conn, connector_id).await?.is_none())
}

/// The operations of car orders.
pub fn operations() -> Vec<Op> {
    let end = ops::action::<CarOrders>("end").form::<EndForm>(EndForm::FIELDS).returns::<CarOrderDetail>().to(end::end);
    let refund = ops::action::<CarOrders>("refund").form::<RefundForm>(RefundForm::FIELDS);
    let refund = refund.returns::<CarOrderDetail>().to(refund::refund);
    let invoice = ops::action::<CarOrders>("invoice").form::<InvoiceRequest>(InvoiceRequest::FIELDS);
    let invoice = invoice.returns::<CarOrderDetail>().to(crate::invoice::for_order);
    [ops::browse::<CarOrders>(), vec![end, refund, invoice]].into_iter().flatten().collect()
}
