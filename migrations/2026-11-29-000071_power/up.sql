-- How fast a charge was, as far as its readings tell: known once it is settled.
alter table charge_sessions
    add column avg_power_w bigint,
    add column peak_power_w bigint;

update charge_sessions s
set avg_power_w = trunc(o.kwh * 3600000 / (extract(epoch from o.ended_at - o.started_at)))
from car_orders o
where o.id = s.order_id and o.settled_at is not null and o.ended_at > o.started_at;

-- More than the charger can deliver is no true reading.
update charge_sessions s
set peak_power_w = told.peak
from car_orders o, (
    select r.order_id, max(r.power_w) as peak
    from meter_readings r join charge_sessions c on c.order_id = r.order_id
    where r.billed and r.power_w between 0 and c.rated_power_w * 5 / 4
    group by r.order_id
) told
where o.id = s.order_id and o.settled_at is not null and told.order_id = s.order_id;
