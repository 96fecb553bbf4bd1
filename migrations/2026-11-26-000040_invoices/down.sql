drop table invoice_files;
drop table invoice_orders;
drop table invoices;
drop sequence invoice_numbers;
alter table stations drop column seller;
