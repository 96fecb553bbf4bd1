alter table users add column failed_logins integer not null default 0, add column locked_until timestamptz;
drop table login_tries;
