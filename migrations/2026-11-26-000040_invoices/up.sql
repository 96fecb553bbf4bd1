-- Electronic invoices: in whose name a station sells, what was asked for, and what the invoicing service made of it.

-- The seller's particulars; without them the orders of a station cannot be invoiced.
alter table stations add column seller jsonb;

create sequence invoice_numbers start 10000001;
create table invoices (
    id uuid primary key,
    invoice_no text not null default 'F' || to_char(now() at time zone 'Asia/Shanghai', 'YYMMDD') || nextval('invoice_numbers')
        constraint invoices_invoice_no_key unique,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    order_kind text not null check (order_kind in ('car', 'bike')),
    driver_id uuid not null references drivers,
    state text not null check (state in ('submitted', 'issued', 'failed', 'voiding', 'voided')),
    kind text not null check (kind in ('ordinary', 'special')),
    -- Whom it is for.
    buyer text not null check (buyer in ('company', 'person')),
    title text not null,
    tax_id text,
    email text not null,
    phone text not null,
    requested_by text not null,
    -- What it says: the seller as they were when it was sent, and a line for each fee.
    seller jsonb not null,
    lines jsonb not null,
    gross_fen bigint not null check (gross_fen > 0),
    tax_fen bigint not null check (tax_fen >= 0),
    -- The number that the service knows it by: decided before it is first sent, replaced only after a definite failure.
    serial_no text not null constraint invoices_serial_no_key unique,
    service_no text,
    number text,
    code text,
    issued_at timestamptz,
    -- The request to void it.
    void_no text,
    void_reason text,
    -- When the service was asked for what is under way, and when it said first that it does not know it.
    sent_at timestamptz,
    not_found_at timestamptz,
    -- What went wrong last, for people.
    failure text,
    finished_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    constraint invoices_tax_id_check check (buyer = 'person' or tax_id is not null),
    constraint invoices_number_check check ((state in ('issued', 'voiding', 'voided')) = (number is not null))
);
create index invoices_provider_idx on invoices (provider_id, id);
create index invoices_property_idx on invoices (property_id, id);
create index invoices_station_idx on invoices (station_id, id);
create index invoices_driver_idx on invoices (driver_id, id);
create index invoices_state_idx on invoices (state, id);
create index invoices_number_idx on invoices (number) where number is not null;
create index invoices_tax_id_idx on invoices (tax_id, id) where tax_id is not null;

-- What it is about. An order is in one invoice that counts: `live` follows the invoice's state.
create table invoice_orders (
    invoice_id uuid not null references invoices,
    order_id uuid not null references car_orders,
    gross_fen bigint not null check (gross_fen > 0),
    live boolean not null default true,
    primary key (invoice_id, order_id)
);
create index invoice_orders_order_idx on invoice_orders (order_id, invoice_id);
create unique index invoice_orders_live_key on invoice_orders (order_id) where live;

-- The invoice itself: the service's addresses of it expire.
create table invoice_files (
    invoice_id uuid primary key references invoices,
    pdf bytea not null check (octet_length(pdf) <= 5242880)
);
