alter table car_orders drop column reservation_id;
create index car_orders_provider_idx on car_orders (provider_id, id) include (state, start_method);
create index car_orders_property_idx on car_orders (property_id, id) include (state, start_method);
drop table reservations;
drop sequence reservation_numbers;
