//! Passwords: argon2id behind a bounded queue, so that a flood of logins cannot starve the rest.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use shared::text::t;
use tokio::sync::Semaphore;

use crate::error::Error;

/// Hashes and checks passwords, a few at a time.
pub struct Hasher {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    /// Checked when the account does not exist, so that a wrong name takes as long as a wrong password.
    dummy: String,
}

/// Lets go of a place in the queue whatever happens.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Hasher {
    /// At most half the cores hash at once, and `queue` more wait.
    ///
    /// # Errors
    /// Never in practice.
    pub fn new(queue: usize) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Self {
            permits: Arc::new(Semaphore::new((cores / 2).max(1))),
            waiting: AtomicUsize::new(0),
            queue,
            dummy: hash("a password that nobody has")?,
        })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// 429 when too many wait already.
    pub async fn hash(&self, password: &str) -> crate::error::Result<String> {
        let password = password.to_owned();
        self.run(move || hash(&password)).await?.map_err(Error::Internal)
    }

    /// Checks a password against a stored hash. `None` stands for an account that does not exist, an empty hash for one
    /// that has no password yet; neither is ever right, and both take as long as a wrong password.
    ///
    /// # Errors
    /// 429 when too many wait already.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> crate::error::Result<bool> {
        let stored = stored.filter(|it| !it.is_empty());
        let exists = stored.is_some();
        let (password, stored) = (password.to_owned(), stored.unwrap_or(&self.dummy).to_owned());
        let right = self.run(move || verify(&password, &stored)).await?;
        Ok(right && exists)
    }

    /// Whether a stored hash was made with other parameters than new ones are: it is made anew when its password is known.
    pub fn is_outdated(stored: &str) -> bool {
        let current = || {
            let stored = PasswordHash::new(stored).ok()?;
            let params = Params::try_from(&stored).ok()?;
            let same = stored.algorithm == Algorithm::default().ident()
                && stored.version == Some(Version::default().into())
                && (params.m_cost(), params.t_cost(), params.p_cost())
                    == (Params::DEFAULT_M_COST, Params::DEFAULT_T_COST, Params::DEFAULT_P_COST);
            Some(same)
        };
        !current().unwrap_or_default()
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> crate::error::Result<T> {
        let place = self.waiting.fetch_add(1, Ordering::SeqCst);
        let _waiting = Waiting(&self.waiting);
        if place >= self.queue {
            return Err(Error::Limited(
                5,
                t("登录的人太多，请稍后再试", "Too many people are logging in; try again shortly"),
            ));
        }
        let permit = self.permits.clone().acquire_owned().await.map_err(anyhow::Error::from)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        Ok(done.await.map_err(anyhow::Error::from)?)
    }
}

fn hash(password: &str) -> Result<String> {
    Ok(Argon2::default().hash_password(password.as_bytes()).map_err(|err| anyhow!("hashing: {err}"))?.to_string())
}

fn verify(password: &str, stored: &str) -> bool {
    PasswordHash::new(stored)
        .is_ok_and(|stored| Argon2::default().verify_password(password.as_bytes(), &stored).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn right_wrong_and_nobody() {
        let hasher = Hasher::new(4).unwrap();
        let stored = hasher.hash("s3cret-enough").await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(hasher.verify("s3cret-enough", Some(&stored)).await.unwrap());
        assert!(!hasher.verify("s3cret-Enough", Some(&stored)).await.unwrap());
        assert!(!hasher.verify("a password that nobody has", None).await.unwrap());
        assert!(!hasher.verify("a password that nobody has", Some("")).await.unwrap());
    }

    #[test]
    fn hashes_of_other_parameters_are_outdated() {
        assert!(!Hasher::is_outdated(&hash("s3cret-enough").unwrap()));
        let params = Params::new(4096, 1, 1, None).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::default(), params);
        assert!(Hasher::is_outdated(&weak.hash_password(b"s3cret-enough").unwrap().to_string()));
        let other = Argon2::new(Algorithm::Argon2i, Version::default(), Params::default());
        assert!(Hasher::is_outdated(&other.hash_password(b"s3cret-enough").unwrap().to_string()));
        assert!(Hasher::is_outdated(""));
    }

    #[tokio::test]
    async fn turns_away_more_than_the_queue_holds() {
        let hasher = Hasher::new(1).unwrap();
        let (first, second) = tokio::join!(hasher.verify("x", None), hasher.verify("x", None));
        assert!(!first.unwrap());
        assert!(matches!(second, Err(Error::Limited(..))));
    }
}
