-- Readings are kept as the charger tells them; its clock says when that was.
alter table meter_readings
    -- The charger's own registers at both ends of the charge, or a sample in between.
    add kind text not null default 'sample' check (kind in ('begin', 'sample', 'end')),
    -- Which run of its clock `at` belongs to: a clock that is set during a charge begins a new one.
    add run smallint not null default 0,
    add arrived_at timestamptz;
update meter_readings set arrived_at = at;
alter table meter_readings
    alter arrived_at set not null,
    drop constraint meter_readings_pkey,
    add primary key (order_id, run, at, kind);

alter table charge_sessions add clock jsonb;
-- Added up anew with the next reading.
update charge_sessions set meter = null;

-- Since when it is known that the charger's meter values count from the beginning of each charge.
alter table charger_states add relative_meter_since timestamptz;
