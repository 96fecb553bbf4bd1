-- Jobs: what has to happen after a transaction, written in that transaction.

create table jobs (
    id uuid primary key,
    kind text not null,
    -- Equal keys of one kind are one job while it is open.
    key text not null,
    payload jsonb not null,
    state text not null default 'ready' check (state in ('ready', 'running', 'done', 'dead')),
    attempts integer not null default 0,
    run_at timestamptz not null default now(),
    locked_until timestamptz,
    last_error text,
    created_at timestamptz not null default now(),
    finished_at timestamptz
);
create unique index jobs_key_key on jobs (kind, key) where state in ('ready', 'running');
create index jobs_due_idx on jobs (run_at) where state in ('ready', 'running');
create index jobs_finished_idx on jobs (finished_at) where state = 'done';
create index jobs_dead_idx on jobs (id) where state = 'dead';
