drop index login_records_provider_idx, login_records_property_idx, login_records_ip_idx, login_records_outcome_idx;
alter table login_records
    drop column user_name, drop column provider_id, drop column property_id, drop column collective_id;
alter table audits drop column collective_id;

delete from user_roles where user_id in (select id from users where kind = 'collective');
delete from users where kind = 'collective';
delete from roles where kind = 'collective';
alter table users
    drop constraint users_node_check,
    drop column collective_id,
    add constraint users_kind_check check (kind in ('platform', 'provider', 'property')),
    add constraint users_node_check check (
        (kind = 'platform' and provider_id is null and property_id is null)
        or (kind = 'provider' and provider_id is not null and property_id is null)
        or (kind = 'property' and provider_id is not null and property_id is not null)
    );
drop index roles_builtin_key;
alter table roles
    drop constraint roles_node_check,
    drop constraint roles_name_key,
    drop column collective_id,
    add constraint roles_kind_check check (kind in ('platform', 'provider', 'property')),
    add constraint roles_node_check check (
        (kind = 'platform' and provider_id is null and property_id is null)
        or (kind = 'provider' and provider_id is not null and property_id is null)
        or (kind = 'property' and provider_id is not null and property_id is not null)
    ),
    add constraint roles_name_key unique nulls not distinct (provider_id, property_id, name);
create unique index roles_builtin_key on roles (provider_id, property_id) nulls not distinct where builtin;
drop function is_node;
drop table collectives;
