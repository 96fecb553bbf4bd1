-- Tenants, users, roles, sessions, and what is remembered of what they did.

create table providers (
    id uuid primary key,
    name text not null,
    contact text not null,
    phone text not null constraint providers_phone_key unique,
    email text,
    review text not null default 'pending' check (review in ('pending', 'approved', 'rejected')),
    review_note text,
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint providers_name_key unique (name)
);

create table properties (
    id uuid primary key,
    provider_id uuid not null references providers,
    name text not null,
    contact text not null,
    phone text not null constraint properties_phone_key unique,
    email text,
    province text,
    city text,
    address text,
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint properties_name_key unique (provider_id, name)
);

create table users (
    id uuid primary key,
    kind text not null check (kind in ('platform', 'provider', 'property')),
    provider_id uuid references providers,
    property_id uuid references properties,
    username text not null,
    name text not null,
    phone text,
    email text,
    -- Empty: the account has no password yet and cannot log in.
    password_hash text not null,
    password_changed_at timestamptz not null default now(),
    must_change_password boolean not null default false,
    enabled boolean not null default true,
    failed_logins integer not null default 0,
    locked_until timestamptz,
    last_login_at timestamptz,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- The node a user sits at follows from the kind.
    constraint users_node_check check (
        (kind = 'platform' and provider_id is null and property_id is null)
        or (kind = 'provider' and provider_id is not null and property_id is null)
        or (kind = 'property' and provider_id is not null and property_id is not null)
    )
);
create unique index users_username_key on users (lower(username));
create index users_provider_idx on users (provider_id, id);
create index users_property_idx on users (property_id, id);

create table roles (
    id uuid primary key,
    kind text not null check (kind in ('platform', 'provider', 'property')),
    provider_id uuid references providers,
    property_id uuid references properties,
    name text not null,
    permissions text[] not null default '{}',
    -- A node's administrator: holds all that the node's kind may have, and cannot be weakened.
    builtin boolean not null default false,
    enabled boolean not null default true,
    version bigint not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint roles_node_check check (
        (kind = 'platform' and provider_id is null and property_id is null)
        or (kind = 'provider' and provider_id is not null and property_id is null)
        or (kind = 'property' and provider_id is not null and property_id is not null)
    ),
    constraint roles_name_key unique nulls not distinct (provider_id, property_id, name)
);

create table user_roles (
    user_id uuid not null references users on delete cascade,
    role_id uuid not null references roles,
    primary key (user_id, role_id)
);
create index user_roles_role_idx on user_roles (role_id);
create index roles_property_idx on roles (property_id, id);
create unique index roles_builtin_key on roles (provider_id, property_id) nulls not distinct where builtin;

-- A login and its chain of refresh tokens. Reuse of a spent token revokes the family.
create table sessions (
    id uuid primary key,
    family uuid not null,
    user_id uuid references users on delete cascade,
    driver_id uuid,
    token_hash text not null constraint sessions_token_hash_key unique,
    ip text not null,
    agent text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    spent_at timestamptz,
    revoked_at timestamptz,
    check (num_nonnulls(user_id, driver_id) = 1)
);
create index sessions_family_idx on sessions (family);
create index sessions_user_idx on sessions (user_id);
create index sessions_driver_idx on sessions (driver_id);

create table login_records (
    id uuid primary key,
    username text not null,
    user_id uuid,
    ip text not null,
    agent text not null,
    outcome text not null check (outcome in ('succeeded', 'wrong', 'disabled', 'locked')),
    created_at timestamptz not null default now()
);
create index login_records_username_idx on login_records (username, id);
create index login_records_user_idx on login_records (user_id, id);

create table audits (
    id uuid primary key,
    user_id uuid,
    user_name text not null,
    provider_id uuid,
    property_id uuid,
    ip text not null,
    request_id text not null,
    resource text not null,
    object_id uuid not null,
    object_name text not null,
    action text not null,
    before jsonb,
    after jsonb,
    created_at timestamptz not null default now()
);
create index audits_object_idx on audits (object_id, id);
create index audits_user_idx on audits (user_id, id);
create index audits_provider_idx on audits (provider_id, id);
create index audits_property_idx on audits (property_id, id);
create index audits_resource_idx on audits (resource, id);

-- What was answered under an Idempotency-Key.
create table idempotency_keys (
    actor uuid not null,
    operation text not null,
    key text not null,
    request_hash text not null,
    status integer,
    body text,
    locked_until timestamptz not null,
    created_at timestamptz not null default now(),
    primary key (actor, operation, key)
);
create index idempotency_keys_created_idx on idempotency_keys (created_at);
