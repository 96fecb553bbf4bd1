drop table order_days, inbox_rejected, inbox, ledger_entries, ledger_transactions, ledger_accounts, refunds, payments,
    order_events, meter_readings, charge_sessions, car_orders, login_codes, driver_visits;
drop function ledger_transaction_balances, ledger_is_append_only;
alter table sessions drop constraint sessions_driver_id_fkey;
drop table drivers;
drop sequence car_order_numbers;
