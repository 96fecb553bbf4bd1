//! Violations of the ledger by itself, and of what orders, payments and refunds have posted.

use super::Plant;

pub const PLANTS: &[Plant] = &[
    (
        "select pg_temp.post('other', 'other:1', gen_random_uuid(), '{suspense:x}', '{5}')",
        &["I-10 a ledger transaction sums to nothing: other:1 is off by 5"],
    ),
    (
        "alter table ledger_entries disable trigger ledger_entries_append_only",
        &["I-11 the ledger is append-only and balanced by the database: the trigger ledger_entries_append_only of ledger_entries is off"],
    ),
    (
        "drop trigger ledger_entries_balance on ledger_entries",
        &["I-11 the ledger is append-only and balanced by the database: the trigger ledger_entries_balance of ledger_entries is off"],
    ),
    (
        "alter table ledger_transactions drop constraint ledger_transactions_idem_key_key;
        select pg_temp.post('other', 'other:1', gen_random_uuid(), '{suspense:x,suspense:y}', '{5,-5}') from generate_series(1, 2)",
        &["I-12 an event is posted once: other:1 was posted 2 times"],
    ),
    // One key moves money twice: the same recharge under another name, the same refund under the next number.
    (
        "drop index ledger_transactions_key_id_key;
        select pg_temp.post('group_recharge', 'group_recharge:again', '{collective}', '{cash:{property},group:{collective}}',
            '{100000,-100000}');
        update ledger_transactions t set key_id = first.key_id from ledger_transactions first
            where t.idem_key = 'group_recharge:again' and first.business_id = t.business_id and first.id <> t.id",
        &["I-12 a key moves money once: the key …"],
    ),
    (
        "drop index refunds_key_id_key; drop index ledger_transactions_key_id_key;
        insert into refunds (id, refund_no, provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, kind, seq, amount_fen, service_fen, state, reason, requested_by, finished_at, key_id)
        select gen_random_uuid(), 'R{a.payment}2', provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, kind, 2, 50, 50, 'failed', reason, requested_by, now(), key_id from refunds where refund_no = 'R{a.payment}1';
        select pg_temp.post('refund_due', 'refund_due:R{a.payment}2', '{a.id}', '{refund_due:{a},rev_service:{station}}', '{-50,50}');
        select pg_temp.post('refund_undo', 'refund_undo:R{a.payment}2', '{a.id}', '{refund_due:{a},rev_service:{station}}', '{50,-50}');
        update ledger_transactions t set key_id = first.key_id from ledger_transactions first
            where t.idem_key = 'refund_due:R{a.payment}2' and first.idem_key = 'refund_due:R{a.payment}1'",
        &["I-12 a key moves money once: the key …", "I-12 a key moves money once: the key …"],
    ),
    (
        "drop index payments_key_id_key;
        update payments set key_id = (select key_id from payments where payment_no = '{a.payment}')
            where payment_no = '{f.payment}'",
        &["I-12 a key moves money once: the key …"],
    ),
    (
        "update ledger_transactions set key_id = null where idem_key = 'card_issue:{card}'",
        &["I-12 what a request moves names its key: card_issue:{card} names none"],
    ),
    (
        "update refunds set key_id = null where refund_no = 'R{a.payment}1'",
        &["I-12 what a request moves names its key: R{a.payment}1 names none"],
    ),
    (
        "alter table ledger_accounts drop constraint ledger_accounts_guard_check;
        insert into ledger_accounts (key, guarded) values ('group:1', true);
        select pg_temp.post('other', 'other:1', gen_random_uuid(), '{group:1,suspense:y}', '{5,-5}')",
        &["I-13 a guarded account is never overdrawn: group:1 stands at 5"],
    ),
    (
        "update ledger_accounts set guarded = false where key = 'refund_due:{a}'",
        &["I-13 the money of others is guarded: refund_due:{a} is not"],
    ),
    (
        "insert into ledger_accounts (key, guarded, balance_fen) values ('suspense:x', false, 5)",
        &["I-14 a balance is the sum of its entries: suspense:x stands at 5, its entries sum to 0"],
    ),
    (
        "select pg_temp.post('settle', 'settle:C1', gen_random_uuid(), '{suspense:x,suspense:y}', '{5,-5}')",
        &["I-12 a posting is about an order: settle:C1 is about none"],
    ),
    // What is missing, one of each kind.
    (
        "update ledger_transactions set kind = 'other' where idem_key = 'pay:sandbox:{a.channel}'",
        &["I-12 what happened is posted as it happened: pay:sandbox:{a.channel} should be clearing:sandbox:M1000 5000, is 0; prepaid:{a} -5000, is 0"],
    ),
    (
        "update ledger_transactions set kind = 'other' where idem_key = 'settle:{e}'",
        &["I-12 what happened is posted as it happened: settle:{e} should be prepaid:{e} 1000, is 0; rev_elec:{station} -780, is 0; \
           rev_service:{station} -520, is 0; writeoff_overrun:{station} 300, is 0"],
    ),
    (
        "update ledger_transactions set kind = 'other' where idem_key = 'refund_due:R{b.payment}0'",
        &["I-12 what happened is posted as it happened: refund_due:R{b.payment}0 should be prepaid:{b} 5000, is 0; refund_due:{b} -5000, is 0"],
    ),
    (
        "update ledger_transactions set kind = 'other' where idem_key = 'refund_due:R{a.payment}1'",
        &["I-12 what happened is posted as it happened: refund_due:R{a.payment}1 should be refund_due:{a} -100, is 0; rev_service:{station} 100, is 0"],
    ),
    (
        "update ledger_transactions set kind = 'other' where idem_key = 'refund_ok:R{c.payment}1'",
        &["I-12 what happened is posted as it happened: refund_ok:R{c.payment}1 should be clearing:sandbox:M1000 -5000, is 0; refund_due:{c} 5000, is 0"],
    ),
    (
        "insert into refunds (id, refund_no, provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, kind, seq, amount_fen, service_fen, state, reason, requested_by, finished_at)
        select gen_random_uuid(), 'R{a.payment}2', provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, kind, 2, 50, 50, 'failed', reason, requested_by, now() from refunds where refund_no = 'R{a.payment}1';
        select pg_temp.post('refund_due', 'refund_due:R{a.payment}2', '{a.id}', '{refund_due:{a},rev_service:{station}}', '{-50,50}');
        select pg_temp.post('other', 'other:1', '{a.id}', '{refund_due:{a},rev_service:{station}}', '{50,-50}')",
        &["I-12 what happened is posted as it happened: refund_undo:R{a.payment}2 should be refund_due:{a} 50, is 0; rev_service:{station} -50, is 0"],
    ),
    // What is posted otherwise, for somebody else, or without reason.
    (
        "update ledger_transactions set business_id = '{b.id}' where idem_key = 'settle:{a}'",
        &["I-12 what happened is posted as it happened: settle:{a} should be prepaid:{a} 0, is 5000; prepaid:{a} 5000, is 0; \
           refund_due:{a} -3700, is 0; refund_due:{a} 0, is -3700; rev_elec:{station} -780, is 0; rev_elec:{station} 0, is -780; \
           rev_service:{station} -520, is 0; rev_service:{station} 0, is -520"],
    ),
    (
        "with moved as (
            update ledger_entries e set amount_fen = e.amount_fen + case a.key when 'rev_elec:{station}' then 1 else -1 end
            from ledger_accounts a, ledger_transactions t where a.id = e.account_id and a.key like 'rev\\_%'
                and t.id = e.transaction_id and t.idem_key = 'settle:{a}' returning a.id, a.key)
        update ledger_accounts a set balance_fen = balance_fen + case a.key when 'rev_elec:{station}' then 1 else -1 end
        from moved where moved.id = a.id",
        &[
            "I-12 what happened is posted as it happened: settle:{a} should be rev_elec:{station} -780, is -779; rev_service:{station} -520, is -521",
            "R-23 income is the settled fees less manual refunds: rev_elec:{station} stands at -2339 instead of -2340",
            "R-23 income is the settled fees less manual refunds: rev_service:{station} stands at -1261 instead of -1260",
        ],
    ),
    (
        "select pg_temp.post('refund_ok', 'refund_ok:R{d.payment}0', '{d.id}', '{suspense:x,suspense:y}', '{5,-5}')",
        &["I-12 what happened is posted as it happened: refund_ok:R{d.payment}0 should be suspense:x 0, is 5; suspense:y 0, is -5"],
    ),
];
