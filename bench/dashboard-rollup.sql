select line, sum(orders) from order_days where {scope} group by line;
select day, line, sum(orders), sum(refunds), sum(kwh) from order_days where {scope} and day >= :first group by day, line;
select count(*) from drivers where id in (select driver_id from driver_visits where {scope});
select driver_id, sum(orders) from driver_visits where {scope} group by driver_id order by 2 desc, 1 limit 4;
