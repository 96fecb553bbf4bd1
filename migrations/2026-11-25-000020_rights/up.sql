-- Whoever keeps a stream of events open must hear when what people may see and do has changed. Triggers, so that no way
-- of changing it can forget to tell; and a notification is delivered before those of later transactions.

create function tell_of_rights() returns trigger language plpgsql as $$
begin
    notify wattyard_rights;
    return null;
end $$;

create trigger users_change_rights after update on users for each row
    when ((old.enabled, old.must_change_password, old.kind, old.provider_id, old.property_id)
        is distinct from (new.enabled, new.must_change_password, new.kind, new.provider_id, new.property_id))
    execute function tell_of_rights();
create trigger users_delete_rights after delete on users for each statement execute function tell_of_rights();
create trigger sessions_rights after update on sessions for each row
    when (new.user_id is not null and old.revoked_at is distinct from new.revoked_at)
    execute function tell_of_rights();
create trigger roles_rights after update on roles for each row
    when ((old.enabled, old.permissions) is distinct from (new.enabled, new.permissions))
    execute function tell_of_rights();
create trigger user_roles_rights after insert or update or delete on user_roles
    for each statement execute function tell_of_rights();
create trigger user_stations_rights after insert or update or delete on user_stations
    for each statement execute function tell_of_rights();
