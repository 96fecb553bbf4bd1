//! Payments and refunds: every fen that was paid is used or goes back, and goes back once.

use super::Rule;

/// What holds of all payments and refunds.
pub(super) const OF_ALL: &[Rule] = &[Rule {
    name: "I-26 payments and refunds are for an order",
    sql: "select format('%s is for none', no) as what from (
            select payment_no as no, order_id from payments where order_kind = 'car'
            union all
            select refund_no, r.order_id from refunds r join payments p on p.id = r.payment_id and order_kind = 'car'
        ) money where not exists (select from car_orders o where o.id = money.order_id)",
}];

/// What holds of the payments and refunds of single orders.
pub(super) const OF_ORDERS: &[Rule] = &[
    Rule {
        name: "I-60 what was started was paid for, by one payment",
        sql: "select format('%s of %s fen is %s, with %s payments of %s fen', order_no, prepaid_fen, state, used, fen) as what
            from car_orders o left join lateral (
                select count(*) as used, coalesce(sum(amount_fen), 0) as fen from payments p
                where p.order_id = o.id and p.state = 'paid'
                    and not exists (select from refunds r where r.payment_id = p.id and r.kind = 'orphan')) paid on true
            where o.id = any($1) and (used, fen) <>
                (case when state in ('created', 'cancelled') then 0 else 1 end,
                 case when state in ('created', 'cancelled') then 0 else prepaid_fen end)",
    },
    Rule {
        name: "I-26 payments and refunds bear their order's number and owner",
        sql: "select format('%s does not bear those of %s', no, o.order_no) as what
            from car_orders o join (
                select payment_no as no, order_id, order_id as paid_order, order_no, provider_id, property_id, station_id
                from payments where order_id = any($1)
                union all
                select refund_no, r.order_id, p.order_id, r.order_no, r.provider_id, r.property_id, r.station_id
                from refunds r join payments p on p.id = r.payment_id where r.order_id = any($1)
            ) money on money.order_id = o.id
            where (paid_order, money.order_no, money.provider_id, money.property_id, money.station_id)
                <> (o.id, o.order_no, o.provider_id, o.property_id, o.station_id)",
    },
    Rule {
        name: "I-27 a payment's times fit its state",
        sql: "select format('%s is %s, paid %s, the channel''s number is %s', payment_no, state,
                coalesce(paid_at::text, 'never'), coalesce(channel_no, 'unknown')) as what
            from payments where order_id = any($1)
                and ((state = 'paid') <> (paid_at is not null) or state = 'paid' and channel_no is null)",
    },
    Rule {
        name: "I-33 a refund's times fit its state",
        sql: "select format('%s is %s, sent %s, ended %s', refund_no, state, coalesce(sent_at::text, 'never'),
                coalesce(finished_at::text, 'never')) as what
            from refunds where order_id = any($1)
                and ((state in ('succeeded', 'failed', 'closed')) <> (finished_at is not null)
                    or state in ('sent', 'processing') and sent_at is null)",
    },
    Rule {
        name: "I-32 a refund's number is its payment's with its place",
        sql: "select format('%s is number %s of %s', refund_no, seq, payment_no) as what
            from refunds r join payments p on p.id = r.payment_id
            where r.order_id = any($1) and refund_no <> format('R%s%s', payment_no, seq)",
    },
    Rule {
        name: "I-33 a refund is asked for again when it has failed, as the same",
        sql: "select format('%s of %s fen is %s, and was asked for again as %s of %s fen', r.refund_no, r.amount_fen, r.state,
                n.refund_no, n.amount_fen) as what
            from refunds r join refunds n on n.refund_no = r.retried_as
            where r.order_id = any($1) and (r.state not in ('failed', 'closed')
                or (r.payment_id, r.kind, r.amount_fen) <> (n.payment_id, n.kind, n.amount_fen))",
    },
    Rule {
        name: "I-31 what goes back never exceeds what was paid",
        sql: "select format('%s of %s fen is to give back %s', payment_no, p.amount_fen, sum(r.amount_fen)) as what
            from payments p join refunds r on r.payment_id = p.id and r.state not in ('failed', 'closed')
            where p.order_id = any($1) group by p.id having sum(r.amount_fen) > p.amount_fen",
    },
    Rule {
        name: "I-31 what a payment has given back is what succeeded",
        sql: "select format('%s says %s, its refunds %s', payment_no, refunded_fen, fen) as what
            from payments p left join lateral (
                select coalesce(sum(amount_fen), 0) as fen from refunds r
                where r.payment_id = p.id and r.state = 'succeeded') back on true
            where p.order_id = any($1) and refunded_fen <> fen",
    },
    Rule {
        name: "I-31 what an order has given back is what succeeded of its own payment",
        sql: "select format('%s says %s, its refunds %s', order_no, refunded_fen, fen) as what
            from car_orders o left join lateral (
                select coalesce(sum(amount_fen), 0) as fen from refunds r
                where r.order_id = o.id and r.kind <> 'orphan' and r.state = 'succeeded') back on true
            where o.id = any($1) and refunded_fen <> fen",
    },
    Rule {
        name: "R-20 what was charged and what goes back by itself make the prepayment",
        sql: "select format('%s: %s of %s fen were used, and %s refunds of %s go back', order_no, elec_fen + service_fen,
                prepaid_fen, refunds, fen) as what
            from car_orders o left join lateral (
                select count(*) as refunds, coalesce(sum(amount_fen), 0) as fen from refunds r
                where r.order_id = o.id and r.kind = 'automatic' and r.retried_as is null) back on true,
            lateral (select case when state in ('completed', 'failed')
                then greatest(prepaid_fen - elec_fen - service_fen, 0) else 0 end as rest) due
            where o.id = any($1) and (refunds, fen) <> (least(rest, 1), rest)",
    },
    Rule {
        name: "I-30 a payment that found no order goes back whole",
        sql: "select format('%s of %s fen: %s refunds of %s', payment_no, p.amount_fen, count(*), sum(r.amount_fen)) as what
            from payments p join refunds r on r.payment_id = p.id and r.kind = 'orphan' and r.retried_as is null
            where p.order_id = any($1) group by p.id having (count(*), sum(r.amount_fen)) <> (1, p.amount_fen)",
    },
    Rule {
        name: "R-23 a manual refund is made up of its parts",
        sql: "select format('%s of %s fen: energy %s, service %s', refund_no, amount_fen, elec_fen, service_fen) as what
            from refunds where order_id = any($1)
                and elec_fen + service_fen <> case kind when 'manual' then amount_fen else 0 end",
    },
    Rule {
        name: "R-23 manual refunds stay within the fees",
        sql: "select format('%s cost %s + %s, and %s + %s were given back', order_no, o.elec_fen, o.service_fen, elec, service)
                as what
            from car_orders o join lateral (
                select sum(elec_fen) as elec, sum(service_fen) as service from refunds r
                where r.order_id = o.id and r.kind = 'manual' and r.state not in ('failed', 'closed')) back on true
            where o.id = any($1) and state = 'completed' and (elec > o.elec_fen or service > o.service_fen)",
    },
];
