//! `backend verify`: on books that real charges have filled it finds nothing, and of each violation that is planted there
//! exactly that.
//!
//! A violation is planted in a transaction that gets past the database's own checks, looked at, and rolled back.

mod cards;
mod invoices;
mod ledger;
mod money;
mod orders;
mod reservations;
mod sums;

use backend::payment::sandbox::wire::RefundState as There;
use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use schema::{jobs, payments};
use serde_json::json;
use shared::invoice::InvoiceState;
use shared::payment::{PaymentState, RefundState};

use crate::charging::metered;
use crate::payment::{Unpaid, World, eventually};

/// A violation: how it is planted, and the lines that tell of it. A line that ends in `…` goes on with what nobody foresees.
type Plant = (&'static str, &'static [&'static str]);

/// Books in which everything has happened once.
struct Books {
    world: World,
    /// What the names in plants stand for.
    names: Vec<(String, String)>,
}

impl Books {
    /// `a` was charged 13.00 of 50.00, and staff gave 1.00 back; `h` was charged as much, and invoiced. `b` was paid too late. `c` never started, and giving the
    /// money back failed once. `d` and `g` are charging. `e` cost 13.00 of 10.00, and 2.00 are on their way back. `f` waits
    /// to be paid. A card with 500.00 on it was sold for 450.00 at the counter, another to a collective, whose account had
    /// 1000.00; both were recharged with 100.00, and 5.00 on top.
    async fn new() -> Self {
        let world = World::new().await;
        let a = world.charged(5000).await;
        world.refund_ends(&a, There::Succeeded).await;
        world.give_back(&a, 100).await;
        world.refund_ends(&a, There::Succeeded).await;

        let b = world.order(5000).await;
        let past = payments::expires_at.eq(Utc::now() - TimeDelta::seconds(1));
        diesel::update(payments::table.find(b.payment)).set(past).execute(&mut world.app.conn().await).await.unwrap();
        world.watch(b.payment).await;
        let late = world.channel.pay(&b.payment_no);
        assert_eq!(world.channel.tell(&world.app.url, &late).await, 200);
        world.until(b.payment, PaymentState::Paid).await;
        world.refund_ends(&b, There::Succeeded).await;

        let c = world.paid(5000).await;
        let rules = world.app.app.config.charging.clone();
        let later = Utc::now() + TimeDelta::seconds(rules.start_seconds + 1);
        backend::charging::watch::look(&mut *world.app.conn().await, &rules, c.order, later).await.unwrap();
        assert_eq!(world.order_state(c.order).await, "failed");
        world.refund_ends(&c, There::Failed).await;
        world.refund_ends(&c, There::Succeeded).await;

        let h = world.charged(5000).await;
        world.refund_ends(&h, There::Succeeded).await;
        world.sells().await;
        let invoice = world.invoice(&h).await.ok()["invoices"][0]["id"].as_str().unwrap().parse().unwrap();
        world.until_invoice(invoice, InvoiceState::Issued).await;

        let e = world.charged(1000).await;
        world.give_back(&e, 200).await;
        eventually("it is on its way", async || world.refunds(e.order).await[0].2 == RefundState::Processing).await;
        let f = world.order_at(1, 5000).await;
        let g = world.paid_at(1, 5000).await;
        world.begin(&g, 2, Utc::now()).await;
        let d = world.paid(5000).await;
        let now = Utc::now();
        let transaction = world.begin(&d, 1, now).await;
        let later = now + TimeDelta::seconds(600);
        world.told(metered(transaction, later, 1_002_000), later).await;

        let card = crate::card::issued(&world.app, &world.tenant).await;
        let (collective, company) = crate::card::issued_to_collective(&world.app, &world.tenant).await;
        for card in [card, company] {
            let path = format!("/api/v1/members/cards/{card}/recharge");
            world.tenant.keeper.post(&path, json!({"amount_fen": 10_000})).await.ok();
        }

        // From here on nobody works but the test.
        world.app.app.stopping.cancel();
        eventually("all rest", async || {
            let running = jobs::table.filter(jobs::state.eq("running")).count();
            running.get_result::<i64>(&mut world.app.conn().await).await.unwrap() == 0
        })
        .await;
        let orders = [("a", a), ("b", b), ("c", c), ("d", d), ("e", e), ("f", f), ("g", g), ("h", h)];
        let mut names: Vec<_> = orders.iter().flat_map(|(name, it)| named(name, it)).collect();
        names.push(("{station}".to_owned(), world.site.station.to_string()));
        names.push(("{property}".to_owned(), world.tenant.property.to_string()));
        names.push(("{invoice}".to_owned(), invoice.to_string()));
        let number = world.told_of(invoice).await["invoice_no"].as_str().unwrap().to_owned();
        names.push(("{invoice.no}".to_owned(), number));
        names.push(("{card}".to_owned(), card.to_string()));
        names.push(("{company card}".to_owned(), company.to_string()));
        names.push(("{collective}".to_owned(), collective.to_string()));
        for (name, payment) in orders.iter().map(|(name, it)| (name, it.payment)) {
            let number = payments::table.find(payment).select(payments::channel_no);
            let number: Option<String> = number.first(&mut world.app.conn().await).await.unwrap();
            names.push((format!("{{{name}.channel}}"), number.unwrap_or_default()));
        }
        Self { world, names }
    }

    fn filled(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// Plants each violation and compares what is found; gives all that is otherwise than foreseen.
    async fn wrong(&self, plants: &[Plant]) -> Vec<String> {
        let mut conn = backend::db::connect(&self.world.app.app.database_url).await.unwrap();
        let mut wrong = vec![];
        for (sql, foreseen) in plants {
            let mut foreseen: Vec<String> = foreseen.iter().map(|it| self.filled(it)).collect();
            let mut found = self.found(&mut conn, sql).await;
            foreseen.sort();
            found.sort();
            let fits = |(found, foreseen): (&String, &String)| match foreseen.strip_suffix('…') {
                Some(beginning) => found.starts_with(beginning),
                None => found == foreseen,
            };
            if found.len() != foreseen.len() || !found.iter().zip(&foreseen).all(fits) {
                wrong.push(format!("{sql}\n  foreseen {foreseen:#?}\n  found    {found:#?}"));
            }
        }
        wrong
    }

    async fn found(&self, conn: &mut AsyncPgConnection, sql: &str) -> Vec<String> {
        conn.batch_execute("begin; set local session_replication_role = replica;").await.unwrap();
        conn.batch_execute(POST).await.unwrap();
        conn.batch_execute(&self.filled(sql)).await.unwrap_or_else(|err| panic!("{sql}: {err}"));
        let found = backend::verify::check(conn).await.unwrap();
        conn.batch_execute("rollback").await.unwrap();
        found
    }
}

/// Posts as the ledger does, but whatever one wants. What is planted was asked for under a key of its own.
///
/// And reserves the connector of an order for its driver, so many minutes ago.
const POST: &str =
    "alter table refunds alter column key_id set default gen_random_uuid();
    create function pg_temp.reserve(made_for text, minutes int, state text) returns void language sql as $$
        insert into reservations (id, provider_id, property_id, station_id, area_id, charger_id, connector_id, driver_id,
            phone, plate, state, created_at)
        select gen_random_uuid(), provider_id, property_id, station_id, area_id, charger_id, connector_id, driver_id,
            phone, '浙A00001', reserve.state, now() - make_interval(mins => minutes)
        from car_orders where order_no = made_for;
    $$;
    create function pg_temp.post(kind text, key text, about uuid, names text[], fen bigint[]) returns void
    language plpgsql as $$
    declare tx uuid := gen_random_uuid();
    begin
        insert into ledger_transactions (id, kind, business_id, idem_key, key_id)
            values (tx, post.kind, about, post.key, gen_random_uuid());
        insert into ledger_accounts (key, guarded) select it, false from unnest(names) it on conflict do nothing;
        update ledger_accounts a set balance_fen = balance_fen + m.fen from unnest(names, post.fen) m (name, fen)
            where a.key = m.name;
        insert into ledger_entries select tx, m.place, a.id, m.fen
            from unnest(names, post.fen) with ordinality m (name, fen, place) join ledger_accounts a on a.key = m.name;
    end $$;";

/// What one can name of an order.
fn named(name: &str, it: &Unpaid) -> Vec<(String, String)> {
    vec![
        (format!("{{{name}}}"), it.order_no.clone()),
        (format!("{{{name}.id}}"), it.order.to_string()),
        (format!("{{{name}.payment}}"), it.payment_no.clone()),
        (format!("{{{name}.payment.id}}"), it.payment.to_string()),
    ]
}

impl World {
    /// Staff gives something back.
    async fn give_back(&self, order: &Unpaid, fen: i64) {
        let path = format!("/api/v1/orders/car/{}/refund", order.order);
        self.tenant.boss.post(&path, json!({"amount_fen": fen, "reason": "补偿"})).await.ok();
    }
}

/// All violations there are.
const PLANTS: [&[Plant]; 7] = [
    ledger::PLANTS,
    orders::PLANTS,
    money::PLANTS,
    sums::PLANTS,
    cards::PLANTS,
    invoices::PLANTS,
    reservations::PLANTS,
];

#[tokio::test]
async fn books_that_real_charges_filled_are_right() {
    let books = Books::new().await;
    assert_eq!(backend::verify::run(&books.world.app.app).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn each_violation_is_found_and_nothing_else() {
    let books = Books::new().await;
    let mut wrong = vec![];
    for plants in PLANTS {
        wrong.extend(books.wrong(plants).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_invariant_is_violated_somewhere() {
    let plants = PLANTS.concat();
    let lines: Vec<&str> = plants.iter().flat_map(|it| it.1.iter().copied()).collect();
    let never: Vec<_> =
        backend::verify::names().into_iter().filter(|name| !lines.iter().any(|it| it.starts_with(name))).collect();
    assert_eq!(never, Vec::<&str>::new());
}

/// Orders are read in pages, and of one kind of violation only so many lines are told.
#[tokio::test]
async fn many_orders_are_all_looked_at_and_few_lines_told() {
    let books = Books::new().await;
    let mut conn = backend::db::connect(&books.world.app.app.database_url).await.unwrap();
    let plant = "create temp table copies on commit drop as select gen_random_uuid() as id from generate_series(1, 1234);
        insert into car_orders (id, provider_id, property_id, station_id, area_id, charger_id, connector_id, driver_id, phone,
            start_method, state, prepaid_fen)
        select c.id, provider_id, property_id, station_id, area_id, charger_id, connector_id, driver_id, phone,
            start_method, 'cancelled', prepaid_fen from copies c, car_orders o where o.order_no = '{b}';
        insert into charge_sessions (order_id, tag, tariff_version_id, tariff, tariff_hash, rated_power_w)
        select c.id, c.id, tariff_version_id, tariff, tariff_hash, rated_power_w
        from copies c, charge_sessions where order_id = '{b.id}';
        insert into order_events (order_id, kind, to_state, actor) select id, 'cancelled', 'cancelled', 'system' from copies";
    let found = books.found(&mut conn, plant).await;
    assert_eq!(found.len(), 1001);
    assert!(found[..1000].iter().all(|it| it.starts_with("I-62 an order's times fit its state: C")), "{}", found[0]);
    assert_eq!(found[1000], "I-62 an order's times fit its state: 234 more of them");
}
