//! Demo data: a small business to look around in.

use anyhow::Result;
use chrono::Utc;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use schema::{properties, providers};

use crate::app::{App, new_id};

/// Fills an empty database; one that has a provider is left alone.
///
/// # Errors
/// The database cannot be written.
pub async fn fill(app: &App) -> Result<()> {
    let mut conn = app.conn().await?;
    if providers::table.count().get_result::<i64>(&mut conn).await? > 0 {
        return Ok(());
    }
    let provider = new_id(Utc::now());
    diesel::insert_into(providers::table)
        .values((
            providers::id.eq(provider),
            providers::name.eq("云栖充电"),
            providers::contact.eq("陈晨"),
            providers::phone.eq("13900000001"),
            providers::review.eq("approved"),
        ))
        .execute(&mut conn)
        .await?;
    diesel::insert_into(properties::table)
        .values((
            properties::id.eq(new_id(Utc::now())),
            properties::provider_id.eq(provider),
            properties::name.eq("滨江物业"),
            properties::contact.eq("李蕾"),
            properties::phone.eq("13900000002"),
            properties::city.eq("杭州市"),
        ))
        .execute(&mut conn)
        .await?;
    Ok(())
}
