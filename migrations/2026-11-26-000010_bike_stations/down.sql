alter table stations drop column short_name;
