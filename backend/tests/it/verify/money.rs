//! Violations by payments and refunds.

use super::Plant;

pub const PLANTS: &[Plant] = &[
    (
        "update payments set order_id = gen_random_uuid() where payment_no = '{f.payment}'",
        &["I-26 payments and refunds are for an order: {f.payment} is for none"],
    ),
    // A failed refund has posted nothing, so it can be told by nothing else.
    (
        "update refunds set order_id = gen_random_uuid() where refund_no = 'R{c.payment}0'",
        &["I-26 payments and refunds are for an order: R{c.payment}0 is for none"],
    ),
    (
        "update refunds set order_id = '{a.id}', order_no = '{a}' where refund_no = 'R{c.payment}0'",
        &["I-26 payments and refunds bear their order's number and owner: R{c.payment}0 does not bear those of {a}"],
    ),
    // What was prepaid is also what is held.
    (
        "update car_orders set prepaid_fen = 4999 where order_no = '{d}'",
        &[
            "I-53 a prepayment is held until its order ends: prepaid:{d} stands at -5000, and the order is charging",
            "I-60 what was started was paid for, by one payment: {d} of 4999 fen is charging, with 1 payments of 5000 fen",
        ],
    ),
    (
        "update payments set provider_id = gen_random_uuid() where payment_no = '{a.payment}'",
        &["I-26 payments and refunds bear their order's number and owner: {a.payment} does not bear those of {a}"],
    ),
    (
        "update refunds set station_id = gen_random_uuid() where refund_no = 'R{b.payment}0'",
        &["I-26 payments and refunds bear their order's number and owner: R{b.payment}0 does not bear those of {b}"],
    ),
    (
        "update payments set paid_at = now() where payment_no = '{f.payment}'",
        &["I-27 a payment's times fit its state: {f.payment} is paying, paid …"],
    ),
    (
        "update payments set paid_at = null where payment_no = '{a.payment}'",
        &["I-27 a payment's times fit its state: {a.payment} is paid, paid never, the channel's number is {a.channel}"],
    ),
    (
        "update refunds set finished_at = null where refund_no = 'R{b.payment}0'",
        &["I-33 a refund's times fit its state: R{b.payment}0 is succeeded, sent …"],
    ),
    (
        "update refunds set seq = 7 where refund_no = 'R{b.payment}0'",
        &["I-32 a refund's number is its payment's with its place: R{b.payment}0 is number 7 of {b.payment}"],
    ),
    (
        "update refunds set amount_fen = 4999 where refund_no = 'R{c.payment}0'",
        &["I-33 a refund is asked for again when it has failed, as the same: \
           R{c.payment}0 of 4999 fen is failed, and was asked for again as R{c.payment}1 of 5000 fen"],
    ),
    // Staff gives back more than was paid, of an order that has not even ended.
    (
        "insert into refunds (id, refund_no, provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, kind, seq, amount_fen, service_fen, state, reason, requested_by)
        select gen_random_uuid(), 'R{d.payment}1', provider_id, property_id, station_id, id, order_id, order_no, phone,
            channel, 'manual', 1, 5001, 5001, 'created', '补偿', 'admin' from payments where payment_no = '{d.payment}';
        insert into jobs (id, kind, key, payload)
        select gen_random_uuid(), 'refund.send', id, '{}' from refunds where refund_no = 'R{d.payment}1';
        select pg_temp.post('refund_due', 'refund_due:R{d.payment}1', '{d.id}', '{refund_due:{d},rev_service:{station}}', '{-5001,5001}');
        update ledger_accounts set guarded = true where key = 'refund_due:{d}'",
        &["I-31 what goes back never exceeds what was paid: {d.payment} of 5000 fen is to give back 5001"],
    ),
    (
        "update payments set refunded_fen = refunded_fen - 1 where payment_no = '{b.payment}'",
        &["I-31 what a payment has given back is what succeeded: {b.payment} says 4999, its refunds 5000"],
    ),
    (
        "update car_orders set refunded_fen = refunded_fen - 1 where order_no = '{a}'",
        &["I-31 what an order has given back is what succeeded of its own payment: {a} says 3799, its refunds 3800"],
    ),
    // What found no order is none of the order's.
    (
        "update car_orders set refunded_fen = 5000 where order_no = '{b}'",
        &["I-31 what an order has given back is what succeeded of its own payment: {b} says 5000, its refunds 0"],
    ),
    (
        "insert into refunds (id, refund_no, provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, kind, seq, amount_fen, state, reason, requested_by, finished_at)
        select gen_random_uuid(), 'R{d.payment}0', provider_id, property_id, station_id, id, order_id, order_no, phone,
            channel, 'automatic', 0, 100, 'failed', '余额', 'system', now() from payments where payment_no = '{d.payment}'",
        &["R-20 what was charged and what goes back by itself make the prepayment: \
           {d}: 200 of 5000 fen were used, and 1 refunds of 100 go back"],
    ),
    (
        "insert into refunds (id, refund_no, provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, kind, seq, amount_fen, state, reason, requested_by, finished_at)
        select gen_random_uuid(), 'R{b.payment}1', provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, kind, 1, 100, 'failed', reason, 'system', now() from refunds where refund_no = 'R{b.payment}0';
        update refunds set retried_as = 'R{b.payment}1' where refund_no = 'R{c.payment}0'",
        &[
            "I-30 a payment that found no order goes back whole: {b.payment} of 5000 fen: 2 refunds of 5100",
            "I-33 a refund is asked for again when it has failed, as the same: \
             R{c.payment}0 of 5000 fen is failed, and was asked for again as R{b.payment}1 of 100 fen",
        ],
    ),
    (
        "update refunds set elec_fen = 5 where refund_no = 'R{a.payment}0'",
        &["R-23 a manual refund is made up of its parts: R{a.payment}0 of 3700 fen: energy 5, service 0"],
    ),
    (
        "insert into refunds (id, refund_no, provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, kind, seq, amount_fen, elec_fen, service_fen, state, reason, requested_by)
        select gen_random_uuid(), 'R{a.payment}2', provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, kind, 2, 1000, 800, 200, 'created', reason, requested_by from refunds where refund_no = 'R{a.payment}1';
        insert into jobs (id, kind, key, payload)
        select gen_random_uuid(), 'refund.send', id, '{}' from refunds where refund_no = 'R{a.payment}2';
        select pg_temp.post('refund_due', 'refund_due:R{a.payment}2', '{a.id}',
            '{refund_due:{a},rev_elec:{station},rev_service:{station}}', '{-1000,800,200}')",
        &["R-23 manual refunds stay within the fees: {a} cost 780 + 520, and 800 + 300 were given back"],
    ),
];
