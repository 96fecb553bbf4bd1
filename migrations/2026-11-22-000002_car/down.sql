drop table tariff_versions, tariffs, connectors, charger_states, chargers, areas, user_stations, stations;
drop sequence station_codes, area_codes, charger_codes;
