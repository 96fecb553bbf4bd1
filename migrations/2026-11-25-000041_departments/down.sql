alter table users drop column post_id, drop column department_id;
drop table posts, departments;
