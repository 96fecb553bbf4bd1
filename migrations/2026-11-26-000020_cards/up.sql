-- Electric cards: what properties sell, to whom it was issued, and the group accounts that pay for some of them.

create table card_products (
    id uuid primary key,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    name text not null,
    kind text not null check (kind in ('physical', 'virtual')),
    issued_to text not null check (issued_to in ('person', 'collective')),
    price_fen bigint not null check (price_fen >= 0),
    face_fen bigint not null check (face_fen > 0),
    -- What is given on top of a recharge.
    tiers jsonb not null default '[]',
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint card_products_name_key unique (property_id, name)
);
create index card_products_provider_idx on card_products (provider_id, id);
create index card_products_property_idx on card_products (property_id, id);

-- Where cards of a product are taken; all stations of the property when there is none.
create table card_product_stations (
    product_id uuid not null references card_products on delete cascade,
    station_id uuid not null references stations,
    primary key (product_id, station_id)
);
create index card_product_stations_station_idx on card_product_stations (station_id);

create sequence card_codes start 10000001;
create table cards (
    id uuid primary key,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    product_id uuid not null references card_products,
    driver_id uuid not null references drivers,
    collective_id uuid references collectives,
    code text not null default 'K' || nextval('card_codes') constraint cards_code_key unique,
    -- What the product was like when the card was issued.
    kind text not null check (kind in ('physical', 'virtual')),
    issued_to text not null check (issued_to in ('person', 'collective')),
    price_fen bigint not null check (price_fen >= 0),
    face_fen bigint not null check (face_fen > 0),
    holder text not null,
    -- The number that readers of AC chargers and e-bike devices tell, and the chip's own, which DC chargers tell.
    card_no text,
    chip_uid text,
    valid_days integer check (valid_days > 0),
    issued_by text not null,
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint cards_card_no_key unique (provider_id, card_no),
    constraint cards_chip_uid_key unique (provider_id, chip_uid),
    constraint cards_collective_check check ((issued_to = 'collective') = (collective_id is not null))
);
create index cards_provider_idx on cards (provider_id, id);
create index cards_property_idx on cards (property_id, id);
create index cards_product_idx on cards (product_id, id);
create index cards_driver_idx on cards (driver_id, id);
create index cards_collective_idx on cards (collective_id, id) where collective_id is not null;

-- No card is paid for by a locked account.
alter table collectives add column locked boolean not null default false;
