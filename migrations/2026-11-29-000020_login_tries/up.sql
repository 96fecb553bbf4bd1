-- Wrong passwords, counted by the name that was typed and the network that it came from, whether there is such an account or
-- not. The network '' counts those of all networks from which nobody has logged in under this name before.
create table login_tries (
    name text not null,
    network text not null,
    failed integer not null,
    failed_at timestamptz not null,
    locked_until timestamptz,
    -- When somebody logged in from there: such a network is not shut out for what others do.
    succeeded_at timestamptz,
    constraint login_tries_pkey primary key (name, network)
);

alter table users drop column failed_logins, drop column locked_until;
