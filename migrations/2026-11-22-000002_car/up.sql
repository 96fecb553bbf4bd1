-- What is out there for cars: stations, areas, chargers, connectors, and what charging costs.

create sequence station_codes start 1000001;
create sequence area_codes start 1000001;
create sequence charger_codes start 1000001;

-- Car and bike stations are one table: users are bound to stations of either line, and scopes name stations.
create table stations (
    id uuid primary key,
    line text not null check (line in ('car', 'bike')),
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    code text not null default 'S' || nextval('station_codes') constraint stations_code_key unique,
    name text not null,
    nature text not null check (nature in ('public', 'dedicated', 'private')),
    contact text,
    contact_phone text,
    intro text,
    hotline text,
    business_hours text,
    max_power_w bigint,
    capacity_w bigint,
    province text,
    city text,
    address text,
    lng double precision,
    lat double precision,
    review text not null default 'pending' check (review in ('pending', 'approved', 'rejected')),
    review_note text,
    enabled boolean not null default false,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint stations_name_key unique (property_id, line, name),
    -- A station is reviewed before it can be switched on.
    constraint stations_enabled_check check (not enabled or review = 'approved')
);
create index stations_provider_idx on stations (provider_id, id);
create index stations_property_idx on stations (property_id, id);
create index stations_place_idx on stations (lat, lng) where enabled;

create table user_stations (
    user_id uuid not null references users on delete cascade,
    station_id uuid not null references stations,
    primary key (user_id, station_id)
);
create index user_stations_station_idx on user_stations (station_id);

create table areas (
    id uuid primary key,
    line text not null check (line in ('car', 'bike')),
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    code text not null default 'A' || nextval('area_codes') constraint areas_code_key unique,
    name text not null,
    phone text,
    power_w bigint,
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint areas_name_key unique (station_id, name)
);
create index areas_provider_idx on areas (provider_id, id);
create index areas_property_idx on areas (property_id, id);

create table chargers (
    id uuid primary key,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    area_id uuid not null references areas,
    code text not null default 'C' || nextval('charger_codes') constraint chargers_code_key unique,
    serial_no text not null,
    name text not null,
    model text,
    device_version text,
    sim text,
    nature text not null check (nature in ('public', 'dedicated', 'private')),
    occupancy_fee boolean not null default false,
    reservable boolean not null default false,
    output_current_a integer,
    output_power_w bigint not null,
    output_voltage_v integer,
    current_type text not null check (current_type in ('ac', 'dc')),
    interface text not null check (interface in ('gbt_ac', 'gbt_dc', 'type2', 'ccs2', 'other')),
    speed text not null check (speed in ('slow', 'fast', 'super')),
    mounting text check (mounting in ('floor', 'wall', 'other')),
    protection text,
    communication text check (communication in ('cellular', 'ethernet', 'wifi', 'other')),
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
-- Devices spell their own identity as they like.
create unique index chargers_serial_no_key on chargers (lower(serial_no));
create index chargers_provider_idx on chargers (provider_id, id);
create index chargers_property_idx on chargers (property_id, id);
create index chargers_station_idx on chargers (station_id, id);
create index chargers_area_idx on chargers (area_id, id);

-- What a charger last told about itself; written by the gateway alone.
create table charger_states (
    charger_id uuid primary key references chargers,
    online boolean not null default false,
    -- The connection that holds it: only that one may say that it went offline.
    connection uuid,
    connected_at timestamptz,
    last_seen_at timestamptz,
    remote_address text,
    booted_at timestamptz,
    vendor text,
    reported_model text,
    firmware text,
    reported_serial_no text,
    iccid text,
    status text not null default 'unknown',
    error_code text,
    status_at timestamptz,
    -- SHA-256 of the passwords it may log in with; empty lets it in without one.
    password_hashes text[] not null default '{}',
    configuration jsonb
);

create table connectors (
    id uuid primary key,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    area_id uuid not null references areas,
    charger_id uuid not null references chargers,
    number integer not null check (number between 1 and 99),
    code text not null constraint connectors_code_key unique,
    name text not null,
    enabled boolean not null default true,
    -- What the charger last said of it; the gateway writes these.
    status text not null default 'unknown',
    error_code text,
    status_info text,
    status_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint connectors_number_key unique (charger_id, number)
);
create index connectors_provider_idx on connectors (provider_id, id);
create index connectors_property_idx on connectors (property_id, id);
create index connectors_station_idx on connectors (station_id, id);

create table tariffs (
    id uuid primary key,
    line text not null check (line in ('car', 'bike')),
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    area_id uuid not null references areas,
    name text not null,
    mode text not null,
    presets bigint[] not null default '{}' check (cardinality(presets) <= 12),
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint tariffs_name_key unique (area_id, name)
);
-- An area has one price at a time.
create unique index tariffs_area_key on tariffs (area_id) where enabled;
create index tariffs_provider_idx on tariffs (provider_id, id);
create index tariffs_property_idx on tariffs (property_id, id);
create index tariffs_station_idx on tariffs (station_id, id);

-- Every saved wording of a tariff. Rows are never changed; the last one in force at a start counts.
create table tariff_versions (
    id uuid primary key,
    tariff_id uuid not null references tariffs,
    number integer not null,
    body jsonb not null,
    body_hash text not null,
    saved_at timestamptz not null,
    effective_at timestamptz not null,
    saved_by uuid,
    constraint tariff_versions_number_key unique (tariff_id, number)
);
create index tariff_versions_effective_idx on tariff_versions (tariff_id, effective_at, number);
