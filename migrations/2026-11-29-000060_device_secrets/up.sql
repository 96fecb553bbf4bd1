-- A device is told a password in confidence: it is kept beside the command, and gone as soon as that has ended. A command
-- that a later one replaced before it was sent is cancelled.
alter table device_commands
    add column secret text,
    drop constraint device_commands_state_check,
    add constraint device_commands_state_check
        check (state in ('pending', 'sent', 'acknowledged', 'refused', 'timed_out', 'cancelled')),
    add constraint device_commands_secret_check check (secret is null or state in ('pending', 'sent'));
