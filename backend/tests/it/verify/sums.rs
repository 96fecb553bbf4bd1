//! Violations of what is summed up, and of work that is under way.

use super::Plant;

pub const PLANTS: &[Plant] = &[
    (
        "select pg_temp.post('other', 'other:1', gen_random_uuid(), '{clearing:sandbox:M1000,suspense:y}', '{7,-7}')",
        &[
            "I-52 clearing is what was paid less what went back: clearing:sandbox:M1000 stands at 13507 instead of 13500",
        ],
    ),
    (
        "select pg_temp.post('other', 'other:1', gen_random_uuid(), '{clearing:sandbox:M2000,suspense:y}', '{7,-7}')",
        &["I-52 clearing is what was paid less what went back: clearing:sandbox:M2000 stands at 7 instead of 0"],
    ),
    (
        "select pg_temp.post('other', 'other:1', gen_random_uuid(), '{rev_elec:{station},suspense:y}', '{-7,7}')",
        &["R-23 income is the settled fees less manual refunds: rev_elec:{station} stands at -2347 instead of -2340"],
    ),
    (
        "select pg_temp.post('other', 'other:1', gen_random_uuid(), '{writeoff_overrun:{station},suspense:y}', '{7,-7}')",
        &["R-20 what exceeds a prepayment is written off: writeoff_overrun:{station} stands at 307 instead of 300"],
    ),
    (
        "select pg_temp.post('other', 'other:1', gen_random_uuid(), '{prepaid:{a},suspense:y}', '{-7,7}')",
        &["I-53 a prepayment is held until its order ends: prepaid:{a} stands at -7, and the order is completed"],
    ),
    (
        "select pg_temp.post('other', 'other:1', gen_random_uuid(), '{refund_due:{a},suspense:y}', '{-7,7}')",
        &[
            "I-53 what is due to a payer has gone back, or is on its way: refund_due:{a} stands at -7, and no refund is on its way",
        ],
    ),
    (
        "update order_days set orders = orders + 1, kwh = kwh + 0.5 where day = (select min(day) from order_days)",
        &["the sums of a day are those of its orders and refunds: …"],
    ),
    (
        "delete from order_days where day = (select min(day) from order_days)",
        &["the sums of a day are those of its orders and refunds: …"],
    ),
    (
        "update driver_visits set orders = orders + 1",
        &[
            "a driver's totals are those of their visits: driver …",
            "a driver's visits are the charges that began: driver …",
        ],
    ),
    (
        "delete from driver_visits",
        &[
            "a driver's totals are those of their visits: driver …",
            "a driver's visits are the charges that began: driver …",
        ],
    ),
    (
        "update driver_totals set orders = orders + 1 where node_id = '00000000-0000-0000-0000-000000000000'",
        &["a driver's totals are those of their visits: driver …"],
    ),
    (
        "delete from jobs where kind = 'payment.watch' and key = '{f.payment.id}'",
        &["I-28 what is under way has its job: {f.payment} is paying, without a job payment.watch"],
    ),
    (
        "delete from jobs where kind = 'watch_charge' and key = '{d.id}'",
        &["I-28 what is under way has its job: {d} is charging, without a job watch_charge"],
    ),
    (
        "delete from jobs where kind = 'refund.send'",
        &["I-28 what is under way has its job: R{e.payment}1 is processing, without a job refund.send"],
    ),
    (
        "update inbox set state = 'new' where id = (select min(id::text)::uuid from inbox);
        delete from jobs where kind = 'inbox.process'",
        &["I-28 what is under way has its job: the message …"],
    ),
    (
        "update jobs set state = 'dead', last_error = E'no\\nway' where kind = 'payment.watch' and key = '{f.payment.id}'",
        &["I-53 no job is dead: payment.watch {f.payment.id}: no way"],
    ),
    (
        "update jobs set run_at = now() - interval '61 minutes' where kind = 'payment.watch' and key = '{f.payment.id}'",
        &["I-53 a job is run within an hour: payment.watch {f.payment.id} is due since …"],
    ),
    (
        "update refunds set state = 'sent', sent_at = now() - interval '61 minutes' where refund_no = 'R{e.payment}1'",
        &["I-53 a channel answers a refund within an hour: R{e.payment}1 was sent at …"],
    ),
    (
        "update payments set paid_at = now() - interval '50 hours' where payment_no = '{d.payment}'",
        &["I-53 a paid order is settled within 49 hours: {d} was paid at …"],
    ),
];
