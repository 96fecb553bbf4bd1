//! Signs and checks the messages between us and the sandbox channel. Both sides use it.
//!
//! The signature is an HMAC-SHA256 over method, path, time, nonce and body, each ended by a line feed. An answer is
//! signed like a request, with [`ANSWER`] as its method and its request's path and nonce, so that an old answer cannot
//! pass for a new one.

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::config::Secret;

/// Who signed: the merchant's number.
pub const MERCHANT: &str = "x-merchant";
/// When, in seconds since 1970.
pub const TIMESTAMP: &str = "x-timestamp";
/// A text that is used once.
pub const NONCE: &str = "x-nonce";
/// The signature, in hexadecimal.
pub const SIGNATURE: &str = "x-signature";
/// The method that answers are signed with.
pub const ANSWER: &str = "RESPONSE";
/// How far the two clocks may be apart, and how long a message stays good.
const PATIENCE: TimeDelta = TimeDelta::seconds(300);

/// What is signed.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// `GET`, `POST`, or [`ANSWER`].
    pub method: &'a str,
    /// The path, without host and query.
    pub path: &'a str,
    /// The exact bytes of the body.
    pub body: &'a [u8],
}

/// The headers that a signed message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// The merchant's number.
    pub merchant: String,
    /// Seconds since 1970.
    pub timestamp: String,
    /// A text that is used once.
    pub nonce: String,
    /// The signature.
    pub signature: String,
}

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A header is not there.
    #[error("the header {0} is missing")]
    Missing(&'static str),
    /// It is for another merchant.
    #[error("it is for another merchant")]
    Merchant,
    /// Its time is not near ours.
    #[error("its time is not near ours")]
    Stale,
    /// It answers another request.
    #[error("it answers another request")]
    Nonce,
    /// The signature is not right.
    #[error("the signature is not right")]
    Forged,
}

impl Headers {
    /// Takes the headers out of a message.
    ///
    /// # Errors
    /// One is missing.
    pub fn read<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Result<Self, Fault> {
        let get = |name| header(name).map(str::to_owned).ok_or(Fault::Missing(name));
        Ok(Self {
            merchant: get(MERCHANT)?,
            timestamp: get(TIMESTAMP)?,
            nonce: get(NONCE)?,
            signature: get(SIGNATURE)?,
        })
    }

    /// The headers by name, to be sent.
    pub fn pairs(&self) -> [(&'static str, &str); 4] {
        [(MERCHANT, &self.merchant), (TIMESTAMP, &self.timestamp), (NONCE, &self.nonce), (SIGNATURE, &self.signature)]
    }
}

/// A merchant's key.
#[derive(Clone, Debug)]
pub struct Signer {
    merchant: String,
    secret: Secret,
}

impl Signer {
    /// With the merchant's number and secret.
    pub fn new(merchant: impl Into<String>, secret: Secret) -> Self {
        Self { merchant: merchant.into(), secret }
    }

    /// The headers for a message.
    pub fn sign(&self, message: Message<'_>, nonce: impl Into<String>, now: DateTime<Utc>) -> Headers {
        let (timestamp, nonce) = (now.timestamp().to_string(), nonce.into());
        let signature = format!("{:x}", self.mac(message, &timestamp, &nonce).finalize().into_bytes());
        Headers { merchant: self.merchant.clone(), timestamp, nonce, signature }
    }

    /// Refuses a message that is not fresh, or not signed with this key.
    ///
    /// # Errors
    /// Why it is not believed.
    pub fn verify(&self, message: Message<'_>, headers: &Headers, now: DateTime<Utc>) -> Result<(), Fault> {
        if headers.merchant != self.merchant {
            return Err(Fault::Merchant);
        }
        let at = headers.timestamp.parse().ok().and_then(|it| DateTime::from_timestamp(it, 0)).ok_or(Fault::Stale)?;
        if (now - at).abs() > PATIENCE {
            return Err(Fault::Stale);
        }
        let signature = unhex(&headers.signature).ok_or(Fault::Forged)?;
        self.mac(message, &headers.timestamp, &headers.nonce).verify_slice(&signature).map_err(|_| Fault::Forged)
    }

    fn mac(&self, message: Message<'_>, timestamp: &str, nonce: &str) -> Hmac<Sha256> {
        let Message { method, path, body } = message;
        let mut mac = keyed(self.secret.expose().as_bytes());
        for line in [method.as_bytes(), path.as_bytes(), timestamp.as_bytes(), nonce.as_bytes(), body] {
            mac.update(line);
            mac.update(b"\n");
        }
        mac
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of any length")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |it: &u8| char::from(*it).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    let whole = pairs.remainder().is_empty();
    let bytes = pairs.map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    bytes.collect::<Option<Vec<u8>>>().filter(|_| whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: Message<'_> = Message { method: "POST", path: "/v1/payments", body: br#"{"amount_fen":5000}"# };

    fn signer(secret: &str) -> Signer {
        Signer::new("M1000", Secret::new(secret))
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn signs_the_agreed_lines() {
        // printf 'POST\n/v1/payments\n1795311005\nn1\n{"amount_fen":5000}\n' | openssl dgst -sha256 -hmac secret
        let signed = signer("secret").sign(MESSAGE, "n1", at(1_795_311_005));
        assert_eq!(signed.timestamp, "1795311005");
        assert_eq!(signed.signature, "ca8554ed270b14bfcdd4640e0754b6eada706fa6bc6fd09afb1efd5b16daae48");
    }

    #[test]
    fn believes_only_what_is_unchanged_fresh_and_ours() {
        let (signer, now) = (signer("secret"), at(1_795_311_005));
        let headers = signer.sign(MESSAGE, "n1", now);
        let verify = |message, headers: &Headers, now| signer.verify(message, headers, now);
        assert_eq!(verify(MESSAGE, &headers, at(1_795_311_305)), Ok(()));
        assert_eq!(verify(MESSAGE, &headers, at(1_795_311_306)), Err(Fault::Stale));
        assert_eq!(verify(MESSAGE, &headers, at(1_795_310_704)), Err(Fault::Stale));
        assert_eq!(verify(Message { method: ANSWER, ..MESSAGE }, &headers, now), Err(Fault::Forged));
        assert_eq!(verify(Message { path: "/v1/refunds", ..MESSAGE }, &headers, now), Err(Fault::Forged));
        assert_eq!(verify(Message { body: b"{}", ..MESSAGE }, &headers, now), Err(Fault::Forged));
        assert_eq!(verify(MESSAGE, &Headers { nonce: "n2".into(), ..headers.clone() }, now), Err(Fault::Forged));
        assert_eq!(verify(MESSAGE, &Headers { merchant: "M2".into(), ..headers.clone() }, now), Err(Fault::Merchant));
        assert_eq!(verify(MESSAGE, &Headers { timestamp: "soon".into(), ..headers.clone() }, now), Err(Fault::Stale));
        for signature in ["", "0", "zz", "00"] {
            let forged = Headers { signature: signature.into(), ..headers.clone() };
            assert_eq!(verify(MESSAGE, &forged, now), Err(Fault::Forged), "{signature}");
        }
        let other = Signer::new("M1000", Secret::new("other"));
        assert_eq!(other.verify(MESSAGE, &headers, now), Err(Fault::Forged));
    }

    #[test]
    fn headers_survive_the_way() {
        let headers = signer("secret").sign(MESSAGE, "n1", at(1_795_311_005));
        let pairs: std::collections::HashMap<_, _> = headers.pairs().into_iter().collect();
        assert_eq!(Headers::read(|name| pairs.get(name).copied()), Ok(headers.clone()));
        assert_eq!(Headers::read(|_| None), Err(Fault::Missing(MERCHANT)));
    }
}
