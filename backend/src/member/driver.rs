//! Drivers as staff looks through them, and as the platform keeps them.

use std::collections::HashMap;

use actix_web::web::{Json, Path};
use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, cards, driver_visits as visits, drivers, reservations};
use shared::fixed::Fen;
use shared::member::driver::{DriverDetail, DriverFilter, DriverForm, DriverRow, Drivers, Gender};
use shared::page::{Page, PageQuery};
use shared::plate;
use shared::text::t;
use uuid::Uuid;

use super::card;
use crate::api::op::Op;
use crate::app::new_id;
use crate::auth::caller::Caller;
use crate::auth::scope::Scope;
use crate::beyond;
use crate::crud::lookup::{self, beginning, digits, ending, reverse, reverse_or_null};
use crate::crud::{Browse, Change, Create, Ctx, Impact, Switch, ops, page, routes};
use crate::error::{Error, Result};
use crate::impact;

/// How many orders the detail shows.
const LATEST: i64 = 5;

#[derive(Queryable, Selectable)]
#[diesel(table_name = drivers, check_for_backend(Pg))]
struct Driver {
    id: Uuid,
    phone: String,
    nickname: Option<String>,
    name: Option<String>,
    gender: Gender,
    plate: Option<String>,
    certified: bool,
    enabled: bool,
    last_seen_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
}

impl From<Driver> for DriverRow {
    fn from(it: Driver) -> Self {
        Self {
            id: it.id,
            phone: it.phone,
            nickname: it.nickname,
            name: it.name,
            gender: it.gender,
            plate: it.plate,
            certified: it.certified,
            enabled: it.enabled,
            // What they have done is told by their visits, see `add_visits`.
            orders: 0,
            last_charge_at: None,
            last_seen_at: it.last_seen_at,
            version: it.version,
            created_at: it.created_at,
        }
    }
}

/// Who has charged where the caller may look.
fn visible_visits(scope: &Scope) -> visits::BoxedQuery<'static, Pg> {
    scope.narrow(visits::table.into_boxed(), visits::provider_id, visits::property_id, visits::station_id)
}

/// The drivers that the caller may see: the platform all of them, others those who have charged at their stations. Every
/// read starts here.
pub fn visible(scope: &Scope) -> drivers::BoxedQuery<'static, Pg> {
    let all = drivers::table.into_boxed();
    if *scope == Scope::ALL {
        return all;
    }
    all.filter(drivers::id.eq_any(visible_visits(scope).select(visits::driver_id)))
}

fn found(scope: &Scope, filter: &DriverFilter) -> drivers::BoxedQuery<'static, Pg> {
    let DriverFilter { phone, plate, collective_id, provider_id, property_id } = filter;
    let mut query = visible(scope);
    if let Some(phone) = phone {
        query = with_phone(query, phone);
    }
    if let Some(plate) = plate {
        let plate = plate::normal(plate);
        let ends = reverse_or_null(drivers::plate).like(ending(&plate));
        query = query.filter(drivers::plate.like(beginning(&plate)).or(ends));
    }
    if let Some(id) = collective_id {
        let held = card::visible_alone(scope).filter(cards::collective_id.eq(*id));
        query = query.filter(drivers::id.eq_any(held.select(cards::driver_id)));
    }
    // Only visits that the caller may see count, or one could find out who charges at somebody else's stations.
    if let Some(id) = provider_id {
        let there = visible_visits(scope).filter(visits::provider_id.eq(*id));
        query = query.filter(drivers::id.eq_any(there.select(visits::driver_id)));
    }
    if let Some(id) = property_id {
        let there = visible_visits(scope).filter(visits::property_id.eq(*id));
        query = query.filter(drivers::id.eq_any(there.select(visits::driver_id)));
    }
    query
}

/// Those whose telephone is, begins or ends like this.
fn with_phone(query: drivers::BoxedQuery<'static, Pg>, typed: &str) -> drivers::BoxedQuery<'static, Pg> {
    let part = digits(typed);
    query.filter(drivers::phone.like(beginning(&part)).or(reverse(drivers::phone).like(ending(&part))))
}

/// The drivers whose telephone begins or ends like this, whoever may see them: for lists that are narrowed otherwise.
///
/// # Errors
/// 422 when it is too short to tell drivers apart.
pub async fn by_phone(conn: &mut AsyncPgConnection, typed: &str) -> Result<Vec<Uuid>> {
    let most = i64::try_from(lookup::MOST + 1).unwrap_or(i64::MAX);
    let found = with_phone(drivers::table.into_boxed(), typed).select(drivers::id).limit(most);
    lookup::few("phone", found.load(conn).await?)
}

/// Adds how often these drivers have charged where the caller may look, and when last.
async fn add_visits(conn: &mut AsyncPgConnection, scope: &Scope, rows: &mut [DriverRow]) -> Result<()> {
    let ids: Vec<Uuid> = rows.iter().map(|it| it.id).collect();
    let of_rows = visible_visits(scope).filter(visits::driver_id.eq_any(ids));
    let found: Vec<(Uuid, i64, DateTime<Utc>)> =
        of_rows.select((visits::driver_id, visits::orders, visits::last_at)).load(conn).await?;
    let mut rows: HashMap<Uuid, &mut DriverRow> = rows.iter_mut().map(|it| (it.id, it)).collect();
    for (id, orders, last_at) in found {
        if let Some(row) = rows.get_mut(&id) {
            row.orders += orders;
            row.last_charge_at = row.last_charge_at.max(Some(last_at));
        }
    }
    Ok(())
}

impl Browse for Drivers {
    async fn list(
        conn: &mut AsyncPgConnection,
        scope: &Scope,
        filter: &DriverFilter,
        page: &PageQuery,
    ) -> Result<Page<DriverRow>> {
        let order = page::by(drivers::id, page.order().1);
        let rows = beyond!(found(scope, filter), drivers::id, page).order(order).select(Driver::as_select());
        let counted = found(scope, filter).select(drivers::id);
        let mut page = page::load::<Driver, DriverRow, _, _>(conn, page, rows, counted).await?;
        add_visits(conn, scope, &mut page.items).await?;
        Ok(page)
    }

    async fn find(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<DriverDetail> {
        let driver: Driver = visible(scope).filter(drivers::id.eq(id)).select(Driver::as_select()).first(conn).await?;
        let mut row = DriverRow::from(driver);
        add_visits(conn, scope, std::slice::from_mut(&mut row)).await?;
        let charged = car_orders::table
            .filter(car_orders::driver_id.eq(id))
            .select(sql::<BigInt>("coalesce(sum(car_orders.charged_fen), 0)::bigint"))
            .into_boxed();
        let charged: i64 = scope
            .narrow(charged, car_orders::provider_id, car_orders::property_id, car_orders::station_id)
            .first(conn)
            .await?;
        let latest = crate::order::latest_of(conn, scope, id, LATEST).await?;
        Ok(DriverDetail { row, charged_fen: Fen(charged), latest })
    }
}

impl Create for Drivers {
    async fn create(conn: &mut AsyncPgConnection, _by: &Caller, form: &DriverForm) -> Result<Uuid> {
        let id = new_id(Utc::now());
        diesel::insert_into(drivers::table).values((drivers::id.eq(id), told(form))).execute(conn).await?;
        Ok(id)
    }
}

impl Change for Drivers {
    const TABLE: &'static str = "drivers";

    async fn update(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, form: &DriverForm) -> Result<()> {
        let told = told(form);
        // What somebody has looked at is who drives which car; a nickname or a telephone is not on the papers.
        let same_name = drivers::name.is_not_distinct_from(told.name.map(str::to_owned));
        let same_car = drivers::plate.is_not_distinct_from(told.plate.map(str::to_owned));
        let certified = drivers::certified.eq(drivers::certified.and(same_name).and(same_car));
        diesel::update(drivers::table.find(id)).set((told, certified)).execute(conn).await?;
        Ok(())
    }
}

/// What staff has filled in.
fn told(form: &DriverForm) -> Told<'_> {
    let DriverForm { phone, nickname, name, gender, plate } = form;
    let (nickname, name) = (nickname.as_deref(), name.as_deref());
    Told { phone, nickname, name, gender: *gender, plate: plate.as_deref() }
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = drivers, treat_none_as_null = true)]
struct Told<'a> {
    phone: &'a str,
    nickname: Option<&'a str>,
    name: Option<&'a str>,
    gender: Gender,
    plate: Option<&'a str>,
}

impl Switch for Drivers {
    const TABLE: &'static str = "drivers";

    async fn switch(conn: &mut AsyncPgConnection, _by: &Caller, id: Uuid, on: bool) -> Result<()> {
        diesel::update(drivers::table.find(id)).set(drivers::enabled.eq(on)).execute(conn).await?;
        Ok(())
    }

    async fn impact(conn: &mut AsyncPgConnection, scope: &Scope, id: Uuid) -> Result<Impact> {
        let running = impact::running(scope).filter(car_orders::driver_id.eq(id));
        let kept = impact::reserved(scope).filter(reservations::driver_id.eq(id));
        let cards = card::visible(scope).filter(cards::driver_id.eq(id)).filter(cards::enabled);
        Ok(Impact {
            running_orders: running.count().get_result(conn).await?,
            reservations: kept.count().get_result(conn).await?,
            cards: cards.count().get_result(conn).await?,
            ..Impact::default()
        })
    }
}

/// `POST /members/drivers/{id}/certify` (3.5.4/5): somebody has looked at their papers. Certified twice is certified.
async fn certify(ctx: Ctx, id: Path<Uuid>) -> Result<Json<DriverDetail>> {
    let id = *id;
    routes::act::<Drivers, _>(ctx, id, "certify", move |conn, _, driver| {
        Box::pin(async move {
            if driver.row.name.is_none() || driver.row.plate.is_none() {
                let text = t("请先填写姓名和车牌号", "Name and plate are to be filled in first");
                return Err(Error::Conflict("incomplete", text));
            }
            routes::stamp(conn, <Drivers as Change>::TABLE, id, None).await?;
            diesel::update(drivers::table.find(id)).set(drivers::certified.eq(true)).execute(conn).await?;
            Ok(())
        })
    })
    .await
}

/// The operations of drivers.
pub fn operations() -> Vec<Op> {
    let certify = ops::action::<Drivers>("certify").returns::<DriverDetail>().to(certify);
    let ops = [ops::browse::<Drivers>(), ops::write::<Drivers>(), ops::switch::<Drivers>()];
    ops.into_iter().flatten().chain([certify]).collect()
}
