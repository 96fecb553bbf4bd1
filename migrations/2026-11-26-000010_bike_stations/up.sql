-- What drivers read of an e-bike station where there is little room.

alter table stations add column short_name text;
