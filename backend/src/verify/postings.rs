//! Orders, payments and refunds against the ledger: what happened to them is posted as it happened, and nothing else is.

use super::Rule;

/// What holds of all postings.
pub(super) const OF_ALL: &[Rule] = &[Rule {
    name: "I-12 a posting is about an order",
    sql: "select format('%s is about none', idem_key) as what from ledger_transactions t
        where kind in ('pay', 'settle', 'refund_due', 'refund_ok', 'refund_undo')
            and not exists (select from car_orders o where o.id = t.business_id)",
}];

/// The entries that there must be are put beside those that there are. A posting that is missing, stands under another key
/// or order, moves another amount or belongs to nothing differs in one of them.
pub(super) const OF_ORDERS: &[Rule] = &[Rule {
    name: "I-12 what happened is posted as it happened",
    sql: "with orders as (
            select *, elec_fen + service_fen as fee_fen from car_orders where id = any($1)
        ), moved as (
            select r.*, p.merchant_no, exists (select from refunds e where e.retried_as = r.refund_no) as again
            from refunds r join payments p on p.id = r.payment_id where r.order_id = any($1)
        ), wanted (key, order_id, account, fen) as (
            select format('pay:%s:%s', channel, channel_no), order_id, account, fen
            from payments, lateral (values
                (format('clearing:%s:%s', channel, merchant_no), amount_fen),
                ('prepaid:' || order_no, -amount_fen)) e (account, fen)
            where order_id = any($1) and state = 'paid'
            union all
            select 'settle:' || order_no, id, account, fen
            from orders, lateral (values
                ('prepaid:' || order_no, prepaid_fen),
                ('rev_elec:' || station_id, -elec_fen),
                ('rev_service:' || station_id, -service_fen),
                ('writeoff_overrun:' || station_id, greatest(fee_fen - prepaid_fen, 0)),
                ('refund_due:' || order_no, -greatest(prepaid_fen - fee_fen, 0))) e (account, fen)
            where state in ('completed', 'failed')
            union all
            -- What goes back by itself is due since the settlement, and asked for again it is due still.
            select 'refund_due:' || refund_no, order_id, account, fen
            from moved, lateral (values
                ('prepaid:' || order_no, case kind when 'orphan' then amount_fen else 0 end),
                ('rev_elec:' || station_id, elec_fen),
                ('rev_service:' || station_id, service_fen),
                ('refund_due:' || order_no, -amount_fen)) e (account, fen)
            where kind = 'manual' or kind = 'orphan' and not again
            union all
            select 'refund_ok:' || refund_no, order_id, account, fen
            from moved, lateral (values
                ('refund_due:' || order_no, amount_fen),
                (format('clearing:%s:%s', channel, merchant_no), -amount_fen)) e (account, fen)
            where state = 'succeeded'
            union all
            select 'refund_undo:' || refund_no, order_id, account, fen
            from moved, lateral (values
                ('refund_due:' || order_no, amount_fen),
                ('rev_elec:' || station_id, -elec_fen),
                ('rev_service:' || station_id, -service_fen)) e (account, fen)
            where kind = 'manual' and state in ('failed', 'closed')
        ), booked (key, order_id, account, fen) as (
            select t.idem_key, t.business_id, a.key, e.amount_fen
            from ledger_transactions t
            join ledger_entries e on e.transaction_id = t.id join ledger_accounts a on a.id = e.account_id
            where t.business_id = any($1) and t.kind in ('pay', 'settle', 'refund_due', 'refund_ok', 'refund_undo')
        ), compared as (
            select key, account, sum(wanted) as wanted, sum(booked) as booked
            from (select *, fen as wanted, 0 as booked from wanted union all select *, 0, fen from booked) sides
            group by key, order_id, account having sum(wanted) <> sum(booked)
        )
        select format('%s should be %s', key,
            string_agg(format('%s %s, is %s', account, wanted, booked), '; ' order by account, wanted)) as what
        from compared group by key",
}];
