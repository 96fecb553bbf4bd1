//! Violations of what holds of invoices.

use super::Plant;

const FREE: &str = "I-65 an order is in an invoice that counts, or is free: {invoice.no} is …";

pub const PLANTS: &[Plant] = &[
    (
        "update invoices set gross_fen = 1301 where id = '{invoice}'",
        &["R-61 an invoice is over what its orders say, line by line: {invoice.no} is over 1301 with 119 of tax: its orders over 1300, its lines over 1300 with 119"],
    ),
    (
        "update invoices set lines = jsonb_set(lines, '{0,net_fen}', '691') where id = '{invoice}'",
        &["R-61 an invoice is over what its orders say, line by line: {invoice.no} is over 1300 with 119 …"],
    ),
    (
        "insert into refunds (id, refund_no, provider_id, property_id, station_id, payment_id, order_id, order_no, phone, channel,
            kind, seq, amount_fen, service_fen, state, reason, requested_by, finished_at)
        select gen_random_uuid(), 'R{h.payment}1', provider_id, property_id, station_id, payment_id, order_id, order_no, phone,
            channel, 'manual', 1, 100, 100, 'created', 'x', 'x', null from refunds where order_id = '{h.id}'",
        &[
            "R-61 an invoice that counts is over what was kept of each order: {invoice.no}: 1300 of {h}, of which 1200 was kept",
            "I-28 what is under way has its job: R{h.payment}1 is created, without a job refund.send",
            "I-12 what happened is posted as it happened: refund_due:R{h.payment}1 should be …",
            "R-23 income is the settled fees less manual refunds: rev_service:{station} stands at -1260 instead of -1160",
        ],
    ),
    ("update invoice_orders set live = false where invoice_id = '{invoice}'", &[FREE]),
    (
        "delete from invoice_files where invoice_id = '{invoice}'; delete from jobs where kind = 'invoice.carry'",
        &["I-28 what is under way has its job: {invoice.no} is issued, without a job invoice.carry"],
    ),
];
