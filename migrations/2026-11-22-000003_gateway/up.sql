-- Devices: their connections, what was said, what they were told to do.

create table connection_records (
    id uuid primary key,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    device_id uuid not null,
    device_kind text not null,
    serial_no text not null,
    online boolean not null,
    reason text not null,
    remote_address text,
    created_at timestamptz not null default now()
);
create index connection_records_device_idx on connection_records (device_id, id);
create index connection_records_provider_idx on connection_records (provider_id, id);
create index connection_records_property_idx on connection_records (property_id, id);

-- Devices that knocked and are not ours (yet).
create table unknown_devices (
    serial_no text primary key,
    id uuid not null default gen_random_uuid() constraint unknown_devices_id_key unique,
    protocol text not null,
    remote_address text not null,
    reason text not null,
    knocks bigint not null default 1,
    first_at timestamptz not null default now(),
    last_at timestamptz not null default now()
);

-- Every frame in and out: evidence in a dispute. Kept for a configurable time.
create table device_frames (
    id uuid primary key,
    device_id uuid not null,
    inbound boolean not null,
    body text not null,
    created_at timestamptz not null
);
create index device_frames_device_idx on device_frames (device_id, id);

create table device_commands (
    id uuid primary key,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    device_id uuid not null,
    kind text not null,
    payload jsonb not null,
    state text not null default 'pending'
        check (state in ('pending', 'sent', 'acknowledged', 'refused', 'timed_out')),
    outcome text,
    order_id uuid,
    requested_by text not null,
    deadline timestamptz not null,
    created_at timestamptz not null default now(),
    sent_at timestamptz,
    finished_at timestamptz
);
create index device_commands_device_idx on device_commands (device_id, id);
create index device_commands_open_idx on device_commands (device_id, id) where state = 'pending';
create index device_commands_due_idx on device_commands (deadline) where state in ('pending', 'sent');

-- The charger's own account of a charge: how replays are known, and evidence afterwards.
create sequence device_transaction_ids as integer start 1;
create table device_transactions (
    transaction_id integer primary key default nextval('device_transaction_ids'),
    charger_id uuid not null references chargers,
    connector_number integer not null,
    id_tag text not null,
    meter_start_wh bigint not null,
    started_at timestamptz not null,
    order_id uuid,
    accepted boolean not null,
    meter_stop_wh bigint,
    stopped_at timestamptz,
    stop_reason text,
    -- A later record that says something else.
    discrepancy jsonb,
    created_at timestamptz not null default now(),
    constraint device_transactions_start_key unique (charger_id, connector_number, id_tag, started_at, meter_start_wh)
);
create index device_transactions_order_idx on device_transactions (order_id);
create index device_transactions_open_idx on device_transactions (charger_id, connector_number) where stopped_at is null;
