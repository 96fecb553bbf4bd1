alter table collectives drop column locked;
drop table cards;
drop sequence card_codes;
drop table card_product_stations;
drop table card_products;
