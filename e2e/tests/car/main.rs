//! Car charging (3.2 of the manual), its orders and their money (3.4), its drivers (3.5) and the first page (3.1), page by
//! page, by clicks and typing.

mod area;
mod charger;
mod connector;
mod dashboard;
mod invoice;
mod member;
mod order;
mod payment;
mod reservation;
mod station;
mod tariff;
