//! Database constraints, and the field whose fault it is when one is violated.

use shared::text::{Text, t};

use crate::api::idempotency::already_done;
use crate::error::Error;

const TAKEN: Text = t("已被使用", "Already taken");
/// Serial numbers are unique among all tenants, of whose chargers none is to learn more than cannot be helped.
const UNAVAILABLE: Text = t("此标识不可用，请核对", "It cannot be used; check it");

/// Constraint, field, code, message.
const CONSTRAINTS: &[(&str, &str, &str, Text)] = &[
    ("providers_phone_key", "phone", "taken", TAKEN),
    ("providers_name_key", "name", "taken", TAKEN),
    ("properties_phone_key", "phone", "taken", TAKEN),
    ("properties_name_key", "name", "taken", TAKEN),
    ("users_username_key", "username", "taken", TAKEN),
    ("roles_name_key", "name", "taken", TAKEN),
    ("departments_name_key", "name", "taken", TAKEN),
    ("posts_name_key", "name", "taken", TAKEN),
    ("collectives_name_key", "name", "taken", TAKEN),
    ("stations_name_key", "name", "taken", TAKEN),
    ("areas_name_key", "name", "taken", TAKEN),
    ("chargers_serial_no_key", "serial_no", "unavailable", UNAVAILABLE),
    ("connectors_number_key", "number", "taken", TAKEN),
    ("connectors_code_key", "code", "taken", TAKEN),
    ("tariffs_name_key", "name", "taken", TAKEN),
    ("drivers_phone_key", "phone", "taken", TAKEN),
    ("card_products_name_key", "name", "taken", TAKEN),
    ("cards_card_no_key", "card_no", "taken", TAKEN),
    ("cards_chip_uid_key", "chip_uid", "taken", TAKEN),
];

/// Constraints that guard a state rather than a field.
const STATES: &[(&str, &str, Text)] = &[
    (
        "stations_enabled_check",
        "not_approved",
        t("电站审核通过后才能启用", "The station must be approved before it is enabled"),
    ),
    ("tariffs_area_key", "area_has_tariff", t("该区域已有启用的计费规则", "The area already has an enabled tariff")),
    ("car_orders_connector_key", "connector_busy", t("充电枪正在使用中", "The connector is in use")),
    ("reservations_connector_key", "connector_reserved", t("充电枪已被预约", "The connector is reserved")),
    (
        "reservations_live_driver_key",
        "already_reserved",
        t("您已有进行中的预约", "You have a reservation already that has not ended"),
    ),
    ("jobs_key_key", "job_open", t("相同的任务已在队列中", "The same job is under way already")),
    ("ledger_accounts_guard_check", "insufficient", t("余额不足", "The balance does not suffice")),
];

/// Constraints that say that what a key stands for was done before, though its row is gone.
const DONE: &[&str] = &["ledger_transactions_key_id_key", "payments_key_id_key", "refunds_key_id_key"];

/// The error that the violation of a known constraint means.
pub fn error(constraint: &str) -> Option<Error> {
    if let Some((_, field, code, text)) = CONSTRAINTS.iter().find(|(name, ..)| *name == constraint) {
        return Some(Error::field(*field, code, *text));
    }
    if DONE.contains(&constraint) {
        return Some(already_done());
    }
    let (_, code, text) = STATES.iter().find(|(name, ..)| *name == constraint)?;
    Some(Error::Conflict(code, *text))
}
