//! Reservations: their state, who has one, and what was charged under it.

use super::Rule;

/// What holds of reservations.
pub(super) const OF_ALL: &[Rule] = &[
    Rule {
        name: "R-51 a reservation waits for two hours and no longer",
        // A job that is due is run within the hour.
        sql: "select format('%s of %s still waits', reservation_no, created_at) as what
            from reservations where state = 'reserved' and created_at < now() - interval '3 hours'",
    },
    Rule {
        name: "R-51 a reservation's times fit its state",
        sql: "select format('%s of %s is %s, entered %s, left %s, ended %s: %s', reservation_no, created_at, state,
                coalesce(entered_at::text, 'never'), coalesce(left_at::text, 'never'), coalesce(ended_at::text, 'never'),
                coalesce(end_reason, 'for no reason')) as what
            from reservations
            where (state in ('reserved', 'occupying')) <> (ended_at is null)
                or state = 'occupying' and entered_at is null
                or state in ('reserved', 'cancelled', 'timed_out') and entered_at is not null
                or entered_at not between created_at and created_at + interval '2 hours'
                or left_at is not null and entered_at is null or left_at < entered_at or left_at <> ended_at
                or end_reason is distinct from case state
                    when 'completed' then case when left_at is null then 'staff' else 'left' end
                    when 'cancelled' then 'driver' when 'timed_out' then 'expired' end",
    },
    Rule {
        name: "R-51 a connector is kept for one driver, and a driver has one connector kept",
        sql: "select format('%s are there for one', string_agg(reservation_no, ', ' order by id)) as what
            from (select id, reservation_no, unnest(array[connector_id, driver_id]) as one
                from reservations where state in ('reserved', 'occupying')) live
            group by one having count(*) > 1",
    },
    Rule {
        name: "R-51 an order is made under its driver's reservation of its connector",
        sql: "select format('%s is made under %s of another', order_no, reservation_no) as what
            from car_orders o join reservations r on r.id = o.reservation_id
            where (o.driver_id, o.connector_id, o.charger_id, o.station_id)
                <> (r.driver_id, r.connector_id, r.charger_id, r.station_id)",
    },
];
