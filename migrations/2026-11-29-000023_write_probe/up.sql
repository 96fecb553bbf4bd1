-- One row that is written to see whether the database can be written.
create table write_probe (
    id boolean primary key default true constraint write_probe_one_check check (id),
    written_at timestamptz not null default now()
);
insert into write_probe default values;
