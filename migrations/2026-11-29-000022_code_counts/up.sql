-- How many text messages with codes were sent: to a telephone, because of an address, and in all.
create table code_counts (
    subject text primary key,
    sends integer not null,
    counted_from timestamptz not null
);

-- Who asked for the code: an address is not held to a code that was used.
alter table login_codes add column network text not null default '';
