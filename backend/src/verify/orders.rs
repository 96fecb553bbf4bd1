//! Orders: their state, and that what they cost follows from what was metered and agreed.

use std::collections::HashMap;

use anyhow::Result;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::{car_orders, charge_sessions, meter_readings, tariff_versions};
use serde_json::Value;
use shared::fixed::{Fen, Kwh};
use shared::order::OrderState;
use shared::pricing::{Settlement, Tariff, settle};
use uuid::Uuid;

use super::{Findings, Rule};
use crate::charging::clock::Clock;
use crate::charging::readings::Entry;
use crate::charging::report::EntryRow;
use crate::charging::settle::price;

/// What holds of all orders together.
pub(super) const OF_ALL: &[Rule] = &[Rule {
    name: "I-30 a connector serves one order at a time",
    sql: "select format('connector %s has %s', c.code, string_agg(o.order_no, ', ' order by o.id)) as what
        from car_orders o join connectors c on c.id = o.connector_id
        where o.state in ('starting', 'charging', 'stopping', 'suspended')
        group by c.id having count(*) > 1",
}];

/// What holds of single orders, besides their price.
pub(super) const OF_ORDERS: &[Rule] = &[
    Rule {
        name: "I-62 an order's times fit its state",
        sql: "select format('%s is %s, told to start %s, started %s, suspended %s, ended %s, settled %s', order_no, state,
                coalesce(start_sent_at::text, 'never'), coalesce(started_at::text, 'never'),
                coalesce(suspended_at::text, 'never'), coalesce(ended_at::text, 'never'), coalesce(settled_at::text, 'never'))
                as what
            from car_orders o left join charge_sessions s on s.order_id = o.id
            where o.id = any($1) and (s.order_id is null
                or (state in ('completed', 'failed', 'cancelled')) <> (ended_at is not null)
                or (state in ('completed', 'failed')) <> (settled_at is not null)
                or state in ('created', 'starting', 'failed', 'cancelled') and started_at is not null
                or state in ('charging', 'stopping', 'suspended') and started_at is null
                or state in ('starting', 'charging', 'stopping', 'suspended') and start_sent_at is null
                or state = 'suspended' and suspended_at is null)",
    },
    Rule {
        name: "I-62 an order's timeline leads to its state",
        sql: "select format('%s is %s, its timeline leads to %s', order_no, state, coalesce(to_state, 'nothing')) as what
            from car_orders o left join lateral (
                select to_state from order_events e where e.order_id = o.id order by e.id desc limit 1) last on true
            where o.id = any($1) and to_state is distinct from state",
    },
    Rule {
        name: "I-62 an order has one charge of its charger",
        sql: "select format('%s has the charge %s and %s', order_no, coalesce(s.transaction_id::text, 'none'),
                coalesce(theirs, 'no record of it')) as what
            from car_orders o join charge_sessions s on s.order_id = o.id left join lateral (
                select string_agg(format('the record of %s', transaction_id), ', ' order by transaction_id) as theirs,
                    array_agg(transaction_id) as ids
                from device_transactions t
                where t.order_id = o.id and t.accepted and t.charger_id = o.charger_id) told on true
            where o.id = any($1)
                and coalesce(ids, '{}') <> case when s.transaction_id is null then '{}' else array[s.transaction_id] end",
    },
];

const TARIFF: &str = "I-65 an order keeps the tariff that was agreed";
const BILL: &str = "I-62 what was settled follows from readings and tariff";
const TOTAL: &str = "R-02 the total is energy and service fee";
const CHARGED: &str = "R-20 nobody pays more than was prepaid, the rest is overrun";

/// What is checked by pricing an order anew.
pub(super) const REPRICED: [&str; 4] = [TARIFF, BILL, TOTAL, CHARGED];

/// An order, what was agreed at its start and the wording that it was taken from.
#[derive(HasQuery)]
#[diesel(table_name = car_orders, check_for_backend(Pg), base_query = agreed())]
struct Order {
    id: Uuid,
    order_no: String,
    state: OrderState,
    prepaid_fen: Fen,
    elec_fen: Fen,
    service_fen: Fen,
    total_fen: Fen,
    charged_fen: Fen,
    overrun_fen: Fen,
    kwh: Kwh,
    #[diesel(select_expression = charge_sessions::tariff)]
    tariff: Value,
    #[diesel(select_expression = charge_sessions::tariff_hash)]
    tariff_hash: String,
    #[diesel(select_expression = charge_sessions::rated_power_w)]
    rated_power_w: i64,
    #[diesel(select_expression = charge_sessions::clock)]
    clock: Option<Clock>,
    #[diesel(select_expression = tariff_versions::body)]
    wording: Value,
}

#[diesel::dsl::auto_type]
fn agreed() -> _ {
    car_orders::table.inner_join(charge_sessions::table.inner_join(tariff_versions::table))
}

/// Prices orders anew. No order is excepted, whoever ended it: each is settled with the readings that are stored by
/// then, and those that come later are stored as not billed.
pub(super) async fn reprice(conn: &mut AsyncPgConnection, ids: &[Uuid], findings: &mut Findings) -> Result<()> {
    let orders: Vec<Order> = Order::query().filter(car_orders::id.eq_any(ids)).order(car_orders::id).load(conn).await?;
    let mut readings = readings(conn, ids).await?;
    for order in orders {
        let readings = readings.remove(&order.id).unwrap_or_default();
        let tell = |(rule, what): (&'static str, String)| findings.add(rule, &format!("{} {what}", order.order_no));
        check(&order, readings).into_iter().for_each(tell);
    }
    Ok(())
}

async fn readings(conn: &mut AsyncPgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Entry>>> {
    let billed = meter_readings::table.filter(meter_readings::order_id.eq_any(ids)).filter(meter_readings::billed);
    let rows: Vec<(Uuid, EntryRow)> =
        billed.select((meter_readings::order_id, EntryRow::as_select())).load(conn).await?;
    let mut readings: HashMap<Uuid, Vec<Entry>> = HashMap::new();
    for (order_id, row) in rows {
        readings.entry(order_id).or_default().push(row.into());
    }
    Ok(readings)
}

/// What is wrong with an order, by the rule that it breaks. Pure.
fn check(order: &Order, readings: Vec<Entry>) -> Vec<(&'static str, String)> {
    let mut wrong = vec![];
    let tariff = match serde_json::from_value::<Tariff>(order.tariff.clone()) {
        Ok(tariff) => {
            let hash = crate::tariff::hash(&tariff).unwrap_or_default();
            if hash != order.tariff_hash || order.tariff != order.wording {
                wrong.push((TARIFF, "has another one".to_owned()));
            }
            Some(tariff)
        }
        Err(err) => {
            wrong.push((TARIFF, format!("has one that cannot be read: {err}")));
            None
        }
    };
    let fee = order.elec_fen.plus(order.service_fen).unwrap_or(Fen(i64::MAX));
    if order.total_fen != fee {
        wrong.push((TOTAL, format!("cost {} + {}, not {}", order.elec_fen, order.service_fen, order.total_fen)));
    }
    let parts = settle(order.prepaid_fen, fee).ok();
    if parts.is_none_or(|it: Settlement| (it.charged_fen, it.overrun_fen) != (order.charged_fen, order.overrun_fen)) {
        let (charged, overrun) = (order.charged_fen, order.overrun_fen);
        wrong.push((CHARGED, format!("cost {fee} of {}, charged {charged}, overrun {overrun}", order.prepaid_fen)));
    }
    // A charge that runs has a bill that runs along; only the last one counts.
    if let (Some(tariff), OrderState::Completed | OrderState::Failed) = (tariff, order.state) {
        let settled = (order.elec_fen, order.service_fen, order.kwh);
        match price(order.clock.as_ref(), readings, &tariff, order.rated_power_w) {
            Ok(it) if (it.bill.elec_fen, it.bill.service_fen, it.bill.kwh_total) == settled => {}
            Ok(it) => {
                let (elec, service, kwh) = settled;
                let (bill, was) = (it.bill, format!("{elec} + {service} for {kwh} kWh"));
                let is = format!("{} + {} for {} kWh", bill.elec_fen, bill.service_fen, bill.kwh_total);
                wrong.push((BILL, format!("was settled at {was}, and comes to {is}")));
            }
            Err(err) => wrong.push((BILL, format!("cannot be priced: {err}"))),
        }
    }
    wrong
}
