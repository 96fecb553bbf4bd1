-- Sub-merchants: providers that belong to another one.

alter table providers
    add column parent_id uuid references providers,
    add constraint providers_parent_check check (parent_id <> id);
create index providers_parent_idx on providers (parent_id, id) where parent_id is not null;
