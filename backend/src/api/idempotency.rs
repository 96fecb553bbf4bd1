//! Idempotency keys: what was done under a key is never done again, and its answer is given again.
//!
//! A key's row is written in the transaction of what is done under it. Whatever happens to the client, the process or the
//! database, both are there afterwards or neither is, and a repeat finds out which. What was refused left no row and may be
//! tried again. Money that is moved meanwhile names the key in its own rows, so that it is not moved twice either when the
//! key's row has been thrown away.

use std::sync::{Arc, OnceLock};

use actix_web::HttpRequest;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use schema::idempotency_keys as keys;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use shared::text::t;
use uuid::Uuid;

use crate::auth::token::digest;
use crate::error::{Error, Result};

/// The header that names the key.
pub const HEADER: &str = "Idempotency-Key";
/// The longest key.
const LONGEST: usize = 255;

/// How a key was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// What it stands for was done now.
    Done,
    /// It had been done before.
    Replayed,
}

/// The key of one request.
#[derive(Clone, Debug)]
pub struct Key {
    id: Uuid,
    actor: Uuid,
    operation: Arc<str>,
    key: String,
    /// What the request asks for.
    hash: String,
    used: Arc<OnceLock<Used>>,
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    free: bool,
}

impl Key {
    /// The key that a request of this actor names.
    ///
    /// # Errors
    /// 422 when it names none, or none that can be kept.
    pub fn of(req: &HttpRequest, actor: Uuid, operation: &Arc<str>, body: &[u8]) -> Result<Self> {
        let Some(key) = req.headers().get(HEADER) else {
            let text = t("该操作必须带 Idempotency-Key 请求头", "This operation needs the header Idempotency-Key");
            return Err(Error::field(HEADER, "idempotency_key_required", text));
        };
        let key = key.to_str().ok().filter(|it| (1..=LONGEST).contains(&it.len()));
        let Some(key) = key else {
            return Err(Error::field(HEADER, "format", t("1 到 255 个可见字符", "1 to 255 visible characters")));
        };
        let hash = digest(&format!("{}\n{}", req.path(), String::from_utf8_lossy(body)));
        let (id, key) = (id(actor, operation, key), key.to_owned());
        Ok(Self { id, actor, operation: operation.clone(), key, hash, used: Arc::default() })
    }

    /// The id of its row, by which rows name the key that they were made under.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// How it was used, if it was.
    pub fn used(&self) -> Option<Used> {
        self.used.get().copied()
    }

    /// In the caller's transaction: does what was not done under this key before, and keeps its answer; else gives the
    /// answer of that time.
    ///
    /// # Errors
    /// 409 while another request with the key is at work, 422 when the key was used for something else, and whatever the
    /// deed says, which is then as undone as the key is unused.
    pub async fn once<R: Serialize + DeserializeOwned>(
        &self,
        conn: &mut AsyncPgConnection,
        deed: impl AsyncFnOnce(&mut AsyncPgConnection) -> Result<R>,
    ) -> Result<R> {
        self.lock(conn).await?;
        let known: Option<(String, String)> =
            keys::table.find(self.id).select((keys::request_hash, keys::answer)).first(conn).await.optional()?;
        if let Some((hash, answer)) = known {
            let answer = self.answer(&hash, &answer)?;
            self.used.get_or_init(|| Used::Replayed);
            return Ok(answer);
        }
        let done = deed(conn).await?;
        let answer = serde_json::to_string(&done).map_err(|err| Error::internal(err.to_string()))?;
        let row = (
            keys::id.eq(self.id),
            keys::actor.eq(self.actor),
            keys::operation.eq(&*self.operation),
            keys::key.eq(&self.key),
            keys::request_hash.eq(&self.hash),
            keys::answer.eq(answer),
        );
        diesel::insert_into(keys::table).values(row).execute(conn).await?;
        self.used.get_or_init(|| Used::Done);
        Ok(done)
    }

    /// Keeps other requests with this key out until the transaction ends, and has its rows name the key.
    async fn lock(&self, conn: &mut AsyncPgConnection) -> Result<()> {
        let (number, _) = self.id.as_u64_pair();
        let Locked { free } = diesel::sql_query(
            "select pg_try_advisory_xact_lock($1) as free, set_config('wattyard.key_id', $2, true) as setting",
        )
        .bind::<BigInt, _>(number.cast_signed())
        .bind::<Text, _>(self.id.to_string())
        .get_result(conn)
        .await?;
        if free { Ok(()) } else { Err(Error::StillRunning) }
    }

    fn answer<R: DeserializeOwned>(&self, hash: &str, answer: &str) -> Result<R> {
        if hash != self.hash {
            let text = t("该幂等键已用于其他内容", "The key was used for another content");
            return Err(Error::field(HEADER, "reused", text));
        }
        // An answer of an older version of this program may be written otherwise. What was done stays done.
        serde_json::from_str(answer).map_err(|_| already_done())
    }
}

/// Refuses what a key stands for, which was done long ago.
pub fn already_done() -> Error {
    let text = t(
        "该幂等键对应的操作早已执行，请查询结果；如需再次执行，请使用新的幂等键",
        "What this key stands for was done before; look at what became of it, or use a new key to have it done again",
    );
    Error::Conflict("already_done", text)
}

/// The id of a key's row. A migration computes the same.
fn id(actor: Uuid, operation: &str, key: &str) -> Uuid {
    let digest = Sha256::digest(format!("{actor}\n{operation}\n{key}"));
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    Uuid::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_what_the_migration_computes() {
        // select encode(substring(sha256(convert_to(concat_ws(E'\n', …), 'UTF8')) for 16), 'hex')::uuid
        let actor = Uuid::from_u128(1);
        assert_eq!(id(actor, "rechargeCard", "k-1").to_string(), "1fce9676-9942-c9ee-f913-c6ab7844fca5");
        assert_ne!(id(actor, "rechargeCard", "k-1"), id(actor, "rechargeCard", "k-2"));
    }
}
