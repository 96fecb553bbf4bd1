-- Prints the tables of the schema `public` as Diesel knows them. Run by `scripts/schema`.
with tables as (
    select oid, relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r' and relname not like '\_\_diesel%'
), keys as (
    select conrelid, string_agg(attname, ', ' order by array_position(conkey, attnum)) as names
    from pg_constraint join pg_attribute on attrelid = conrelid and attnum = any (conkey)
    where contype = 'p' group by conrelid
), words (sql, diesel) as (values
    ('bigint', 'Int8'), ('boolean', 'Bool'), ('bytea', 'Bytea'), ('date', 'Date'), ('double precision', 'Float8'),
    ('inet', 'Inet'), ('integer', 'Int4'), ('jsonb', 'Jsonb'), ('numeric', 'Numeric'), ('smallint', 'Int2'),
    ('text', 'Text'), ('time without time zone', 'Time'), ('timestamp with time zone', 'Timestamptz'), ('uuid', 'Uuid')
), columns as (
    -- An array's elements are never null here. A type without a word stays SQL's own and does not compile.
    select attrelid, string_agg(format(E'        %s -> %s,\n', attname,
        format(case when attnotnull then '%s' else 'Nullable<%s>' end,
            format(case when type like '%[]' then 'Array<%s>' else '%s' end, coalesce(diesel, type)))), '' order by attnum) as lines
    from pg_attribute
    cross join lateral (select format_type(atttypid, null) as type) t
    left join words on sql = rtrim(type, '[]')
    where attnum > 0 and not attisdropped group by attrelid
), joins as (
    -- Two tables that are tied more than once have no one way to be joined.
    select conrelid, confrelid, min(attname) as name
    from pg_constraint join pg_attribute on attrelid = conrelid and attnum = conkey[1]
    where contype = 'f' and cardinality(conkey) = 1 and conrelid <> confrelid
    group by conrelid, confrelid having count(*) = 1
)
select '//! Diesel tables, as the migrations make them.'
union all (
    select format(E'\ndiesel::table! {\n    %s (%s) {\n%s    }\n}', tables.name, keys.names, columns.lines)
    from tables join keys on keys.conrelid = tables.oid join columns on attrelid = tables.oid order by tables.name
)
union all (
    select (case row_number() over (order by own.name, other.name) when 1 then E'\n' else '' end)
        || format('diesel::joinable!(%s -> %s (%s));', own.name, other.name, joins.name)
    from joins join tables own on own.oid = conrelid join tables other on other.oid = confrelid order by own.name, other.name
)
union all
select format(E'diesel::allow_tables_to_appear_in_same_query!(\n    %s\n);', string_agg(name, E',\n    ' order by name)) from tables;
