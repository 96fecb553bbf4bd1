-- Reservations: a driver has a connector kept free for two hours, and charges there.

create sequence reservation_numbers as integer start 10000001;
create table reservations (
    id uuid primary key,
    -- What chargers call it.
    number integer not null default nextval('reservation_numbers') constraint reservations_number_key unique,
    -- What people call it, and what chargers know its driver by.
    reservation_no text not null generated always as ('R' || number) stored
        constraint reservations_reservation_no_key unique,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    station_id uuid not null references stations,
    area_id uuid not null references areas,
    charger_id uuid not null references chargers,
    connector_id uuid not null references connectors,
    driver_id uuid not null references drivers,
    phone text not null,
    plate text not null,
    state text not null check (state in ('reserved', 'occupying', 'completed', 'cancelled', 'timed_out')),
    -- The charger was told to keep the connector free, and not yet to let go of it.
    held_by_charger boolean not null default false,
    entered_at timestamptz,
    left_at timestamptz,
    ended_at timestamptz,
    end_reason text check (end_reason in ('left', 'staff', 'driver', 'expired')),
    -- Who of staff ended it, and what they wrote.
    ended_by text,
    end_note text,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index reservations_provider_idx on reservations (provider_id, id);
create index reservations_property_idx on reservations (property_id, id);
create index reservations_station_idx on reservations (station_id, id);
create index reservations_charger_idx on reservations (charger_id, id);
create index reservations_driver_idx on reservations (driver_id, id);
create index reservations_phone_idx on reservations (phone, id);
create index reservations_plate_idx on reservations (plate, id);
create index reservations_state_idx on reservations (state, id);
-- A connector is kept for one driver at a time, and a driver has one connector.
create unique index reservations_connector_key on reservations (connector_id) where state in ('reserved', 'occupying');
create unique index reservations_live_driver_key on reservations (driver_id) where state in ('reserved', 'occupying');

-- Few orders are made under a reservation; those that are have small indexes of their own. That nearly all others are
-- not is read from the tenant's index.
alter table car_orders add column reservation_id uuid references reservations;
create index car_orders_reservation_idx on car_orders (reservation_id, id) where reservation_id is not null;
create index car_orders_reserved_idx on car_orders (id) where reservation_id is not null;
create index car_orders_provider_reserved_idx on car_orders (provider_id, id) where reservation_id is not null;
create index car_orders_property_reserved_idx on car_orders (property_id, id) where reservation_id is not null;
drop index car_orders_provider_idx, car_orders_property_idx;
create index car_orders_provider_idx on car_orders (provider_id, id) include (state, start_method, reservation_id);
create index car_orders_property_idx on car_orders (property_id, id) include (state, start_method, reservation_id);
