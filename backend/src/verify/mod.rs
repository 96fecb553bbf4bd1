//! Recomputes what must always hold of money and state, and lists what does not: a line for each violation.
//!
//! All of it is read in one snapshot, so that a server may work on meanwhile. What concerns single orders is checked for
//! a page of them at a time; sums over everything are left to the database. Nothing here grows with the number of orders.
//!
//! How refunds count: a payment's `refunded_fen` is all that succeeded of it. An order's, and a day's, leave out orphans,
//! the payments that found no order to pay for: their money never was the order's, nor the station's.

mod accounts;
mod cards;
mod invoices;
mod ledger;
mod orders;
mod payments;
mod postings;
mod reservations;
mod rollups;
mod work;

use std::collections::BTreeMap;

use anyhow::Result;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::TryStreamExt;
use schema::car_orders;
use uuid::Uuid;

use crate::app::App;

/// Orders that are checked at once.
const PAGE: i64 = 500;
/// Lines that one invariant gives at most; more of them say nothing new.
const MOST: usize = 1000;

/// An invariant: its name in the rules, and a query that gives a line for each violation.
struct Rule {
    name: &'static str,
    sql: &'static str,
}

/// Invariants of everything at once.
const OF_ALL: [&[Rule]; 10] = [
    ledger::OF_ALL,
    postings::OF_ALL,
    accounts::OF_ALL,
    orders::OF_ALL,
    payments::OF_ALL,
    rollups::OF_ALL,
    cards::OF_ALL,
    invoices::OF_ALL,
    reservations::OF_ALL,
    work::OF_ALL,
];

/// Invariants of single orders; `$1` are their ids.
const OF_ORDERS: [&[Rule]; 4] = [orders::OF_ORDERS, postings::OF_ORDERS, accounts::OF_ORDERS, payments::OF_ORDERS];

#[derive(QueryableByName)]
struct Broken {
    #[diesel(sql_type = Text)]
    what: String,
}

/// What was found.
#[derive(Default)]
struct Findings {
    lines: Vec<String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Findings {
    fn add(&mut self, rule: &'static str, what: &str) {
        let count = self.counts.entry(rule).or_default();
        *count += 1;
        if *count <= MOST {
            self.lines.push(format!("{rule}: {what}"));
        }
    }

    async fn ask(&mut self, conn: &mut AsyncPgConnection, rule: &Rule) -> QueryResult<()> {
        let mut broken = sql_query(rule.sql).load_stream::<Broken>(conn).await?;
        while let Some(it) = broken.try_next().await? {
            self.add(rule.name, &it.what);
        }
        Ok(())
    }

    async fn ask_of(&mut self, conn: &mut AsyncPgConnection, rule: &Rule, orders: &[Uuid]) -> QueryResult<()> {
        let broken: Vec<Broken> = sql_query(rule.sql).bind::<Array<SqlUuid>, _>(orders).load(conn).await?;
        broken.iter().for_each(|it| self.add(rule.name, &it.what));
        Ok(())
    }

    fn told(mut self) -> Vec<String> {
        let more = self.counts.iter().filter(|(_, count)| **count > MOST);
        self.lines.extend(more.map(|(rule, count)| format!("{rule}: {} more of them", count - MOST)));
        self.lines
    }
}

/// Checks everything; an empty list is good.
///
/// # Errors
/// The database cannot be read.
pub async fn run(app: &App) -> Result<Vec<String>> {
    let mut conn = app.conn().await?;
    let mut snapshot = conn.build_transaction().read_only().repeatable_read();
    snapshot.run(async |conn| check(conn).await).await
}

/// As [`run`], on what the caller's transaction sees.
///
/// # Errors
/// The database cannot be read.
pub async fn check(conn: &mut AsyncPgConnection) -> Result<Vec<String>> {
    let mut findings = Findings::default();
    for rule in OF_ALL.into_iter().flatten() {
        findings.ask(conn, rule).await?;
    }
    check_orders(conn, &mut findings).await?;
    Ok(findings.told())
}

/// Checks the ledger alone, whatever it is about.
///
/// # Errors
/// The database cannot be read.
pub async fn check_ledger(conn: &mut AsyncPgConnection) -> Result<Vec<String>> {
    let mut findings = Findings::default();
    for rule in ledger::OF_ALL {
        findings.ask(conn, rule).await?;
    }
    Ok(findings.told())
}

/// The names of all invariants.
pub fn names() -> Vec<&'static str> {
    let asked = OF_ALL.into_iter().chain(OF_ORDERS).flatten().map(|it| it.name);
    asked.chain(orders::REPRICED).collect()
}

async fn check_orders(conn: &mut AsyncPgConnection, findings: &mut Findings) -> Result<()> {
    let mut last = Uuid::nil();
    loop {
        let page = car_orders::table.filter(car_orders::id.gt(last)).order(car_orders::id).limit(PAGE);
        let ids: Vec<Uuid> = page.select(car_orders::id).load(conn).await?;
        let Some(end) = ids.last() else { return Ok(()) };
        last = *end;
        for rule in OF_ORDERS.into_iter().flatten() {
            findings.ask_of(conn, rule, &ids).await?;
        }
        orders::reprice(conn, &ids, findings).await?;
    }
}
