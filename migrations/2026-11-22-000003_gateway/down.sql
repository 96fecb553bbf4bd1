drop table device_transactions, device_commands, device_frames, unknown_devices, connection_records;
drop sequence device_transaction_ids;
