-- A refund that failed for good can be asked for again, once: this is the number that it then has.
alter table refunds add column retried_as text
    constraint refunds_retried_key unique references refunds (refund_no);
-- What went back by itself and failed was always asked for again under the payment's next number of the same kind.
update refunds r set retried_as = (
    select later.refund_no from refunds later
    where later.payment_id = r.payment_id and later.kind = r.kind and later.seq > r.seq order by later.seq limit 1
) where kind <> 'manual';

-- Staff looks through jobs of a kind.
create index jobs_kind_idx on jobs (kind, id);
-- One job throws away whatever was kept long enough; it began with frames.
update jobs set kind = 'housekeep' where kind = 'expire_frames' and state in ('ready', 'running');
create index sessions_expires_idx on sessions (expires_at);
