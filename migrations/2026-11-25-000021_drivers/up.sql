-- Looking for drivers, and the numbers of the first page.

create index drivers_plate_idx on drivers (plate, id);

-- The days of whoever looks at them.
create index order_days_provider_idx on order_days (provider_id, day);
create index order_days_property_idx on order_days (property_id, day);
create index order_days_station_idx on order_days (station_id, day);

-- How often a driver has charged at all stations of a node: a provider, a property, or all of them (the nil id). Who
-- charges most often would otherwise have to be found among all visits.
create table driver_totals (
    node_id uuid not null,
    driver_id uuid not null references drivers,
    orders bigint not null,
    primary key (node_id, driver_id)
);
create index driver_totals_orders_idx on driver_totals (node_id, orders desc, driver_id);

-- A trigger, so that the totals are those of the visits whoever writes them.
create function total_driver_visits() returns trigger language plpgsql as $$
declare
    visit driver_visits := coalesce(new, old);
    more bigint := coalesce(new.orders, 0) - coalesce(old.orders, 0);
begin
    insert into driver_totals as it (node_id, driver_id, orders)
        select node_id, visit.driver_id, more
        from unnest(array['00000000-0000-0000-0000-000000000000'::uuid, visit.provider_id, visit.property_id]) as at (node_id)
        on conflict (node_id, driver_id) do update set orders = it.orders + excluded.orders;
    return null;
end $$;
create trigger driver_visits_total after insert or update or delete on driver_visits
    for each row execute function total_driver_visits();

insert into driver_totals (node_id, driver_id, orders)
    select node_id, driver_id, sum(orders)
    from driver_visits, unnest(array['00000000-0000-0000-0000-000000000000'::uuid, provider_id, property_id]) as it (node_id)
    group by node_id, driver_id;
