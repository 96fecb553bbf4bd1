alter table charge_sessions drop column avg_power_w, drop column peak_power_w;
