alter table login_codes drop column network;
drop table code_counts;
