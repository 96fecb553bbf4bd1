alter table charge_sessions drop column staff_asked_at, drop column stop_accepted_at, drop column lost_at;
drop index device_transactions_unknown_idx;
alter table device_transactions drop column told_to_stop_at, drop column readings;
create sequence device_transaction_ids as integer start 1;
alter table device_transactions alter column transaction_id set default nextval('device_transaction_ids');
