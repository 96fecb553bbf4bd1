drop index sessions_expires_idx;
update jobs set kind = 'expire_frames' where kind = 'housekeep' and state in ('ready', 'running');
drop index jobs_kind_idx;
alter table refunds drop column retried_as;
