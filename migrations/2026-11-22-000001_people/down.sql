drop table idempotency_keys, audits, login_records, sessions, user_roles, roles, users, properties, providers;
