//! Work: whatever is under way has a job that carries it on, and nothing is stuck.

use super::Rule;

/// What holds of jobs, and of what waits for them.
pub(super) const OF_ALL: &[Rule] = &[
    Rule {
        name: "I-28 what is under way has its job",
        sql: "with open as (
                select 'payment.watch' as kind, id::text as key, format('%s is %s', payment_no, state) as what
                from payments where state in ('created', 'paying')
                union all
                select 'refund.send', id::text, format('%s is %s', refund_no, state)
                from refunds where state in ('created', 'sent', 'processing', 'abnormal')
                union all
                select 'watch_charge', id::text, format('%s is %s', order_no, state)
                from car_orders where state in ('starting', 'charging', 'stopping', 'suspended')
                union all
                select 'invoice.carry', i.id::text, format('%s is %s', invoice_no, state)
                from invoices i left join invoice_files f on f.invoice_id = i.id
                where state in ('submitted', 'voiding') or state = 'issued' and f.invoice_id is null
                union all
                select 'inbox.process', id::text, format('the message %s is new', id) from inbox where state = 'new'
            )
            select format('%s, without a job %s', what, kind) as what from open
            where not exists (select from jobs j where j.kind = open.kind and j.key = open.key and j.state <> 'done')",
    },
    Rule {
        name: "I-53 no job is dead",
        sql: "select format('%s %s: %s', kind, key, left(regexp_replace(coalesce(last_error, ''), '\\s+', ' ', 'g'), 300)) as what
            from jobs where state = 'dead' order by id",
    },
    Rule {
        name: "I-53 a job is run within an hour",
        // An hour of work, that is: when nothing works, nothing is due.
        sql: "select format('%s %s is due since %s', kind, key, run_at) as what
            from jobs where state in ('ready', 'running') and coalesce(locked_until, run_at) <
                (select max(greatest(created_at, finished_at)) - interval '1 hour' from jobs)
            order by id",
    },
    Rule {
        name: "I-53 a channel answers a refund within an hour",
        sql: "select format('%s was sent at %s', refund_no, sent_at) as what
            from refunds where state = 'sent' and sent_at < now() - interval '1 hour' order by id",
    },
    Rule {
        // A suspended one waits up to 72 hours for its charger.
        name: "I-53 a paid order is settled within 49 hours",
        sql: "select format('%s was paid at %s and is %s', o.order_no, max(p.paid_at), o.state) as what
            from car_orders o join payments p on p.order_id = o.id and p.state = 'paid'
            left join charge_sessions s on s.order_id = o.id and o.state = 'suspended'
            where o.state in ('created', 'starting', 'charging', 'stopping', 'suspended')
            group by o.id
            having greatest(max(p.paid_at) + interval '49 hours', max(s.suspended_at) + interval '73 hours') < now()
            order by o.id",
    },
];
