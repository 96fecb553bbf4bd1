//! The ledger by itself: balanced, guarded, posted once, never changed.

use super::Rule;

/// What holds of the books, whatever they are about.
pub(super) const OF_ALL: &[Rule] = &[
    Rule {
        name: "I-10 a ledger transaction sums to nothing",
        sql: "select format('%s is off by %s', t.idem_key, sum(e.amount_fen)) as what
            from ledger_entries e join ledger_transactions t on t.id = e.transaction_id
            group by t.id having sum(e.amount_fen) <> 0",
    },
    Rule {
        name: "I-11 the ledger is append-only and balanced by the database",
        sql: "select format('the trigger %s of %s is off', name, relation) as what
            from (values ('ledger_entries_append_only', 'ledger_entries'),
                ('ledger_transactions_append_only', 'ledger_transactions'),
                ('ledger_entries_balance', 'ledger_entries')) as wanted (name, relation)
            where not exists (select from pg_trigger
                where tgname = name and tgrelid = relation::regclass and tgenabled in ('O', 'A'))",
    },
    Rule {
        name: "I-12 an event is posted once",
        sql: "select format('%s was posted %s times', idem_key, count(*)) as what
            from ledger_transactions group by idem_key having count(*) > 1",
    },
    Rule {
        name: "I-12 a key moves money once",
        sql: "select format('the key %s made %s %s', key_id, count(*), what) as what
            from (select key_id, 'postings of ' || kind as what from ledger_transactions
                union all select key_id, 'payments' from payments
                union all select key_id, 'refunds' from refunds) made
            where key_id is not null group by key_id, made.what having count(*) > 1",
    },
    Rule {
        name: "I-12 what a request moves names its key",
        sql: "select format('%s names none', name) as what
            from (select idem_key as name, key_id from ledger_transactions
                where kind in ('card_issue', 'card_recharge', 'group_recharge')
                union all select refund_no, key_id from refunds where kind = 'manual') moved
            where key_id is null",
    },
    Rule {
        name: "I-13 a guarded account is never overdrawn",
        sql: "select format('%s stands at %s', key, balance_fen) as what
            from ledger_accounts where guarded and balance_fen > 0",
    },
    Rule {
        name: "I-13 the money of others is guarded",
        sql: "select format('%s is not', key) as what from ledger_accounts
            where not guarded and (key like 'prepaid:%' or key like 'refund\\_due:%')",
    },
    Rule {
        name: "I-14 a balance is the sum of its entries",
        sql: "select format('%s stands at %s, its entries sum to %s', a.key, a.balance_fen, coalesce(sum(e.amount_fen), 0))
                as what
            from ledger_accounts a left join ledger_entries e on e.account_id = a.id
            group by a.id having a.balance_fen <> coalesce(sum(e.amount_fen), 0)",
    },
];
