-- What all processes of a platform must agree on and nobody else may know, where no setting says it.
create table secrets (
    name text primary key,
    value text not null,
    created_at timestamptz not null default now()
);
