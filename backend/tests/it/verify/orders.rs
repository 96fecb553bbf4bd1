//! Violations by orders: their state, and what they cost.

use super::Plant;

pub const PLANTS: &[Plant] = &[
    (
        "drop index car_orders_connector_key;
        update car_orders set connector_id = (select connector_id from car_orders where order_no = '{d}') where order_no = '{g}'",
        &["I-30 a connector serves one order at a time: connector …"],
    ),
    (
        "update car_orders set settled_at = null where order_no = '{a}'",
        &["I-62 an order's times fit its state: {a} is completed, told to start …"],
    ),
    (
        "update car_orders set started_at = null where order_no = '{d}'",
        &["I-62 an order's times fit its state: {d} is charging, told to start …"],
    ),
    (
        "update car_orders set ended_at = null where order_no = '{b}'",
        &["I-62 an order's times fit its state: {b} is cancelled, told to start never, started never, suspended never, ended never, settled never"],
    ),
    (
        "delete from charge_sessions where order_id = '{b.id}'",
        &["I-62 an order's times fit its state: {b} is cancelled, told to start never…"],
    ),
    (
        "delete from order_events where id = (select max(id) from order_events where order_id = '{a.id}')",
        &["I-62 an order's timeline leads to its state: {a} is completed, its timeline leads to charging"],
    ),
    (
        "update device_transactions set accepted = false where order_id = '{a.id}'",
        &["I-62 an order has one charge of its charger: {a} has the charge …"],
    ),
    (
        "update charge_sessions set transaction_id = null where order_id = '{d.id}'",
        &["I-62 an order has one charge of its charger: {d} has the charge none and the record of …"],
    ),
    (
        "update charge_sessions set tariff_hash = 'other' where order_id = '{a.id}'",
        &["I-65 an order keeps the tariff that was agreed: {a} has another one"],
    ),
    (
        "update charge_sessions set tariff = jsonb_set(tariff, '{note}', '1') where order_id = '{d.id}'",
        &["I-65 an order keeps the tariff that was agreed: {d} has another one"],
    ),
    (
        "update charge_sessions set tariff = '{}' where order_id = '{a.id}'",
        &["I-65 an order keeps the tariff that was agreed: {a} has one that cannot be read: …"],
    ),
    (
        "update charge_sessions set tariff = jsonb_set(tariff, '{prices,uniform,elec}', '\"0.70000\"') where order_id = '{a.id}'",
        &[
            "I-62 what was settled follows from readings and tariff: {a} was settled at 7.80 + 5.20 for 13.0000 kWh, and comes to 9.10 + 5.20 for 13.0000 kWh",
            "I-65 an order keeps the tariff that was agreed: {a} has another one",
        ],
    ),
    (
        "update meter_readings set wh = wh + 1000
            where order_id = '{a.id}' and at = (select max(at) from meter_readings where order_id = '{a.id}')",
        &["I-62 what was settled follows from readings and tariff: {a} was settled at 7.80 + 5.20 for 13.0000 kWh, and comes to 8.40 + 5.60 for 14.0000 kWh"],
    ),
    (
        "update meter_readings set billed = false
            where order_id = '{e.id}' and at = (select max(at) from meter_readings where order_id = '{e.id}')",
        &["I-62 what was settled follows from readings and tariff: {e} was settled at 7.80 + 5.20 for 13.0000 kWh, and comes to 3.60 + 2.40 for 6.0000 kWh"],
    ),
    (
        "alter table car_orders drop constraint car_orders_total_check, drop constraint car_orders_charged_check;
        update car_orders set total_fen = 1301 where order_no = '{a}'",
        &["R-02 the total is energy and service fee: {a} cost 7.80 + 5.20, not 13.01"],
    ),
    (
        "alter table car_orders drop constraint car_orders_charged_check;
        update car_orders set charged_fen = 1299 where order_no = '{a}'",
        &["R-20 nobody pays more than was prepaid, the rest is overrun: {a} cost 13.00 of 50.00, charged 12.99, overrun 0.00"],
    ),
    (
        "alter table car_orders drop constraint car_orders_charged_check;
        update car_orders set charged_fen = 1300, overrun_fen = 0 where order_no = '{e}'",
        &["R-20 nobody pays more than was prepaid, the rest is overrun: {e} cost 13.00 of 10.00, charged 13.00, overrun 0.00"],
    ),
];
