-- Drivers, orders, payments, refunds, and the ledger that proves them.

create table drivers (
    id uuid primary key,
    phone text not null constraint drivers_phone_key unique,
    nickname text,
    name text,
    gender text not null default 'unknown' check (gender in ('male', 'female', 'unknown')),
    plate text,
    certified boolean not null default false,
    enabled boolean not null default true,
    last_seen_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
alter table sessions add foreign key (driver_id) references drivers on delete cascade;

-- Where a driver has charged: whose staff may see them, and the ranking of the dashboard.
create table driver_visits (
    driver_id uuid not null references drivers,
    station_id uuid not null references stations,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    orders bigint not null default 0,
    last_at timestamptz not null,
    primary key (driver_id, station_id)
);
create index driver_visits_provider_idx on driver_visits (provider_id, driver_id);
create index driver_visits_property_idx on driver_visits (property_id, driver_id);
create index driver_visits_station_idx on driver_visits (station_id, driver_id);

-- One-time codes for logging in by phone.
create table login_codes (
    phone text primary key,
    code_hash text not null,
    -- Wrong codes since it was sent.
    attempts integer not null default 0,
    sent_at timestamptz not null,
    expires_at timestamptz not null,
    -- How many were sent since `counted_from`: a phone is not flooded.
    sends integer not null default 1,
    counted_from timestamptz not null
);

create sequence car_order_numbers start 10000001;
create table car_orders (
    id uuid primary key,
    -- Upper case, digits and short, because it is also what chargers know the order by.
    order_no text not null
        default 'C' || to_char(now() at time zone 'Asia/Shanghai', 'YYMMDD') || nextval('car_order_numbers')
        constraint car_orders_order_no_key unique,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    area_id uuid not null references areas,
    charger_id uuid not null references chargers,
    connector_id uuid not null references connectors,
    driver_id uuid not null references drivers,
    phone text not null,
    start_method text not null check (start_method in ('scan', 'code', 'card')),
    card_no text,
    state text not null
        check (state in ('created', 'starting', 'charging', 'stopping', 'suspended', 'completed', 'failed', 'cancelled')),
    end_reason text,
    end_note text,
    prepaid_fen bigint not null check (prepaid_fen > 0),
    elec_fen bigint not null default 0 check (elec_fen >= 0),
    service_fen bigint not null default 0 check (service_fen >= 0),
    total_fen bigint not null default 0,
    charged_fen bigint not null default 0 check (charged_fen >= 0),
    overrun_fen bigint not null default 0 check (overrun_fen >= 0),
    refunded_fen bigint not null default 0 check (refunded_fen >= 0),
    kwh numeric(12, 4) not null default 0 check (kwh >= 0),
    started_at timestamptz,
    ended_at timestamptz,
    settled_at timestamptz,
    flags text[] not null default '{}',
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    constraint car_orders_total_check check (total_fen = elec_fen + service_fen),
    constraint car_orders_charged_check check (charged_fen <= prepaid_fen and charged_fen + overrun_fen = total_fen)
);
-- Ids grow with time, so (filter, id) serves every filtered list, newest first, and every time range.
create index car_orders_provider_idx on car_orders (provider_id, id);
create index car_orders_property_idx on car_orders (property_id, id);
create index car_orders_station_idx on car_orders (station_id, id);
create index car_orders_charger_idx on car_orders (charger_id, id);
create index car_orders_driver_idx on car_orders (driver_id, id);
create index car_orders_phone_idx on car_orders (phone, id);
create index car_orders_state_idx on car_orders (state, id);
create index car_orders_open_idx on car_orders (id) where state in ('created', 'starting', 'charging', 'stopping', 'suspended');
-- A connector serves one order at a time.
create unique index car_orders_connector_key on car_orders (connector_id)
    where state in ('starting', 'charging', 'stopping', 'suspended');

-- The device's side of an order, and what was agreed at its start.
create table charge_sessions (
    order_id uuid primary key references car_orders,
    -- Sent as the idTag of the start command; how the charger's records find the order.
    tag text not null constraint charge_sessions_tag_key unique,
    tariff_version_id uuid not null references tariff_versions,
    tariff jsonb not null,
    tariff_hash text not null,
    -- What the charger can deliver at most; more than that is no true reading.
    rated_power_w bigint not null,
    transaction_id integer constraint charge_sessions_transaction_key unique,
    -- The readings so far, added up, so that the running bill need not read all of them again.
    meter jsonb,
    power_w bigint,
    current_ma bigint,
    voltage_mv bigint,
    soc integer,
    -- When current flowed first, for the 90 seconds of a sleeping car.
    flowing_at timestamptz,
    last_report_at timestamptz,
    start_sent_at timestamptz,
    stop_sent_at timestamptz,
    suspended_at timestamptz
);

create table meter_readings (
    order_id uuid not null references car_orders,
    at timestamptz not null,
    wh bigint not null,
    power_w bigint,
    current_ma bigint,
    voltage_mv bigint,
    soc integer,
    -- The bill is made of these; what came after it is kept as evidence.
    billed boolean not null,
    primary key (order_id, at)
);

-- The timeline of an order; append-only.
create table order_events (
    id bigint generated always as identity primary key,
    order_id uuid not null,
    kind text not null,
    from_state text,
    to_state text,
    detail jsonb,
    actor text not null,
    created_at timestamptz not null default now()
);
create index order_events_order_idx on order_events (order_id, id);

create table payments (
    id uuid primary key,
    payment_no text not null constraint payments_payment_no_key unique,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    order_kind text not null check (order_kind in ('car', 'bike')),
    order_id uuid not null,
    order_no text not null,
    driver_id uuid not null references drivers,
    phone text not null,
    channel text not null check (channel in ('sandbox', 'card')),
    merchant_no text not null,
    amount_fen bigint not null check (amount_fen > 0),
    refunded_fen bigint not null default 0 check (refunded_fen between 0 and amount_fen),
    state text not null check (state in ('created', 'paying', 'paid', 'closed', 'failed')),
    channel_no text,
    pay_url text,
    result text,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    paid_at timestamptz,
    -- When the channel told us of the payment by itself.
    notified_at timestamptz,
    version bigint not null default 1
);
create index payments_provider_idx on payments (provider_id, id);
create index payments_property_idx on payments (property_id, id);
create index payments_station_idx on payments (station_id, id);
create index payments_driver_idx on payments (driver_id, id);
create index payments_order_idx on payments (order_id);
create index payments_phone_idx on payments (phone, id);
create index payments_order_no_idx on payments (order_no);
create index payments_state_idx on payments (state, id);
create index payments_paid_idx on payments (paid_at);
create unique index payments_channel_no_key on payments (channel, channel_no);
-- An order is paid for by one payment at a time.
create unique index payments_open_key on payments (order_id) where state in ('created', 'paying');

create table refunds (
    id uuid primary key,
    refund_no text not null constraint refunds_refund_no_key unique,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    payment_id uuid not null references payments,
    order_id uuid not null,
    order_no text not null,
    phone text not null,
    channel text not null check (channel in ('sandbox', 'card')),
    kind text not null check (kind in ('automatic', 'manual', 'orphan')),
    seq integer not null,
    amount_fen bigint not null check (amount_fen > 0),
    elec_fen bigint not null default 0 check (elec_fen >= 0),
    service_fen bigint not null default 0 check (service_fen >= 0),
    state text not null
        check (state in ('created', 'sent', 'processing', 'succeeded', 'failed', 'abnormal', 'closed')),
    reason text not null,
    requested_by text not null,
    channel_refund_no text,
    result text,
    not_found_at timestamptz,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    finished_at timestamptz,
    version bigint not null default 1,
    constraint refunds_seq_key unique (payment_id, seq)
);
create index refunds_provider_idx on refunds (provider_id, id);
create index refunds_property_idx on refunds (property_id, id);
create index refunds_station_idx on refunds (station_id, id);
create index refunds_order_idx on refunds (order_id);
create index refunds_order_no_idx on refunds (order_no);
create index refunds_phone_idx on refunds (phone, id);
create index refunds_state_idx on refunds (state, id);
create index refunds_finished_idx on refunds (finished_at);

-- Double entry. A transaction's entries sum to nothing; nothing is ever changed or removed.
create table ledger_accounts (
    id bigint generated always as identity primary key,
    key text not null constraint ledger_accounts_key_key unique,
    -- A guarded account is a liability that must never be overdrawn: its balance stays at or below zero.
    guarded boolean not null,
    balance_fen bigint not null default 0,
    constraint ledger_accounts_guard_check check (not guarded or balance_fen <= 0)
);

create table ledger_transactions (
    id uuid primary key,
    kind text not null,
    business_id uuid not null,
    idem_key text not null constraint ledger_transactions_idem_key_key unique,
    reversal_of uuid references ledger_transactions,
    created_at timestamptz not null default now()
);
create index ledger_transactions_business_idx on ledger_transactions (business_id);

create table ledger_entries (
    transaction_id uuid not null references ledger_transactions,
    seq integer not null,
    account_id bigint not null references ledger_accounts,
    amount_fen bigint not null check (amount_fen <> 0),
    primary key (transaction_id, seq)
);
create index ledger_entries_account_idx on ledger_entries (account_id);

create function ledger_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger is append-only: % of % refused', tg_op, tg_table_name;
end $$;
create trigger ledger_entries_append_only before update or delete or truncate on ledger_entries
    for each statement execute function ledger_is_append_only();
create trigger ledger_transactions_append_only before update or delete or truncate on ledger_transactions
    for each statement execute function ledger_is_append_only();

create function ledger_transaction_balances() returns trigger language plpgsql as $$
declare total bigint;
begin
    select sum(amount_fen) into total from ledger_entries where transaction_id = new.transaction_id;
    if total <> 0 then
        raise exception 'ledger transaction % is out of balance by % fen', new.transaction_id, total;
    end if;
    return null;
end $$;
create constraint trigger ledger_entries_balance after insert on ledger_entries
    deferrable initially deferred for each row execute function ledger_transaction_balances();

-- What payment channels told us, stored before it is believed.
create table inbox (
    id uuid primary key,
    channel text not null,
    dedupe_key text not null,
    headers jsonb not null,
    body text not null,
    state text not null default 'new' check (state in ('new', 'done', 'rejected')),
    note text,
    received_at timestamptz not null default now(),
    constraint inbox_dedupe_key unique (channel, dedupe_key)
);
create table inbox_rejected (
    id uuid primary key,
    channel text not null,
    headers jsonb not null,
    body text not null,
    reason text not null,
    received_at timestamptz not null default now()
);

-- Finished orders by local day and station: what the dashboard and the reports add up.
create table order_days (
    day date not null,
    line text not null check (line in ('car', 'bike')),
    station_id uuid not null references stations,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    orders bigint not null default 0,
    completed bigint not null default 0,
    refunds bigint not null default 0,
    kwh numeric(16, 4) not null default 0,
    elec_fen bigint not null default 0,
    service_fen bigint not null default 0,
    refunded_fen bigint not null default 0,
    charge_seconds bigint not null default 0,
    primary key (day, line, station_id)
);
