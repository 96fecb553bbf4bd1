//! How fixed-point numbers travel to and from PostgreSQL: as integers and exact decimals, never as floats.

use diesel::deserialize::{self, FromSql};
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::{BigInt, Integer, Numeric};
use rust_decimal::Decimal;

use super::{Bp, Fen, Kwh, NumberError, Price, TaxRate};

impl ToSql<BigInt, Pg> for Fen {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<BigInt, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<BigInt, Pg> for Fen {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<BigInt, Pg>::from_sql(value).map(Self)
    }
}

impl ToSql<Integer, Pg> for Bp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Integer, Pg>::to_sql(&self.0, out)
    }
}

impl FromSql<Integer, Pg> for Bp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let bp: i32 = FromSql::<Integer, Pg>::from_sql(value)?;
        Ok(bp.try_into()?)
    }
}

/// A column may keep fewer or more places than we do; digits that we could not keep are an error, not rounded away.
fn units(value: PgValue<'_>, places: usize) -> deserialize::Result<i64> {
    let decimal: Decimal = FromSql::<Numeric, Pg>::from_sql(value)?;
    let decimal = decimal.normalize();
    let missing = u32::try_from(places)?.checked_sub(decimal.scale()).ok_or(NumberError::TooPrecise(places))?;
    let units = decimal.mantissa().checked_mul(10_i128.pow(missing)).ok_or(NumberError::TooLarge)?;
    Ok(i64::try_from(units)?)
}

fn numeric<'b>(units: i64, places: usize, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
    let decimal = Decimal::try_from_i128_with_scale(units.into(), u32::try_from(places)?)?;
    ToSql::<Numeric, Pg>::to_sql(&decimal, &mut out.reborrow())
}

macro_rules! numeric_column {
    ($($name:ident),+) => { $(
        impl ToSql<Numeric, Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                numeric(self.units(), Self::PLACES, out)
            }
        }

        impl FromSql<Numeric, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                Ok(Self::from_units(units(value, Self::PLACES)?)?)
            }
        }
    )+ };
}

numeric_column!(Price, Kwh, TaxRate);
