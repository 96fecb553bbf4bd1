-- Departments, a tree for each node, and the posts in them.

create table departments (
    id uuid primary key,
    kind text not null,
    provider_id uuid references providers,
    property_id uuid references properties,
    collective_id uuid references collectives,
    -- The node's first department has none.
    parent_id uuid references departments,
    name text not null,
    position integer not null default 0,
    leader text,
    phone text,
    email text,
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint departments_node_check check (is_node(kind, provider_id, property_id, collective_id)),
    constraint departments_name_key unique (parent_id, name)
);
create unique index departments_root_key on departments (provider_id, property_id, collective_id) nulls not distinct
    where parent_id is null;
create index departments_provider_idx on departments (provider_id, id);
create index departments_property_idx on departments (property_id, id);
create index departments_collective_idx on departments (collective_id, id) where collective_id is not null;

create table posts (
    id uuid primary key,
    kind text not null,
    provider_id uuid references providers,
    property_id uuid references properties,
    collective_id uuid references collectives,
    department_id uuid not null references departments,
    name text not null,
    position integer not null default 0,
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint posts_node_check check (is_node(kind, provider_id, property_id, collective_id)),
    constraint posts_name_key unique (department_id, name)
);
create index posts_department_idx on posts (department_id, id);
create index posts_provider_idx on posts (provider_id, id);
create index posts_property_idx on posts (property_id, id);
create index posts_collective_idx on posts (collective_id, id) where collective_id is not null;

alter table users
    add column department_id uuid references departments,
    add column post_id uuid references posts,
    -- A post is one of a department's.
    add constraint users_post_check check (post_id is null or department_id is not null);
create index users_department_idx on users (department_id, id) where department_id is not null;
create index users_post_idx on users (post_id, id) where post_id is not null;

-- Every node has a first department. That of a node which is there already bears the node's id.
insert into departments (id, kind, name)
    values (encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid()) placing
        substring(int8send(floor(extract(epoch from now()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid,
        'platform', '平台');
insert into departments (id, kind, provider_id, name, created_at)
    select id, 'provider', id, name, created_at from providers where review = 'approved';
insert into departments (id, kind, provider_id, property_id, name, created_at)
    select id, 'property', provider_id, id, name, created_at from properties;
