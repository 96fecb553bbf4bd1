//! What an impact counts: only what the caller may see, whatever else is linked. Every count starts here, or from the
//! `visible` of the thing itself.

use diesel::pg::Pg;
use diesel::prelude::*;
use schema::{car_orders, chargers, reservations, stations};

use crate::auth::scope::Scope;
use crate::order::is_running;
use crate::reservation;

/// Orders that have a connector.
pub fn running(scope: &Scope) -> car_orders::BoxedQuery<'static, Pg> {
    let running = car_orders::table.filter(is_running()).into_boxed();
    scope.narrow(running, car_orders::provider_id, car_orders::property_id, car_orders::station_id)
}

/// Reservations that have not ended.
pub fn reserved(scope: &Scope) -> reservations::BoxedQuery<'static, Pg> {
    let live = reservation::live();
    scope.narrow(live, reservations::provider_id, reservations::property_id, reservations::station_id)
}

/// Enabled stations.
pub fn stations(scope: &Scope) -> stations::BoxedQuery<'static, Pg> {
    let enabled = stations::table.filter(stations::enabled).into_boxed();
    scope.narrow(enabled, stations::provider_id, stations::property_id, stations::id)
}

/// Enabled chargers.
pub fn chargers(scope: &Scope) -> chargers::BoxedQuery<'static, Pg> {
    let enabled = chargers::table.filter(chargers::enabled).into_boxed();
    scope.narrow(enabled, chargers::provider_id, chargers::property_id, chargers::station_id)
}
