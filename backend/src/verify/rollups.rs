//! Sums that are kept along the way, recomputed from what they sum up.

use super::Rule;

/// What holds of the sums by day and of the drivers' visits.
pub(super) const OF_ALL: &[Rule] = &[
    Rule {
        name: "the sums of a day are those of its orders and refunds",
        sql: "with parts (day, station_id, provider_id, property_id,
                orders, completed, refunds, kwh, elec_fen, service_fen, refunded_fen, charge_seconds) as (
                select day, station_id, provider_id, property_id,
                    orders, completed, refunds, kwh, elec_fen, service_fen, refunded_fen, charge_seconds
                from order_days where line = 'car'
                union all
                select (ended_at at time zone 'Asia/Shanghai')::date, station_id, provider_id, property_id,
                    -1, case state when 'completed' then -1 else 0 end, 0, -kwh, -elec_fen, -service_fen, 0,
                    -greatest(trunc(coalesce(extract(epoch from ended_at - started_at), 0)), 0)
                from car_orders where state in ('completed', 'failed')
                union all
                -- Of a payment that found no order no day ever had anything.
                select (finished_at at time zone 'Asia/Shanghai')::date, station_id, provider_id, property_id,
                    0, 0, -1, 0, 0, 0, -amount_fen, 0
                from refunds where state = 'succeeded' and kind <> 'orphan'
            ), sums as (
                select day, station_id, provider_id, property_id, sum(orders) as orders, sum(completed) as completed,
                    sum(refunds) as refunds, sum(kwh) as kwh, sum(elec_fen) as elec_fen, sum(service_fen) as service_fen,
                    sum(refunded_fen) as refunded_fen, sum(charge_seconds) as charge_seconds
                from parts group by day, station_id, provider_id, property_id
            )
            select format('%s at station %s: off by %s orders, %s completed, %s kWh, %s + %s fen, %s s, %s refunds of %s fen',
                day, station_id, orders, completed, kwh, elec_fen, service_fen, charge_seconds, refunds, refunded_fen) as what
            from sums
            where (orders, completed, refunds, kwh, elec_fen, service_fen, refunded_fen, charge_seconds)
                <> (0, 0, 0, 0, 0, 0, 0, 0)",
    },
    Rule {
        name: "a driver's visits are the charges that began",
        sql: "with began as (
                select driver_id, station_id, provider_id, property_id, count(*) as orders, max(e.created_at) as last_at
                from car_orders o join order_events e on e.order_id = o.id and e.kind = 'started'
                group by driver_id, station_id, provider_id, property_id
            )
            select format('driver %s at station %s: %s until %s, recorded are %s until %s', coalesce(b.driver_id, v.driver_id),
                coalesce(b.station_id, v.station_id), coalesce(b.orders, 0), coalesce(b.last_at::text, 'now'),
                coalesce(v.orders, 0), coalesce(v.last_at::text, 'now')) as what
            from began b full join driver_visits v
                on (v.driver_id, v.station_id, v.provider_id, v.property_id)
                    = (b.driver_id, b.station_id, b.provider_id, b.property_id)
            where (b.orders, b.last_at) is distinct from (v.orders, v.last_at)",
    },
    Rule {
        name: "a driver's totals are those of their visits",
        sql: "with parts (node_id, driver_id, orders) as (
                select node_id, driver_id, orders from driver_totals
                union all
                select node_id, driver_id, -orders from driver_visits,
                    unnest(array['00000000-0000-0000-0000-000000000000'::uuid, provider_id, property_id]) as it (node_id)
            ), sums as (select node_id, driver_id, sum(orders) as orders from parts group by node_id, driver_id)
            select format('driver %s: off by %s', driver_id,
                string_agg(format('%s at %s', orders, node_id), ', ' order by node_id)) as what
            from sums where orders <> 0 group by driver_id",
    },
];
