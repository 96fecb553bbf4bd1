select count(*) from car_orders where settled_at is not null and {scope};
select (ended_at at time zone 'Asia/Shanghai')::date, count(*), count(*) filter (where refunded_fen > 0), sum(kwh) from car_orders where settled_at is not null and id >= :week and ended_at >= :first and {scope} group by 1;
select driver_id, count(*) from car_orders where started_at is not null and {scope} group by driver_id order by 2 desc, 1 limit 4;
select count(distinct driver_id) from car_orders where started_at is not null and {scope};
select count(distinct driver_id) from car_orders where started_at is not null and driver_id >= :week and {scope};
