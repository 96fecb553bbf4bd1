//! Devices that knocked and were not let in.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::unknown_devices as devices;
use shared::page::{Page, PageQuery};
use shared::unregistered::{UnregisteredDeviceFilter, UnregisteredDeviceRow, UnregisteredDevices};
use uuid::Uuid;

use crate::api::op::Op;
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::crud::page::{self, containing};
use crate::crud::{Browse, Delete, ops};
use crate::error::Result;

type Columns = (
    devices::id,
    devices::serial_no,
    devices::protocol,
    devices::remote_address,
    devices::reason,
    devices::knocks,
    devices::first_at,
    devices::last_at,
);

const COLUMNS: Columns = (
    devices::id,
    devices::serial_no,
    devices::protocol,
    devices::remote_address,
    devices::reason,
    devices::knocks,
    devices::first_at,
    devices::last_at,
);

/// They belong to no tenant, so only the platform's users are given the permission.
fn found(filter: &UnregisteredDeviceFilter) -> devices::BoxedQuery<'static, diesel::pg::Pg> {
    let UnregisteredDeviceFilter { serial_no, reason } = filter;
    let mut query = devices::table.into_boxed();
    if let Some(serial_no) = serial_no {
        query = query.filter(devices::serial_no.ilike(containing(serial_no)));
    }
    if let Some(reason) = reason {
        query = query.filter(devices::reason.eq(*reason));
    }
    query
}

impl Browse for UnregisteredDevices {
    async fn list(
        conn: &mut AsyncPgConnection,
        _: &Scope,
        filter: &UnregisteredDeviceFilter,
        page: &PageQuery,
    ) -> Result<Page<UnregisteredDeviceRow>> {
        // The gateway keeps the list short, so it needs no cursor and shows who knocked last first.
        let page = match page.sort.as_str() {
            "last_at" => page.clone(),
            _ => PageQuery { sort: "-last_at".to_owned(), cursor: None, ..page.clone() },
        };
        let rows = found(filter).order(page::by(devices::last_at, page.order().1)).select(COLUMNS);
        page::load::<UnregisteredDeviceRow, _, _, _>(conn, &page, rows, found(filter).select(devices::id)).await
    }

    async fn find(conn: &mut AsyncPgConnection, _: &Scope, id: Uuid) -> Result<UnregisteredDeviceRow> {
        Ok(devices::table.filter(devices::id.eq(id)).select(COLUMNS).first(conn).await?)
    }
}

impl Delete for UnregisteredDevices {
    async fn delete(conn: &mut AsyncPgConnection, _: &Caller, id: Uuid) -> Result<()> {
        diesel::delete(devices::table.filter(devices::id.eq(id))).execute(conn).await?;
        Ok(())
    }
}

/// The operations of devices that were not let in.
pub fn operations() -> Vec<Op> {
    [ops::browse::<UnregisteredDevices>(), ops::delete::<UnregisteredDevices>()].into_iter().flatten().collect()
}
