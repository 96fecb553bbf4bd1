-- Collectives, the fourth kind of node: group accounts below a property.

create table collectives (
    id uuid primary key,
    provider_id uuid not null references providers,
    property_id uuid not null references properties,
    name text not null,
    email text,
    contact text not null,
    phone text not null,
    address text,
    note text,
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint collectives_name_key unique (property_id, name)
);
create index collectives_provider_idx on collectives (provider_id, id);
create index collectives_property_idx on collectives (property_id, id);
create index collectives_phone_idx on collectives (phone, id);

-- Whether these ids name a node of this kind: each node names all that it is below.
create function is_node(kind text, provider_id uuid, property_id uuid, collective_id uuid) returns boolean
    language sql immutable
    return case kind
        when 'platform' then num_nonnulls(provider_id, property_id, collective_id) = 0
        when 'provider' then provider_id is not null and num_nonnulls(property_id, collective_id) = 0
        when 'property' then num_nonnulls(provider_id, property_id) = 2 and collective_id is null
        when 'collective' then num_nonnulls(provider_id, property_id, collective_id) = 3
        else false
    end;

alter table users
    add column collective_id uuid references collectives,
    drop constraint users_kind_check,
    drop constraint users_node_check,
    add constraint users_node_check check (is_node(kind, provider_id, property_id, collective_id));
create index users_collective_idx on users (collective_id, id) where collective_id is not null;

alter table roles
    add column collective_id uuid references collectives,
    drop constraint roles_kind_check,
    drop constraint roles_node_check,
    add constraint roles_node_check check (is_node(kind, provider_id, property_id, collective_id)),
    drop constraint roles_name_key,
    add constraint roles_name_key unique nulls not distinct (provider_id, property_id, collective_id, name);
create index roles_collective_idx on roles (collective_id, id) where collective_id is not null;
drop index roles_builtin_key;
create unique index roles_builtin_key on roles (provider_id, property_id, collective_id) nulls not distinct where builtin;

alter table audits add column collective_id uuid;

-- Whose the login was, as it was then: the record outlives the user.
alter table login_records
    add column user_name text,
    add column provider_id uuid,
    add column property_id uuid,
    add column collective_id uuid;
update login_records l set user_name = u.name, provider_id = u.provider_id, property_id = u.property_id
    from users u where u.id = l.user_id;
create index login_records_provider_idx on login_records (provider_id, id);
create index login_records_property_idx on login_records (property_id, id);
create index login_records_ip_idx on login_records (ip, id);
create index login_records_outcome_idx on login_records (outcome, id);
