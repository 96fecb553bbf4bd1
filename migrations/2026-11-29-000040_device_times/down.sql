alter table charger_states drop relative_meter_since;
update charge_sessions set meter = null;
alter table charge_sessions drop clock;
delete from meter_readings a using meter_readings b
    where a.order_id = b.order_id and a.at = b.at and (a.wh, a.run, a.kind) < (b.wh, b.run, b.kind);
alter table meter_readings drop constraint meter_readings_pkey, drop kind, drop run, drop arrived_at;
alter table meter_readings add primary key (order_id, at);
