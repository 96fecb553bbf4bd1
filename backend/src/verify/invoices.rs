//! Invoices against the orders that they are about.

use super::Rule;

/// What holds of invoices.
pub(super) const OF_ALL: &[Rule] = &[
    Rule {
        name: "R-61 an invoice is over what its orders say, line by line",
        sql: "select format('%s is over %s with %s of tax: its orders over %s, its lines over %s with %s',
                invoice_no, gross_fen, tax_fen, of_orders, of_lines, tax_of_lines) as what
            from invoices i,
                lateral (select coalesce(sum(o.gross_fen), 0) as of_orders from invoice_orders o where o.invoice_id = i.id) o,
                lateral (select coalesce(sum((l ->> 'gross_fen')::bigint), 0) as of_lines,
                    coalesce(sum((l ->> 'tax_fen')::bigint), 0) as tax_of_lines,
                    coalesce(bool_and((l ->> 'gross_fen')::bigint = (l ->> 'net_fen')::bigint + (l ->> 'tax_fen')::bigint), false)
                        as split
                    from jsonb_array_elements(i.lines) l) l
            where (of_orders, of_lines, tax_of_lines) is distinct from (gross_fen, gross_fen, tax_fen) or not split
            order by id",
    },
    Rule {
        name: "R-61 an invoice that counts is over what was kept of each order",
        sql: "select format('%s: %s of %s, of which %s was kept', i.invoice_no, io.gross_fen, o.order_no, o.charged_fen - given) as what
            from invoice_orders io join invoices i on i.id = io.invoice_id join car_orders o on o.id = io.order_id,
                lateral (select coalesce(sum(amount_fen), 0) as given from refunds r
                    where r.order_id = o.id and r.kind = 'manual' and r.state not in ('failed', 'closed')) r
            where io.live and (io.gross_fen <> o.charged_fen - given or o.state <> 'completed')
            order by i.id",
    },
    Rule {
        name: "I-65 an order is in an invoice that counts, or is free",
        sql: "select format('%s is %s, but of %s that says %s', i.invoice_no, i.state, o.order_no, io.live) as what
            from invoice_orders io join invoices i on i.id = io.invoice_id join car_orders o on o.id = io.order_id
            where io.live <> (i.state in ('submitted', 'issued', 'voiding'))
                or (i.station_id, i.driver_id) <> (o.station_id, o.driver_id)
            order by i.id",
    },
];
