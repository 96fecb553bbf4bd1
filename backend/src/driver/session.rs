//! A driver's session.

use diesel::dsl::{exists, now};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{drivers, sessions};
use shared::text::t;
use uuid::Uuid;

use crate::error::{Error, Result};

/// Refuses a driver who is disabled, or whose session was ended.
///
/// # Errors
/// 401.
pub async fn check(conn: &mut AsyncPgConnection, driver: Uuid, family: Uuid) -> Result<()> {
    let open = sessions::table
        .inner_join(drivers::table)
        .filter(sessions::driver_id.eq(driver))
        .filter(sessions::family.eq(family))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(now.into_sql::<Timestamptz>()))
        .filter(drivers::enabled);
    if diesel::select(exists(open)).get_result(conn).await? {
        return Ok(());
    }
    Err(Error::Unauthenticated(t("登录已失效，请重新登录", "The session has ended; log in again")))
}
