//! The first page in numbers, added up from what every charge adds to: the days of stations, the visits of drivers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::Json;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use diesel::dsl::{count_star, sql, sum};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{
    areas, chargers, driver_totals as totals, driver_visits as visits, drivers, order_days as days, stations,
};
use shared::dashboard::{
    BikeNumbers, CarNumbers, Customer, Dashboard, DayEnergy, DayOrders, OrderNumbers, UserNumbers,
};
use shared::fixed::Kwh;
use shared::text::t;
use shared::time::{business_day, midnight};
use uuid::Uuid;

use crate::api::op::Op;
use crate::app::first_id;
use crate::auth::scope::Scope;
use crate::crud::Ctx;
use crate::error::Result;
use crate::member::{card, driver};

/// Numbers may be as old as this: however many people look at them, they are added up once in a while.
const FRESH: TimeDelta = TimeDelta::seconds(5);
/// How many customers are named.
const TOP: i64 = 4;

/// The numbers that were added up last, by who may see them.
#[derive(Default)]
pub struct Cache(Mutex<HashMap<Scope, (DateTime<Utc>, Dashboard)>>);

impl Cache {
    fn fresh(&self, scope: &Scope, now: DateTime<Utc>) -> Option<Dashboard> {
        let known = self.known();
        let (at, numbers) = known.get(scope)?;
        (now - *at < FRESH && business_day(now) == business_day(*at)).then(|| numbers.clone())
    }

    fn keep(&self, scope: Scope, now: DateTime<Utc>, numbers: Dashboard) {
        let mut known = self.known();
        known.retain(|_, (at, _)| now - *at < FRESH);
        known.insert(scope, (now, numbers));
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Scope, (DateTime<Utc>, Dashboard)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `GET /dashboard`.
async fn dashboard(ctx: Ctx) -> Result<Json<Dashboard>> {
    let Ctx { app, caller, mut conn, .. } = ctx;
    let now = app.now();
    if let Some(known) = app.dashboards.fresh(&caller.scope, now) {
        return Ok(Json(known));
    }
    let numbers = add_up(&mut conn, &caller.scope, business_day(now)).await?;
    app.dashboards.keep(caller.scope, now, numbers.clone());
    Ok(Json(numbers))
}

async fn add_up(conn: &mut AsyncPgConnection, scope: &Scope, today: NaiveDate) -> Result<Dashboard> {
    let stations = {
        let all = stations::table.group_by(stations::line).select((stations::line, count_star())).into_boxed();
        let seen = scope.narrow(all, stations::provider_id, stations::property_id, stations::id);
        ByLine(seen.load(conn).await?)
    };
    let areas = {
        let all = areas::table.group_by(areas::line).select((areas::line, count_star())).into_boxed();
        let seen = scope.narrow(all, areas::provider_id, areas::property_id, areas::station_id);
        ByLine(seen.load(conn).await?)
    };
    let chargers = {
        let all = chargers::table.inner_join(stations::table).group_by(stations::line);
        let all = all.select((stations::line, count_star())).into_boxed();
        let seen = scope.narrow(all, chargers::provider_id, chargers::property_id, chargers::station_id);
        ByLine(seen.load(conn).await?)
    };
    let orders = {
        let sums = sql::<BigInt>("sum(order_days.orders)::bigint");
        let all = days::table.group_by(days::line).select((days::line, sums)).into_boxed();
        let seen = scope.narrow(all, days::provider_id, days::property_id, days::station_id);
        ByLine(seen.load(conn).await?)
    };
    let first = today - Days::new(6);
    let week = week(conn, scope, first).await?;
    let on = |line: &str, day| week.iter().find(|it| it.day == day && it.line == line);
    let kwh = |line, day| on(line, day).and_then(|it| it.kwh).unwrap_or(Kwh::ZERO);
    let count = |line, day| on(line, day).map_or(0, |it| it.orders);
    let last7 = first.iter_days().take(7).map(|day| DayOrders {
        day: day.to_string(),
        car: count("car", day),
        bike: count("bike", day),
        refunds: week.iter().filter(|it| it.day == day).map(|it| it.refunds).sum(),
    });
    let last5 = (first + Days::new(2)).iter_days().take(5).map(|day| DayEnergy {
        day: day.to_string(),
        car_kwh: kwh("car", day),
        bike_kwh: kwh("bike", day),
    });
    let newcomers = driver::visible(scope).filter(drivers::id.ge(first_id(midnight(first))));
    let (members, cards) = card::count(conn, scope).await?;
    Ok(Dashboard {
        car: CarNumbers { stations: stations.of("car"), areas: areas.of("car"), chargers: chargers.of("car") },
        bike: BikeNumbers { stations: stations.of("bike"), areas: areas.of("bike"), devices: chargers.of("bike") },
        orders: OrderNumbers {
            car: orders.of("car"),
            bike: orders.of("bike"),
            total: orders.of("car") + orders.of("bike"),
        },
        last7: last7.collect(),
        last5: last5.collect(),
        users: UserNumbers {
            members,
            cards,
            drivers: driver::visible(scope).count().get_result(conn).await?,
            newcomers: newcomers.count().get_result(conn).await?,
        },
        top: top(conn, scope).await?,
    })
}

/// A number for each line of business that has any.
struct ByLine(Vec<(String, i64)>);

impl ByLine {
    fn of(&self, line: &str) -> i64 {
        self.0.iter().find(|it| it.0 == line).map_or(0, |it| it.1)
    }
}

/// What a line of business did on a day.
#[derive(Queryable)]
struct Day {
    day: NaiveDate,
    line: String,
    orders: i64,
    refunds: i64,
    kwh: Option<Kwh>,
}

async fn week(conn: &mut AsyncPgConnection, scope: &Scope, first: NaiveDate) -> Result<Vec<Day>> {
    let sums = (
        days::day,
        days::line,
        sql::<BigInt>("sum(order_days.orders)::bigint"),
        sql::<BigInt>("sum(order_days.refunds)::bigint"),
        sum(days::kwh),
    );
    let all = days::table.filter(days::day.ge(first)).group_by((days::day, days::line)).select(sums).into_boxed();
    Ok(scope.narrow(all, days::provider_id, days::property_id, days::station_id).load(conn).await?)
}

/// Who has charged most often, of those who came first the first.
async fn top(conn: &mut AsyncPgConnection, scope: &Scope) -> Result<Vec<Customer>> {
    let counts: Vec<(Uuid, i64)> = match &scope.stations {
        // The totals of a whole node are kept.
        None => {
            let at_node = totals::table.filter(totals::node_id.eq(scope.node.id().unwrap_or_default()));
            let best = at_node.order((totals::orders.desc(), totals::driver_id)).limit(TOP);
            best.select((totals::driver_id, totals::orders)).load(conn).await?
        }
        Some(_) => {
            let sums = sql::<BigInt>("sum(driver_visits.orders)::bigint");
            let all = visits::table.group_by(visits::driver_id).select((visits::driver_id, sums));
            let best = all.order((sql::<BigInt>("2").desc(), visits::driver_id)).limit(TOP).into_boxed();
            scope.narrow(best, visits::provider_id, visits::property_id, visits::station_id).load(conn).await?
        }
    };
    type Person = (Uuid, String, Option<String>, Option<String>);
    let people: Vec<Person> = drivers::table
        .filter(drivers::id.eq_any(counts.iter().map(|it| it.0).collect::<Vec<_>>()))
        .select((drivers::id, drivers::phone, drivers::name, drivers::nickname))
        .load(conn)
        .await?;
    let customer = |(driver_id, count): (Uuid, i64)| {
        let (_, phone, name, nickname) = people.iter().find(|it| it.0 == driver_id)?.clone();
        Some(Customer { driver_id, phone, name: name.or(nickname), count })
    };
    Ok(counts.into_iter().filter_map(customer).collect())
}

/// The operation of the first page.
pub fn operations() -> Vec<Op> {
    let get = Op::get("/api/v1/dashboard", "getDashboard", t("首页统计", "The business in numbers"));
    vec![get.tag("dashboard").permission("dashboard.view").returns::<Dashboard>().to(dashboard)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::scope::Node;

    fn numbers(drivers: i64) -> Dashboard {
        Dashboard {
            car: CarNumbers { stations: 0, areas: 0, chargers: 0 },
            bike: BikeNumbers { stations: 0, areas: 0, devices: 0 },
            orders: OrderNumbers { car: 0, bike: 0, total: 0 },
            users: UserNumbers { members: 0, cards: 0, drivers, newcomers: 0 },
            last7: vec![],
            last5: vec![],
            top: vec![],
        }
    }

    #[test]
    fn numbers_are_kept_for_a_moment_for_those_who_may_see_the_same() {
        let cache = Cache::default();
        // A second before midnight in Shanghai.
        let now = midnight(NaiveDate::from_ymd_opt(2026, 11, 26).unwrap()) - TimeDelta::seconds(1);
        let one = Scope { node: Node::Provider(Uuid::now_v7()), stations: None };
        let bound = Scope { stations: Some(vec![Uuid::now_v7()]), ..one.clone() };
        cache.keep(one.clone(), now - TimeDelta::seconds(4), numbers(1));
        assert_eq!(cache.fresh(&one, now), Some(numbers(1)));
        assert_eq!(cache.fresh(&bound, now), None);
        assert_eq!(cache.fresh(&Scope::ALL, now), None);
        // Another day has other days.
        assert_eq!(cache.fresh(&one, now + TimeDelta::seconds(1)), None);
        let later = now + TimeDelta::seconds(10);
        assert_eq!(cache.fresh(&one, later), None);
        cache.keep(bound.clone(), later, numbers(2));
        assert_eq!(cache.fresh(&bound, later), Some(numbers(2)));
        assert_eq!(cache.known().len(), 1, "what is old is forgotten");
    }
}
