//! What stands on the ledger's accounts, recomputed from orders, payments and refunds.

use super::Rule;

/// What holds of the accounts of channels and stations.
pub(super) const OF_ALL: &[Rule] = &[
    Rule {
        name: "I-52 clearing is what was paid less what went back",
        sql: "with moved as (
                select channel, merchant_no, amount_fen as fen from payments where state = 'paid'
                union all
                select p.channel, p.merchant_no, -r.amount_fen
                from refunds r join payments p on p.id = r.payment_id where r.state = 'succeeded'
            ), wanted as (
                select format('clearing:%s:%s', channel, merchant_no) as key, sum(fen) as fen
                from moved group by channel, merchant_no
            )
            select format('%s stands at %s instead of %s', coalesce(a.key, w.key), coalesce(balance_fen, 0), coalesce(fen, 0))
                as what
            from (select * from ledger_accounts where key like 'clearing:%') a full join wanted w on w.key = a.key
            where coalesce(balance_fen, 0) <> coalesce(fen, 0)",
    },
    Rule {
        name: "R-23 income is the settled fees less manual refunds",
        sql: "with moved as (
                select station_id, elec_fen, service_fen from car_orders where state in ('completed', 'failed')
                union all
                select station_id, -elec_fen, -service_fen
                from refunds where kind = 'manual' and state not in ('failed', 'closed')
            ), sums as (
                select station_id, -sum(elec_fen) as elec_fen, -sum(service_fen) as service_fen from moved group by station_id
            ), wanted as (
                select key, fen from sums, lateral (values
                    ('rev_elec:' || station_id, elec_fen), ('rev_service:' || station_id, service_fen)) e (key, fen)
            )
            select format('%s stands at %s instead of %s', coalesce(a.key, w.key), coalesce(balance_fen, 0), coalesce(fen, 0))
                as what
            from (select * from ledger_accounts where key like 'rev\\_%') a full join wanted w on w.key = a.key
            where coalesce(balance_fen, 0) <> coalesce(fen, 0)",
    },
    Rule {
        name: "R-20 what exceeds a prepayment is written off",
        sql: "with wanted as (
                select 'writeoff_overrun:' || station_id as key, sum(elec_fen + service_fen - prepaid_fen) as fen
                from car_orders
                where state in ('completed', 'failed') and elec_fen + service_fen > prepaid_fen group by station_id
            )
            select format('%s stands at %s instead of %s', coalesce(a.key, w.key), coalesce(balance_fen, 0), coalesce(fen, 0))
                as what
            from (select * from ledger_accounts where key like 'writeoff\\_overrun:%') a full join wanted w on w.key = a.key
            where coalesce(balance_fen, 0) <> coalesce(fen, 0)",
    },
];

/// What holds of the accounts of single orders.
pub(super) const OF_ORDERS: &[Rule] = &[
    Rule {
        name: "I-53 a prepayment is held until its order ends",
        sql: "select format('prepaid:%s stands at %s, and the order is %s', order_no, coalesce(balance_fen, 0), state) as what
            from car_orders o left join ledger_accounts a on a.key = 'prepaid:' || o.order_no
            where o.id = any($1) and coalesce(balance_fen, 0) <>
                case when state in ('starting', 'charging', 'stopping', 'suspended') then -prepaid_fen else 0 end",
    },
    Rule {
        name: "I-53 what is due to a payer has gone back, or is on its way",
        sql: "select format('%s stands at %s, and no refund is on its way', a.key, balance_fen) as what
            from car_orders o join ledger_accounts a on a.key = 'refund_due:' || o.order_no
            where o.id = any($1) and balance_fen <> 0 and not exists (select from refunds r
                where r.order_id = o.id and r.state in ('created', 'sent', 'processing', 'abnormal'))",
    },
];
