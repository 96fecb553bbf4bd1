-- Each search condition of orders, payments and refunds gets its index, and so does each together with a tenant where it
-- may match rarely. The states and kinds that nearly all rows have are found quickly without one, so those indexes hold
-- the others alone and stay small.

create index car_orders_card_idx on car_orders (card_no, id) where card_no is not null;
create index car_orders_method_idx on car_orders (start_method, id) include (state) where start_method <> 'scan';
create index car_orders_provider_method_idx on car_orders (provider_id, start_method, id) where start_method <> 'scan';
create index car_orders_property_method_idx on car_orders (property_id, start_method, id) where start_method <> 'scan';
create index car_orders_provider_state_idx on car_orders (provider_id, state, id) where state <> 'completed';
create index car_orders_property_state_idx on car_orders (property_id, state, id) where state <> 'completed';

create index payments_channel_idx on payments (channel, id);
create index payments_kind_idx on payments (order_kind, id);
create index payments_amount_idx on payments (amount_fen, id);
create index payments_provider_state_idx on payments (provider_id, state, id) where state <> 'paid';
create index payments_property_state_idx on payments (property_id, state, id) where state <> 'paid';

create index refunds_amount_idx on refunds (amount_fen, id);
create index refunds_kind_idx on refunds (kind, id) where kind <> 'automatic';
create index refunds_provider_kind_idx on refunds (provider_id, kind, id) where kind <> 'automatic';
create index refunds_property_kind_idx on refunds (property_id, kind, id) where kind <> 'automatic';
create index refunds_provider_state_idx on refunds (provider_id, state, id) where state <> 'succeeded';
create index refunds_property_state_idx on refunds (property_id, state, id) where state <> 'succeeded';

-- What a tenant's rows are also searched by, sorted by and counted for is read from the tenant's index alone.
drop index car_orders_provider_idx, car_orders_property_idx;
create index car_orders_provider_idx on car_orders (provider_id, id) include (state, start_method);
create index car_orders_property_idx on car_orders (property_id, id) include (state, start_method);

drop index payments_provider_idx, payments_property_idx, payments_paid_idx;
create index payments_provider_idx on payments (provider_id, id) include (state, order_kind, channel, amount_fen, paid_at);
create index payments_property_idx on payments (property_id, id) include (state, order_kind, channel, amount_fen, paid_at);
create index payments_paid_idx on payments (paid_at, id);

drop index refunds_provider_idx, refunds_property_idx, refunds_finished_idx;
create index refunds_provider_idx on refunds (provider_id, id) include (state, kind, amount_fen, finished_at);
create index refunds_property_idx on refunds (property_id, id) include (state, kind, amount_fen, finished_at);
create index refunds_finished_idx on refunds (finished_at, id);
