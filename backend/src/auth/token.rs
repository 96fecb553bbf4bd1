//! Tokens: short-lived signed access tokens and random refresh tokens that are stored as hashes.

use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::hs256;
use crate::config::Secret;

/// Who an access token speaks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// A user of the console.
    Staff,
    /// A driver with the mini-program.
    Driver,
}

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's or driver's id.
    pub sub: Uuid,
    /// Which of the two.
    pub kind: Audience,
    /// The family of sessions that it came from: revoking that ends it.
    pub family: Uuid,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
}

/// Signs and reads access tokens.
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl Tokens {
    /// With this secret; all processes of a platform need the same, see [`super::secret`].
    ///
    /// # Errors
    /// There is none.
    pub fn new(secret: &Secret) -> Result<Self> {
        if secret.is_empty() {
            bail!("there is no secret to sign access tokens with");
        }
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.set_required_spec_claims(&["exp", "sub"]);
        Ok(Self {
            encoding: EncodingKey::from_secret(secret.expose().as_bytes()),
            decoding: DecodingKey::from_secret(secret.expose().as_bytes()),
            validation,
        })
    }

    /// Signs an access token.
    ///
    /// # Errors
    /// Never in practice.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        Ok(jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &self.encoding)?)
    }

    /// Reads an access token; `None` if it is not ours or has ended.
    pub fn read(&self, token: &str) -> Option<Claims> {
        jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok().map(|it| it.claims)
    }

    /// A digest that only we can make: for secrets so short that all of them can be tried against [`digest`].
    ///
    /// # Errors
    /// Never in practice.
    pub fn keyed_digest(&self, text: &str) -> Result<String> {
        Ok(jsonwebtoken::crypto::sign(text.as_bytes(), &self.encoding, Algorithm::HS256)?)
    }

    /// The refresh token that comes after this one. It is made from that alone, so that it can be told again though only its
    /// digest is kept; without our key nobody can make it.
    ///
    /// # Errors
    /// Never in practice.
    pub fn successor(&self, token: &str) -> Result<String> {
        self.keyed_digest(&format!("refresh token after\n{token}"))
    }
}

/// A random text of 256 bits.
pub fn random() -> String {
    let mut bytes = [0; 32];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// How a random token is stored: it needs no salt, being random itself.
pub fn digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// A secret in a file that only we can read, made when it is not there.
pub fn kept_secret(path: &Path) -> Result<Secret> {
    if let Ok(text) = std::fs::read_to_string(path) {
        return Ok(Secret::new(text.trim()));
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // It gets its name when it is complete, so that nobody reads half of it.
    let new = path.with_extension(Uuid::new_v4().to_string());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&new).with_context(|| format!("cannot write {}", new.display()))?;
    std::io::Write::write_all(&mut file, random().as_bytes())?;
    let named = std::fs::hard_link(&new, path);
    std::fs::remove_file(&new)?;
    match named {
        // Another process was faster.
        Err(err) if err.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(err).with_context(|| format!("cannot write {}", path.display()))
        }
        _ => kept_secret(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_and_nothing_else() {
        let ours = Tokens::new(&Secret::new("one")).unwrap();
        let theirs = Tokens::new(&Secret::new("two")).unwrap();
        assert!(Tokens::new(&Secret::default()).is_err());
        let (user, now) = (Uuid::new_v4(), chrono::Utc::now().timestamp());
        let claims = |exp| Claims { sub: user, kind: Audience::Staff, family: Uuid::new_v4(), exp };
        let token = ours.sign(&claims(now + 60)).unwrap();
        assert_eq!(ours.read(&token).unwrap().sub, user);
        assert_eq!(theirs.read(&token), None);
        let old = ours.sign(&claims(now - 1)).unwrap();
        assert_eq!(ours.read(&old), None);
    }
}
