update device_commands set state = 'timed_out' where state = 'cancelled';
alter table device_commands
    drop column secret,
    drop constraint device_commands_state_check,
    add constraint device_commands_state_check
        check (state in ('pending', 'sent', 'acknowledged', 'refused', 'timed_out'));
