alter table refunds drop column key_id;
alter table payments drop column key_id;
alter table ledger_transactions drop column key_id;

alter table idempotency_keys rename column answer to body;
alter table idempotency_keys
    drop constraint idempotency_keys_pkey,
    add primary key (actor, operation, key),
    alter column body drop not null,
    add column status integer,
    add column locked_until timestamptz not null default now(),
    drop column id;
-- What was done stays done.
update idempotency_keys set status = 200;
alter table idempotency_keys alter column locked_until drop default;
