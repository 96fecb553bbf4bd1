drop index refunds_provider_idx, refunds_property_idx, refunds_finished_idx;
create index refunds_provider_idx on refunds (provider_id, id);
create index refunds_property_idx on refunds (property_id, id);
create index refunds_finished_idx on refunds (finished_at);

drop index payments_provider_idx, payments_property_idx, payments_paid_idx;
create index payments_provider_idx on payments (provider_id, id);
create index payments_property_idx on payments (property_id, id);
create index payments_paid_idx on payments (paid_at);

drop index car_orders_provider_idx, car_orders_property_idx;
create index car_orders_provider_idx on car_orders (provider_id, id);
create index car_orders_property_idx on car_orders (property_id, id);

drop index refunds_amount_idx, refunds_kind_idx, refunds_provider_kind_idx, refunds_property_kind_idx,
    refunds_provider_state_idx, refunds_property_state_idx;
drop index payments_channel_idx, payments_kind_idx, payments_amount_idx, payments_provider_state_idx,
    payments_property_state_idx;
drop index car_orders_card_idx, car_orders_method_idx, car_orders_provider_method_idx, car_orders_property_method_idx,
    car_orders_provider_state_idx, car_orders_property_state_idx;
