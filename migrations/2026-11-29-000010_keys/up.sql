-- A key's row is written in the transaction of what is done under it: there is no row without the deed, and no deed without
-- its row. Its id is a digest of who acts, the operation and the key.
alter table idempotency_keys add column id uuid;
update idempotency_keys set
    id = encode(substring(sha256(convert_to(concat_ws(E'\n', actor, operation, key), 'UTF8')) for 16), 'hex')::uuid,
    -- What was never answered may have been done all the same. Without an answer it is refused rather than done again.
    body = coalesce(body, '');
alter table idempotency_keys
    drop constraint idempotency_keys_pkey,
    add primary key (id),
    alter column body set not null,
    drop column status,
    drop column locked_until;
alter table idempotency_keys rename column body to answer;

-- Money that is moved by a request names the request's key. The setting is made by the transaction of a keyed request and
-- ends with it; whatever else writes here names none.
alter table ledger_transactions add column key_id uuid;
alter table payments add column key_id uuid;
alter table refunds add column key_id uuid;

-- What was moved before names itself.
alter table ledger_transactions disable trigger ledger_transactions_append_only;
update ledger_transactions set key_id = id where kind in ('card_issue', 'card_recharge', 'group_recharge');
alter table ledger_transactions enable trigger ledger_transactions_append_only;
update refunds set key_id = id where kind = 'manual';

alter table ledger_transactions alter column key_id set default nullif(current_setting('wattyard.key_id', true), '')::uuid;
alter table payments alter column key_id set default nullif(current_setting('wattyard.key_id', true), '')::uuid;
alter table refunds alter column key_id set default nullif(current_setting('wattyard.key_id', true), '')::uuid;

-- Also when the key's own row is long thrown away.
create unique index ledger_transactions_key_id_key on ledger_transactions (key_id, kind) where key_id is not null;
create unique index payments_key_id_key on payments (key_id) where key_id is not null;
create unique index refunds_key_id_key on refunds (key_id) where key_id is not null;
