drop trigger driver_visits_total on driver_visits;
drop function total_driver_visits();
drop table driver_totals;
drop index order_days_station_idx;
drop index order_days_property_idx;
drop index order_days_provider_idx;
drop index drivers_plate_idx;
