//! How tariffs, promotions and what invoices say travel to and from PostgreSQL: as JSON documents.

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Jsonb;
use serde_json::Value;

use super::{InvoiceLines, RechargeTiers, Tariff};
use crate::invoice::Seller;

macro_rules! documents {
    ($($name:ident)+) => { $(
        impl ToSql<Jsonb, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                let value = serde_json::to_value(self)?;
                ToSql::<Jsonb, Pg>::to_sql(&value, &mut out.reborrow())
            }
        }

        impl FromSql<Jsonb, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                let value: Value = FromSql::<Jsonb, Pg>::from_sql(value)?;
                Ok(serde_json::from_value(value)?)
            }
        }
    )+ };
}

documents!(Tariff RechargeTiers Seller InvoiceLines);
