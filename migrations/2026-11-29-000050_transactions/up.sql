-- A charge's number is drawn at random: whoever knows one of them knows no other.
alter table device_transactions alter column transaction_id drop default;
drop sequence device_transaction_ids;
alter table device_transactions
    -- When the charger was last told to stop a charge that is over.
    add column told_to_stop_at timestamptz,
    -- What came with a record of a charge that nobody knows yet.
    add column readings jsonb;
create index device_transactions_unknown_idx on device_transactions (charger_id, created_at)
    where connector_number = 0 and order_id is null;

alter table charge_sessions
    -- When staff ended it while the charger was there.
    add column staff_asked_at timestamptz,
    -- When the charger last agreed to stop it.
    add column stop_accepted_at timestamptz,
    -- Since when the charger behaves as if it had no such charge.
    add column lost_at timestamptz;
