//! Violations of what holds of reservations.

use super::Plant;

const TIMES: &str = "R-51 a reservation's times fit its state: R…";

pub const PLANTS: &[Plant] = &[
    // What is as it should be is not told.
    ("select pg_temp.reserve('{a}', 119, 'reserved')", &[]),
    (
        "select pg_temp.reserve('{a}', 60, 'completed');
        update reservations set entered_at = now() - interval '1 hour', left_at = now(), ended_at = now(), end_reason = 'left';
        update car_orders set reservation_id = (select id from reservations) where order_no = '{a}'",
        &[],
    ),
    (
        "select pg_temp.reserve('{a}', 200, 'reserved')",
        &["R-51 a reservation waits for two hours and no longer: R…"],
    ),
    ("select pg_temp.reserve('{a}', 10, 'occupying')", &[TIMES]),
    ("select pg_temp.reserve('{a}', 10, 'timed_out')", &[TIMES]),
    ("select pg_temp.reserve('{a}', 10, 'reserved'); update reservations set entered_at = now()", &[TIMES]),
    ("select pg_temp.reserve('{a}', 10, 'cancelled'); update reservations set ended_at = now(), end_reason = 'left'", &[TIMES]),
    ("select pg_temp.reserve('{a}', 130, 'occupying'); update reservations set entered_at = now()", &[TIMES]),
    (
        "select pg_temp.reserve('{a}', 10, 'completed');
        update reservations set entered_at = now(), left_at = now(), ended_at = now() + interval '1 minute', end_reason = 'left'",
        &[TIMES],
    ),
    (
        "drop index reservations_connector_key, reservations_live_driver_key;
        select pg_temp.reserve('{a}', 10, 'reserved');
        select pg_temp.reserve('{g}', 10, 'reserved')",
        &["R-51 a connector is kept for one driver, and a driver has one connector kept: R…"],
    ),
    (
        "drop index reservations_connector_key, reservations_live_driver_key;
        select pg_temp.reserve('{a}', 10, 'reserved');
        select pg_temp.reserve('{e}', 10, 'reserved');
        update reservations set driver_id = gen_random_uuid() where id = (select id from reservations limit 1)",
        &["R-51 a connector is kept for one driver, and a driver has one connector kept: R…"],
    ),
    (
        "select pg_temp.reserve('{a}', 10, 'reserved');
        update car_orders set reservation_id = (select id from reservations) where order_no = '{g}'",
        &["R-51 an order is made under its driver's reservation of its connector: {g} is made under R…"],
    ),
];
