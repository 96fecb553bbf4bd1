-- What the platform's staff can set while it runs: one row.

create table settings (
    id boolean primary key default true constraint settings_one_check check (id),
    name text not null default 'Wattyard',
    -- A data URL.
    logo text,
    language text not null default 'zh' check (language in ('zh', 'en')),
    access_minutes integer not null default 15,
    session_days integer not null default 14,
    sessions_per_user integer not null default 20,
    frame_days integer not null default 90,
    login_days integer not null default 365,
    audit_days integer not null default 1095,
    version bigint not null default 1,
    updated_at timestamptz not null default now()
);
insert into settings default values;

-- Who is logged in: a family has one token that is neither spent nor revoked.
create index sessions_live_idx on sessions (family) where user_id is not null and spent_at is null and revoked_at is null;
