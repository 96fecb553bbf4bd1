alter table providers drop column parent_id;
