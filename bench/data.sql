-- Fills a migrated, empty database with a year of business. Wants the psql variables `orders` and `chargers`.
--
-- Tenants are of very different sizes, so that it matters whose list is read: provider 1 has 30 % of all orders,
-- provider 2 has 5 % and no card orders, provider 3 has 1 %, provider 4 has 0.2 %, and 16 others share the rest.
\set ON_ERROR_STOP on
set synchronous_commit = off;
set work_mem = '256MB';
set maintenance_work_mem = '1GB';
-- Neither foreign keys nor triggers are asked row by row; what follows keeps to them.
set session_replication_role = replica;
select setseed(0.42);

-- An id as the server makes them: milliseconds first.
create function pg_temp.id(at timestamptz, n bigint) returns uuid immutable language sql as $$
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid
$$;
-- Ids of things that were there before the first order, by kind and number.
create function pg_temp.thing(kind int, n bigint) returns uuid immutable language sql as $$
    select pg_temp.id('2024-01-01T00:00:00Z', kind * 4294967296 + n)
$$;
-- Another thing that was made in the same moment as an order.
create function pg_temp.beside(it uuid, what text) returns uuid immutable language sql as $$
    select overlay(it::text placing what from 20)::uuid
$$;

-- Indexes are built in one go afterwards.
create temp table later as
    select indexdef, indexname from pg_indexes
    where schemaname = 'public' and indexname not in (select conname from pg_constraint)
        and tablename in ('car_orders', 'charge_sessions', 'payments', 'refunds', 'order_events', 'meter_readings');
select format('drop index %I', indexname) from later \gexec

insert into providers (id, name, contact, phone, review)
    select pg_temp.thing(1, n), '服务商' || n, '陈晨', '139' || lpad(n::text, 8, '0'), 'approved' from generate_series(1, 20) n;
insert into properties (id, provider_id, name, contact, phone)
    select pg_temp.thing(2, n), pg_temp.thing(1, 1 + (n - 1) / 3), '物业' || n, '李蕾', '138' || lpad(n::text, 8, '0')
    from generate_series(1, 60) n;

-- A station has 20 chargers.
create temp table place as
    select n, pg_temp.thing(3, n) as station_id, pg_temp.thing(4, n) as area_id, provider, pg_temp.thing(1, provider) as provider_id,
        pg_temp.thing(2, (provider - 1) * 3 + 1 + n % 3) as property_id
    from (
        select n, case when f < 0.3 then 1 when f < 0.35 then 2 when f < 0.36 then 3 when f < 0.362 then 4 else 5 + n % 16 end as provider
        from (select n, (n - 1.0) / (:chargers / 20) as f from generate_series(1, :chargers / 20) n) every
    ) owned;
insert into stations (id, line, provider_id, property_id, name, nature, province, city, review, enabled)
    select station_id, 'car', provider_id, property_id, '电站' || n, 'public', '浙江省', '杭州市', 'approved', true from place;
insert into areas (id, line, provider_id, property_id, station_id, name)
    select area_id, 'car', provider_id, property_id, station_id, '默认区域' from place;
insert into tariffs (id, line, provider_id, property_id, station_id, area_id, name, mode, presets)
    select pg_temp.thing(5, n), 'car', provider_id, property_id, station_id, area_id, '统一电价', 'uniform', '{1000,5000}' from place;
create temp table price as
    select '{"mode":"uniform","prices":{"uniform":{"elec":"0.68000","service":"0.40000"}},"slots":[],"free":false}'::jsonb as body;
insert into tariff_versions (id, tariff_id, number, body, body_hash, saved_at, effective_at)
    select pg_temp.thing(6, n), pg_temp.thing(5, n), 1, body, 'bench', '2024-01-01', '2024-01-01' from place, price;
insert into chargers (id, provider_id, property_id, station_id, area_id, serial_no, name, nature, output_power_w, current_type, interface, speed)
    select pg_temp.thing(7, c), provider_id, property_id, station_id, area_id, 'BENCH' || lpad(c::text, 6, '0'), c || '号桩', 'public',
        60000, 'dc', 'gbt_dc', 'fast'
    from generate_series(1, :chargers) c join place on place.n = 1 + (c - 1) / 20;
insert into charger_states (charger_id, online) select id, true from chargers;
insert into connectors (id, provider_id, property_id, station_id, area_id, charger_id, number, code, name, status)
    select pg_temp.thing(8, k), provider_id, property_id, station_id, area_id, pg_temp.thing(7, 1 + (k - 1) / 2), 1 + (k - 1) % 2,
        'G' || k, '枪', 'preparing'
    from generate_series(1, :chargers * 2) k join place on place.n = 1 + (k - 1) / 40;
insert into drivers (id, phone) select pg_temp.thing(9, d), '137' || lpad(d::text, 8, '0') from generate_series(1, 100000) d;

-- The accounts that ask, each with all permissions of its kind (the server fills built-in roles in when it starts), and a
-- driver; all with sessions that last, for which tokens can be signed.
create temp table asker as
    select * from (values (1, 'platform', null), (2, 'provider', 1), (3, 'provider', 2), (4, 'provider', 4)) it (n, kind, provider);
insert into users (id, kind, provider_id, username, name, password_hash)
    select pg_temp.thing(10, n), kind, pg_temp.thing(1, provider), 'bench' || n, 'bench', '' from asker;
insert into roles (id, kind, provider_id, name, builtin)
    select pg_temp.thing(11, n), kind, pg_temp.thing(1, provider), '系统管理员', true from asker;
insert into user_roles select pg_temp.thing(10, n), pg_temp.thing(11, n) from asker;
insert into sessions (id, family, user_id, token_hash, ip, agent, expires_at)
    select pg_temp.thing(12, n), pg_temp.thing(12, n), pg_temp.thing(10, n), 'bench' || n, '', '', 'infinity' from asker;
insert into sessions (id, family, driver_id, token_hash, ip, agent, expires_at)
    values (pg_temp.thing(12, 9), pg_temp.thing(12, 9), pg_temp.thing(9, 1), 'bench9', '', '', 'infinity');

insert into car_orders (id, order_no, provider_id, property_id, station_id, area_id, charger_id, connector_id, driver_id, phone,
        start_method, card_no, state, end_reason, prepaid_fen, elec_fen, service_fen, total_fen, charged_fen, refunded_fen, kwh,
        started_at, ended_at, settled_at, created_at, reservation_id)
    select pg_temp.id(at, g), 'C' || to_char(at at time zone 'Asia/Shanghai', 'YYMMDD') || g, provider_id, property_id, station_id, area_id,
        pg_temp.thing(7, 1 + (k - 1) / 2), pg_temp.thing(8, k), pg_temp.thing(9, d), '137' || lpad(d::text, 8, '0'),
        method, case when method = 'card' then 'CARD' || d % 5000 end, state,
        case state when 'completed' then 'full' when 'failed' then 'start_timeout' when 'cancelled' then 'unpaid' end,
        prepaid, kwh * 68, kwh * 40, kwh * 108, kwh * 108,
        case when state in ('completed', 'failed') then prepaid - kwh * 108 else 0 end, kwh,
        case when state not in ('created', 'failed', 'cancelled') then at + interval '30 seconds' end,
        case when state in ('completed', 'failed', 'cancelled') then at + interval '40 minutes' end,
        case when state in ('completed', 'failed') then at + interval '40 minutes' end, at,
        case when g % 100 = 3 then pg_temp.beside(pg_temp.id(at, g), 'b') end
    from (
        select *, case when state in ('completed', 'charging', 'suspended') then 10 + g % 36 else 0 end as kwh,
            case when g % 3 = 0 and state = 'completed' then (10 + g % 36) * 108 else 5000 end as prepaid
        from (
            select g, at, 1 + (g * 7919) % (:chargers * 2) as k, 1 + ((g * 7919) % (:chargers * 2) / 40 * 211 + (random() * random() * 999)::int) % 100000 as d,
                case when g % 20 = 7 then 'card' when g % 7 = 0 then 'code' else 'scan' end as drawn,
                case when g > :orders - 20 then 'created' when g > :orders - 50 then 'suspended'
                    when g > :orders - least(1000, :orders / 100) then 'charging'
                    when r < 0.93 then 'completed' when r < 0.965 then 'cancelled' else 'failed' end as state
            from (
                select g, now() - interval '365 days' * (1 - g / :orders::float) as at, random() as r from generate_series(1, :orders::bigint) g
            ) rolled
        ) drawn
    ) made
    join place on place.n = 1 + (k - 1) / 40, lateral (select case when drawn = 'card' and provider = 2 then 'scan' else drawn end as method) how
    order by g;
select setval('car_order_numbers', 10000000 + :orders);

-- Every hundredth order was made under a reservation; what was not paid was given up with it.
insert into reservations (id, provider_id, property_id, station_id, area_id, charger_id, connector_id, driver_id, phone, plate, state,
        entered_at, left_at, ended_at, end_reason, created_at)
    select reservation_id, provider_id, property_id, station_id, area_id, charger_id, connector_id, driver_id, phone, '浙A' || right(phone, 5),
        case when came then 'completed' else 'cancelled' end, case when came then created_at + interval '10 seconds' end,
        case when came then created_at + interval '1 hour' end, created_at + interval '1 hour',
        case when came then 'left' else 'driver' end, created_at
    from car_orders, lateral (select state <> 'cancelled' as came) it where reservation_id is not null order by id;

insert into charge_sessions (order_id, tag, tariff_version_id, tariff, tariff_hash, rated_power_w, power_w, soc, last_report_at)
    select id, order_no, pg_temp.thing(6, 1), body, 'bench', 60000, 57000, 54, started_at from car_orders, price order by id;

insert into payments (id, payment_no, provider_id, property_id, station_id, order_kind, order_id, order_no, driver_id, phone, channel,
        merchant_no, amount_fen, refunded_fen, state, channel_no, created_at, expires_at, paid_at, notified_at)
    select pg_temp.beside(id, '9'), 'P' || order_no, provider_id, property_id, station_id, 'car', id, order_no, driver_id, phone, 'sandbox',
        'M1000', prepaid_fen, refunded_fen, case state when 'created' then 'paying' when 'cancelled' then 'closed' else 'paid' end,
        case when state not in ('created', 'cancelled') then 'X' || order_no end, created_at, created_at + interval '5 minutes',
        case when state not in ('created', 'cancelled') then created_at + interval '20 seconds' end,
        case when state not in ('created', 'cancelled') then created_at + interval '21 seconds' end
    from car_orders order by id;

insert into refunds (id, refund_no, provider_id, property_id, station_id, payment_id, order_id, order_no, phone, channel, kind, seq,
        amount_fen, elec_fen, state, reason, requested_by, created_at, sent_at, finished_at)
    select pg_temp.beside(id, 'a'), 'R' || order_no, provider_id, property_id, station_id, pg_temp.beside(id, '9'), id, order_no, phone,
        'sandbox', case when n % 200 = 0 then 'manual' when n % 50000 = 1 then 'orphan' else 'automatic' end, 1, refunded_fen, 0,
        case when n % 5000 = 0 then 'failed' when n % 10000 = 1 then 'processing' else 'succeeded' end, '预付余额退回', 'system',
        ended_at, ended_at, case when n % 10000 <> 1 then ended_at + interval '3 seconds' end
    from (select *, row_number() over (order by id) as n from car_orders where refunded_fen > 0) refunded order by id;

-- Every hundredth of the orders, the newest, has its timeline; every thousandth its meter's curve and its ledger.
insert into order_events (order_id, kind, to_state, detail, actor, created_at)
    select id, kind, state, '{}', 'system', created_at
    from (select * from car_orders order by id desc limit :orders / 100) newest, unnest('{created,paid,start_accepted,started,ended}'::text[]) kind
    order by id;
create temp table opened as
    select *, row_number() over (order by id) as n from (select * from car_orders where state = 'completed' order by id desc limit :orders / 1000) newest;
insert into meter_readings (order_id, at, wh, power_w, current_ma, voltage_mv, soc, billed, arrived_at)
    select id, started_at + interval '39.5 minutes' * m / 60, (100000 + kwh * 1000 * m / 60)::bigint, 57000, 143000, 400000, 20 + m, true, started_at + interval '39.5 minutes' * m / 60
    from opened, generate_series(0, 60) m order by id, m;
insert into ledger_accounts (key, guarded) select 'prepaid:' || order_no, true from opened;
insert into ledger_accounts (key, guarded) values ('clearing:sandbox:M1000', false);
insert into ledger_transactions (id, kind, business_id, idem_key) select pg_temp.beside(id, 'b'), 'pay', id, 'pay:' || order_no from opened;
insert into ledger_entries (transaction_id, seq, account_id, amount_fen)
    select pg_temp.beside(o.id, 'b'), seq, a.id, case seq when 1 then -prepaid_fen else prepaid_fen end
    from opened o, generate_series(1, 2) seq, ledger_accounts a
    where a.key = case seq when 1 then 'prepaid:' || order_no else 'clearing:sandbox:M1000' end;

-- From here on triggers fire: what is added up by them is added up here as well.
set session_replication_role = origin;
insert into driver_visits
    select driver_id, station_id, provider_id, property_id, count(*), max(started_at) from car_orders where started_at is not null
    group by driver_id, station_id, provider_id, property_id;
insert into order_days
    select (ended_at at time zone 'Asia/Shanghai')::date, 'car', station_id, provider_id, property_id, count(*),
        count(*) filter (where state = 'completed'), count(*) filter (where refunded_fen > 0), sum(kwh), sum(elec_fen), sum(service_fen),
        sum(refunded_fen), coalesce(sum(extract(epoch from ended_at - started_at)), 0)
    from car_orders where settled_at is not null group by 1, station_id, provider_id, property_id;

select indexdef from later \gexec
