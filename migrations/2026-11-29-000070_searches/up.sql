-- Numbers are found as people type them: in small letters, with spaces and dashes, and those of drivers by a part.

-- A number as it is compared. `lookup::squeezed` does the same to what is typed.
create function squeezed(it text) returns text language sql immutable parallel safe
    return upper(translate(it, ' -', '') collate "C");

-- Telephones and plates by how they begin and by how they end; plates are kept as they are painted, without the dot.
update drivers set plate = upper(translate(plate, ' -·•・.', '')) where plate is not null;
update reservations set plate = upper(translate(plate, ' -·•・.', ''));
create index drivers_phone_begin_idx on drivers (phone text_pattern_ops);
create index drivers_phone_end_idx on drivers (reverse(phone) text_pattern_ops);
create index drivers_plate_begin_idx on drivers (plate text_pattern_ops);
create index drivers_plate_end_idx on drivers (reverse(plate) text_pattern_ops);

create index chargers_serial_no_squeezed_idx on chargers (squeezed(serial_no));
create index connectors_code_squeezed_idx on connectors (squeezed(code));

drop index car_orders_card_idx;
create index car_orders_card_idx on car_orders (squeezed(card_no), id) where card_no is not null;

-- One index keeps order numbers unique and finds them by how they begin.
alter table car_orders drop constraint car_orders_order_no_key;
create unique index car_orders_order_no_key on car_orders (order_no text_pattern_ops);
