drop index car_orders_order_no_key;
alter table car_orders add constraint car_orders_order_no_key unique (order_no);
drop index car_orders_card_idx;
create index car_orders_card_idx on car_orders (card_no, id) where card_no is not null;
drop index connectors_code_squeezed_idx, chargers_serial_no_squeezed_idx;
drop index drivers_plate_end_idx, drivers_plate_begin_idx, drivers_phone_end_idx, drivers_phone_begin_idx;
drop function squeezed(text);
