drop index sessions_live_idx;
drop table settings;
