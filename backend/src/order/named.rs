//! What a search for orders names by its number, turned into ids of the small tables that know the numbers. So nothing is
//! searched by text among all orders but their own numbers, which have an index for it.

use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, chargers, connectors, reservations};
use shared::car_order::CarOrderFilter;
use uuid::Uuid;

use super::list::visible;
use crate::auth::scope::Scope;
use crate::crud::lookup::{MOST, beginning, digits, few, sql_squeezed, sql_squeezed_or_null, squeezed};
use crate::crud::page::{self, OrderBy};
use crate::error::Result;
use crate::member::driver;

/// Telephones are complete with so many digits.
const PHONE_DIGITS: usize = 11;

/// What is named, as ids; `None` where nothing is.
#[derive(Default)]
pub(super) struct Named {
    orders: Option<Vec<Uuid>>,
    reservations: Option<Vec<Uuid>>,
    chargers: Option<Vec<Uuid>>,
    /// With the charger of each.
    connectors: Option<Vec<(Uuid, Uuid)>>,
    drivers: Option<Vec<Uuid>>,
    /// A complete telephone, which the orders know themselves.
    phone: Option<String>,
    card: Option<String>,
}

impl Named {
    /// Looks up what a search names.
    ///
    /// # Errors
    /// 422 when a part of a number is too short to find few things.
    pub(super) async fn by(conn: &mut AsyncPgConnection, scope: &Scope, filter: &CarOrderFilter) -> Result<Self> {
        let mut named = Self { card: filter.card_no.as_deref().map(squeezed), ..Self::default() };
        let most = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
        if let Some(number) = &filter.order_no {
            let begins = car_orders::order_no.like(beginning(&squeezed(number)));
            let ids = visible(scope).filter(begins).select(car_orders::id).limit(most).load(conn).await?;
            named.orders = Some(few("order_no", ids)?);
        }
        if let Some(number) = &filter.reservation_no {
            let numbered = reservations::table.filter(reservations::reservation_no.eq(squeezed(number)));
            named.reservations = Some(numbered.select(reservations::id).load(conn).await?);
        }
        if let Some(code) = &filter.charger_code {
            let coded = chargers::table.filter(chargers::code.eq(squeezed(code)));
            named.chargers = Some(coded.select(chargers::id).load(conn).await?);
        }
        if let Some(serial) = &filter.serial_no {
            let bears = sql_squeezed(chargers::serial_no).eq(squeezed(serial));
            let ids: Vec<Uuid> = chargers::table.filter(bears).select(chargers::id).limit(most).load(conn).await?;
            let both = |coded: &Vec<Uuid>| ids.iter().copied().filter(|it| coded.contains(it)).collect();
            named.chargers = Some(named.chargers.as_ref().map_or_else(|| ids.clone(), both));
        }
        if let Some(code) = &filter.connector_code {
            let coded = connectors::table.filter(sql_squeezed(connectors::code).eq(squeezed(code)));
            let found = coded.select((connectors::id, connectors::charger_id)).limit(most);
            named.connectors = Some(found.load(conn).await?);
        }
        if let Some(phone) = &filter.phone {
            let all = digits(phone);
            if all.len() == PHONE_DIGITS {
                named.phone = Some(all);
            } else {
                named.drivers = Some(driver::by_phone(conn, phone).await?);
            }
        }
        Ok(named)
    }

    /// Narrows orders to those of what is named.
    pub(super) fn narrow(&self, mut query: car_orders::BoxedQuery<'static, Pg>) -> car_orders::BoxedQuery<'static, Pg> {
        if let Some(ids) = &self.orders {
            query = query.filter(car_orders::id.eq_any(ids.clone()));
        }
        if let Some(ids) = &self.reservations {
            query = match ids.as_slice() {
                [only] => query.filter(car_orders::reservation_id.eq(*only)),
                _ => query.filter(car_orders::reservation_id.eq_any(ids.clone())),
            };
        }
        if let Some(ids) = &self.chargers {
            query = at_chargers(query, ids.clone());
        }
        if let Some(found) = &self.connectors {
            // A charger has few connectors, so its index is theirs as well.
            let (ids, chargers): (Vec<Uuid>, Vec<Uuid>) = found.iter().copied().unzip();
            query = at_chargers(query, chargers).filter(car_orders::connector_id.eq_any(ids));
        }
        if let Some(ids) = &self.drivers {
            query = match ids.as_slice() {
                [only] => query.filter(car_orders::driver_id.eq(*only)),
                _ => query.filter(car_orders::driver_id.eq_any(ids.clone())),
            };
        }
        if let Some(phone) = &self.phone {
            query = query.filter(car_orders::phone.eq(phone.clone()));
        }
        if let Some(card) = &self.card {
            query = query.filter(sql_squeezed_or_null(car_orders::card_no).eq(card.clone()));
        }
        query
    }

    /// The order of a list. Where several things are named, their orders are sorted when all of them are found: or
    /// PostgreSQL might walk backwards through the orders of all years, hoping to meet some of theirs soon.
    pub(super) fn order(&self, falling: bool) -> OrderBy<car_orders::table> {
        let several = |ids: &Option<Vec<Uuid>>| ids.as_ref().is_some_and(|it| it.len() != 1);
        let connectors = self.connectors.as_ref().is_some_and(|it| it.len() != 1);
        if connectors || [&self.orders, &self.reservations, &self.chargers, &self.drivers].into_iter().any(several) {
            return page::by(sql::<SqlUuid>("greatest(car_orders.id, car_orders.id)"), falling);
        }
        page::by(car_orders::id, falling)
    }
}

/// Of a single charger PostgreSQL reads the index in order, which it does not for a list of one; so of a driver.
fn at_chargers(query: car_orders::BoxedQuery<'static, Pg>, ids: Vec<Uuid>) -> car_orders::BoxedQuery<'static, Pg> {
    match ids.as_slice() {
        [only] => query.filter(car_orders::charger_id.eq(*only)),
        _ => query.filter(car_orders::charger_id.eq_any(ids)),
    }
}
