//! Accounts: passwords that are told once, and the account that every provider and property has from its beginning.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rand::seq::IndexedRandom;
use schema::{user_roles, users};
use shared::text::t;
use uuid::Uuid;

use super::node;
use crate::app::{App, new_id};
use crate::auth::scope::Node;
use crate::auth::{lockout, session};
use crate::error::{Error, Result};

#[declare_sql_function]
extern "SQL" {
    /// A text in lower case: account names are unique in whatever case they are written.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// A new password: what is told once, and what is kept.
#[derive(Clone)]
pub struct Password {
    plain: String,
    hash: String,
    generated: bool,
}

impl Password {
    /// The chosen one, or one that is made up.
    ///
    /// # Errors
    /// 429 when too many passwords are being checked.
    pub async fn new(app: &App, chosen: Option<&str>) -> Result<Self> {
        let plain = chosen.map_or_else(readable, str::to_owned);
        let hash = app.hasher.hash(&plain).await?;
        Ok(Self { plain, hash, generated: chosen.is_none() })
    }

    /// What must be told, because nobody knows it yet.
    pub fn told(self) -> Option<String> {
        self.generated.then_some(self.plain)
    }
}

/// Twelve letters and digits that cannot be mistaken for one another when they are read out: 59 bits.
fn readable() -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut random = rand::rng();
    let letter = |at: usize| {
        let dash = (at > 0 && at.is_multiple_of(4)).then_some('-');
        let letter = LETTERS.choose(&mut random).map(|it| char::from(*it));
        dash.into_iter().chain(letter)
    };
    (0..12).flat_map(letter).collect()
}

/// Sets a user's password, to be changed at the next login; whoever is logged in by the old one no longer is.
///
/// # Errors
/// The database's.
pub async fn set(conn: &mut AsyncPgConnection, user: Uuid, password: &Password, now: DateTime<Utc>) -> Result<()> {
    let username: String = diesel::update(users::table.find(user))
        .set((
            users::password_hash.eq(&password.hash),
            users::password_changed_at.eq(now),
            users::must_change_password.eq(true),
        ))
        .returning(users::username)
        .get_result(conn)
        .await?;
    lockout::forget(conn, &username).await?;
    session::revoke_others(conn, user, None, now).await
}

/// As [`set`], for the account of this name.
///
/// # Errors
/// The database's; 404 when there is no such account.
pub async fn set_by_name(
    conn: &mut AsyncPgConnection,
    username: &str,
    password: &Password,
    now: DateTime<Utc>,
) -> Result<()> {
    let user = users::table.filter(lower(users::username).eq(username)).select(users::id).first(conn).await?;
    set(conn, user, password, now).await
}

/// Whether a mobile number can still become the name of an account.
///
/// # Errors
/// The database's.
pub async fn is_free(conn: &mut AsyncPgConnection, phone: &str) -> Result<bool> {
    let taken = users::table.filter(lower(users::username).eq(phone));
    Ok(!diesel::select(diesel::dsl::exists(taken)).get_result::<bool>(conn).await?)
}

/// Refuses a mobile number that is the name of somebody else's account.
///
/// # Errors
/// 422 on `phone`.
pub async fn require_free(conn: &mut AsyncPgConnection, phone: &str) -> Result<()> {
    if is_free(conn, phone).await? {
        return Ok(());
    }
    Err(Error::field("phone", "taken", t("已是其他用户的登录账号", "Already the name of another account")))
}

/// Opens the first account of a new node of this name: in its first department, named by its mobile number, with the
/// role that holds all that the node may have. It has no password until one is set.
///
/// # Errors
/// The database's.
pub async fn open(conn: &mut AsyncPgConnection, node: Node, name: &str, phone: &str, person: &str) -> Result<()> {
    let (department, role) = node::furnish(conn, node, name).await?;
    let user = new_id(Utc::now());
    diesel::insert_into(users::table)
        .values((
            users::id.eq(user),
            users::kind.eq(node.kind()),
            users::provider_id.eq(node.provider()),
            users::property_id.eq(node.property()),
            users::collective_id.eq(node.collective()),
            users::department_id.eq(department),
            users::username.eq(phone),
            users::phone.eq(phone),
            users::name.eq(person),
            users::password_hash.eq(""),
            users::must_change_password.eq(true),
        ))
        .execute(conn)
        .await?;
    diesel::insert_into(user_roles::table)
        .values((user_roles::user_id.eq(user), user_roles::role_id.eq(role)))
        .execute(conn)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn made_up_passwords_can_be_read_out() {
        let password = readable();
        assert_eq!(password.len(), 14);
        assert_eq!(password.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4]);
        assert!(!password.contains(['0', 'o', '1', 'l', 'i']));
        assert_ne!(password, readable());
    }
}
