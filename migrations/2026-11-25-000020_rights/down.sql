drop trigger user_stations_rights on user_stations;
drop trigger user_roles_rights on user_roles;
drop trigger roles_rights on roles;
drop trigger sessions_rights on sessions;
drop trigger users_delete_rights on users;
drop trigger users_change_rights on users;
drop function tell_of_rights();
