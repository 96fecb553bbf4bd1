//! Payments: what drivers pay through channels, and what goes back to them.
//!
//! Whoever locks more than one row takes them in this order: order, payment, refund, ledger accounts.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rand::Rng;
use schema::{car_orders, payments};
use shared::fixed::Fen;
use shared::payment::{Channel, PaymentState};
use uuid::Uuid;

use crate::auth::scope::Owner;
use crate::error::Result;
use crate::events::{self, Happening, Kind};
use crate::ledger::Account;

pub mod apply;
pub mod channel;
pub mod create;
pub mod inbox;
pub mod list;
pub mod notice;
pub mod refund;
pub mod sandbox;
pub mod watch;

/// A payment, as far as its machine needs to know it.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(Pg))]
pub struct Payment {
    /// Id.
    pub id: Uuid,
    /// Our number.
    pub payment_no: String,
    provider_id: Uuid,
    property_id: Uuid,
    station_id: Uuid,
    /// The order that it is for.
    pub order_id: Uuid,
    /// That order's number.
    pub order_no: String,
    /// Who pays.
    pub driver_id: Uuid,
    /// Their telephone number.
    pub phone: String,
    /// The way that the money takes.
    pub channel: Channel,
    /// Our merchant number there.
    pub merchant_no: String,
    /// How much.
    pub amount_fen: Fen,
    /// Where it stands.
    pub state: PaymentState,
    /// Where the driver pays.
    pub pay_url: Option<String>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it is closed if nobody pays.
    pub expires_at: DateTime<Utc>,
}

impl Payment {
    /// Whose it is.
    pub const fn owner(&self) -> Owner {
        Owner { provider_id: self.provider_id, property_id: self.property_id, station_id: self.station_id }
    }

    /// The ledger's account of what the channel holds for us.
    fn clearing(&self) -> Account {
        Account::Clearing { channel: self.channel.to_string(), merchant_no: self.merchant_no.clone() }
    }

    /// Tells that something became of it.
    async fn tell(&self, conn: &mut AsyncPgConnection) -> Result<()> {
        self.tell_of(conn, Kind::Payment, self.id).await
    }

    /// Tells that the money of its order has moved.
    async fn tell_order(&self, conn: &mut AsyncPgConnection) -> Result<()> {
        self.tell_of(conn, Kind::CarOrder, self.order_id).await
    }

    async fn tell_of(&self, conn: &mut AsyncPgConnection, kind: Kind, id: Uuid) -> Result<()> {
        let driver_id = Some(self.driver_id);
        events::tell(conn, &Happening { kind, id, owner: self.owner(), driver_id }).await
    }
}

/// Reads a payment.
///
/// # Errors
/// 404 when there is none.
pub async fn find(conn: &mut AsyncPgConnection, id: Uuid) -> Result<Payment> {
    Ok(payments::table.find(id).select(Payment::as_select()).first(conn).await?)
}

/// Locks an order and then one of its payments.
async fn lock(conn: &mut AsyncPgConnection, order_id: Uuid, id: Uuid) -> Result<Payment> {
    car_orders::table.find(order_id).select(car_orders::id).for_no_key_update().first::<Uuid>(conn).await?;
    Ok(payments::table.find(id).select(Payment::as_select()).for_no_key_update().first(conn).await?)
}

/// A new number for people and channels: its kind's letter, the local second and random digits.
pub fn number(letter: char, now: DateTime<Utc>) -> String {
    let second = shared::time::local(now).format("%Y%m%d%H%M%S");
    format!("{letter}{second}{:09}", rand::rng().random_range(0..1_000_000_000_u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_tell_the_local_second() {
        let number = number('P', DateTime::from_timestamp(1_795_311_005, 0).unwrap());
        assert_eq!(number.len(), 24);
        assert!(number.starts_with("P20261122093005"), "{number}");
    }
}
