//! Cards and the accounts of collectives against the ledger.

use super::Rule;

/// What holds of cards.
pub(super) const OF_ALL: &[Rule] = &[
    Rule {
        name: "R-42 a card is issued for its price with its face value on it",
        sql: "with wanted (key, card, account, fen) as (
                select 'card_issue:' || id, id, account, fen
                from cards, lateral (values
                    (coalesce('group:' || collective_id, 'cash:' || property_id), price_fen),
                    ('card_p:' || id, -least(price_fen, face_fen)),
                    ('card_fee:' || property_id, -greatest(price_fen - face_fen, 0)),
                    ('card_promo_cost:' || property_id, greatest(face_fen - price_fen, 0)),
                    ('card_b:' || id, -greatest(face_fen - price_fen, 0))) e (account, fen)
            ), booked (key, card, account, fen) as (
                select t.idem_key, t.business_id, a.key, e.amount_fen
                from ledger_transactions t
                join ledger_entries e on e.transaction_id = t.id join ledger_accounts a on a.id = e.account_id
                where t.kind = 'card_issue'
            ), compared as (
                select key, account, sum(wanted) as wanted, sum(booked) as booked
                from (select *, fen as wanted, 0 as booked from wanted union all select *, 0, fen from booked) sides
                group by key, card, account having sum(wanted) <> sum(booked)
            )
            select format('%s should be %s', key,
                string_agg(format('%s %s, is %s', account, wanted, booked), '; ' order by account)) as what
            from compared group by key",
    },
    Rule {
        name: "R-43 a recharge puts on the card what was paid",
        sql: "with booked as (
                select t.idem_key, coalesce('group:' || c.collective_id, 'cash:' || c.property_id) as payer, c.id, c.property_id,
                    a.key, e.amount_fen
                from ledger_transactions t left join cards c on c.id = t.business_id
                join ledger_entries e on e.transaction_id = t.id join ledger_accounts a on a.id = e.account_id
                where t.kind = 'card_recharge'
            ), sums as (
                select idem_key, coalesce(sum(amount_fen) filter (where key = payer), 0) as paid,
                    coalesce(-sum(amount_fen) filter (where key = 'card_p:' || id), 0) as put_on,
                    coalesce(sum(amount_fen) filter (where key = 'card_promo_cost:' || property_id), 0) as given,
                    coalesce(-sum(amount_fen) filter (where key = 'card_b:' || id), 0) as bonus
                from booked group by idem_key
            )
            select format('%s: %s paid and %s put on, %s given and %s put on', idem_key, paid, put_on, given, bonus) as what
            from sums where paid <= 0 or paid <> put_on or given < 0 or given <> bonus",
    },
    Rule {
        name: "I-12 a posting about a card or a collective has one",
        sql: "select format('%s is about none', idem_key) as what from ledger_transactions t
            where kind in ('card_issue', 'card_recharge') and not exists (select from cards c where c.id = t.business_id)
                or kind = 'group_recharge' and not exists (select from collectives c where c.id = t.business_id)",
    },
];
